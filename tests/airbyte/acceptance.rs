//! What Airbyte's Connector Acceptance Tests assert of a source, said again of the binary: spec,
//! connection, discovery, basic read, full refresh.

use std::collections::BTreeSet;
use std::io::Write;
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value, json};
use simulator::Simulator;
use tempfile::NamedTempFile;

use crate::support::airbyte::{
    FailureType, Message, Spec, Status, catalog, catalog_of, check, read, read_all, verb,
};
use crate::support::runtimes::script;
use crate::support::{STREAMS, bare, polite, small, tap};

/// Names that the acceptance tests take for secrets, and our own secret beside them.
const SECRETS: [&str; 22] = [
    "personal_data_key",
    "client_token",
    "access_token",
    "api_token",
    "token",
    "secret",
    "client_secret",
    "oauth_client_secret",
    "password",
    "key",
    "service_account_info",
    "service_account",
    "tenant_id",
    "certificate",
    "jwt",
    "credentials",
    "app_id",
    "appid",
    "refresh_token",
    "api_secret",
    "private_key",
    "passphrase",
];

fn spec() -> Spec {
    let heard = verb(bare(), "spec").expect_code(0);
    assert_eq!(heard.messages.len(), 1, "spec prints one message");
    let Some(Message::Spec { spec }) = heard.messages.first() else { panic!("no SPEC") };
    spec.clone()
}

/// Each object inside a value, itself included, with the path to it.
fn objects<'v>(value: &'v Value, path: &str, found: &mut Vec<(String, &'v Map<String, Value>)>) {
    match value {
        Value::Object(fields) => {
            found.push((path.to_owned(), fields));
            for (name, part) in fields {
                objects(part, &format!("{path}/{name}"), found);
            }
        }
        Value::Array(parts) => {
            for (index, part) in parts.iter().enumerate() {
                objects(part, &format!("{path}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn all_objects(value: &Value) -> Vec<(String, &Map<String, Value>)> {
    let mut found = Vec::new();
    objects(value, "", &mut found);
    found
}

#[test]
fn spec_needs_no_settings_and_names_version_and_documentation() {
    let spec = spec();
    assert!(spec.protocol_version.starts_with("0."), "{}", spec.protocol_version);
    assert_eq!(spec.documentation_url, "https://docs.confluent.io/cloud/current/api.html");
    assert_ne!(spec.supports_normalization, Some(true));
    assert_ne!(spec.supports_dbt, Some(true));
    let form = &spec.connection_specification;
    assert_eq!(form["type"], "object");
    assert_ne!(form["additionalProperties"], false);
    // Each way to log in needs others.
    assert_eq!(form["required"], json!([]));
    assert_eq!(form["properties"]["api_secret"]["airbyte_secret"], true);
}

#[test]
fn every_setting_has_what_the_form_needs() {
    let form = spec().connection_specification;
    let properties = form["properties"].as_object().unwrap();
    let mut orders = BTreeSet::new();
    for (name, property) in properties {
        assert!(property["title"].is_string() && property["description"].is_string(), "{name} has no words");
        assert!(orders.insert(property["order"].as_u64().unwrap()), "{name}: the order is taken");
        let kind = property["type"].as_str().unwrap_or_else(|| panic!("{name}: the type is no single word"));
        let is_secret = property["airbyte_secret"] == true;
        assert_eq!(is_secret, SECRETS.contains(&name.as_str()), "{name}: airbyte_secret");
        assert!(
            !is_secret || ["string", "integer", "number"].contains(&kind),
            "{name}: no secret can be a {kind}"
        );
        if property["pattern"].is_string() {
            assert!(property["pattern_descriptor"].is_string(), "{name}: a pattern that nobody understands");
        }
        match kind {
            "object" => assert!(!property["properties"].as_object().unwrap().is_empty(), "{name} is empty"),
            "array" => {
                let items = &property["items"];
                let kind = items["type"].as_str().unwrap_or_else(|| panic!("{name}: items of no type"));
                assert!(
                    ["object", "string", "number", "integer"].contains(&kind),
                    "{name}: items are {kind}"
                );
            }
            _ => {}
        }
        if let Some(values) = property["enum"].as_array() {
            let distinct: BTreeSet<String> = values.iter().map(Value::to_string).collect();
            assert_eq!(distinct.len(), values.len(), "{name}: a value twice");
        }
    }
}

#[test]
fn the_form_uses_only_what_the_platform_can_show() {
    let form = spec().connection_specification;
    for (path, object) in all_objects(&form) {
        for word in [
            "not",
            "anyOf",
            "allOf",
            "oneOf",
            "patternProperties",
            "prefixItems",
            "if",
            "then",
            "else",
            "dependentSchemas",
            "dependentRequired",
            "dependencies",
            "$ref",
            "group",
        ] {
            assert!(!object.contains_key(word), "{word} in {path}");
        }
        assert_ne!(object.get("additionalProperties"), Some(&json!(false)), "{path}");
        if let Some(format) = object.get("format") {
            assert!(format == "date" || format == "date-time", "{path}: format {format}");
        }
    }
}

#[test]
fn connection_succeeds_once_or_fails_once() {
    let sim = Simulator::start(small());
    check(tap(&sim)).succeeded();
    check(tap(&sim).set("api_secret", "not-the-secret")).failed(&["api_secret"]);
}

#[test]
fn discovery_offers_each_stream_once_with_its_key_and_sync_modes() {
    let sim = Simulator::start(small());
    let catalog = verb(tap(&sim), "discover").expect_code(0).catalog();
    let names: Vec<&str> = catalog.streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names, STREAMS);
    for stream in &catalog.streams {
        let name = &stream.name;
        assert_eq!(stream.supported_sync_modes, ["full_refresh"], "{name}");
        assert!(stream.is_resumable, "{name}");
        assert_eq!(stream.default_cursor_field, None, "{name} has no incremental");
        assert_eq!(stream.source_defined_cursor, Some(true), "{name} can be resumed");
        assert!(!stream.source_defined_primary_key.is_empty(), "{name}");
        for path in &stream.source_defined_primary_key {
            let property = path.iter().fold(&stream.json_schema, |schema, part| &schema["properties"][part]);
            let kinds = property["type"].to_string();
            assert!(property.is_object(), "{name}: no {path:?} in the schema");
            assert!(!kinds.contains("object") && !kinds.contains("array"), "{name}: the key is {kinds}");
        }
    }
}

#[test]
fn discovery_offers_only_the_streams_of_the_settings() {
    let sim = Simulator::start(small());
    let narrowed = tap(&sim).set("streams", json!(["role_bindings", "users"]));
    let catalog = verb(narrowed, "discover").expect_code(0).catalog();
    let names: BTreeSet<&str> = catalog.streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names, BTreeSet::from(["role_bindings", "users"]));
}

#[test]
fn schemas_are_open_and_describe_every_field() {
    let sim = Simulator::start(small());
    for stream in verb(tap(&sim), "discover").catalog().streams {
        let name = &stream.name;
        assert_eq!(stream.json_schema["additionalProperties"], true, "{name}");
        for (path, object) in all_objects(&stream.json_schema) {
            for word in ["$ref", "allOf", "anyOf", "oneOf", "not"] {
                assert!(!object.contains_key(word), "{name}: {word} in {path}");
            }
            assert_ne!(object.get("additionalProperties"), Some(&json!(false)), "{name}: {path}");
            let Some(kind) = object.get("type").filter(|kind| kind.is_string() || kind.is_array()) else {
                continue;
            };
            let kinds: Vec<&str> = match kind {
                Value::String(kind) => vec![kind],
                kinds => kinds.as_array().unwrap().iter().map(|kind| kind.as_str().unwrap()).collect(),
            };
            let real: Vec<&&str> = kinds.iter().filter(|kind| **kind != "null").collect();
            assert_eq!(real.len(), 1, "{name}: {path} is {kinds:?}");
            match *real[0] {
                "object" => assert!(object["properties"].is_object(), "{name}: {path} would be opaque"),
                "array" => assert!(object["items"].is_object(), "{name}: {path} has no items"),
                _ => {}
            }
            if let Some(format) = object.get("format") {
                assert!(
                    ["date", "date-time", "time"].iter().any(|known| format == known),
                    "{path}: {format}"
                );
                if format == "date-time" {
                    assert_eq!(object["airbyte_type"], "timestamp_with_timezone", "{name}: {path}");
                }
            }
        }
    }
}

#[test]
fn every_field_of_every_record_is_declared_and_of_its_type() {
    let sim = Simulator::start(polite());
    let offered = verb(tap(&sim), "discover").catalog().streams;
    let heard = read_all(&sim);
    let schemas: Map<String, Value> =
        offered.into_iter().map(|stream| (stream.name, stream.json_schema)).collect();
    let records: Map<String, Value> =
        STREAMS.iter().map(|stream| ((*stream).to_owned(), Value::from(heard.records(stream)))).collect();
    let given = json!({
        "spec": spec().connection_specification, "schemas": schemas, "records": records,
        "config": {"api_key": sim.api_key(), "api_secret": sim.api_secret(), "base_url": sim.base_url()},
    });
    assert_eq!(validate(&given), "\n");
    let mut worse = given;
    worse["records"]["users"][0]["x_preview_tier"] = json!("gold");
    worse["records"]["invitations"][0]["metadata"]["x_more"] = json!(1);
    worse["records"]["users"][1]["created_at"] = json!("");
    let wrongs = validate(&worse);
    for word in ["x_preview_tier", "x_more", "created_at"] {
        assert!(wrongs.contains(word), "the validator does not see {word}");
    }
}

/// What the acceptance tests' validator has to say.
fn validate(given: &Value) -> String {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(given.to_string().as_bytes()).unwrap();
    let output = script("airbyte", "airbyte_schemas.py").arg(file.path()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_stream_has_records_keys_states_and_statuses() {
    let sim = Simulator::start(polite());
    let heard = read_all(&sim).expect_code(0);
    for stream in STREAMS {
        let records = heard.records(stream);
        assert!(!records.is_empty(), "{stream} is empty");
        assert!(
            records.iter().all(|record| record["id"].as_str().is_some_and(|id| !id.is_empty())),
            "{stream}"
        );
        assert!(!heard.states(stream).is_empty(), "{stream} has no STATE");
        let statuses = heard.statuses(stream);
        assert!(statuses.len() >= 3, "{stream}: {statuses:?}");
        assert_eq!(statuses[0], Status::Started);
        assert_eq!(statuses.last(), Some(&Status::Complete));
    }
}

#[test]
fn a_bad_catalog_is_an_error_with_a_trace_message() {
    let sim = Simulator::start(small());
    let heard = read(tap(&sim), &catalog_of(&["users"], "INVALID"));
    assert_ne!(heard.run.code(), Some(0));
    heard.only_error(FailureType::Config, &["sync_mode"]);
}

#[test]
fn two_reads_in_a_row_bring_the_same_records_with_later_times() {
    let sim = Simulator::start(polite());
    let one = read(tap(&sim), &catalog());
    thread::sleep(Duration::from_millis(5));
    let two = read(tap(&sim), &catalog());
    for stream in STREAMS {
        let set = |records: Vec<Value>| records.iter().map(Value::to_string).collect::<BTreeSet<_>>();
        assert_eq!(set(one.records(stream)), set(two.records(stream)), "{stream}");
    }
    let (last, first) = (one.emitted().into_iter().max().unwrap(), two.emitted().into_iter().min().unwrap());
    assert!(first > last, "{first} is not after {last}");
}
