//! Answers about connectors, and ids, that the simulator does not give: scripted ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use serde_json::{Value, json};

use crate::support::airbyte::{self, Status};
use crate::support::pretend::{Asked, Pretend, Reply, environment, ordinary};
use crate::support::{Tap, ids_of};

const CONNECTORS: &str = "/connect/v1/environments/env-1/clusters/lkc-1/connectors";

fn connector(id: &str) -> Value {
    json!({"id": {"id": id, "id_type": "ID"}, "info": {"name": id, "config": {"connector.class": "S3_SINK"}}})
}

fn answering(body: &str) -> Pretend {
    let body = body.to_owned();
    Pretend::but(CONNECTORS, move |_| Reply::new(200, body.clone()))
}

fn only(service: &Pretend, stream: &str) -> Tap<'static> {
    service.tap().set("streams", json!([stream])).set("max_retries", 1).set("emit_activate_version", true)
}

/// The stream fails with this code, in both languages, and nothing of it is passed off as whole.
#[track_caller]
fn fails(service: &Pretend, code: i32, words: &[&str], what: &str) {
    let run = only(service, "connectors").run();
    assert_eq!(run.code(), Some(code), "{what}");
    assert!(run.says("ERROR", &[&["connectors"], words].concat()), "{what}");
    assert!(run.records("connectors").is_empty() && !run.stdout.contains("ACTIVATE_VERSION"), "{what}");
    let catalog = airbyte::catalog_of(&["connectors"], "full_refresh");
    let heard = airbyte::read(only(service, "connectors"), &catalog).expect_code(1);
    assert_eq!(heard.statuses("connectors").last(), Some(&Status::Incomplete), "{what}");
}

#[test]
fn an_answer_that_is_no_map_of_connectors_fails_the_stream() {
    let one = connector("lcc-1");
    for (body, code, words) in [
        // As the gateway and the service itself say what is wrong, here with status 200.
        (r#"{"error_code":40301,"message":"no"}"#.to_owned(), 3, "may not read this"),
        (r#"{"status":403,"message":"no"}"#.to_owned(), 3, "may not read this"),
        (r#"{"error":{"code":403,"message":"no"}}"#.to_owned(), 3, "may not read this"),
        (r#"{"errors":[{"status":"403","detail":"no"}]}"#.to_owned(), 3, "may not read this"),
        // A list without `expand`, or in the envelope of other streams.
        (r#"["a","b"]"#.to_owned(), 5, "not a JSON object"),
        ("[]".to_owned(), 5, "not a JSON object"),
        (format!(r#"[{one}]"#), 5, "not a JSON object"),
        (format!(r#"{{"data":[{one}],"metadata":{{}}}}"#), 5, "not a page of a listing"),
        (r#"{"data":[],"metadata":{}}"#.to_owned(), 5, "not a page of a listing"),
        // One that is none among others.
        (format!(r#"{{"a":{one},"b":null}}"#), 5, "not a page of a listing"),
        (format!(r#"{{"a":{one},"b":"x"}}"#), 5, "not a page of a listing"),
        (format!(r#"{{"a":{one},"b":[]}}"#), 5, "not a page of a listing"),
        (format!(r#"{{"a":{one},"b":{{}}}}"#), 5, "its key"),
        (format!(r#"{{"a":{one},"b":{{"id":{{"id":7}}}}}}"#), 5, "its key"),
        (format!(r#"{{"a":{one},"b":{{"id":"lcc-2"}}}}"#), 5, "its key"),
        // Cut anywhere, it may come whole at the next try.
        (format!(r#"{{"a":{one},"b":{{"#), 4, "truncated"),
        (format!(r#"{{"a":{one}"#), 4, "truncated"),
        (format!(r#"{{"a":{one},"#), 4, "truncated"),
        ("{".to_owned(), 4, "truncated"),
        ("null".to_owned(), 5, "not a JSON object"),
        ("<html></html>".to_owned(), 5, "not a JSON object"),
    ] {
        fails(&answering(&body), code, &[words], &body);
    }
}

#[test]
fn a_map_without_connectors_is_an_empty_partition() {
    for body in ["{}", " {\n } ", "\u{feff}{}"] {
        let run = only(&answering(body), "connectors").run().expect_code(0);
        assert!(run.records("connectors").is_empty() && run.stdout.contains("ACTIVATE_VERSION"), "{body:?}");
    }
}

#[test]
fn connectors_named_like_parts_of_an_envelope_are_connectors() {
    let names = ["error", "errors", "data", "metadata", "code", "status", "message", "a/b c", "a\u{0}b"];
    let body: Value = names.into_iter().map(|name| (name.to_owned(), connector(name))).collect();
    let run = only(&answering(&body.to_string()), "connectors").run().expect_code(0);
    assert_eq!(run.records("connectors").len(), names.len());
}

/// The name of a connector is unique in its cluster, and its id everywhere.
#[test]
fn no_connector_of_a_map_that_names_two_alike_is_lost() {
    let (one, other) = (connector("lcc-1"), connector("lcc-2"));
    let run = only(&answering(&format!(r#"{{"a":{one},"a":{other}}}"#)), "connectors").run().expect_code(0);
    assert_eq!(ids_of(&run.records("connectors")).len(), 2);
}

/// An id that sorts before all of the odd ones.
const PLAIN: &str = "!";

const ODD: [&str; 6] = ["env 1/ü", "a%2Fb", "?x=1&y#z", "+*", "..a", "\"\\"];

/// A service whose parents have two ids each, the first of them plain. What is listed below the second fails
/// until it is healed.
fn odd(id: &'static str, healed: &Arc<AtomicBool>) -> Pretend {
    let healed = Arc::clone(healed);
    Pretend::start(move |asked: &Asked| {
        let (path, below) = (asked.path.as_str(), [PLAIN, id].into_iter().zip(["x-0", "x-1"]));
        for (parent, child) in below {
            let of_pools = format!("/iam/v2/identity-providers/{}/identity-pools", encoded(parent));
            let of_connectors =
                format!("/connect/v1/environments/{0}/clusters/{0}/connectors", encoded(parent));
            if [&of_pools, &of_connectors].iter().all(|own| *own != path) {
                continue;
            }
            return match (child, path == of_pools) {
                ("x-1", _) if !healed.load(SeqCst) => Reply::new(503, "{}"),
                (_, true) => Reply::page([json!({"id": child})], None),
                (_, false) => Reply::new(200, json!({"a": connector(child)}).to_string()),
            };
        }
        match path {
            "/org/v2/environments" => Reply::page([PLAIN, id].map(environment), None),
            "/cmk/v2/clusters" => Reply::page([json!({"id": asked.parameter("environment")})], None),
            "/iam/v2/identity-providers" => Reply::page([PLAIN, id].map(|id| json!({"id": id})), None),
            _ => ordinary(asked),
        }
    })
}

/// Percent-encoded, but for what RFC 3986 leaves alone.
fn encoded(id: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| if is_plain(byte) { (byte as char).to_string() } else { format!("%{byte:02X}") };
    id.bytes().map(encode).collect()
}

#[test]
fn odd_characters_of_an_id_are_encoded_in_paths_and_names() {
    for id in ODD {
        for (stream, columns) in [
            ("connectors", &["environment_id", "kafka_cluster_id"][..]),
            ("identity_pools", &["identity_provider_id"]),
        ] {
            let healed = Arc::new(AtomicBool::new(false));
            let service = odd(id, &healed);
            let before = only(&service, stream).set("max_retries", 0).run().expect_code(4);
            assert_eq!(before.ids(stream), ["x-0"], "{id}");
            let name = vec![encoded(id); columns.len()].join("/");
            assert_eq!(before.bookmark(stream)["partition"], name);
            healed.store(true, SeqCst);
            let run = only(&service, stream).state(&before.last_state().unwrap()).run().expect_code(0);
            assert!(!run.says("WARN", &["from the first page"]), "{id}: it is started over");
            assert_eq!(run.ids(stream), ["x-1"], "{id}");
            for column in columns {
                assert_eq!(run.records(stream)[0][column], id, "{stream}.{column}");
            }
        }
        let run = only(&odd(id, &Arc::default()), "kafka_clusters").run().expect_code(0);
        let environments = run.records("kafka_clusters");
        assert!(environments.iter().any(|record| record["environment_id"] == id), "{environments:?}");
    }
}

/// Whatever reads URLs takes such a part of a path away, percent-encoded or not.
#[test]
fn an_id_that_would_lead_to_another_path_is_no_id() {
    for id in [".", ".."] {
        let service = odd(id, &Arc::new(AtomicBool::new(true)));
        for stream in ["connectors", "identity_pools", "kafka_clusters"] {
            let run = only(&service, stream).run();
            drop(run.expect_code(5).expect_line("ERROR", [stream, "a record without an id"]));
        }
        let others =
            ["/iam/v2/identity-pools", "/identity-providers/identity-pools", "/environments/connectors"];
        assert!(others.iter().all(|path| service.asked(path).is_empty()), "{id} leads to another listing");
    }
}
