//! Parents whose rows no service should send, or which change while their children are read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::support::Message;
use crate::support::pretend::{Asked, Pretend, Reply, environment, ordinary};

const PROVIDERS: &str = "/iam/v2/identity-providers";

/// An ordinary service but for what `answer` answers.
fn answering(answer: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> Pretend {
    Pretend::start(move |asked| answer(asked).unwrap_or_else(|| ordinary(asked)))
}

#[test]
fn rows_of_a_pass_whose_parents_have_gone_are_not_activated() {
    let gone = Arc::new(AtomicBool::new(false));
    let has_gone = gone.clone();
    let service = answering(move |asked| match asked.path.as_str() {
        PROVIDERS if has_gone.load(Ordering::Relaxed) => Some(Reply::page([], None)),
        PROVIDERS => Some(Reply::page([json!({"id": "op-1"})], None)),
        path if !path.starts_with(PROVIDERS) => None,
        _ if asked.parameter("page_token").is_some() => Some(Reply::new(400, "")),
        _ => Some(Reply::page([json!({"id": "pool-1"})], Some("second"))),
    });
    let pools = || service.tap().set("streams", json!(["identity_pools"])).set("emit_activate_version", true);
    let before = pools().run().expect_code(5);
    let version = |message: &Message| match message {
        Message::Record { version, .. } => *version,
        Message::ActivateVersion { version, .. } => Some(*version),
        _ => None,
    };
    let written = before.messages.iter().filter_map(version).max().expect("a row was written");
    gone.store(true, Ordering::Relaxed);
    let after = pools().state(&before.last_state().unwrap()).run().expect_code(0);
    assert!(after.says("WARN", &["identity_pools", "partition", "no longer exists"]));
    let activated = after.messages.iter().filter_map(version).next_back().expect("it is activated");
    assert!(activated > written, "{activated} keeps the rows of {written}");
}

#[test]
fn connectors_of_a_cluster_of_another_environment_are_not_taken_for_its_own() {
    let service = answering(|asked| {
        let all = [("lkc-1", "env-1"), ("lkc-2", "env-2")];
        let cluster = |(id, environment)| json!({"id": id, "spec": {"environment": {"id": environment}}});
        let is_connectors = asked.path.ends_with("/connectors");
        match asked.path.as_str() {
            "/org/v2/environments" => Some(Reply::page(["env-1", "env-2"].map(environment), None)),
            "/cmk/v2/clusters" => Some(Reply::page(all.map(cluster), None)),
            _ => is_connectors.then(|| Reply::new(200, json!({"c": {"id": {"id": "lcc-1"}}}).to_string())),
        }
    });
    let run = service.tap().set("streams", json!(["connectors"])).run().expect_code(5);
    assert!(run.says("ERROR", &["kafka_clusters", "spec.environment.id", "env-1"]));
    assert!(run.records("connectors").is_empty(), "a cluster was taken for one of env-1");
}

#[test]
fn integrations_of_another_environment_are_not_taken_for_its_own() {
    for (id, code) in [("env-1", 0), ("env-2", 5)] {
        let service = answering(move |asked| match asked.path.as_str() {
            "/org/v2/environments" => Some(Reply::page([environment("env-1")], None)),
            "/pim/v1/integrations" => {
                Some(Reply::page([json!({"id": "cspi-1", "environment": {"id": id}})], None))
            }
            _ => None,
        });
        let run = service.tap().set("streams", json!(["provider_integrations"])).run().expect_code(code);
        assert_eq!(run.says("ERROR", &["provider_integrations", "environment.id", "env-1"]), code == 5);
        assert_eq!(run.records("provider_integrations").len(), usize::from(code == 0));
    }
}

#[test]
fn a_page_is_written_also_where_the_next_parent_cannot_be_listed() {
    let fails = Arc::new(AtomicBool::new(true));
    let failing = fails.clone();
    let service = answering(move |asked| {
        let is_second = asked.parameter("environment") == Some("env-2");
        match asked.path.as_str() {
            "/org/v2/environments" => Some(Reply::page(["env-1", "env-2"].map(environment), None)),
            "/cmk/v2/clusters" if is_second && failing.load(Ordering::Relaxed) => Some(Reply::new(500, "")),
            "/cmk/v2/clusters" => Some(Reply::page([json!({"id": "lkc-1"})], None)),
            path if path.ends_with("/connectors") => {
                let id = path.replace('/', "-");
                Some(Reply::new(200, json!({"c": {"id": {"id": id}}}).to_string()))
            }
            _ => None,
        }
    });
    let connectors = || service.tap().set("streams", json!(["connectors"])).set("max_retries", 0);
    let before = connectors().run().expect_code(4);
    assert_eq!(before.records("connectors").len(), 1);
    assert_eq!(before.bookmark("connectors")["partition"], "env-1/lkc-1");
    fails.store(false, Ordering::Relaxed);
    let after = connectors().state(&before.last_state().unwrap()).run().expect_code(0);
    assert_eq!(after.records("connectors").len(), 2, "the page in flight, and the one behind");
    assert_eq!(after.bookmark("connectors")["last_records"], 2);
}

#[test]
fn a_connector_whose_own_field_takes_the_place_of_its_key_needs_an_id_there() {
    let service = answering(|asked| {
        let connector = json!({"c": {"id": {"id": "lcc-1"}, "connector_id": null}});
        asked.path.ends_with("/connectors").then(|| Reply::new(200, connector.to_string()))
    });
    let run = service.tap().set("streams", json!(["connectors"])).run().expect_code(5);
    assert!(run.says("ERROR", &["connectors", "connector_id", "its key"]));
}
