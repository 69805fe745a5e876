//! Organizations, identity providers, identity pools and connectors, read whole in both languages, and
//! nothing that a connector is set up with.

use serde_json::Value;
use simulator::{At, Fault, Scenario, Simulator};

use crate::support::airbyte;
use crate::support::leaks::keeps;
use crate::support::partitions::{nested, reading};
use crate::support::{assert_whole_of, every, few};

const NEW: [&str; 4] = ["organizations", "identity_providers", "identity_pools", "connectors"];

fn sorted(records: Vec<Value>) -> Vec<String> {
    let mut records: Vec<String> = records.iter().map(Value::to_string).collect();
    records.sort();
    records
}

/// Each record once, with its columns, in both languages.
#[track_caller]
fn comes_out_whole(scenario: Scenario, sizes: &[u64]) {
    let sim = Simulator::start(scenario);
    let catalog = airbyte::catalog_of(&NEW, "full_refresh");
    for size in sizes {
        let run = reading(&sim, &NEW).set("page_size", *size).run().expect_code(0);
        assert_whole_of(&run, &sim, &NEW);
        let heard = airbyte::read(reading(&sim, &NEW).set("page_size", *size), &catalog);
        heard.assert_whole_of(&sim, &NEW);
        for stream in NEW {
            assert!(sorted(run.records(stream)) == sorted(heard.records(stream)), "{stream} differs");
        }
    }
}

#[test]
fn parents_and_children_are_read_whole_with_any_page_size() {
    for (scenario, sizes) in [(few().polite(), &[1, 2, 7, 100][..]), (few(), &[1, 3, 100])] {
        for count in [1, 12] {
            let scenario = scenario.clone().identity_providers(count).identity_pools(count);
            comes_out_whole(scenario.kafka_clusters(2).connectors(count), sizes);
        }
    }
}

#[test]
fn connectors_are_read_whole_whatever_their_names_hold() {
    let sim = Simulator::start(nested().connectors(12));
    let run = reading(&sim, &["connectors"]).set("schema_drift", "fail").run().expect_code(0);
    assert_whole_of(&run, &sim, &["connectors"]);
    for part in [" ", "/", "\"", "&", "🦀"] {
        let has = |record: &Value| record["name"].as_str().is_some_and(|name| name.contains(part));
        assert!(run.records("connectors").iter().any(has), "no name with {part:?} was tested");
    }
}

/// All names of fields of a value, at every depth.
fn names(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            found.push(name.clone());
            names(value, found);
        }),
        Value::Array(items) => items.iter().for_each(|item| names(item, found)),
        _ => {}
    }
}

#[test]
fn of_a_connectors_configuration_only_its_class_comes_out() {
    let sim = Simulator::start(few().connectors(9));
    let secrets = sim.connector_secrets();
    let catalog = airbyte::catalog_of(&NEW, "full_refresh");
    for drift in ["warn", "fail", "pass"] {
        let with = || every(&sim).set("schema_drift", drift).args(["--log-level", "debug"]);
        let (run, test) = (with().run(), with().arg("--test").run());
        let heard = airbyte::read(with().set("streams", NEW.to_vec()), &catalog);
        let check = airbyte::check(with());
        for run in [&run, &test, &heard.run, &check.run] {
            keeps(run, &secrets);
        }
        let records = [run.records("connectors"), test.records("connectors"), heard.records("connectors")];
        for record in records.concat() {
            let mut found = Vec::new();
            names(&record, &mut found);
            let hidden = ["config", "trace", "msg"];
            assert!(!found.iter().any(|name| hidden.contains(&name.as_str())), "{record}");
        }
        assert!(drift == "fail" || records[0].iter().any(|record| record["connector_class"].is_string()));
    }
    for run in [every(&sim).arg("--discover").run(), airbyte::verb(every(&sim), "discover").run] {
        keeps(&run, &secrets);
    }
}

#[test]
fn an_answer_about_connectors_that_is_no_page_is_not_quoted() {
    let hidden = "hush+hush/quiet";
    let record = format!(r#""a b":{{"id":{{"id":"lcc-1"}},"info":{{"config":{{"x":"{hidden}"}}}}}}"#);
    let bodies = [
        format!(r#"{{{record},"c":"{hidden}"}}"#),
        format!(r#"{{{record},"c":{{"id":{{"id":7}},"trace":"{hidden}"}}}}"#),
        format!(r#"[{{{record}}}]"#),
        format!(r#"{{{record}"#),
        format!(r#"{{{record},"error_code":40301}}"#),
        format!(r#"{{{record},"error":{{"code":403,"message":"no"}}}}"#),
    ];
    for status in [200, 400, 403, 500] {
        for body in &bodies {
            let sim = Simulator::start(nested());
            let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
            let fault = Fault::Status { status, body: body.clone(), headers };
            sim.add_fault(fault, At::stream("connectors"));
            let with = || reading(&sim, &["connectors"]).set("max_retries", 1).args(["--log-level", "debug"]);
            let run = with().run();
            assert_ne!(run.code(), Some(0), "{status} {body}");
            let heard = airbyte::read(with(), &airbyte::catalog_of(&["connectors"], "full_refresh"));
            for run in [&run, &heard.run, &airbyte::check(with()).run] {
                keeps(run, &[hidden.to_owned()]);
            }
        }
    }
}
