//! Role bindings that are granted while they are read: whatever a listing shows is handed on.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use simulator::{At, Fault, Grant, Scenario, Simulator};

use crate::support::{Run, SERVERS, Tap, small, tap};

fn levels() -> [Grant; 2] {
    [Grant::of_organization(3), Grant::in_environments(3)]
}

fn bindings(sim: &Simulator) -> Tap<'_> {
    tap(sim).set("streams", json!(["role_bindings"])).set("page_size", 5)
}

/// What was there from the start, and what a listing has shown since.
fn due(sim: &Simulator) -> Vec<String> {
    let shown = sim.granted().into_iter().filter(|granted| granted.listed);
    let shown = shown.map(|granted| granted.record["id"].as_str().unwrap().to_owned());
    sim.truth().ids("role_bindings").into_iter().chain(shown).collect()
}

#[track_caller]
fn assert_all<'r>(sim: &Simulator, runs: impl IntoIterator<Item = &'r Run>, what: &str) {
    let had: BTreeSet<String> = runs.into_iter().flat_map(|run| run.ids("role_bindings")).collect();
    let due = due(sim).into_iter().collect();
    let missing: Vec<&String> = BTreeSet::difference(&due, &had).collect();
    assert!(missing.is_empty(), "{what}: of {}, {missing:?} are missing", due.len());
}

/// Each with each: where from, what for.
fn cases(scenario: impl Fn() -> Scenario) -> Vec<(String, Scenario, Grant)> {
    let mut cases = Vec::new();
    for server in SERVERS {
        for grant in levels() {
            for grant in [grant.clone(), grant.in_front()] {
                cases.push((format!("{server:?} {grant:?}"), scenario().bindings(server), grant));
            }
        }
    }
    cases
}

#[test]
fn bindings_granted_between_the_listings_come_once() {
    for (what, scenario, grant) in cases(small) {
        let sim = Simulator::start(scenario.grant(grant.between_listings()));
        let run = bindings(&sim).run().expect_code(0);
        let mut had = run.ids("role_bindings");
        had.sort();
        let mut due = due(&sim);
        due.sort();
        assert_eq!(had, due, "{what}");
    }
}

#[test]
fn bindings_granted_during_a_listing_come() {
    // Of the bare listing, and of the one of everything.
    for requests in [1, 4] {
        for (what, scenario, grant) in cases(small) {
            let sim = Simulator::start(scenario.grant(grant.after(requests)));
            let run = bindings(&sim).run().expect_code(0);
            assert_all(&sim, [&run], &format!("{what} after {requests}"));
        }
    }
}

#[test]
fn bindings_granted_before_a_run_is_resumed_come() {
    for cut in [3, 5] {
        for (what, scenario, grant) in cases(small) {
            let sim = Simulator::start(scenario);
            sim.add_fault(Fault::errors(503, "try later"), At::stream("role_bindings").from(cut));
            let first = bindings(&sim).set("max_retries", 0).run();
            sim.clear_faults();
            sim.grant(grant);
            let state = first.last_state().unwrap_or(Value::Null);
            let second = bindings(&sim).state(&state).run().expect_code(0);
            assert_all(&sim, [&first, &second], &format!("{what}, cut at {cut}"));
        }
    }
}

#[test]
fn an_empty_bare_listing_is_not_taken_for_the_end() {
    for server in SERVERS {
        let scenario = small().organization_bindings(0).bindings(server);
        let sim = Simulator::start(scenario.grant(Grant::of_organization(2).between_listings()));
        let run = bindings(&sim).run().expect_code(0);
        assert_all(&sim, [&run], &format!("{server:?}"));
    }
}
