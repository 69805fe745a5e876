//! A complete list that is much shorter than the last complete one: told, or failed before anything is activated.

use serde_json::{Value, json};
use simulator::{At, Fault, OldKey, Simulator};

use crate::support::airbyte::{self, Status};
use crate::support::{Message, Run, Tap, few, polite, stopped, tap};

fn users(sim: &Simulator) -> Tap<'_> {
    tap(sim).set("streams", json!(["users"])).set("page_size", 10).set("emit_activate_version", true)
}

/// The state of a complete run.
fn complete(sim: &Simulator) -> Value {
    users(sim).run().expect_code(0).last_state().unwrap()
}

fn last_line(run: &Run) -> &str {
    run.stderr.lines().last().unwrap()
}

fn is_told(run: &Run, from: u64, to: u64) -> bool {
    let words = format!("users (from {from} records to {to})");
    last_line(run).starts_with("WARN") && last_line(run).contains(&words)
}

fn activates(run: &Run) -> bool {
    run.messages.iter().any(|message| matches!(message, Message::ActivateVersion { .. }))
}

#[test]
fn a_shrunk_list_is_named_in_the_last_line_and_is_the_next_to_compare_with() {
    let mut sim = Simulator::start(polite().users(100));
    let state = complete(&sim);
    sim.delete("users", 60);
    let run = users(&sim).state(&state).run().expect_code(0);
    assert!(is_told(&run, 100, 40) && activates(&run), "{}", last_line(&run));
    assert_eq!(run.bookmark("users")["last_records"], 40);
    let run = users(&sim).state(&run.last_state().unwrap()).run().expect_code(0);
    assert!(last_line(&run).starts_with("INFO"), "{}", last_line(&run));
}

#[test]
fn a_shrunk_list_that_fails_activates_nothing_until_it_is_accepted_once() {
    let mut sim = Simulator::start(polite().users(100));
    let mut state = complete(&sim);
    sim.delete("users", 60);
    let failing = || users(&sim).set("shrunk_lists", "fail");
    for _ in 0..2 {
        let run = failing().state(&state).run().expect_code(3);
        assert!(run.says("ERROR", &["users", "from 100 records to 40", "run once with shrunk_lists: warn"]));
        assert!(is_told(&run, 100, 40) && !activates(&run));
        assert_eq!(run.records("users").len(), 40);
        state = run.last_state().unwrap();
        assert_eq!(
            (&run.bookmark("users")["last_records"], &run.bookmark("users")["page_token"]),
            (&json!(100), &Value::Null)
        );
    }
    let accepted = users(&sim).state(&state).run().expect_code(0);
    assert!(activates(&accepted));
    let run = failing().state(&accepted.last_state().unwrap()).run().expect_code(0);
    assert!(activates(&run));
}

#[test]
fn how_far_a_list_must_shrink() {
    for (percent, before, after, is_shrunk) in [
        (50, 40, 20, false),
        (50, 40, 19, true),
        (50, 30, 11, false),
        (50, 30, 10, true),
        (100, 40, 21, false),
        (100, 40, 20, true),
        (10, 40, 4, false),
        (10, 40, 3, true),
        (1, 40, 1, false),
        (0, 40, 1, false),
        (50, 20, 0, true),
    ] {
        let mut sim = Simulator::start(few().polite().users(before));
        let state = complete(&sim);
        sim.delete("users", (before - after) as usize);
        let run = users(&sim).set("shrink_percent", percent).set("empty_lists", "warn").state(&state).run();
        assert_eq!(
            is_told(&run, before, after),
            is_shrunk,
            "{percent} {before} {after}: {}",
            last_line(&run)
        );
    }
}

#[test]
fn a_list_without_any_listing_is_compared_too() {
    let mut sim = Simulator::start(polite().identity_providers(2).identity_pools(60));
    let pools = |state: &Value| tap(&sim).set("streams", json!(["identity_pools"])).state(state);
    let state = pools(&json!({})).run().expect_code(0).last_state().unwrap();
    let count = sim.truth().count("identity_pools");
    assert_eq!(state["bookmarks"]["identity_pools"]["last_records"], count);
    sim.delete("identity_providers", 2);
    let pools = tap(&sim).set("streams", json!(["identity_pools"])).state(&state);
    let run = pools.set("shrunk_lists", "fail").run().expect_code(3);
    assert!(run.says("ERROR", &["identity_pools", &format!("from {count} records to 0")]));
    assert_eq!(run.bookmark("identity_pools")["last_records"], count);
}

#[test]
fn a_pass_of_several_runs_is_compared_as_a_whole() {
    let mut sim = Simulator::start(polite().users(100));
    let state = complete(&sim);
    let first = stopped(users(&sim).state(&state), &sim, &["users"], 7);
    assert_eq!(first.bookmark("users")["last_records"], 100);
    let run =
        users(&sim).set("shrunk_lists", "fail").state(&first.last_state().unwrap()).run().expect_code(0);
    assert!(run.records("users").len() < 50);
    // A kill in the middle of the pass that follows does not lose the number.
    sim.delete("users", 60);
    let first = stopped(users(&sim).state(&run.last_state().unwrap()), &sim, &["users"], 3);
    let run =
        users(&sim).set("shrunk_lists", "fail").state(&first.last_state().unwrap()).run().expect_code(3);
    assert!(is_told(&run, 100, 40), "{}", last_line(&run));
}

#[test]
fn a_number_that_may_count_records_twice_is_not_compared_with() {
    let sim = Simulator::start(polite());
    let bindings = || tap(&sim).set("streams", json!(["role_bindings"])).set("page_size", 10);
    let whole = bindings().run().expect_code(0).last_state().unwrap();
    let count = json!(sim.truth().count("role_bindings"));
    for (state, last) in [(json!({}), Value::Null), (whole, count)] {
        let first = stopped(bindings().state(&state), &sim, &["role_bindings"], 9);
        assert_eq!(first.bookmark("role_bindings")["partition"], "organization/*");
        let run = bindings().state(&first.last_state().unwrap()).run().expect_code(0);
        assert_eq!(run.bookmark("role_bindings")["last_records"], last);
    }
}

#[test]
fn nothing_is_compared_after_another_key_another_organization_or_without_a_state() {
    let mut sim = Simulator::start(polite().users(100));
    let state = complete(&sim);
    sim.delete("users", 60);
    let mut elsewhere = state.clone();
    elsewhere["bookmarks"]["users"]["organization_id"] = json!("another");
    let mut older = state.clone();
    older["bookmarks"]["users"]["api_key_hash"] = Value::Null;
    sim.rotate_key(OldKey::Revoked);
    for other in [&state, &elsewhere, &older, &json!({})] {
        let run = users(&sim).set("shrunk_lists", "fail").state(other).run().expect_code(0);
        assert!(last_line(&run).starts_with("INFO"), "{}", last_line(&run));
        assert_eq!(run.bookmark("users")["last_records"], 40);
    }
    // Nor does a number of one key come under the name of another through a run that was stopped.
    let first = stopped(users(&sim).state(&state), &sim, &["users"], 2);
    assert_eq!(first.bookmark("users")["last_records"], Value::Null);
    drop(users(&sim).set("shrunk_lists", "fail").state(&first.last_state().unwrap()).run().expect_code(0));
}

#[test]
fn a_list_of_which_a_part_is_denied_fails_for_that_reason() {
    let mut sim = Simulator::start(polite().users(100));
    let state = complete(&sim);
    sim.delete("users", 60);
    sim.add_fault(Fault::errors(403, "no"), At::stream("users").from(3));
    let run = users(&sim).state(&state).run().expect_code(3);
    assert!(!is_told(&run, 100, 40));
    assert_eq!(run.bookmark("users")["last_records"], 100);
}

#[test]
fn costs_are_not_compared() {
    let sim = Simulator::start(few());
    let costs = || tap(&sim).set("streams", json!(["billing_costs"])).set("shrunk_lists", "fail");
    let first = costs().set("start_date", "2026-01-01").run().expect_code(0);
    let state = first.last_state().unwrap();
    assert!(state["bookmarks"]["billing_costs"]["last_records"].as_u64() > Some(40));
    let run = costs().state(&state).run().expect_code(0);
    assert!(last_line(&run).starts_with("INFO"), "{}", last_line(&run));
}

#[test]
fn a_shrunk_list_is_never_complete_in_airbyte_where_a_state_lasts() {
    let mut sim = Simulator::start(polite().users(100));
    let catalog = airbyte::catalog_of(&["users"], "incremental");
    let mut state = airbyte::read(users(&sim), &catalog).expect_code(0).state_file();
    sim.delete("users", 60);
    for _ in 0..2 {
        let failing = users(&sim).set("shrunk_lists", "fail").state(&state);
        let heard = airbyte::read(failing, &catalog).expect_code(1);
        assert!(!heard.statuses("users").contains(&Status::Complete));
        assert!(!airbyte::is_complete_marker(&heard.last_state("users")));
        state = heard.state_file();
    }
    let heard = airbyte::read(users(&sim).state(&state), &catalog).expect_code(0);
    heard.expect_log(airbyte::Level::Warn, &["users (from 100 records to 40)"]);
    let state = heard.state_file();
    drop(airbyte::read(users(&sim).set("shrunk_lists", "fail").state(&state), &catalog).expect_code(0));
    // The platform hands no state to a new full refresh.
    let catalog = airbyte::catalog_of(&["users"], "full_refresh");
    drop(airbyte::read(users(&sim).set("shrunk_lists", "fail"), &catalog).expect_code(0));
}

#[test]
fn a_weaker_role_of_the_same_key_is_told_by_the_list_that_it_shortens() {
    let strong = Simulator::start(polite().api_keys(60).seed(7));
    let weak = Simulator::start(polite().api_keys(60).seed(7).weak_key());
    assert_eq!(strong.api_key(), weak.api_key());
    let keys = |sim| tap(sim).set("streams", json!(["api_keys"])).set("emit_activate_version", true);
    let state = keys(&strong).run().expect_code(0).last_state().unwrap();
    let run = keys(&weak).state(&state).run().expect_code(0);
    assert!(run.says("WARN", &["Lists that have shrunk: api_keys (from 60 records to"]));
    let run = keys(&weak).state(&state).set("shrunk_lists", "fail").run().expect_code(3);
    assert!(!activates(&run) && run.says("ERROR", &["api_keys", "may see less than before"]));
}
