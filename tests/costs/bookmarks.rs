//! Where the next run begins: at the first day that may still change, whoever asks and whenever.

use serde_json::{Value, json};
use simulator::{OldKey, Simulator};

use super::{COSTS, TODAY, after, before, billed, costs, months, same_lines, truth, windows};
use crate::support::{PASS_KEYS, Run, stopped};

/// A state of Singer that says this of costs.
pub fn state_of(bookmark: &Value) -> Value {
    json!({"bookmarks": {COSTS: bookmark}})
}

/// A state that says this first day, of this organization, and nothing else of ours.
pub fn at(sim: &Simulator, partition: &str) -> Value {
    let key = json!("start_date");
    let mut bookmark = json!({"replication_key": key, "replication_key_value": partition, "last_records": 7});
    for name in PASS_KEYS {
        bookmark[name] = Value::Null;
    }
    bookmark["partition"] = partition.into();
    bookmark["organization_id"] = sim.organization_id().into();
    state_of(&bookmark)
}

/// A finished bookmark: this first day, and all keys that a bookmark has.
#[track_caller]
fn assert_finished(run: &Run, sim: &Simulator, partition: &str) {
    let bookmark = run.bookmark(COSTS);
    let mut named: Vec<&str> = bookmark.as_object().unwrap().keys().map(String::as_str).collect();
    named.sort_unstable();
    let mut expected = PASS_KEYS.to_vec();
    expected.extend(["last_records", "replication_key", "replication_key_value"]);
    expected.sort_unstable();
    assert_eq!(named, expected);
    assert_eq!(bookmark["partition"], partition);
    assert_eq!(bookmark["replication_key_value"], partition);
    assert_eq!(bookmark["replication_key"], "start_date");
    assert_eq!(bookmark["page_token"], Value::Null);
    assert_eq!(bookmark["organization_id"], sim.organization_id());
}

#[test]
fn a_finished_bookmark_is_the_first_day_that_may_still_change() {
    let sim = Simulator::start(billed());
    for (late, partition) in [(3, before(TODAY, 3)), (0, TODAY.to_owned()), (10, before(TODAY, 10))] {
        let run = costs(&sim).set("cost_days_late", late).run().expect_code(0);
        assert_finished(&run, &sim, &partition);
        assert_eq!(run.bookmark(COSTS)["last_records"], run.records(COSTS).len());
    }
}

#[test]
fn a_bookmark_is_never_before_the_day_from_which_the_run_read() {
    let sim = Simulator::start(billed());
    for (start, late) in [(before(TODAY, 1), 3), (before(TODAY, 3), 3), (before(TODAY, 20), 90)] {
        let run = costs(&sim).set("start_date", start.as_str()).set("cost_days_late", late).run();
        assert_finished(&run.expect_code(0), &sim, &start);
    }
    let run = costs(&sim).state(&at(&sim, "2026-05-08")).run().expect_code(0);
    assert_finished(&run, &sim, "2026-05-08");
}

#[test]
fn the_next_run_reads_from_the_bookmark_whatever_the_start_is() {
    let mut sim = Simulator::start(billed());
    let first = costs(&sim).run().expect_code(0);
    sim.set_today(&after(TODAY, 1));
    for start in ["2026-03-01", "2026-05-10", "2020-01-01"] {
        let run =
            costs(&sim).set("start_date", start).state(&first.last_state().unwrap()).run().expect_code(0);
        assert_eq!(windows(&run), months("2026-05-07", "2026-05-11"), "{start}");
        assert_finished(&run, &sim, "2026-05-08");
        same_lines(&sim, &run.records(COSTS), &truth(&sim, "2026-05-07"));
        assert_eq!(run.bookmark(COSTS)["last_records"], run.records(COSTS).len());
        assert!(!run.says("WARN", &[""]), "it warns");
    }
    // A second run on the same day reads the days that may have changed, and stays there.
    let again = costs(&sim).state(&at(&sim, "2026-05-08")).run().expect_code(0);
    assert_eq!(windows(&again), months("2026-05-08", "2026-05-11"));
    assert_finished(&again, &sim, "2026-05-08");
}

#[test]
fn a_bookmark_of_months_ago_is_read_from_by_months() {
    let sim = Simulator::start(billed());
    let run = costs(&sim).state(&at(&sim, "2026-02-20")).run().expect_code(0);
    assert_eq!(windows(&run), months("2026-02-20", TODAY));
    same_lines(&sim, &run.records(COSTS), &truth(&sim, "2026-02-20"));
}

#[test]
fn a_bookmark_in_the_future_brings_nothing_and_stays() {
    let sim = Simulator::start(billed());
    for partition in [TODAY.to_owned(), after(TODAY, 1), "2027-05-10".to_owned(), "9999-12-31".to_owned()] {
        let run = costs(&sim).state(&at(&sim, &partition)).run().expect_code(0);
        assert!(run.asked(COSTS).is_empty() && run.records(COSTS).is_empty(), "{partition}");
        assert_eq!(run.says("WARN", &[COSTS, &partition, "future"]), partition != TODAY, "{partition}");
        assert_finished(&run, &sim, &partition);
        assert!(run.schemas().contains_key(COSTS));
    }
}

#[test]
fn another_api_key_reads_no_day_more() {
    for old in [OldKey::Works, OldKey::Revoked] {
        let mut sim = Simulator::start(billed());
        let first = costs(&sim).run().expect_code(0);
        sim.set_today(&after(TODAY, 1));
        sim.rotate_key(old);
        let run = costs(&sim).state(&first.last_state().unwrap()).run().expect_code(0);
        assert_eq!(windows(&run), months("2026-05-07", "2026-05-11"));
        assert!(!run.says("WARN", &[COSTS]), "it warns");
    }
}

#[test]
fn another_api_key_goes_on_in_the_window_where_the_last_one_stopped() {
    let sim = Simulator::start(billed());
    let first = stopped(costs(&sim), &sim, &[COSTS], 3);
    assert_eq!(first.bookmark(COSTS)["partition"], "2026-04-01");
    sim.rotate_key(OldKey::Revoked);
    let run = costs(&sim).state(&first.last_state().unwrap()).run().expect_code(0);
    assert_eq!(windows(&run), months("2026-04-01", TODAY));
    same_lines(&sim, &[first.records(COSTS), run.records(COSTS)].concat(), &truth(&sim, ""));
}

#[test]
fn a_position_of_days_ago_is_gone_on_from() {
    let mut sim = Simulator::start(billed());
    let first = stopped(costs(&sim), &sim, &[COSTS], 3);
    sim.set_today(&after(TODAY, 12));
    let run = costs(&sim).state(&first.last_state().unwrap()).run().expect_code(0);
    assert_eq!(windows(&run), months("2026-04-01", &after(TODAY, 12)));
    assert!(!run.says("WARN", &[COSTS]), "it warns");
    assert_finished(&run, &sim, &after(TODAY, 9));
}

#[test]
fn another_organization_starts_over_at_the_start() {
    let other = Simulator::start(billed().seed(1));
    let sim = Simulator::start(billed().seed(2));
    let states = [
        costs(&other).run().expect_code(0).last_state().unwrap(),
        stopped(costs(&other), &other, &[COSTS], 3).last_state().unwrap(),
        at(&other, "9999-12-31"),
    ];
    for state in states {
        let run = costs(&sim).state(&state).run().expect_code(0);
        assert_eq!(windows(&run), months(&before(TODAY, 90), TODAY));
        assert!(run.says("WARN", &[COSTS, "organization"]), "it does not warn");
        assert_finished(&run, &sim, &before(TODAY, 3));
        same_lines(&sim, &run.records(COSTS), &truth(&sim, ""));
    }
}
