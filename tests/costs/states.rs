//! States that others have written, or nobody: nothing in them makes a run panic or leave out a day without
//! a word.

use serde_json::{Value, json};
use simulator::Simulator;

use super::bookmarks::{at, state_of};
use super::{COSTS, TODAY, before, billed, costs, months, same_lines, truth, windows};
use crate::support::Run;
use crate::support::airbyte;

/// All ninety days are read.
#[track_caller]
fn assert_all(sim: &Simulator, run: &Run) {
    assert_eq!(windows(run), months(&before(TODAY, 90), TODAY));
    same_lines(sim, &run.records(COSTS), &truth(sim, ""));
    assert_eq!(run.bookmark(COSTS)["partition"], before(TODAY, 3));
}

#[test]
fn a_bookmark_of_another_tap_starts_at_the_start() {
    let sim = Simulator::start(billed());
    for bookmark in [
        json!({"replication_key": "start_date", "replication_key_value": "2026-05-07"}),
        json!({"replication_key": "start_date", "replication_key_value": "2026-05-07T00:00:00Z"}),
        json!({"replication_key_value": 5, "starting_replication_value": "2026-05-07"}),
        json!({"start_date": "2026-05-07"}),
        json!({}),
    ] {
        assert_all(&sim, &costs(&sim).state(&state_of(&bookmark)).run().expect_code(0));
    }
}

#[test]
fn a_partition_that_is_no_day_is_warned_of_and_starts_at_the_start() {
    let sim = Simulator::start(billed());
    for partition in [
        "2026-13-01",
        "2026-02-30",
        "2026-00-10",
        "x",
        "",
        "2026-2-1",
        "2026-05-01 ",
        "2026-05-01T00:00:00Z",
        "-2026-05-01",
        "+2026-05-01",
        "12026-05-01",
        "env-1/lkc-2",
        "２０２６-05-01",
        "0000-00-00",
    ] {
        let state = at(&sim, partition);
        let run = costs(&sim).state(&state).run().expect_code(0);
        assert!(run.says("WARN", &[COSTS]), "no warning for {partition}");
        assert_all(&sim, &run);
        let bookmark = &state["bookmarks"][COSTS];
        let file = json!([airbyte::state_of(COSTS, bookmark.clone())]);
        let heard = airbyte::read(costs(&sim).state(&file), &airbyte::catalog_of(&[COSTS], "incremental"));
        heard.expect_log(airbyte::Level::Warn, &[COSTS]);
        same_lines(&sim, &heard.records(COSTS), &truth(&sim, ""));
    }
}

#[test]
fn a_bookmark_of_the_wrong_types_is_warned_of_and_starts_at_the_start() {
    let sim = Simulator::start(billed());
    for (name, value) in [
        ("partition", json!(20260507)),
        ("partition", json!(["2026-05-07"])),
        ("organization_id", json!(5)),
        ("records", json!("many")),
        ("last_records", json!(-1)),
    ] {
        let mut state = at(&sim, "2026-05-07");
        state["bookmarks"][COSTS][name] = value.clone();
        let run = costs(&sim).state(&state).run().expect_code(0);
        assert!(run.says("WARN", &[COSTS]), "no warning for {name} {value}");
        assert_all(&sim, &run);
    }
    for bookmark in [Value::Null, json!("2026-05-07"), json!(7)] {
        drop(costs(&sim).state(&state_of(&bookmark)).run());
    }
}

#[test]
fn a_partition_of_more_than_a_year_ago_is_moved_with_a_warning() {
    let sim = Simulator::start(billed().past_days(400).billing_costs(2));
    for partition in ["2025-05-09", "2001-01-01", "0001-01-01"] {
        let run = costs(&sim).state(&at(&sim, partition)).run().expect_code(0);
        assert!(run.says("WARN", &[COSTS, "year"]), "no warning for {partition}");
        assert_eq!(windows(&run), months("2025-05-10", TODAY));
        same_lines(&sim, &run.records(COSTS), &truth(&sim, "2025-05-10"));
        assert_eq!(run.bookmark(COSTS)["partition"], before(TODAY, 3));
    }
}

#[test]
fn a_page_token_in_a_bookmark_is_not_asked_for() {
    let sim = Simulator::start(billed());
    let mut state = at(&sim, "2026-04-01");
    state["bookmarks"][COSTS]["page_token"] = json!("b25jZSB1cG9u");
    state["bookmarks"][COSTS]["started_at"] = json!("2026-05-10T10:00:00Z");
    let run = costs(&sim).state(&state).run().expect_code(0);
    let asked = run.asked(COSTS);
    assert_eq!(asked[0].parameter("page_token"), None);
    same_lines(&sim, &run.records(COSTS), &truth(&sim, &windows(&run)[0].0));
}

#[test]
fn a_bookmark_without_an_organization_is_read_from() {
    let sim = Simulator::start(billed());
    let mut state = at(&sim, "2026-05-07");
    state["bookmarks"][COSTS]["organization_id"] = Value::Null;
    let run = costs(&sim).state(&state).run().expect_code(0);
    assert_eq!(windows(&run), months("2026-05-07", TODAY));
}
