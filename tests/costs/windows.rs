//! Which days a run asks for, and that it asks for no others.

use serde_json::json;
use simulator::Simulator;

use super::{COSTS, TODAY, after, before, billed, billed_rudely, costs, months, same_lines, truth, windows};
use crate::support::airbyte;

#[test]
fn ninety_days_are_read_by_months_up_to_yesterday() {
    let sim = Simulator::start(billed());
    let run = costs(&sim).run().expect_code(0);
    let expected = [
        ("2026-02-09", "2026-03-01"),
        ("2026-03-01", "2026-04-01"),
        ("2026-04-01", "2026-05-01"),
        ("2026-05-01", "2026-05-10"),
    ];
    assert_eq!(windows(&run), expected.map(|(from, until)| (from.to_owned(), until.to_owned())));
    assert_eq!(windows(&run), months(&before(TODAY, 90), TODAY));
    same_lines(&sim, &run.records(COSTS), &truth(&sim, ""));
}

#[test]
fn pages_of_a_thousand_are_asked_for_unless_the_settings_say_otherwise() {
    let sim = Simulator::start(billed().past_days(60).billing_costs(50));
    for (tap, size, least) in [
        (costs(&sim), "1000", 4),
        (costs(&sim).set("page_size", 10_000), "10000", 3),
        (costs(&sim).set("page_size", 7), "7", 300),
    ] {
        let run = tap.set("start_date", before(TODAY, 60)).run().expect_code(0);
        let asked = run.asked(COSTS);
        assert!(asked.len() >= least, "{} requests", asked.len());
        for request in &asked {
            assert_eq!(request.parameter("page_size"), Some(size));
            let known = ["start_date", "end_date", "page_size", "page_token"];
            assert!(
                request.query.iter().all(|(name, _)| known.contains(&name.as_str())),
                "{:?}",
                request.query
            );
        }
        same_lines(&sim, &run.records(COSTS), &truth(&sim, ""));
    }
}

#[test]
fn a_page_of_ten_thousand_lines_is_within_the_limits() {
    let sim = Simulator::start(billed().past_days(2).billing_costs(7000));
    let run = costs(&sim).set("page_size", 10_000).set("start_date", before(TODAY, 2)).run().expect_code(0);
    assert_eq!(run.asked(COSTS).len(), 2);
    assert_eq!(run.records(COSTS).len() as u64, sim.truth().count(COSTS));
}

#[test]
fn windows_are_cut_at_the_start_at_months_and_at_today() {
    for (today, start) in [
        ("2026-05-10", "2026-05-09"),
        ("2026-05-10", "2026-05-01"),
        ("2026-05-10", "2026-04-30"),
        ("2026-05-01", "2026-04-01"),
        ("2026-05-01", "2026-04-30"),
        ("2026-01-01", "2025-11-15"),
        ("2026-01-31", "2025-12-31"),
        ("2028-03-01", "2028-02-28"),
        ("2026-03-31", "2025-03-31"),
    ] {
        let sim = Simulator::start(billed().today(today).past_days(90));
        let run = costs(&sim).set("start_date", start).run().expect_code(0);
        assert_eq!(windows(&run), months(start, today), "{start} to {today}");
        same_lines(&sim, &run.records(COSTS), &truth(&sim, start));
    }
}

#[test]
fn a_day_that_is_not_over_is_not_read() {
    let sim = Simulator::start(billed());
    for start in [TODAY.to_owned(), after(TODAY, 1), "2027-01-01".to_owned(), "9999-12-31".to_owned()] {
        let run = costs(&sim).set("start_date", start.as_str()).run().expect_code(0);
        assert!(run.asked(COSTS).is_empty(), "{start}");
        assert!(run.records(COSTS).is_empty());
        assert_eq!(run.says("WARN", &[COSTS, &start, "future"]), start != TODAY, "{start}");
        assert_eq!(run.bookmark(COSTS)["partition"], start.as_str(), "it is where the next run begins");
        let heard = airbyte::read(
            costs(&sim).set("start_date", start.as_str()),
            &airbyte::catalog_of(&[COSTS], "incremental"),
        );
        assert_eq!((heard.asked(COSTS), heard.records(COSTS).len()), (0, 0));
        assert_eq!(heard.last_state(COSTS)["partition"], start.as_str());
    }
}

#[test]
fn a_start_more_than_a_year_ago_is_moved_to_a_year_ago_with_a_warning() {
    for (today, start, moved) in [
        (TODAY, "2024-05-10", "2025-05-10"),
        (TODAY, "2025-05-09", "2025-05-10"),
        (TODAY, "1970-01-01", "2025-05-10"),
        (TODAY, "0001-01-01", "2025-05-10"),
        ("2028-02-29", "2026-02-28", ""),
        ("2028-03-01", "2026-02-28", ""),
    ] {
        let sim = Simulator::start(billed().today(today).past_days(400).billing_costs(1));
        let run = costs(&sim).set("start_date", start).run().expect_code(0);
        let asked = windows(&run);
        let first = asked[0].0.as_str();
        assert!(moved.is_empty() || first == moved, "{start} on {today}: from {first}");
        assert!(first <= before(today, 364).as_str(), "{start} on {today}: from {first}");
        assert_eq!(asked, months(first, today));
        assert!(run.says("WARN", &[COSTS, "year"]), "no warning for {start} on {today}");
        same_lines(&sim, &run.records(COSTS), &truth(&sim, first));
    }
    let sim = Simulator::start(billed());
    let run = costs(&sim).set("start_date", "2025-05-10").run().expect_code(0);
    assert_eq!(windows(&run)[0].0, "2025-05-10");
    assert!(!run.says("WARN", &["year"]), "a year ago is allowed");
}

#[test]
fn costs_of_any_service_are_read_whole_in_pages_of_any_size() {
    for seed in 0..4 {
        let sim = Simulator::start(billed_rudely().seed(seed).billing_costs(14));
        for (size, days) in [(1, 11), (7, 40), (1000, 40)] {
            let start = before(TODAY, days);
            let tap = || costs(&sim).set("start_date", start.as_str()).set("page_size", size);
            let run = tap().run().expect_code(0);
            same_lines(&sim, &run.records(COSTS), &truth(&sim, &start));
            let heard = airbyte::read(tap(), &airbyte::catalog_of(&[COSTS], "incremental"));
            same_lines(&sim, &heard.records(COSTS), &truth(&sim, &start));
        }
    }
}

#[test]
fn nothing_billed_is_an_answer() {
    let sim = Simulator::start(billed().billing_costs(0));
    let run = costs(&sim).run().expect_code(0);
    assert!(run.records(COSTS).is_empty());
    assert_eq!(run.bookmark(COSTS)["partition"], before(TODAY, 3));
}

#[test]
fn settings_that_are_no_dates_or_days_are_refused() {
    let sim = Simulator::start(billed());
    for (name, value) in [
        ("start_date", json!("2026-02-30")),
        ("start_date", json!("2026-13-01")),
        ("start_date", json!("2026-2-1")),
        ("start_date", json!("yesterday")),
        ("start_date", json!("2026-05-0T00:00:00Z")),
        ("start_date", json!(20260501)),
        ("cost_days_late", json!(-1)),
        ("cost_days_late", json!("three")),
        ("cost_days_late", json!(2.5)),
    ] {
        let run = costs(&sim).set(name, value.clone()).run();
        let run = run.expect_refusal(2, [name]);
        assert!(run.requests.is_empty(), "{name} {value}: something was asked");
    }
    let run = costs(&sim).set("cost_days_late", "5").run().expect_code(0);
    assert_eq!(run.bookmark(COSTS)["partition"], before(TODAY, 5));
}
