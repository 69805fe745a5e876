//! Windows that break off in the middle: they are read again whole, and no window before them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use simulator::{At, Fault, Request, Simulator};

use super::{COSTS, TODAY, billed, costs, months, same_lines, truth, windows};
use crate::support::airbyte;
use crate::support::{Run, Tap, eventually, stopped};

const START: &str = "2025-05-10";

/// A year of four lines a day, in pages of thirty: four or five a month.
fn year() -> Simulator {
    Simulator::start(billed().past_days(365).billing_costs(4))
}

fn reading(sim: &Simulator) -> Tap<'_> {
    costs(sim).set("start_date", START).set("page_size", 30)
}

/// What a target keyed on `cost_id` holds of several runs.
fn kept(runs: &[Vec<Value>]) -> Vec<Value> {
    let rows = runs.iter().flatten().map(|record| (record["cost_id"].to_string(), record.clone()));
    rows.collect::<BTreeMap<_, _>>().into_values().collect()
}

/// The number of the first request for a window, counted from 1.
fn first_request(run: &Run, window: &(String, String)) -> u64 {
    let asked = run.asked(COSTS);
    let place = asked.iter().position(|request| request.parameter("start_date") == Some(&window.0));
    place.unwrap() as u64 + 1
}

#[test]
fn killed_in_the_fourth_month_of_twelve_and_resumed_nothing_is_lost_or_doubled() {
    let sim = year();
    // May is the first of thirteen windows, and cut; August is the fourth.
    let all = months(START, TODAY);
    let whole = reading(&sim).run().expect_code(0);
    let third_page = first_request(&whole, &all[3]) + 2;
    sim.add_fault(Fault::Stall, At::stream(COSTS).nth(third_page));
    let child = reading(&sim).spawn();
    child.read_freely();
    eventually("lines of August come", || child.text().contains(r#""start_date":"2025-08-0"#));
    child.signal("KILL");
    let killed = child.finish();
    sim.clear_faults();
    let bookmark = killed.bookmark(COSTS);
    assert_eq!((&bookmark["partition"], &bookmark["page_token"]), (&json!(all[3].0), &Value::Null));
    let run = reading(&sim).state(&killed.last_state().unwrap()).run().expect_code(0);
    assert_eq!(windows(&run), all[3..]);
    assert_eq!(run.asked(COSTS)[0].parameter("page_token"), None, "from its first page");
    same_lines(&sim, &kept(&[killed.records(COSTS), run.records(COSTS)]), &truth(&sim, START));
    // What is said twice is of the window that broke off.
    let mut earlier = killed.records(COSTS);
    earlier.retain(|record| record["start_date"].as_str().unwrap() < all[3].0.as_str());
    same_lines(&sim, &[earlier, run.records(COSTS)].concat(), &truth(&sim, START));
}

#[test]
fn a_window_that_fails_for_good_is_read_again_whole_by_the_next_run() {
    let sim = year();
    let all = months(START, TODAY);
    let whole = reading(&sim).run().expect_code(0);
    for window in [0, 3, 12] {
        let of_window = |request: &&&Request| request.parameter("start_date") == Some(&all[window].0);
        let pages = whole.asked(COSTS).iter().filter(of_window).count() as u64;
        for page in 0..pages {
            let failing = first_request(&whole, &all[window]) + page;
            let broken = stopped(reading(&sim), &sim, &[COSTS], failing);
            if let Some(state) = broken.last_state() {
                let bookmark = &state["bookmarks"][COSTS];
                let at_start = window == 0 && (bookmark.is_null() || bookmark["partition"].is_null());
                assert!(
                    at_start || bookmark["partition"] == all[window].0.as_str(),
                    "{window} {page} {bookmark}"
                );
                assert!(bookmark["page_token"].is_null(), "{bookmark}");
            }
            let state = broken.last_state().unwrap_or_else(|| json!({}));
            let run = reading(&sim).state(&state).run().expect_code(0);
            assert_eq!(windows(&run), all[window..], "{window} {page}");
            same_lines(&sim, &kept(&[broken.records(COSTS), run.records(COSTS)]), &truth(&sim, START));
        }
    }
}

#[test]
fn a_token_that_is_refused_once_starts_its_window_over_and_doubles_nothing() {
    for status in [400, 404, 410] {
        let sim = year();
        let all = months(START, TODAY);
        let whole = reading(&sim).run().expect_code(0);
        let second_page = first_request(&whole, &all[3]) + 1;
        sim.add_fault(
            Fault::errors(status, "the page token has expired"),
            At::stream(COSTS).nth(second_page),
        );
        let run = reading(&sim).run().expect_code(0);
        assert!(run.says("WARN", &[COSTS, "token"]), "it does not say so");
        assert_eq!(windows(&run), all, "the other windows are asked for once");
        let august = run.asked(COSTS).into_iter();
        let august = august.filter(|request| request.parameter("start_date") == Some(&all[3].0));
        let firsts = august.filter(|request| request.parameter("page_token").is_none()).count();
        assert_eq!(firsts, 2, "that one is read from its first page again");
        same_lines(&sim, &kept(&[run.records(COSTS)]), &truth(&sim, START));
    }
}

#[test]
fn tokens_that_are_always_refused_end_the_stream_as_failed_in_its_window() {
    let sim = year();
    sim.refuse_tokens(true);
    let broken = reading(&sim).run();
    assert!(![Some(0), Some(2)].contains(&broken.code()));
    sim.refuse_tokens(false);
    let run = reading(&sim).state(&broken.last_state().unwrap_or_else(|| json!({}))).run().expect_code(0);
    same_lines(&sim, &kept(&[broken.records(COSTS), run.records(COSTS)]), &truth(&sim, START));
}

#[test]
fn airbyte_goes_on_in_the_window_that_broke_off() {
    let sim = year();
    let catalog = airbyte::catalog_of(&[COSTS], "incremental");
    let all = months(START, TODAY);
    let whole = airbyte::read(reading(&sim), &catalog);
    same_lines(&sim, &whole.records(COSTS), &truth(&sim, START));
    sim.add_fault(
        Fault::errors(503, "try later"),
        At::stream(COSTS).from(first_request(&whole.run, &all[3]) + 2),
    );
    let broken = airbyte::read(reading(&sim).set("max_retries", 0), &catalog).expect_code(1);
    assert_eq!(broken.last_state(COSTS)["partition"], all[3].0.as_str());
    assert!(broken.last_state(COSTS)["page_token"].is_null());
    sim.clear_faults();
    let resumed = airbyte::read(reading(&sim).state(&broken.state_file()), &catalog);
    assert_eq!(windows(&resumed.run), all[3..]);
    same_lines(&sim, &kept(&[broken.records(COSTS), resumed.records(COSTS)]), &truth(&sim, START));
    assert_eq!(resumed.last_state(COSTS)["partition"], "2026-05-07");
}

#[test]
fn a_window_that_is_refused_fails_the_stream_there_and_hides_no_day() {
    let sim = year();
    let all = months(START, TODAY);
    let whole = reading(&sim).run().expect_code(0);
    for (status, code) in [(403, 3), (400, 5)] {
        sim.add_fault(Fault::errors(status, "no"), At::stream(COSTS).from(first_request(&whole, &all[3])));
        let broken = reading(&sim).run().expect_code(code);
        assert!(broken.says("ERROR", &[COSTS]), "no error names the stream");
        assert_eq!(broken.bookmark(COSTS)["partition"], all[3].0.as_str(), "it goes on behind the gap");
        sim.clear_faults();
        let run = reading(&sim).state(&broken.last_state().unwrap()).run().expect_code(0);
        assert_eq!(windows(&run), all[3..]);
        same_lines(&sim, &kept(&[broken.records(COSTS), run.records(COSTS)]), &truth(&sim, START));
    }
}

#[test]
fn a_run_that_breaks_off_at_once_keeps_its_place() {
    let sim = Simulator::start(billed());
    let first = costs(&sim).run().expect_code(0);
    let broken = stopped(costs(&sim).state(&first.last_state().unwrap()), &sim, &[COSTS], 1);
    assert_eq!(broken.bookmark(COSTS)["partition"], "2026-05-07");
    let run = costs(&sim).state(&broken.last_state().unwrap()).run().expect_code(0);
    assert_eq!(windows(&run), months("2026-05-07", TODAY));
}
