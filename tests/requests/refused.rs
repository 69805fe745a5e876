//! What the key may not see: the stream that is refused is failed and named, the others are whole.

use serde_json::{Value, json};
use simulator::{At, BindingsServer, Fault, Simulator};

use crate::support::{
    Run, STREAMS, assert_stream_whole, assert_whole, assert_whole_of, ids_of, polite, rude, tap,
};

fn others(than: &str) -> Vec<&'static str> {
    STREAMS.into_iter().filter(|stream| *stream != than).collect()
}

fn has_token(run: &Run, stream: &str) -> bool {
    let state = run.last_state().unwrap_or_default();
    state["bookmarks"][stream]["page_token"].is_string()
}

#[test]
fn a_refused_stream_is_named_and_the_others_are_whole() {
    for scenario in [polite(), rude()] {
        for refused in STREAMS {
            let sim = Simulator::start(scenario.clone().refuse(refused));
            let run = tap(&sim).run().expect_code(3).expect_line("ERROR", [refused, "403", "role"]);
            assert!(run.records(refused).is_empty());
            assert!(!has_token(&run, refused));
            assert_whole_of(&run, &sim, &others(refused));
            assert!(run.asked(refused).len() <= 3, "a refusal was asked for again");
        }
    }
}

#[test]
fn a_key_that_may_read_nothing_ends_with_every_stream_named() {
    let scenario = STREAMS.into_iter().fold(polite(), simulator::Scenario::refuse);
    let sim = Simulator::start(scenario);
    let run = tap(&sim).run().expect_code(3);
    for stream in STREAMS {
        assert!(run.says("ERROR", &[stream]), "{stream} is not named");
    }
}

#[test]
fn a_stream_refused_in_mid_run_keeps_its_position() {
    let sim = Simulator::start(polite());
    sim.add_fault(Fault::errors(403, "Forbidden Access"), At::stream("users").from(3));
    let run = tap(&sim).set("page_size", 50).run().expect_code(3).expect_line("ERROR", ["users", "403"]);
    assert_eq!(run.records("users").len(), 100);
    assert!(has_token(&run, "users"));
    assert_whole_of(&run, &sim, &others("users"));
}

#[test]
fn different_failures_in_one_run_exit_with_the_code_for_several() {
    let sim = Simulator::start(polite().refuse("users"));
    sim.add_fault(Fault::errors(503, "try later"), At::stream("invitations"));
    let run = tap(&sim).set("max_retries", 1).run().expect_code(1);
    assert!(run.says("ERROR", &["users", "403"]) && run.says("ERROR", &["invitations", "503"]));
    assert_whole_of(&run, &sim, &["service_accounts", "role_bindings"]);
}

#[test]
fn if_the_nested_listing_is_refused_bindings_come_by_environment() {
    for server in [BindingsServer::Inclusive, BindingsServer::NestedOnly] {
        let sim = Simulator::start(polite().bindings(server).environments(4).refuse("role_bindings/*"));
        let run = tap(&sim).set("page_size", 20).run().expect_code(3).expect_line("ERROR", ["role_bindings"]);
        assert_whole_of(&run, &sim, &others("role_bindings"));
        let records = run.records("role_bindings");
        let ids = ids_of(&records);
        assert_eq!(ids.len(), records.len(), "a role binding came twice");
        let environments = sim.truth().ids("environments");
        let organization = format!("crn://confluent.cloud/organization={}", sim.organization_id());
        for truth in sim.truth().records("role_bindings") {
            let pattern = truth["crn_pattern"].as_str().unwrap();
            let listed = environments.iter().any(|environment| {
                let scope = format!("{organization}/environment={environment}");
                pattern == scope || pattern.starts_with(&format!("{scope}/"))
            });
            let id = truth["id"].as_str().unwrap();
            if pattern == organization || listed {
                assert!(ids.contains(id), "{server:?}: no role binding {id} of {pattern}");
            }
        }
        let bookmark = run.bookmark("role_bindings");
        for key in ["partition", "page_token", "started_at"] {
            assert!(bookmark[key].is_null(), "the next run would not start afresh: {bookmark}");
        }
    }
}

#[test]
fn a_kill_between_environments_is_resumed_without_loss() {
    let sim = Simulator::start(polite().environments(4).refuse("role_bindings/*"));
    let only = || tap(&sim).set("streams", json!(["role_bindings"])).set("page_size", 20);
    let whole = only().run().expect_code(3);
    for state in whole.states() {
        let run = only().state(&state).run().expect_code(3);
        let above: Vec<Value> = records_above(&whole, &state);
        let together = ids_of(&[above, run.records("role_bindings")].concat());
        assert_eq!(together, ids_of(&whole.records("role_bindings")), "going on from {state}");
    }
}

/// The role bindings above a STATE line.
fn records_above(run: &Run, state: &Value) -> Vec<Value> {
    let mut above = Vec::new();
    for line in run.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        if line["type"] == "STATE" && line["value"] == *state {
            break;
        }
        if line["type"] == "RECORD" {
            above.push(line["record"].clone());
        }
    }
    above
}

#[test]
fn an_environment_names_the_organization_whose_listing_is_refused() {
    for scenario in [polite(), rude()] {
        let sim = Simulator::start(scenario.refuse("organizations"));
        let run = tap(&sim).run();
        assert_whole(&run, &sim);
        assert!(!run.asked("environments").is_empty());
    }
}

#[test]
fn without_any_way_to_the_organization_only_role_bindings_fail() {
    let sim = Simulator::start(polite().refuse("organizations").refuse("environments"));
    let run = tap(&sim).run().expect_code(3).expect_line("ERROR", ["role_bindings", "organization_id"]);
    for stream in others("role_bindings") {
        assert_stream_whole(&run, &sim, stream, None);
    }
    assert!(run.records("role_bindings").is_empty());
    assert!(run.asked("role_bindings").is_empty(), "role bindings of no organization were asked for");
}

#[test]
fn an_organization_id_that_no_look_up_confirms_is_not_verified() {
    let sim = Simulator::start(polite().refuse("organizations").refuse("environments"));
    let run = tap(&sim).set("organization_id", sim.organization_id()).run();
    assert_whole(&run, &sim);
    drop(run.expect_line("WARN", ["not verified", "organization"]));
}
