//! The streams that are offered where the setting `streams` names them: offered, whole, refused, and without
//! the secrets that API keys come with.

use serde_json::{Value, json};
use simulator::{At, Fault, Scenario, Simulator};
use tap_confluent_cloud::streams::find;

use crate::support::airbyte::{self, FailureType, Status};
use crate::support::crafted::{keys_only, listing};
use crate::support::leaks::keeps;
use crate::support::partitions::children;
use crate::support::repository::text;
use crate::support::{
    EVERY, HISTORY, STREAMS, assert_whole_of, discovered, every, few, offering, rude, small, tap,
};

fn names(streams: &Value, key: &str) -> Vec<String> {
    streams.as_array().unwrap().iter().map(|stream| stream[key].as_str().unwrap().to_owned()).collect()
}

#[test]
fn on_demand_streams_are_offered_if_named_in_the_documented_order() {
    let page = text("docs/streams.md");
    let documented: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(documented, [&EVERY[..], &[HISTORY]].concat());
    let documented = &documented[..EVERY.len()];
    let sim = Simulator::start(small());
    let mut reversed = EVERY;
    reversed.reverse();
    for (asking, offered) in [
        (tap(&sim), &documented[..STREAMS.len()]),
        (every(&sim), documented),
        (offering(&reversed), documented),
    ] {
        assert_eq!(names(&discovered(asking)["streams"], "tap_stream_id"), offered);
    }
    assert_eq!(names(&airbyte::discovered(tap(&sim)).into(), "name"), documented[..STREAMS.len()]);
    for asking in [every(&sim), offering(&reversed)] {
        assert_eq!(names(&airbyte::discovered(asking).into(), "name"), documented);
    }
}

#[test]
fn a_singer_catalog_with_a_stream_not_offered_is_refused() {
    let sim = Simulator::start(small());
    let run = tap(&sim).catalog(&discovered(offering(&["users", "api_keys"]))).run();
    let run = run.expect_refusal(2, ["api_keys", "setting streams"]);
    assert!(run.requests.is_empty(), "something was asked");
}

#[test]
fn an_airbyte_catalog_with_a_stream_not_offered_names_the_setting() {
    let sim = Simulator::start(small());
    let heard =
        airbyte::read(tap(&sim), &airbyte::catalog_of(&["users", "api_keys"], "full_refresh")).expect_code(1);
    let error = heard.error_of("api_keys");
    assert_eq!(error.failure_type, FailureType::Config);
    airbyte::has_words(&error.message, &["api_keys", "setting streams"]);
    heard.assert_whole_of(&sim, &["users"]);
    assert!(heard.statuses("api_keys").is_empty() && heard.states("api_keys").is_empty());
}

/// The same, record by record, through both protocols; and each as the API sent it.
#[track_caller]
fn comes_out_whole(scenario: Scenario, sizes: &[u64]) {
    let sim = Simulator::start(scenario);
    let catalog = airbyte::catalog_of(&EVERY, "full_refresh");
    for size in sizes {
        let run = every(&sim).set("page_size", *size).run().expect_code(0);
        assert_whole_of(&run, &sim, &EVERY);
        let heard = airbyte::read(every(&sim).set("page_size", *size), &catalog);
        heard.assert_whole_of(&sim, &EVERY);
        for stream in EVERY {
            let (one, other) = (sorted(run.records(stream)), sorted(heard.records(stream)));
            assert!(one == other, "{stream} differs, pages of {size}");
        }
    }
}

fn sorted(records: Vec<Value>) -> Vec<String> {
    let mut records: Vec<String> = records.iter().map(Value::to_string).collect();
    records.sort();
    records
}

#[test]
fn every_stream_is_read_whole_with_any_page_size_and_cluster_count() {
    for clusters in [0, 1, 25] {
        comes_out_whole(few().polite().kafka_clusters(clusters), &[1, 2, 3, 7, 100]);
    }
}

#[test]
fn every_stream_is_read_whole_from_a_rude_service_too() {
    for clusters in [0, 1, 25] {
        comes_out_whole(few().kafka_clusters(clusters), &[1, 2, 3, 7, 100]);
    }
}

#[test]
fn forty_environments_are_read_whole() {
    for scenario in [few(), few().polite()] {
        comes_out_whole(scenario.environments(40).kafka_clusters(3), &[2, 100]);
    }
}

#[test]
fn an_empty_list_of_environments_is_not_taken_for_nothing_in_them() {
    for scenario in [few(), few().polite()] {
        let sim = Simulator::start(scenario.environments(0));
        let words = |stream| [stream, "is empty", "Operator", "empty_lists"];
        let empty = [vec!["environments"], children("environments")].concat();
        let run = every(&sim).set("emit_activate_version", true).run().expect_code(3);
        let heard = airbyte::read(every(&sim), &airbyte::catalog_of(&EVERY, "full_refresh")).expect_code(1);
        for stream in &empty {
            assert!(run.says("ERROR", &words(stream)), "{stream}");
            let activated = format!(r#""type":"ACTIVATE_VERSION","stream":"{stream}""#);
            assert!(!run.stdout.contains(&activated), "{stream}");
            assert_eq!(heard.statuses(stream).last(), Some(&Status::Incomplete), "{stream}");
        }
        let warned = every(&sim).set("empty_lists", "warn").run().expect_code(0);
        assert_whole_of(&warned, &sim, &EVERY);
        for stream in &empty {
            assert!(warned.says("WARN", &[stream, "is empty"]), "{stream}");
        }
    }
    // A check asks for environments twice at once and gives up early: a polite service only.
    let sim = Simulator::start(few().polite().environments(0));
    airbyte::check(every(&sim)).failed(&["kafka_clusters", "environments", "is empty", "Operator"]);
    airbyte::check(every(&sim).set("empty_lists", "warn")).succeeded();
}

#[test]
fn no_secret_of_a_key_is_printed_by_any_command() {
    let sim = Simulator::start(rude());
    let secrets = sim.key_secrets();
    let catalog = airbyte::catalog_of(&EVERY, "full_refresh");
    for drift in ["warn", "fail", "pass"] {
        let debug = || every(&sim).set("schema_drift", drift).args(["--log-level", "debug"]);
        let run = debug().run();
        assert_eq!(run.code(), Some(if drift == "fail" { 5 } else { 0 }));
        keeps(&run, &secrets);
        keeps(&debug().arg("--test").run(), &secrets);
        keeps(&airbyte::read(debug(), &catalog).run, &secrets);
        keeps(&airbyte::check(debug()).run, &secrets);
    }
    keeps(&every(&sim).arg("--discover").run(), &secrets);
    keeps(&airbyte::verb(every(&sim), "discover").run, &secrets);
}

#[test]
fn no_secret_of_a_key_is_printed_however_it_is_spelled() {
    let secret = "hush+hush/quiet+as/a+mouse".to_owned();
    for spelled in [
        r#"{"secret":"~","owner":{"id":"u-1"}}"#,
        r#"{"owner":{"id":"u-1"},"s\u0065cret" : "~"}"#,
        r#"{"secret":"~","owner":{"id":"u-1"},"secret":"~"}"#,
        r#"{"secret":{"value":["~"]},"owner":{"id":"u-1"}}"#,
        r#"{"owner":{"id":"u-1"},"secret":["~",{"secret":"~"}]}"#,
        r#""~""#,
        r#"["~",{"secret":"~"}]"#,
    ] {
        let sim = listing(&format!(r#"[{{"id":"KEY","spec":{}}}]"#, spelled.replace('~', &secret)));
        for drift in ["warn", "fail", "pass"] {
            let run = keys_only(&sim).set("schema_drift", drift).run();
            keeps(&run, std::slice::from_ref(&secret));
            if drift != "fail" {
                let owner = spelled.contains("u-1").then_some("u-1");
                assert_eq!(run.records("api_keys")[0]["owner_id"].as_str(), owner, "{spelled}");
            }
            let heard = airbyte::read(
                keys_only(&sim).set("schema_drift", drift),
                &airbyte::catalog_of(&["api_keys"], "full_refresh"),
            );
            keeps(&heard.run, std::slice::from_ref(&secret));
        }
    }
}

/// Bodies that hold these fields and are no page, or a page of no records.
fn broken(fields: &str) -> Vec<String> {
    let data = [
        format!("[{{{fields}}}]}}"),
        format!(r#"[{{"id":7,{fields}}}]}}"#),
        format!(r#"{{"id":"x-1",{fields}}}}}"#),
        format!(r#"[{{"id":"x-1",{fields}}}]]"#),
        format!(r#"[{{"id":"x-1",{fields}"#),
        format!(r#"[{{"id":"x-1",{fields}}}],"metadata":{{"next":"https://api.confluent.cloud/"}}}}"#),
    ];
    data.into_iter().map(|data| format!(r#"{{"api_version":"iam/v2","data":{data}"#)).collect()
}

#[track_caller]
fn stays_hidden(stream: &str, status: u16, fields: &str, hidden: &str) {
    let (catalog, hidden) = (airbyte::catalog_of(&[stream], "full_refresh"), &[hidden.to_owned()]);
    for body in broken(fields) {
        let sim = Simulator::start(small());
        let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        sim.add_fault(Fault::Status { status, body: body.clone(), headers }, At::stream(stream));
        let strict = || {
            let tap = tap(&sim).set("streams", json!([stream])).set("personal_data", "omit");
            tap.set("max_retries", 1).args(["--log-level", "debug"])
        };
        let run = strict().run();
        assert_ne!(run.code(), Some(0), "{status} {body}");
        keeps(&run, hidden);
        keeps(&airbyte::read(strict(), &catalog).run, hidden);
        keeps(&airbyte::check(strict()).run, hidden);
    }
}

#[test]
fn no_secret_of_a_key_is_printed_for_a_broken_page() {
    stays_hidden("api_keys", 200, r#""spec":{"secret":"hush+hush/quiet"}"#, "hush+hush/quiet");
}

#[test]
fn no_secret_of_a_key_is_printed_for_an_error_that_quotes_keys() {
    for status in [400, 403, 500] {
        stays_hidden("api_keys", status, r#""spec":{"secret":"hush+hush/quiet"}"#, "hush+hush/quiet");
    }
}

#[test]
fn no_omitted_person_is_named_for_a_broken_page() {
    stays_hidden("users", 200, r#""email":"grace.hopper@example.com""#, "grace.hopper@example.com");
}

const LIFTED: [&str; 5] = ["display_name", "owner_id", "resource_id", "resource_kind", "environment_id"];

#[test]
fn missing_fields_of_a_key_are_null_and_not_an_error() {
    let cases = [
        (
            json!({"resource": null, "owner": {"id": "u-1"}, "display_name": "d"}),
            json!(["d", "u-1", null, null, null]),
        ),
        (json!({"resource": {"id": "cloud", "kind": "Cloud"}}), json!([null, null, "cloud", "Cloud", null])),
        (
            json!({"resource": {"id": "lkc-1", "kind": "Cluster", "environment": "env-1"}}),
            json!([null, null, "lkc-1", "Cluster", "env-1"]),
        ),
        (
            json!({"resources": [{"id": "lkc-1", "environment": "env-1"}]}),
            json!([null, null, null, null, null]),
        ),
        (
            json!({"resource": {"id": "lkc-9"}, "resources": [{"id": "lkc-9"}]}),
            json!([null, null, "lkc-9", null, null]),
        ),
        (json!({"owner": null, "resource": "CLOUD"}), json!([null, null, null, null, null])),
        (json!({"owner": "u-1", "resource": []}), json!([null, null, null, null, null])),
        (json!({"owner": {"related": "x"}, "resource": {}}), json!([null, null, null, null, null])),
        (json!(null), json!([null, null, null, null, null])),
        (json!("gone"), json!([null, null, null, null, null])),
        (json!(["owner"]), json!([null, null, null, null, null])),
    ];
    let mut records: Vec<Value> =
        cases.iter().enumerate().map(|(i, (spec, _))| json!({"id": format!("K{i}"), "spec": spec})).collect();
    records.push(json!({"id": "without"}));
    let sim = listing(&Value::from(records.clone()).to_string());
    let run = keys_only(&sim).run().expect_code(0);
    let heard =
        airbyte::read(keys_only(&sim), &airbyte::catalog_of(&["api_keys"], "full_refresh")).expect_code(0);
    for found in [run.records("api_keys"), heard.records("api_keys")] {
        assert_eq!(found.len(), records.len());
        for (record, sent) in found.iter().zip(&records) {
            assert!(!sent["spec"].is_object() || record["spec"] == sent["spec"], "{record}");
            let expected = cases.iter().find(|(spec, _)| sent.get("spec") == Some(spec));
            let expected =
                expected.map_or(json!([null, null, null, null, null]), |(_, columns)| columns.clone());
            let columns = LIFTED.map(|name| record.get(name).expect("the column is there").clone());
            assert_eq!(Value::from(columns.to_vec()), expected, "{sent}");
        }
    }
}

#[test]
fn a_key_without_its_spec_still_names_its_owner() {
    let sim = Simulator::start(small());
    let mut catalog = discovered(offering(&["api_keys"]));
    for entry in catalog["streams"][0]["metadata"].as_array_mut().unwrap() {
        if entry["breadcrumb"] == json!(["properties", "spec"]) {
            entry["metadata"]["selected"] = json!(false);
        }
    }
    let run = keys_only(&sim).catalog(&catalog).run().expect_code(0);
    for record in run.records("api_keys") {
        let truth = sim.truth().records("api_keys").iter().find(|truth| truth["id"] == record["id"]).unwrap();
        assert!(record.get("spec").is_none());
        assert_eq!(record["owner_id"], truth["spec"]["owner"]["id"]);
    }
    assert_eq!(run.records("api_keys").len(), 64);
}

#[test]
fn check_asks_for_the_streams_of_the_settings() {
    for scenario in [small(), small().kafka_clusters(0)] {
        // Costs in the first month that is asked for: a check of all streams has no request left for another.
        let sim = Simulator::start(scenario.past_days(100));
        airbyte::check(every(&sim)).succeeded();
        let run = every(&sim).arg("--test").run().expect_code(0);
        for stream in EVERY {
            let some = usize::from(sim.truth().count(stream) > 0);
            assert_eq!(run.records(stream).len(), some, "{stream}");
            assert!(run.schemas().contains_key(stream), "{stream}");
        }
    }
}

/// Whoever may not read a stream may read nothing that is listed for each of its records.
#[test]
fn check_names_each_refused_stream_with_its_role_and_its_children() {
    for refused in EVERY.into_iter().skip(STREAMS.len()) {
        let (role, children) = (find(refused).unwrap().role, children(refused));
        let sim = Simulator::start(small().refuse(refused));
        let message = airbyte::check(every(&sim)).failed(&[refused, role]);
        airbyte::has_words(&message, &[&format!("{} of {} streams", 1 + children.len(), EVERY.len())]);
        for stream in EVERY {
            let is_named = message.contains(&format!("{stream}: "));
            assert_eq!(is_named, stream == refused || children.contains(&stream), "{stream}: {message}");
        }
        airbyte::check(tap(&sim)).succeeded();
        let mut run = every(&sim).arg("--test").run().expect_code(3);
        for stream in children.iter().chain([&refused]) {
            run = run.expect_line("ERROR", [*stream]);
        }
    }
}

/// The properties that Singer's catalog and Airbyte's offer of a stream.
fn offered(sim: &Simulator, mode: &str, stream: &str) -> [Vec<String>; 2] {
    let with = || tap(sim).set("personal_data", mode).set("personal_data_key", "a long random text: 7f3b9c");
    let singer = discovered(with())["streams"].as_array().unwrap().clone();
    let entry = singer.into_iter().find(|entry| entry["tap_stream_id"] == stream).unwrap();
    let other = airbyte::discovered(with()).into_iter().find(|offered| offered["name"] == stream).unwrap();
    let properties = |schema: &Value| schema["properties"].as_object().unwrap().keys().cloned().collect();
    let mut described: Vec<String> = properties(&entry["schema"]);
    for metadata in entry["metadata"].as_array().unwrap() {
        let breadcrumb = metadata["breadcrumb"].as_array().unwrap();
        described.extend(breadcrumb.get(1).and_then(Value::as_str).map(str::to_owned));
    }
    [described, properties(&other["json_schema"])]
}

#[test]
fn omitted_personal_fields_are_not_offered_and_hashed_ones_are() {
    let sim = Simulator::start(small());
    for (stream, name) in [("users", "email"), ("users", "full_name"), ("invitations", "email")] {
        for mode in ["keep", "hash", "omit"] {
            for properties in offered(&sim, mode, stream) {
                let is = properties.iter().any(|property| property == name);
                assert_eq!(is, mode != "omit", "{mode}: {stream}.{name} among {properties:?}");
            }
        }
    }
    let names = offered(&sim, "omit", "service_accounts");
    assert!(names.iter().all(|properties| properties.iter().any(|name| name == "display_name")));
}
