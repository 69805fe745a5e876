//! Role bindings, on records made for it: derived columns of every form of name and of principal.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::support::crafted::{ORGANIZATION, crafted, only};
use crate::support::{OF_BINDINGS, Run, lines};

/// Names and principals of a kind, and what is read of them. The unit tests of `src/crn.rs` read the same.
fn forms(kind: &str) -> &'static [Value] {
    static FORMS: LazyLock<Value> =
        LazyLock::new(|| serde_json::from_str(include_str!("../data/crn.json")).unwrap());
    FORMS[kind].as_array().unwrap()
}

/// The columns that come of a pattern, or that a case expects; null where there is none.
fn columns(record: &Value) -> Vec<&Value> {
    OF_BINDINGS[2..].iter().map(|name| &record[*name]).collect()
}

fn binding(number: usize, principal: &str, pattern: &str) -> Value {
    json!({"id": format!("rb-{number}"), "principal": principal, "role_name": "R", "crn_pattern": pattern})
}

const CLUSTER: &str = "/environment=env-1/cloud-cluster=lkc-1";

/// The pattern with this below the organization.
fn pattern(below: &str) -> String {
    format!("crn://confluent.cloud/organization={ORGANIZATION}{below}")
}

/// A run over bindings with these patterns, of which each record is compared with its case.
fn read(cases: &[Value]) -> Run {
    let patterns: Vec<String> = cases.iter().map(|case| pattern(case["below"].as_str().unwrap())).collect();
    let records: Vec<Value> =
        patterns.iter().enumerate().map(|(i, pattern)| binding(i, "User:u-1", pattern)).collect();
    let sim = crafted("role_bindings", &records);
    let run = only(&sim, "role_bindings");
    let found = run.records("role_bindings");
    assert_eq!(found.len(), cases.len());
    for (record, (case, pattern)) in found.iter().zip(cases.iter().zip(&patterns)) {
        assert_eq!(columns(record), columns(case), "{pattern}");
        assert_eq!(record["crn_pattern"], pattern.replace(ORGANIZATION, sim.organization_id()));
    }
    run
}

#[test]
fn every_form_of_pattern_is_split_into_its_three_parts() {
    let run = read(forms("whole"));
    assert!(!run.stderr.contains("WARN"), "a form is called unknown");
}

#[test]
fn patterns_of_unknown_form_give_nulls_and_one_warning() {
    let wrong = forms("unknown").iter().map(|wrong| wrong.as_str().unwrap());
    let mut records: Vec<Value> = vec![binding(0, "User:u-1", &pattern(CLUSTER))];
    records.extend(wrong.enumerate().map(|(i, wrong)| binding(i + 1, "User:u-1", wrong)));
    records.push(json!({"id": "rb-none"}));
    records.push(json!({"id": "rb-null", "principal": null, "crn_pattern": null}));
    records.push(json!({"id": "rb-no-texts", "principal": 5, "crn_pattern": 7}));
    let sim = crafted("role_bindings", &records);
    let run = only(&sim, "role_bindings");
    let found = run.records("role_bindings");
    assert_eq!(found.len(), records.len());
    assert_eq!(found[0]["scope_type"], "cloud-cluster");
    for (record, sent) in found.iter().zip(&records).skip(1) {
        assert_eq!(columns(record), [&Value::Null; 8], "{sent}");
        assert_eq!(record.get("crn_pattern"), sent.get("crn_pattern"));
    }
    for record in &found[found.len() - 3..] {
        assert_eq!((&record["principal_type"], &record["principal_id"]), (&Value::Null, &Value::Null));
    }
    assert_eq!(lines(&run, &["WARN", "not a name"]), 1, "the first is named once");
    assert_eq!(lines(&run, &["weird"]), 0, "another is named");
}

#[test]
fn the_known_beginning_of_an_unknown_pattern_is_read() {
    let run = read(forms("begun"));
    let told = format!("WARN role_bindings: {} Confluent Resource Names", forms("begun").len());
    assert_eq!(lines(&run, &[&told, "/*\""]), 1, "the first is named once");
    assert_eq!(lines(&run, &["WARN"]), 1, "WARN lines");
}

#[test]
fn every_kind_of_principal_is_recognized_and_others_are_unknown() {
    let (cases, pattern) = (forms("principals"), pattern(CLUSTER));
    let principals = cases.iter().map(|case| case["principal"].as_str().unwrap());
    let records: Vec<Value> =
        principals.enumerate().map(|(i, principal)| binding(i, principal, &pattern)).collect();
    let sim = crafted("role_bindings", &records);
    let found = only(&sim, "role_bindings").records("role_bindings");
    assert_eq!(found.len(), cases.len());
    for (record, case) in found.iter().zip(cases) {
        for column in &OF_BINDINGS[..2] {
            assert_eq!(record[*column], case[*column], "{column} of {case}");
        }
    }
}

#[test]
fn a_field_of_the_service_wins_over_a_derived_column_of_its_name() {
    let mut records: Vec<Value> = (0..3).map(|i| binding(i, "User:u-1", &pattern(CLUSTER))).collect();
    for record in &mut records {
        record["scope_type"] = json!("theirs");
        record["principal_id"] = json!(null);
    }
    let sim = crafted("role_bindings", &records);
    let run = only(&sim, "role_bindings");
    for record in run.records("role_bindings") {
        assert_eq!((&record["scope_type"], &record["principal_id"]), (&json!("theirs"), &Value::Null));
        assert_eq!(record["environment_id"], "env-1");
    }
    assert_eq!(run.stdout.matches(r#""scope_type":"#).count(), 3 + 1, "named twice in a record");
    assert_eq!(lines(&run, &["role_bindings", "scope_type"]), 1, "lines that tell of it");
}
