//! Interrupted in a child or in its parent, and resumed: everything comes, what was finished is not asked
//! for again, and what has been deleted meanwhile is not missed.

use serde_json::{Value, json};
use simulator::{At, Fault, Simulator};

use crate::support::airbyte;
use crate::support::partitions::{asked, home, nested, nested_rude, order, parent, reading};
use crate::support::{
    Run, Tap, assert_whole_of, bare, eventually, has_no_position, ids_of, same_ids, stopped,
};

/// A pool's listing has two pages, a connector's one.
const CHILDREN: [(&str, u64); 2] = [("identity_pools", 2), ("connectors", 1)];

fn only<'s>(sim: &'s Simulator, stream: &str) -> Tap<'s> {
    reading(sim, &[stream])
}

/// Goes on from a state; what both runs bring is each record once.
#[track_caller]
fn goes_on(sim: &Simulator, stream: &str, before: &Run) -> Run {
    goes_on_repeating(sim, stream, before, false)
}

/// The same; `repeats`: the page in hand when the first run broke off comes twice, for no state covers it.
#[track_caller]
fn goes_on_repeating(sim: &Simulator, stream: &str, before: &Run, repeats: bool) -> Run {
    let run = only(sim, stream).state(&before.last_state().unwrap()).run().expect_code(0);
    let (mut records, again) = (before.records(stream), run.records(stream));
    if repeats {
        records.retain(|record| !again.contains(record));
        let twice = before.records(stream).len() - records.len();
        assert!(twice <= again.len() && twice <= 2, "{twice} records of {stream} come twice");
    }
    same_ids(stream, &[records, again].concat(), &sim.truth().ids(stream));
    assert!(has_no_position(&run.bookmark(stream)));
    run
}

#[test]
fn a_child_resumes_at_each_request_where_it_stopped() {
    let sim = Simulator::start(nested());
    for (stream, pages) in CHILDREN {
        let order = order(&sim, stream);
        for failing in 1..=pages * order.len() as u64 {
            let before = stopped(only(&sim, stream), &sim, &[stream], failing);
            let place = ((failing - 1) / pages) as usize;
            if failing == 1 {
                assert!(before.last_state().is_none_or(|state| has_no_position(&state["bookmarks"][stream])));
                continue;
            }
            let bookmark = before.bookmark(stream);
            assert_eq!(bookmark["partition"], order[place], "{stream}, request {failing}");
            assert_eq!(bookmark["page_token"].is_string(), pages == 2 && failing % 2 == 0);
            let run = goes_on(&sim, stream, &before);
            assert_eq!(asked(&run, stream), order[place..], "what was finished is not asked again");
            let first = run.asked(stream)[0];
            assert_eq!(first.parameter("page_token"), bookmark["page_token"].as_str());
        }
    }
}

#[test]
fn a_child_resumes_wherever_its_parent_stopped() {
    let sim = Simulator::start(nested());
    // Environments have two pages, and each of the three one page of clusters.
    for (stream, parent, requests) in [
        ("connectors", "environments", 2),
        ("connectors", "kafka_clusters", 3),
        ("identity_pools", "identity_providers", 2),
    ] {
        for failing in 1..=requests {
            let before = stopped(only(&sim, stream), &sim, &[parent], failing);
            let count = format!("records {},", before.records(stream).len());
            assert!(
                before.says("ERROR", &[stream, "its parent", parent, "cannot be listed", &count]),
                "{count}"
            );
            goes_on_repeating(&sim, stream, &before, true);
        }
    }
}

#[test]
fn airbyte_resumes_a_child_at_the_same_partition() {
    let sim = Simulator::start(nested());
    for (stream, pages) in CHILDREN {
        let (order, catalog) = (order(&sim, stream), airbyte::catalog_of(&[stream], "full_refresh"));
        for failing in [2, 3, 5] {
            sim.add_fault(Fault::errors(503, "try later"), At::stream(stream).from(failing));
            let before = airbyte::read(only(&sim, stream).set("max_retries", 0), &catalog).expect_code(1);
            sim.clear_faults();
            let place = ((failing - 1) / pages) as usize;
            assert_eq!(before.last_state(stream)["partition"], order[place]);
            let after =
                airbyte::read(only(&sim, stream).state(&before.state_file()), &catalog).expect_code(0);
            assert_eq!(asked(&after.run, stream), order[place..]);
            let together = [before.records(stream), after.records(stream)].concat();
            same_ids(stream, &together, &sim.truth().ids(stream));
        }
    }
}

#[test]
fn a_child_that_is_killed_or_stopped_at_a_request_resumes_there() {
    for signal in ["KILL", "TERM"] {
        for (stream, pages) in CHILDREN {
            let sim = Simulator::start(nested());
            let order = order(&sim, stream);
            for failing in [1, 2, 3, 4, 6] {
                sim.add_fault(Fault::Stall, At::stream(stream).from(failing));
                let (child, met) = (only(&sim, stream).spawn(), sim.faults_met());
                child.read_freely();
                eventually("the request is made", || sim.faults_met() > met);
                // The page before it is written while it is under way.
                let place = ((failing - 1) / pages) as usize;
                let name = format!(r#""partition":"{}""#, order[place]);
                eventually("the state is written", || failing == 1 || child.text().contains(&name));
                child.signal(signal);
                let before = child.finish();
                sim.clear_faults();
                let run = match before.last_state() {
                    Some(state) => only(&sim, stream).state(&state).run().expect_code(0),
                    None => only(&sim, stream).run().expect_code(0),
                };
                let together = [before.records(stream), run.records(stream)].concat();
                assert_eq!(ids_of(&together), sim.truth().ids(stream).into_iter().collect());
                assert_eq!(asked(&run, stream)[0], order[place], "{stream} {signal} {failing}");
            }
        }
    }
}

#[test]
fn resuming_from_any_state_of_a_rude_service_loses_nothing() {
    for (stream, _) in CHILDREN {
        let sim = Simulator::start(nested_rude());
        let whole = only(&sim, stream).run().expect_code(0);
        for state in whole.states() {
            let lines = whole.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let above = lines.take_while(|line| line["type"] != "STATE" || line["value"] != state);
            let is_ours = |line: &Value| line["type"] == "RECORD" && line["stream"] == stream;
            let mut seen: Vec<Value> = above.filter(is_ours).map(|line| line["record"].clone()).collect();
            let rest = only(&sim, stream).state(&state).run().expect_code(0);
            if state["bookmarks"][stream]["partition"].is_null() || rest.says("WARN", &["may have expired"]) {
                seen.clear();
            }
            same_ids(stream, &[seen, rest.records(stream)].concat(), &sim.truth().ids(stream));
        }
        assert!(whole.states().len() > 3);
    }
}

/// What is in a record that is deleted between two runs, and the records of the deleted one.
#[test]
fn a_deleted_parent_restarts_its_child_only_if_the_state_is_in_it() {
    let mut over = 0;
    for (stream, pages, deleted) in [
        ("connectors", 1, "environments"),
        ("connectors", 1, "kafka_clusters"),
        ("identity_pools", 2, "identity_providers"),
    ] {
        for failing in 2..=6 {
            let mut sim = Simulator::start(nested());
            let order = order(&sim, stream);
            let place = (failing - 1) / pages;
            let before = stopped(only(&sim, stream), &sim, &[stream], failing as u64);
            let gone = sim.delete(deleted, 1).remove(0);
            let is_gone = |name: &str| name.split('/').any(|id| id == gone);
            let run = only(&sim, stream).state(&before.last_state().unwrap()).run().expect_code(0);
            let starts_over = is_gone(&order[place]);
            over += usize::from(starts_over);
            let (from, kept) = if starts_over { (0, vec![]) } else { (place, before.records(stream)) };
            let left: Vec<&String> = order[from..].iter().filter(|name| !is_gone(name)).collect();
            assert_eq!(asked(&run, stream).iter().collect::<Vec<_>>(), left, "{gone} of {order:?}");
            assert_eq!(run.says("WARN", &[stream, "names a partition that no longer exists"]), starts_over);
            let mut together = [kept, run.records(stream)].concat();
            together.retain(|record| !is_gone(&home(record)));
            same_ids(stream, &together, &sim.truth().ids(stream));
            assert!(has_no_position(&run.bookmark(stream)));
        }
    }
    assert!(over > 0, "no state was in what was deleted");
}

#[test]
fn a_parent_deleted_during_a_run_leaves_the_next_run_whole() {
    for (stream, deleted) in [
        ("connectors", "environments"),
        ("connectors", "kafka_clusters"),
        ("identity_pools", "identity_providers"),
    ] {
        let mut sim = Simulator::start(nested());
        // Whatever is listed last and goes first, its listing is the one that waits.
        let last = sim.truth().ids(deleted).pop().unwrap();
        let place = order(&sim, stream).iter().position(|name| name.split('/').any(|id| id == last)).unwrap();
        let before = if stream == "connectors" { place } else { 2 * place };
        sim.add_fault(Fault::errors(503, "try later"), At::stream(stream).from(before as u64 + 1));
        let settings = json!({
            "base_url": sim.base_url(), "api_key": sim.api_key(), "api_secret": sim.api_secret(),
            "streams": [stream], "page_size": 2, "max_retries": 100, "retry_base_seconds": 0.001,
        });
        let child = bare().config(settings).spawn();
        eventually("the request is made", || sim.faults_met() > 0);
        sim.delete(deleted, 1);
        sim.clear_faults();
        let run = child.finish().expect_code(3).expect_line("ERROR", [stream, &last, "run again"]);
        assert_eq!(ids_of(&run.records(stream)), sim.truth().ids(stream).into_iter().collect());
        assert!(has_no_position(&run.bookmark(stream)));
        let next = only(&sim, stream).state(&run.last_state().unwrap()).run().expect_code(0);
        assert_whole_of(&next, &sim, &[stream]);
    }
}

#[test]
fn a_refused_token_restarts_a_child_once_with_its_parent_listed_anew() {
    let stream = "identity_pools";
    for status in [400, 404, 410] {
        let sim = Simulator::start(nested());
        let (order, expired) = (order(&sim, stream), Fault::errors(status, "the page token has expired"));
        sim.add_fault(expired.clone(), At::stream(stream).nth(4));
        let run = only(&sim, stream).set("emit_activate_version", true).run().expect_code(0);
        let run = run.expect_line("WARN", [stream, "page token was rejected", "again from the first page"]);
        assert_eq!(asked(&run, stream), [&order[..2], &order[..]].concat());
        // Four providers are two pages, which are asked for twice.
        assert_eq!(run.asked(parent(stream)).len(), 4, "the parent is listed anew, and once");
        assert_eq!(ids_of(&run.records(stream)), sim.truth().ids(stream).into_iter().collect());
        let versions = |kind: &str| -> Vec<Value> {
            let lines = run.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let of = lines.filter(|line| line["type"] == kind && line["stream"] == stream);
            of.map(|line| line["version"].clone()).collect()
        };
        assert_eq!(
            versions("ACTIVATE_VERSION"),
            versions("RECORD").last().cloned().into_iter().collect::<Vec<_>>()
        );
        sim.clear_faults();
        sim.add_fault(expired.clone(), At::stream(stream).nth(4));
        sim.add_fault(expired, At::stream(stream).nth(8));
        let run = only(&sim, stream).run();
        assert!(run.code() != Some(0) && run.says("ERROR", &[stream]), "a second time it fails");
        assert_eq!(run.asked(parent(stream)).len(), 4);
    }
    let sim = Simulator::start(nested());
    let before = stopped(only(&sim, stream), &sim, &[stream], 4).last_state().unwrap();
    sim.expire_tokens();
    let run = only(&sim, stream).state(&before).run().expect_code(0).expect_line("WARN", [stream]);
    assert_whole_of(&run, &sim, &[stream]);
}
