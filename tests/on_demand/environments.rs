//! Kafka clusters, environment by environment: in which order, from where a run goes on, and what
//! becomes of environments that are deleted or refused.

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use simulator::{At, Fault, Scenario, Simulator};

use crate::support::airbyte::{self, Status};
use crate::support::{
    Message, Run, Tap, assert_whole_of, bare, eventually, few, has_no_position, ids_of, same_ids, seed,
    stopped, tap,
};

const CLUSTERS: &str = "kafka_clusters";

/// Five environments of three clusters, polite.
fn five() -> Scenario {
    few().polite().environments(5).kafka_clusters(3)
}

/// Two a page: each environment of three has two pages.
fn only(sim: &Simulator) -> Tap<'_> {
    tap(sim).set("streams", json!([CLUSTERS])).set("page_size", 2)
}

/// Ids of the environments, in the order in which they are asked for their clusters.
fn environments(sim: &Simulator) -> Vec<String> {
    let mut ids = sim.truth().ids("environments");
    ids.sort();
    ids
}

/// Of the five, the one that is listed last, and deleted first, has this place in that order.
fn arranged(place: usize) -> Simulator {
    let first = seed();
    let mut simulators = (first..first + 500).map(|seed| Simulator::start(five().seed(seed)));
    let is_last = |sim: &Simulator| sim.truth().ids("environments").last() == environments(sim).get(place);
    simulators.find(is_last).expect("one of many is so")
}

/// The environments that were asked for their clusters, each once in a row.
fn asked(run: &Run) -> Vec<String> {
    let named = |request: &&simulator::Request| request.parameter("environment").unwrap().to_owned();
    let mut asked: Vec<String> = run.asked(CLUSTERS).iter().map(named).collect();
    asked.dedup();
    asked
}

/// The same state, in which the bookmark of the clusters says something else.
fn with(state: &Value, key: &str, value: impl Into<Value>) -> Value {
    let mut state = state.clone();
    state["bookmarks"][CLUSTERS][key] = value.into();
    state
}

#[test]
fn environments_are_asked_once_each_in_the_order_of_their_ids() {
    let sim = Simulator::start(five().environments(40));
    let order = environments(&sim);
    assert_ne!(sim.truth().ids("environments"), order, "the listing has an order of its own");
    assert_eq!(asked(&only(&sim).run().expect_code(0)), order);
}

#[test]
fn a_run_resumes_at_the_environment_and_page_where_it_stopped() {
    let sim = Simulator::start(five());
    let order = environments(&sim);
    for failing in 2..=10 {
        let before = stopped(only(&sim), &sim, &[CLUSTERS], failing);
        let place = (failing as usize - 1) / 2;
        let bookmark = before.bookmark(CLUSTERS);
        assert_eq!(bookmark["partition"], order[place], "request {failing}");
        assert_eq!(bookmark["page_token"].is_string(), failing % 2 == 0, "request {failing}");
        let run = only(&sim).state(&before.last_state().unwrap()).run().expect_code(0);
        let first = run.asked(CLUSTERS)[0];
        assert_eq!(first.parameter("environment"), bookmark["partition"].as_str());
        assert_eq!(first.parameter("page_token"), bookmark["page_token"].as_str());
        assert_eq!(asked(&run), order[place..], "what was finished is not asked again");
        let together = [before.records(CLUSTERS), run.records(CLUSTERS)].concat();
        same_ids(CLUSTERS, &together, &sim.truth().ids(CLUSTERS));
        assert!(has_no_position(&run.bookmark(CLUSTERS)));
    }
}

#[test]
fn airbyte_resumes_at_the_same_environment_and_page() {
    let sim = Simulator::start(five());
    let (order, catalog) = (environments(&sim), airbyte::catalog_of(&[CLUSTERS], "full_refresh"));
    for failing in [4, 5] {
        sim.add_fault(Fault::errors(503, "try later"), At::stream(CLUSTERS).from(failing));
        let before = airbyte::read(only(&sim).set("max_retries", 0), &catalog).expect_code(1);
        sim.clear_faults();
        let position = before.last_state(CLUSTERS);
        assert_eq!(position["partition"], order[(failing as usize - 1) / 2]);
        let after = airbyte::read(only(&sim).state(&before.state_file()), &catalog).expect_code(0);
        assert_eq!(after.run.asked(CLUSTERS)[0].parameter("page_token"), position["page_token"].as_str());
        let together = [before.records(CLUSTERS), after.records(CLUSTERS)].concat();
        same_ids(CLUSTERS, &together, &sim.truth().ids(CLUSTERS));
    }
}

/// The clusters above a STATE line.
fn above(run: &Run, state: &Value) -> Vec<Value> {
    let lines = run.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let above = lines.take_while(|line| line["type"] != "STATE" || line["value"] != *state);
    above.filter(|line| line["type"] == "RECORD").map(|line| line["record"].clone()).collect()
}

#[test]
fn resuming_from_any_state_brings_whatever_is_not_above_it() {
    for scenario in [five(), few().environments(4).kafka_clusters(5)] {
        let sim = Simulator::start(scenario);
        let whole = only(&sim).run().expect_code(0);
        for state in whole.states() {
            let bookmark = state["bookmarks"][CLUSTERS].as_object().unwrap();
            assert_eq!(bookmark.len(), 7, "{bookmark:?}");
            let partition = bookmark["partition"].as_str();
            let rest = only(&sim).state(&state).run().expect_code(0);
            let seen = partition.map_or(Vec::new(), |_| above(&whole, &state));
            let mut together = [seen, rest.records(CLUSTERS)].concat();
            if rest.says("WARN", &[CLUSTERS, "may have expired"]) {
                together = rest.records(CLUSTERS);
            }
            same_ids(CLUSTERS, &together, &sim.truth().ids(CLUSTERS));
        }
        assert!(whole.states().len() > 5);
    }
}

#[test]
fn a_deleted_environment_restarts_the_stream_only_if_the_state_names_it() {
    for place in [0, 2, 4] {
        for failing in 2..=10 {
            let mut sim = arranged(place);
            let order = environments(&sim);
            let before = stopped(only(&sim), &sim, &[CLUSTERS], failing);
            let gone = sim.delete("environments", 1).remove(0);
            let run = only(&sim).state(&before.last_state().unwrap()).run().expect_code(0);
            let own = (failing as usize - 1) / 2;
            let (from, kept) = if own == place { (0, Vec::new()) } else { (own, before.records(CLUSTERS)) };
            let left: Vec<&String> = order[from..].iter().filter(|id| **id != gone).collect();
            assert_eq!(asked(&run).iter().collect::<Vec<_>>(), left, "{place} deleted, in {own}");
            let first = run.asked(CLUSTERS)[0].parameter("page_token").is_some();
            assert_eq!(first, failing % 2 == 0 && own != place, "whether a token was sent");
            assert_eq!(run.says("WARN", &[CLUSTERS, "names a partition"]), own == place, "started over");
            let mut together = [kept, run.records(CLUSTERS)].concat();
            together.retain(|record| record["environment_id"] != gone.as_str());
            same_ids(CLUSTERS, &together, &sim.truth().ids(CLUSTERS));
            assert!(has_no_position(&run.bookmark(CLUSTERS)));
        }
    }
}

/// Its `failing`th request for clusters is tried again until the environment listed last is deleted.
fn deleting(sim: &mut Simulator, failing: u64) -> Run {
    sim.add_fault(Fault::errors(503, "try later"), At::stream(CLUSTERS).from(failing));
    let child = bare()
        .config(json!({
            "base_url": sim.base_url(), "api_key": sim.api_key(), "api_secret": sim.api_secret(),
            "streams": [CLUSTERS], "page_size": 2, "max_retries": 100, "retry_base_seconds": 0.001,
        }))
        .spawn();
    eventually("the request is made", || sim.faults_met() > 0);
    sim.delete("environments", 1);
    sim.clear_faults();
    child.finish()
}

#[test]
fn an_environment_deleted_during_a_run_leaves_the_next_run_whole() {
    for (place, page) in [(0, 1), (2, 1), (4, 1), (0, 2), (2, 2), (4, 2)] {
        let mut sim = arranged(place);
        let gone = environments(&sim)[place].clone();
        let run = deleting(&mut sim, 2 * place as u64 + page).expect_code(if page == 2 { 0 } else { 3 });
        assert!(page == 2 || run.says("ERROR", &[&gone, "run again"]), "{gone} is not named");
        assert!(sim.requests().iter().any(|request| request.status == Some(404)), "nothing was gone");
        let mut left = run.records(CLUSTERS);
        left.retain(|record| record["environment_id"] != gone.as_str());
        assert_eq!(ids_of(&left), sim.truth().ids(CLUSTERS).into_iter().collect());
        assert!(page == 2 || run.records(CLUSTERS).len() == 12, "something came twice, or what is gone");
        assert!(has_no_position(&run.bookmark(CLUSTERS)));
        assert_whole_of(&only(&sim).state(&run.last_state().unwrap()).run(), &sim, &[CLUSTERS]);
    }
}

/// The clusters of all environments but one.
fn without(sim: &Simulator, refused: &str) -> Vec<String> {
    let records = sim.truth().records(CLUSTERS).iter();
    let others = records.filter(|record| record["spec"]["environment"]["id"] != refused);
    others.map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

/// The others' clusters come, the refused environment is named, and no STATE goes on behind it.
#[track_caller]
fn fails_but_for(sim: &Simulator, refused: &str) -> Run {
    let run = both(sim).run();
    assert!(run.says("ERROR", &[CLUSTERS, refused]), "{refused} is not named");
    same_ids(CLUSTERS, &run.records(CLUSTERS), &without(sim, refused));
    let mut behind = false;
    for message in &run.messages {
        match message {
            Message::Record { stream, record, .. } if stream == CLUSTERS => {
                behind |= record["environment_id"].as_str() > Some(refused);
            }
            Message::State { value } => {
                let Some(bookmark) = value.bookmarks.get(CLUSTERS) else { continue };
                assert!(bookmark["partition"].as_str() <= Some(refused), "{bookmark}");
                assert!(!behind || has_no_position(bookmark), "{bookmark}");
            }
            Message::ActivateVersion { stream, .. } => assert_ne!(stream, CLUSTERS),
            _ => {}
        }
    }
    assert!(has_no_position(&run.bookmark(CLUSTERS)));
    assert_whole_of(&run, sim, &["environments"]);
    run
}

/// With the environments themselves, and ACTIVATE_VERSION.
fn both(sim: &Simulator) -> Tap<'_> {
    only(sim).set("streams", json!(["environments", CLUSTERS])).set("emit_activate_version", true)
}

#[test]
fn a_refused_environment_is_named_and_the_next_run_starts_over() {
    for number in 0..5 {
        let scenario = five();
        let sim = Simulator::start(scenario.clone().refuse(&format!("{CLUSTERS}/#{number}")));
        let run = fails_but_for(&sim, &sim.truth().ids("environments")[number]).expect_code(3);
        assert!(run.stdout.contains(r#"{"type":"ACTIVATE_VERSION","stream":"environments""#));
        let healed = Simulator::start(scenario);
        let next = only(&healed).state(&run.last_state().unwrap()).run().expect_code(0);
        assert_whole_of(&next, &healed, &[CLUSTERS]);
    }
}

#[test]
fn an_environment_that_is_listed_but_hidden_counts_as_refused() {
    for place in 0..5 {
        let sim = Simulator::start(five());
        sim.add_fault(Fault::errors_title(404, "Not Found"), At::stream(CLUSTERS).nth(2 * place + 1));
        let run = fails_but_for(&sim, &environments(&sim)[place as usize]).expect_code(3);
        let next = only(&sim).state(&run.last_state().unwrap()).run().expect_code(0);
        assert_whole_of(&next, &sim, &[CLUSTERS]);
    }
}

#[test]
fn a_failure_after_a_refusal_leaves_no_position() {
    let sim = Simulator::start(five());
    sim.add_fault(Fault::errors(403, "Forbidden Access"), At::stream(CLUSTERS).nth(3));
    sim.add_fault(Fault::errors(503, "try later"), At::stream(CLUSTERS).from(6));
    let run = both(&sim).set("max_retries", 0).run();
    assert_ne!(run.code(), Some(0));
    assert_eq!(run.records(CLUSTERS).len(), 3 + 3);
    assert!(has_no_position(&run.bookmark(CLUSTERS)));
    assert!(run.stderr.contains(&environments(&sim)[1]), "the refused environment is not named");
}

#[test]
fn under_airbyte_a_refused_environment_leaves_its_stream_incomplete() {
    let (scenario, catalog) = (five(), airbyte::catalog_of(&["environments", CLUSTERS], "full_refresh"));
    let sim = Simulator::start(scenario.clone().refuse("kafka_clusters/#2"));
    let refused = &sim.truth().ids("environments")[2];
    let heard = airbyte::read(both(&sim), &catalog).expect_code(1);
    heard.assert_whole_of(&sim, &["environments"]);
    same_ids(CLUSTERS, &heard.records(CLUSTERS), &without(&sim, refused));
    assert_eq!(heard.statuses(CLUSTERS).last(), Some(&Status::Incomplete));
    airbyte::has_words(&heard.error_of(CLUSTERS).message, &[refused, "role"]);
    assert!(has_no_position(&heard.last_state(CLUSTERS)));
    let healed = Simulator::start(scenario);
    let next = airbyte::read(both(&healed).state(&heard.state_file()), &catalog).expect_code(0);
    next.assert_whole_of(&healed, &[CLUSTERS]);
}

#[test]
fn clusters_are_denied_if_no_environment_may_be_read() {
    for refused in [CLUSTERS, "environments"] {
        let sim = Simulator::start(five().refuse(refused));
        let others = ["users", "invitations", "service_accounts", "role_bindings", "api_keys"];
        let streams: Vec<&str> = others.into_iter().chain([CLUSTERS]).collect();
        let run = tap(&sim).set("streams", json!(streams)).run();
        let run = run.expect_code(3).expect_line("ERROR", [CLUSTERS, "403", "role"]);
        assert!(run.records(CLUSTERS).is_empty() && has_no_position(&run.bookmark(CLUSTERS)));
        assert_whole_of(&run, &sim, &others);
        let heard = airbyte::read(
            tap(&sim).set("streams", json!(streams)),
            &airbyte::catalog_of(&streams, "full_refresh"),
        );
        heard.assert_whole_of(&sim, &others);
        assert_eq!(heard.statuses(CLUSTERS).last(), Some(&Status::Incomplete));
    }
}

#[test]
fn a_listing_of_environments_that_breaks_off_fails_the_clusters() {
    for (fault, code) in
        [(Fault::status(403), 3), (Fault::status(503), 4), (Fault::Html200, 5), (Fault::NextWithoutToken, 5)]
    {
        let sim = Simulator::start(five());
        sim.add_fault(fault, At::stream("environments").from(2));
        let run = only(&sim).set("max_retries", 0).run().expect_code(code);
        drop(run.expect_line("ERROR", [CLUSTERS]));
    }
}

#[test]
fn a_malformed_state_is_started_over_with_one_warning() {
    let sim = Simulator::start(five());
    let state = stopped(only(&sim), &sim, &[CLUSTERS], 6).last_state().unwrap();
    let days_ago = (Utc::now() - TimeDelta::hours(25)).to_rfc3339();
    for state in [
        with(&state, "partition", Value::Null),
        with(&state, "partition", 7),
        with(&state, "organization_id", "00000000-1111-2222-3333-444444444444"),
        with(&state, "started_at", days_ago),
    ] {
        assert_starts_over(&sim, &state);
    }
}

#[track_caller]
fn assert_starts_over(sim: &Simulator, state: &Value) {
    let run = only(sim).state(state).run().expect_code(0).expect_line("WARN", [CLUSTERS]);
    assert_whole_of(&run, sim, &[CLUSTERS]);
    assert_eq!(run.stderr.lines().filter(|line| line.starts_with("WARN")).count(), 1, "{state}");
}

#[test]
fn a_partition_that_names_no_existing_environment_starts_over() {
    let sim = Simulator::start(five());
    let state = stopped(only(&sim), &sim, &[CLUSTERS], 6).last_state().unwrap();
    for partition in ["organization/*", "organization", "organization+", "env-", "zzz", "ENV-1", ""] {
        assert_starts_over(&sim, &with(&state, "partition", partition));
    }
}

/// A listing that is not narrowed to the environment asked for would repeat clusters under each.
#[test]
fn a_cluster_of_another_environment_breaks_the_stream() {
    let (sim, catalog) = (Simulator::start(five()), airbyte::catalog_of(&[CLUSTERS], "full_refresh"));
    let page = json!({"metadata": {}, "data": sim.truth().records(CLUSTERS)});
    sim.add_fault(Fault::Body(page.to_string().into_bytes(), Vec::new()), At::stream(CLUSTERS));
    drop(only(&sim).run().expect_code(5).expect_line("ERROR", [CLUSTERS, "environment"]));
    let heard = airbyte::read(only(&sim), &catalog).expect_code(1);
    assert_eq!(heard.statuses(CLUSTERS).last(), Some(&Status::Incomplete));
}

#[test]
fn a_token_refused_in_mid_run_restarts_the_whole_pass_once() {
    for status in [400, 404, 410] {
        let sim = Simulator::start(five());
        let order = environments(&sim);
        sim.add_fault(Fault::errors(status, "the page token has expired"), At::stream(CLUSTERS).nth(4));
        let run = only(&sim).run().expect_code(0).expect_line("WARN", [CLUSTERS]);
        assert_eq!(asked(&run), [&order[..2], &order[..]].concat());
        assert_eq!(ids_of(&run.records(CLUSTERS)), sim.truth().ids(CLUSTERS).into_iter().collect());
        assert_eq!(run.records(CLUSTERS).len(), 15 + 3 + 2);
        sim.add_fault(Fault::errors(status, "the page token has expired"), At::stream(CLUSTERS).nth(4));
        sim.add_fault(Fault::errors(status, "the page token has expired"), At::stream(CLUSTERS).nth(8));
        let run = only(&sim).run().expect_line("WARN", [CLUSTERS]).expect_line("ERROR", [CLUSTERS]);
        assert_ne!(run.code(), Some(0));
        assert!(asked(&run).starts_with(&[&order[..2], &order[..2]].concat()));
    }
    let sim = Simulator::start(five());
    let before = stopped(only(&sim), &sim, &[CLUSTERS], 6).last_state().unwrap();
    sim.expire_tokens();
    let run = only(&sim).state(&before).run().expect_code(0).expect_line("WARN", [CLUSTERS]);
    assert_whole_of(&run, &sim, &[CLUSTERS]);
}

/// What messages of this type say of the clusters' version, each once in a row.
fn versions(run: &Run, kind: &str) -> Vec<Value> {
    let lines = run.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of = lines.filter(|line| line["type"] == kind && line["stream"] == CLUSTERS);
    let mut versions: Vec<Value> = of.map(|line| line["version"].clone()).collect();
    versions.dedup();
    versions
}

#[test]
fn one_version_spans_all_environments_and_both_runs() {
    let sim = Simulator::start(five());
    for failing in [4, 5] {
        let before = stopped(both(&sim), &sim, &[CLUSTERS], failing);
        let run = both(&sim).state(&before.last_state().unwrap()).run().expect_code(0);
        let said = versions(&before, "RECORD");
        assert!(said.len() == 1 && said[0].is_u64(), "{said:?}");
        assert!(versions(&before, "ACTIVATE_VERSION").is_empty());
        assert_eq!((versions(&run, "RECORD"), versions(&run, "ACTIVATE_VERSION")), (said.clone(), said));
    }
}
