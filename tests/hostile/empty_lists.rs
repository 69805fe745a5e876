//! Lists that no organization has empty: they show less than there is, in a sync and in a check.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use simulator::{Scenario, Simulator};

use crate::support::airbyte::{self, FailureType, Status};
use crate::support::pretend::{Pretend, Reply};
use crate::support::{Run, Tap, assert_whole, has_no_position, polite, rude, small, tap};

/// Organizations whose listing of one stream is empty, and the role that sees it whole.
fn empty(scenario: impl Fn() -> Scenario) -> [(&'static str, Scenario, &'static str); 3] {
    [
        ("users", scenario().users(0), "AccountAdmin"),
        ("role_bindings", scenario().role_bindings(0), "OrganizationAdmin"),
        ("environments", scenario().environments(0), "Operator"),
    ]
}

fn only<'s>(sim: &'s Simulator, stream: &str) -> Tap<'s> {
    tap(sim).set("streams", json!([stream, "invitations"])).set("emit_activate_version", true)
}

#[track_caller]
fn assert_denied(run: Run, stream: &str, role: &str) {
    let run = run.expect_code(3).expect_line("ERROR", [stream, "is empty", role, "empty_lists"]);
    assert!(has_no_position(&run.bookmark(stream)), "{stream}");
    assert_eq!(run.bookmark(stream)["last_records"], Value::Null, "{stream}");
    assert!(!run.stdout.contains(&format!(r#""type":"ACTIVATE_VERSION","stream":"{stream}""#)), "{stream}");
    assert!(run.stdout.contains(r#""type":"ACTIVATE_VERSION","stream":"invitations""#));
}

#[test]
fn a_list_that_cannot_be_empty_fails_and_names_the_role_it_needs() {
    for scenario in [|| small(), || rude()] {
        for (stream, scenario, role) in empty(scenario) {
            let sim = Simulator::start(scenario);
            assert_denied(only(&sim, stream).run(), stream, role);
        }
    }
}

#[test]
fn under_airbyte_such_a_stream_is_incomplete_in_status_and_state() {
    for (stream, scenario, role) in empty(small) {
        let sim = Simulator::start(scenario);
        let streams = ["invitations", stream];
        let heard =
            airbyte::read(only(&sim, stream), &airbyte::catalog_of(&streams, "full_refresh")).expect_code(1);
        assert_eq!(heard.statuses(stream).last(), Some(&Status::Incomplete));
        assert!(has_no_position(&heard.last_state(stream)));
        let error = heard.error_of(stream);
        assert_eq!(error.failure_type, FailureType::Config);
        airbyte::has_words(&error.message, &["is empty", role, "empty_lists"]);
    }
}

#[test]
fn a_check_and_a_test_say_what_a_sync_would() {
    for (stream, scenario, role) in empty(small) {
        let sim = Simulator::start(scenario);
        airbyte::check(only(&sim, stream)).failed(&[stream, "is empty", role, "empty_lists"]);
        let run = only(&sim, stream).arg("--test").run().expect_code(3);
        drop(run.expect_line("ERROR", [stream, "is empty", role]));
        airbyte::check(only(&sim, stream).set("empty_lists", "warn")).succeeded();
        drop(only(&sim, stream).set("empty_lists", "warn").arg("--test").run().expect_code(0));
    }
}

#[test]
fn the_setting_accepts_an_empty_list_with_a_warning() {
    for scenario in [polite(), rude()] {
        let sim = Simulator::start(scenario.users(0).role_bindings(0));
        let run = tap(&sim).set("empty_lists", "warn").run();
        assert_whole(&run, &sim);
        for stream in ["users", "role_bindings"] {
            assert!(run.says("WARN", &[stream, "is empty", "empty_lists"]), "{stream}");
            assert_eq!(run.bookmark(stream)["last_records"], 0);
        }
    }
}

#[test]
fn other_lists_may_be_empty() {
    let sim = Simulator::start(polite().invitations(0).service_accounts(0));
    let run = tap(&sim).run();
    assert_whole(&run, &sim);
    assert!(!run.says("WARN", &[""]));
}

#[test]
fn a_state_whose_token_was_taken_out_by_hand_makes_no_empty_list_good() {
    let emptied = Arc::new(AtomicBool::new(false));
    let is_empty = emptied.clone();
    let service = Pretend::but("/iam/v2/users", move |asked| match asked.parameter("page_token") {
        Some(_) => Reply::new(501, ""),
        None if is_empty.load(Ordering::Relaxed) => Reply::page([], None),
        None => Reply::page([json!({"id": "u-1"})], Some("second")),
    });
    let mut state = service.tap().run().expect_code(5).last_state().unwrap();
    assert_eq!(state["bookmarks"]["users"]["records"], 1);
    state["bookmarks"]["users"]["page_token"] = Value::Null;
    emptied.store(true, Ordering::Relaxed);
    let tap =
        service.tap().set("streams", json!(["users", "invitations"])).set("emit_activate_version", true);
    assert_denied(tap.state(&state).run(), "users", "AccountAdmin");
}
