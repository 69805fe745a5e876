//! Parents: listed once a run, refused, refused in part, and empty.

use serde_json::{Value, json};
use simulator::{At, Fault, Simulator};

use crate::support::airbyte::{self, Status};
use crate::support::partitions::{asked, but_for, home, nested, order, reading};
use crate::support::{Message, Run, assert_whole_of, every, has_no_position, same_ids};

/// How often the listings of a stream have been begun.
fn begun(run: &Run, stream: &str) -> usize {
    run.asked(stream).iter().filter(|request| request.parameter("page_token").is_none()).count()
}

#[test]
fn a_parent_is_listed_once_however_many_children_need_it() {
    let scenario = nested().environments(5).refuse("role_bindings/*").refuse("api_keys");
    for (streams, environments, clusters, providers) in [
        (&["kafka_clusters"][..], 1, 5, 0),
        (&["connectors"], 1, 5, 0),
        (&["connectors", "kafka_clusters"], 1, 10, 0),
        (&["connectors", "kafka_clusters", "role_bindings"], 1, 10, 0),
        (&["connectors", "kafka_clusters", "role_bindings", "environments"], 2, 10, 0),
        (&["identity_pools"], 0, 0, 1),
        (&["identity_pools", "identity_providers"], 0, 0, 2),
    ] {
        let sim = Simulator::start(scenario.clone());
        let run = reading(&sim, streams).set("concurrency", 8).run();
        let (code, listed) =
            (i32::from(streams.contains(&"role_bindings")) * 3, [environments, clusters, providers]);
        assert_eq!(run.code(), Some(code), "{streams:?}");
        let found =
            ["environments", "kafka_clusters", "identity_providers"].map(|stream| begun(&run, stream));
        assert_eq!(found, listed, "environments, clusters, providers for {streams:?}");
        // Each of their pages, too: five environments and four providers, two a page.
        assert_eq!(run.asked("environments").len(), 3 * environments);
        assert_eq!(run.asked("identity_providers").len(), 2 * providers);
        let read: Vec<&str> = streams.iter().copied().filter(|stream| *stream != "role_bindings").collect();
        assert_whole_of(&run, &sim, &read);
    }
}

#[test]
fn a_refused_parent_fails_its_child_and_is_named() {
    for (stream, parent) in [
        ("identity_pools", "identity_providers"),
        ("connectors", "environments"),
        ("kafka_clusters", "environments"),
    ] {
        let sim = Simulator::start(nested().refuse(parent));
        let run = reading(&sim, &["users", stream]).set("emit_activate_version", true).run().expect_code(3);
        let words = ["its parent", parent, "cannot be listed", "role"];
        let run = run.expect_line("ERROR", words).expect_line("ERROR", [stream, "answered 403"]);
        assert!(run.records(stream).is_empty() && run.asked(stream).is_empty());
        is_told_as_failed(&run, stream);
        assert_whole_of(&run, &sim, &["users"]);
        let catalog = airbyte::catalog_of(&["users", stream], "full_refresh");
        let heard = airbyte::read(reading(&sim, &["users", stream]), &catalog).expect_code(1);
        airbyte::has_words(&heard.error_of(stream).message, &words);
        assert_eq!(heard.statuses(stream).last(), Some(&Status::Incomplete));
        heard.assert_whole_of(&sim, &["users"]);
    }
}

/// Nothing tells a later run, or a target, that what came was all.
#[track_caller]
fn is_told_as_failed(run: &Run, stream: &str) {
    assert!(has_no_position(&run.bookmark(stream)), "{stream} has a position");
    let activated =
        |message: &Message| matches!(message, Message::ActivateVersion { stream: of, .. } if of == stream);
    assert!(!run.messages.iter().any(activated), "{stream} is activated");
}

/// The records of all partitions but those come, these are named, and the child ends failed, with no
/// position behind them; the next run, to which nothing is refused, is whole.
#[track_caller]
fn fails_but_for(sim: &Simulator, stream: &str, named: &str, is_left_out: impl Fn(&str) -> bool) {
    let with = || reading(sim, &[stream]).set("emit_activate_version", true);
    let run = with().run().expect_code(3).expect_line("ERROR", [stream, named, "denied", "run again"]);
    let run = run.expect_line("WARN", [stream, named, "continuing with the next"]);
    let left = but_for(sim, stream, &is_left_out);
    same_ids(stream, &run.records(stream), &left);
    assert!(!left.is_empty() && left.len() < sim.truth().ids(stream).len());
    is_told_as_failed(&run, stream);
    // From the refusal on no state has a position.
    let mut is_behind = false;
    for message in &run.messages {
        match message {
            Message::Record { record, .. } => {
                let order = order(sim, stream);
                let place = |name: &str| order.iter().position(|one| one == name).unwrap();
                let first = order.iter().position(|name| is_left_out(name)).unwrap();
                is_behind |= place(&home(&Value::from(record.clone()))) > first;
            }
            Message::State { value } if is_behind => assert!(has_no_position(&value.bookmarks[stream])),
            _ => {}
        }
    }
    let catalog = airbyte::catalog_of(&[stream], "full_refresh");
    let heard = airbyte::read(reading(sim, &[stream]), &catalog).expect_code(1);
    same_ids(stream, &heard.records(stream), &left);
    assert_eq!(heard.statuses(stream).last(), Some(&Status::Incomplete));
    airbyte::has_words(&heard.error_of(stream).message, &[named]);
    assert!(has_no_position(&heard.last_state(stream)));
    let healed = Simulator::start(nested().seed(sim.seed()));
    let next = reading(&healed, &[stream]).state(&run.last_state().unwrap()).run().expect_code(0);
    assert_whole_of(&next, &healed, &[stream]);
}

#[test]
fn a_parent_refused_in_part_fails_its_child_after_the_rest() {
    for number in 0..3 {
        let sim = Simulator::start(nested().refuse(&format!("kafka_clusters/#{number}")));
        let refused = sim.truth().ids("environments")[number].clone();
        fails_but_for(&sim, "connectors", &refused, |name| name.starts_with(&refused));
    }
}

#[test]
fn a_partition_that_is_refused_or_hidden_fails_its_stream_after_the_rest() {
    for stream in ["connectors", "identity_pools"] {
        for status in [403, 404] {
            for place in [0, 2] {
                let sim = Simulator::start(nested());
                let refused = order(&sim, stream)[place].clone();
                let pages = if stream == "connectors" { 1 } else { 2 };
                // Met by both runs: of a listing that is refused no second page is asked for.
                let nth = pages * place as u64 + 1;
                let requests = if stream == "connectors" { 6 } else { 7 };
                for run in 0..2 {
                    let fault = Fault::error_object(status, "Forbidden Access");
                    sim.add_fault(fault, At::stream(stream).nth(run * requests + nth));
                }
                fails_but_for(&sim, stream, &refused, |name| name == refused);
            }
        }
    }
    let sim = Simulator::start(nested());
    let (cluster, seed) = (sim.truth().ids("kafka_clusters")[3].clone(), sim.seed());
    let sim = Simulator::start(nested().seed(seed).refuse(&format!("connectors/{cluster}")));
    fails_but_for(&sim, "connectors", &cluster, |name| name.ends_with(&cluster));
    let provider = sim.truth().ids("identity_providers")[1].clone();
    let sim = Simulator::start(nested().seed(seed).refuse(&format!("identity_pools/{provider}")));
    fails_but_for(&sim, "identity_pools", &provider, |name| name == provider);
}

#[test]
fn a_child_of_no_parent_at_all_is_read_to_its_end() {
    let sim = Simulator::start(nested().identity_providers(0).kafka_clusters(0));
    let streams = ["identity_providers", "identity_pools", "kafka_clusters", "connectors"];
    let run = reading(&sim, &streams).set("emit_activate_version", true).run().expect_code(0);
    let catalog = airbyte::catalog_of(&streams, "full_refresh");
    let heard = airbyte::read(reading(&sim, &streams), &catalog).expect_code(0);
    heard.assert_whole_of(&sim, &streams);
    assert_whole_of(&run, &sim, &streams);
    for stream in streams {
        assert_eq!(run.bookmark(stream)["last_records"], 0, "{stream}");
        let activated = format!(r#"{{"type":"ACTIVATE_VERSION","stream":"{stream}""#);
        assert_eq!(run.stdout.matches(&activated).count(), 1, "{stream}");
        assert_eq!(heard.statuses(stream), [Status::Started, Status::Running, Status::Complete]);
    }
    assert!(run.asked("identity_pools").is_empty() && run.asked("connectors").is_empty());
    for child in ["identity_pools", "connectors"] {
        let test = reading(&sim, &[child]).arg("--test").run().expect_code(0);
        assert!(test.schemas().contains_key(child) && has_no_position(&test.bookmark(child)), "{child}");
        airbyte::check(reading(&sim, &[child])).succeeded();
    }
}

#[test]
fn no_environment_at_all_denies_connectors_unless_the_settings_allow_it() {
    let sim = Simulator::start(nested().environments(0));
    let only = || reading(&sim, &["connectors"]);
    let run = only().set("emit_activate_version", true).run().expect_code(3);
    let run = run.expect_line("ERROR", ["connectors", "the list of environments is empty", "empty_lists"]);
    is_told_as_failed_without_state(&run);
    airbyte::check(only()).failed(&["connectors", "the list of environments is empty"]);
    let warned = only().set("empty_lists", "warn").run().expect_code(0);
    let warned = warned.expect_line("WARN", ["connectors", "the list of environments is empty"]);
    assert_whole_of(&warned, &sim, &["connectors"]);
}

#[track_caller]
fn is_told_as_failed_without_state(run: &Run) {
    assert!(!run.stdout.contains("ACTIVATE_VERSION"));
    assert!(run.last_state().is_none_or(|state| has_no_position(&state["bookmarks"]["connectors"])));
}

/// A listing of clusters that is not narrowed would bring the connectors of each under every environment.
#[test]
fn a_parent_of_another_parent_than_the_one_asked_for_breaks_the_child() {
    let sim = Simulator::start(nested());
    let page = json!({"metadata": {}, "data": sim.truth().records("kafka_clusters")});
    sim.add_fault(Fault::Body(page.to_string().into_bytes(), Vec::new()), At::stream("kafka_clusters"));
    let run = reading(&sim, &["connectors"]).run().expect_code(5);
    let run = run
        .expect_line("ERROR", ["connectors", "its parent kafka_clusters", "spec.environment.id is not env-"]);
    assert!(run.records("connectors").is_empty());
}

#[test]
fn a_refused_token_of_a_parent_begins_its_listing_once_more() {
    for (stream, parent) in [("identity_pools", "identity_providers"), ("connectors", "environments")] {
        let sim = Simulator::start(nested());
        let expired = || Fault::errors(410, "the page token has expired");
        sim.add_fault(expired(), At::stream(parent).nth(2));
        let run = reading(&sim, &[stream]).run().expect_code(0);
        let run = run.expect_line("WARN", ["its page token was rejected; reading it again", "410"]);
        assert_whole_of(&run, &sim, &[stream]);
        assert_eq!(run.asked(parent).len(), 4, "two pages, from the first on");
        sim.add_fault(expired(), At::stream(parent).nth(2));
        sim.add_fault(expired(), At::stream(parent).nth(4));
        let run = reading(&sim, &[stream]).run().expect_code(5);
        drop(run.expect_line("ERROR", [stream, "its parent", parent, "410"]));
    }
}

/// A cluster without connectors, or a provider without pools, is one among others.
#[test]
fn empty_partitions_are_passed_without_a_word() {
    let sim = Simulator::start(nested().connectors(0).identity_pools(0));
    let run = every(&sim).run().expect_code(0);
    assert_whole_of(&run, &sim, &["connectors", "identity_pools"]);
    for stream in ["connectors", "identity_pools"] {
        assert_eq!(asked(&run, stream), order(&sim, stream));
    }
}
