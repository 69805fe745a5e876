//! Page tokens that the service refuses: the stream starts over, once, with a warning, and nothing
//! is skipped.

use serde_json::Value;
use simulator::{At, Fault, Simulator};

use crate::support::{self, OTHERS, Run, STREAMS, assert_whole, assert_whole_of, ids_of, polite, small, tap};

/// A run that could not go on with users after the second page.
fn interrupted(sim: &Simulator) -> Run {
    support::interrupted(tap(sim).set("page_size", 50), sim, &["users"], 3)
}

fn tokens(run: &Run, stream: &str) -> Vec<bool> {
    run.asked(stream).iter().map(|request| request.parameter("page_token").is_some()).collect()
}

#[test]
fn a_valid_token_is_resumed_from() {
    let sim = Simulator::start(polite());
    let before = interrupted(&sim);
    let run = tap(&sim).set("page_size", 50).state(&before.last_state().unwrap()).run().expect_code(0);
    assert_eq!(tokens(&run, "users"), [true, true, true]);
    assert_eq!(run.records("users").len(), 137);
    assert_whole_of(&run, &sim, &OTHERS);
}

#[test]
fn a_token_refused_on_resume_starts_its_stream_over_with_a_warning() {
    for status in [400, 404, 410] {
        let sim = Simulator::start(polite());
        let state = interrupted(&sim).last_state().unwrap();
        sim.add_fault(Fault::errors(status, "the page token has expired"), At::stream("users").nth(1));
        let run = tap(&sim).set("page_size", 50).state(&state).run();
        assert_whole(&run, &sim);
        let run = run.expect_line("WARN", ["users"]);
        assert_eq!(tokens(&run, "users"), [true, false, true, true, true, true]);
    }
}

#[test]
fn tokens_expired_on_resume_only_start_the_stream_over() {
    let sim = Simulator::start(polite());
    let state = interrupted(&sim).last_state().unwrap();
    sim.expire_tokens();
    let run = tap(&sim).set("page_size", 50).state(&state).run();
    assert_whole(&run, &sim);
    drop(run.expect_line("WARN", ["users"]));
}

#[test]
fn tokens_from_before_a_restart_of_the_service_start_streams_over() {
    let first = Simulator::start(polite().seed(7));
    let state = interrupted(&first).last_state().unwrap();
    let second = Simulator::start(polite().seed(7));
    let run = tap(&second).set("page_size", 50).state(&state).run();
    assert_whole(&run, &second);
}

#[test]
fn a_token_refused_in_mid_run_starts_its_stream_over_with_a_warning() {
    for status in [400, 404, 410] {
        let sim = Simulator::start(polite());
        sim.add_fault(Fault::errors(status, "the page token has expired"), At::stream("users").nth(3));
        let run = tap(&sim).set("page_size", 50).run().expect_code(0).expect_line("WARN", ["users"]);
        assert_whole_of(&run, &sim, &OTHERS);
        let records = run.records("users");
        assert_eq!(ids_of(&records).len(), 237);
        assert_eq!(records.len(), 237 + 100, "two pages are repeated");
        assert_eq!(tokens(&run, "users"), [false, true, true, false, true, true, true, true]);
        assert!(run.bookmark("users")["page_token"].is_null());
    }
}

#[test]
fn role_bindings_start_over_from_their_first_listing() {
    // Nobody looks up the key, which would ask for role bindings too.
    let sim = Simulator::start(polite().refuse("api_keys"));
    // Bare: one page of 44 and the inclusive listing's pages after it.
    sim.add_fault(Fault::errors(400, "the page token has expired"), At::stream("role_bindings").nth(4));
    let run = tap(&sim).set("page_size", 50).run().expect_code(0).expect_line("WARN", ["role_bindings"]);
    assert_eq!(ids_of(&run.records("role_bindings")).len(), 264);
    assert!(!run.asked("role_bindings")[4].parameter("crn_pattern").unwrap().ends_with("/*"));
}

/// What an expired token may be answered with instead of a refusal.
fn empty_end() -> Fault {
    Fault::Body(br#"{"data":[],"metadata":{}}"#.to_vec(), Vec::new())
}

#[test]
fn a_resumed_token_that_brings_an_empty_last_page_starts_over() {
    let sim = Simulator::start(polite());
    let state = interrupted(&sim).last_state().unwrap();
    sim.add_fault(empty_end(), At::stream("users").nth(1));
    let run = tap(&sim).set("page_size", 50).state(&state).run();
    assert_whole(&run, &sim);
    let run = run.expect_line("WARN", ["users", "empty last page", "expired"]);
    assert_eq!(tokens(&run, "users"), [true, false, true, true, true, true]);
}

#[test]
fn empty_pages_after_a_resumed_token_start_the_stream_over_too() {
    let sim = Simulator::start(polite());
    let state = interrupted(&sim).last_state().unwrap();
    let empty = br#"{"data":[],"metadata":{"next":"/iam/v2/users?page_token=further"}}"#;
    sim.add_fault(Fault::Body(empty.to_vec(), Vec::new()), At::stream("users").nth(1));
    sim.add_fault(empty_end(), At::stream("users").nth(2));
    let run = tap(&sim).set("page_size", 50).state(&state).run();
    assert_whole(&run, &sim);
    let run = run.expect_line("WARN", ["users", "empty last page", "expired"]);
    assert_eq!(tokens(&run, "users"), [true, true, false, true, true, true, true]);
}

#[test]
fn a_token_refused_with_status_200_starts_the_stream_over_too() {
    for status in [400, 404, 410] {
        let sim = Simulator::start(polite());
        let state = interrupted(&sim).last_state().unwrap();
        sim.add_fault(Fault::errors_page(status), At::stream("users").nth(1));
        let run = tap(&sim).set("page_size", 50).state(&state).run();
        assert_whole(&run, &sim);
        drop(run.expect_line("WARN", ["users", "page token was rejected"]));
    }
}

#[test]
fn an_expired_page_and_a_refused_token_share_one_restart() {
    let sim = Simulator::start(polite());
    let state = interrupted(&sim).last_state().unwrap();
    sim.add_fault(empty_end(), At::stream("users").nth(1));
    sim.add_fault(Fault::errors(400, "the page token has expired"), At::stream("users").nth(4));
    let run = tap(&sim).set("page_size", 50).state(&state).run().expect_code(5);
    assert_eq!(tokens(&run, "users"), [true, false, true, true]);
    assert_whole_of(&run, &sim, &OTHERS);
}

#[test]
fn a_list_that_has_become_empty_is_started_over_once() {
    let sim = Simulator::start(polite());
    let before = support::stopped(tap(&sim).set("page_size", 50), &sim, &["invitations"], 3);
    sim.add_fault(Fault::errors(400, "the page token has expired"), At::stream("invitations").nth(1));
    sim.add_fault(empty_end(), At::stream("invitations").nth(2));
    let run = tap(&sim).set("page_size", 50).state(&before.last_state().unwrap()).run().expect_code(0);
    assert_eq!(tokens(&run, "invitations"), [true, false]);
}

#[test]
fn an_empty_last_page_of_the_same_run_ends_the_stream() {
    let sim = Simulator::start(polite());
    sim.add_fault(empty_end(), At::stream("users").nth(3));
    let run = tap(&sim).set("page_size", 50).run().expect_code(0);
    assert_eq!((run.records("users").len(), tokens(&run, "users").len()), (100, 3));
}

#[test]
fn a_stream_whose_tokens_are_refused_twice_fails() {
    for status in [400, 404, 410] {
        let sim = Simulator::start(polite());
        sim.refuse_tokens_with(status);
        let run = tap(&sim).set("page_size", 50).run();
        assert_ne!(run.code(), Some(0));
        for stream in STREAMS {
            assert!(run.says("WARN", &[stream]) && run.says("ERROR", &[stream]), "{stream} is not named");
        }
        for stream in ["users", "invitations", "service_accounts"] {
            assert_eq!(tokens(&run, stream), [false, true, false, true], "{stream}");
        }
    }
}

#[test]
fn a_refused_first_page_is_not_a_refused_token() {
    for status in [400, 404, 410] {
        let sim = Simulator::start(polite());
        sim.add_fault(Fault::errors(status, "no such thing"), At::stream("users"));
        let run = tap(&sim).run().expect_line("ERROR", ["users", "no such thing"]);
        assert_ne!(run.code(), Some(0));
        assert_eq!(run.asked("users").len(), 1, "requests");
        assert_eq!(run.bookmark("invitations")["page_token"], Value::Null);
        assert_whole_of(&run, &sim, &OTHERS);
    }
}

#[test]
fn a_refused_token_restarts_the_look_up_of_the_organization() {
    let refused = Fault::errors(400, "the page token has expired");
    let sim = Simulator::start(
        small().organizations(3).fault(refused, At::stream("organizations").nth(2).times(1)),
    );
    let run = tap(&sim).set("organization_id", sim.organization_id()).set("page_size", 1).run();
    let run = run.expect_line("WARN", ["organizations", "page token was rejected"]);
    assert_whole(&run, &sim);
}
