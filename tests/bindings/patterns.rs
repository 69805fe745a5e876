//! Role bindings, on records made for it: derived columns of every form of name and of principal.

use serde_json::{Value, json};

use crate::support::crafted::{ORGANIZATION, crafted, only};
use crate::support::lines;

const PATTERN: [&str; 8] = [
    "scope_type",
    "environment_id",
    "cloud_cluster_id",
    "service_type",
    "service_id",
    "resource_type",
    "resource_name",
    "pattern_type",
];

/// What follows the organization, and the eight columns; `-` is null.
const FORMS: &[(&str, [&str; 8])] = &[
    ("", ["organization", "-", "-", "-", "-", "-", "-", "-"]),
    ("/identity-provider=op-1", ["organization", "-", "-", "-", "-", "identity-provider", "op-1", "LITERAL"]),
    ("/service-account=sa-1", ["organization", "-", "-", "-", "-", "service-account", "sa-1", "LITERAL"]),
    ("/environment=env-1", ["environment", "env-1", "-", "-", "-", "-", "-", "-"]),
    ("/environment=t-9", ["environment", "t-9", "-", "-", "-", "-", "-", "-"]),
    (
        "/environment=env-1/flink-region=aws.us-east-1",
        ["environment", "env-1", "-", "flink-region", "aws.us-east-1", "-", "-", "-"],
    ),
    (
        "/environment=env-1/flink-region=aws.us-east-1/compute-pool=lfcp-1",
        ["environment", "env-1", "-", "flink-region", "aws.us-east-1", "compute-pool", "lfcp-1", "LITERAL"],
    ),
    ("SR", ["environment", "env-1", "-", "schema-registry", "lsrc-1", "-", "-", "-"]),
    (
        "SR/subject=abc*",
        ["environment", "env-1", "-", "schema-registry", "lsrc-1", "subject", "abc", "PREFIXED"],
    ),
    ("SR/subject=*", ["environment", "env-1", "-", "schema-registry", "lsrc-1", "subject", "", "PREFIXED"]),
    ("SR/kek=k 1", ["environment", "env-1", "-", "schema-registry", "lsrc-1", "kek", "k 1", "LITERAL"]),
    (
        "SR/subject=:.context:subject.v1",
        [
            "environment",
            "env-1",
            "-",
            "schema-registry",
            "lsrc-1",
            "subject",
            ":.context:subject.v1",
            "LITERAL",
        ],
    ),
    ("C", ["cloud-cluster", "env-1", "lkc-1", "-", "-", "-", "-", "-"]),
    (
        "C/ksql=ksqlDB_cluster_0",
        ["cloud-cluster", "env-1", "lkc-1", "ksql", "ksqlDB_cluster_0", "-", "-", "-"],
    ),
    (
        "C/connector=My S3 sink (prod)",
        ["cloud-cluster", "env-1", "lkc-1", "-", "-", "connector", "My S3 sink (prod)", "LITERAL"],
    ),
    ("C/connector=*", ["cloud-cluster", "env-1", "lkc-1", "-", "-", "connector", "", "PREFIXED"]),
    ("K", ["cloud-cluster", "env-1", "lkc-1", "kafka", "lkc-1", "-", "-", "-"]),
    ("K/group=a b:c", ["cloud-cluster", "env-1", "lkc-1", "kafka", "lkc-1", "group", "a b:c", "LITERAL"]),
    (
        "K/transactional-id=tx-*",
        ["cloud-cluster", "env-1", "lkc-1", "kafka", "lkc-1", "transactional-id", "tx-", "PREFIXED"],
    ),
];

/// Names of a topic, and what they are: decoded, without the star at their end.
const TOPICS: &[(&str, &str, &str)] = &[
    ("orders", "orders", "LITERAL"),
    ("clicks-*", "clicks-", "PREFIXED"),
    ("*", "", "PREFIXED"),
    ("a=b", "a=b", "LITERAL"),
    ("a=b=*", "a=b=", "PREFIXED"),
    ("a*b", "a*b", "LITERAL"),
    ("*.orders", "*.orders", "LITERAL"),
    ("pay%3Arefunds", "pay:refunds", "LITERAL"),
    ("x%2Fy%20z*", "x/y z", "PREFIXED"),
    ("%E6%97%A5%e6%9c%ac-*", "日本-", "PREFIXED"),
    ("日本", "日本", "LITERAL"),
    ("a+b", "a+b", "LITERAL"),
    ("team a:events", "team a:events", "LITERAL"),
];

fn columns(record: &Value) -> Vec<&str> {
    PATTERN.iter().map(|name| record[*name].as_str().unwrap_or("-")).collect()
}

fn binding(number: usize, principal: &str, pattern: &str) -> Value {
    json!({"id": format!("rb-{number}"), "principal": principal, "role_name": "R", "crn_pattern": pattern})
}

/// `~` is the organization; the rest are the shorthands of the table.
fn spelled_out(form: &str) -> String {
    let cluster = "/environment=env-1/cloud-cluster=lkc-1";
    let form = form.replacen("SR", "/environment=env-1/schema-registry=lsrc-1", 1);
    let form = match form.strip_prefix('K') {
        Some(rest) => format!("{cluster}/kafka=lkc-1{rest}"),
        None => form.strip_prefix('C').map_or(form.clone(), |rest| format!("{cluster}{rest}")),
    };
    format!("crn://confluent.cloud/organization={ORGANIZATION}{form}")
}

#[test]
fn every_form_of_pattern_is_read_in_its_three_parts() {
    let mut cases: Vec<(String, Vec<&str>)> =
        FORMS.iter().map(|(form, expected)| (spelled_out(form), expected.to_vec())).collect();
    for (raw, name, kind) in TOPICS {
        let expected = vec!["cloud-cluster", "env-1", "lkc-1", "kafka", "lkc-1", "topic", name, kind];
        cases.push((spelled_out(&format!("K/topic={raw}")), expected));
    }
    let records: Vec<Value> =
        cases.iter().enumerate().map(|(i, (pattern, _))| binding(i, "User:u-1", pattern)).collect();
    let sim = crafted("role_bindings", &records);
    let run = only(&sim, "role_bindings");
    let found = run.records("role_bindings");
    assert_eq!(found.len(), cases.len());
    for (record, (pattern, expected)) in found.iter().zip(&cases) {
        assert_eq!(&columns(record), expected, "{pattern}");
        assert_eq!(record["crn_pattern"], pattern.replace(ORGANIZATION, sim.organization_id()));
    }
    assert!(!run.stderr.contains("WARN"), "a form is called unknown");
}

#[test]
fn a_pattern_of_an_unknown_form_leaves_nulls_and_one_warning_that_names_the_first() {
    let known = spelled_out("C");
    let wrong = ["not a name", "crn://confluent.cloud/weird=o/organization=o", "", "crn://"];
    let mut records: Vec<Value> = vec![binding(0, "User:u-1", &known)];
    records.extend(wrong.iter().enumerate().map(|(i, wrong)| binding(i + 1, "User:u-1", wrong)));
    records.push(json!({"id": "rb-none"}));
    records.push(json!({"id": "rb-null", "principal": null, "crn_pattern": null}));
    let sim = crafted("role_bindings", &records);
    let run = only(&sim, "role_bindings");
    let found = run.records("role_bindings");
    assert_eq!(found.len(), records.len());
    assert_eq!(found[0]["scope_type"], "cloud-cluster");
    for (record, sent) in found.iter().zip(&records).skip(1) {
        assert_eq!(columns(record), ["-"; 8], "{sent}");
        assert_eq!(record.get("crn_pattern"), sent.get("crn_pattern"));
    }
    assert_eq!(lines(&run, &["WARN", "not a name"]), 1, "the first is named once");
    assert_eq!(lines(&run, &["weird"]), 0, "another is named");
}

/// Patterns of which the beginning is known, and the columns that are read of it.
const HALF_KNOWN: &[(&str, [&str; 8])] = &[
    ("/*", ["organization", "-", "-", "-", "-", "-", "-", "-"]),
    ("/", ["organization", "-", "-", "-", "-", "-", "-", "-"]),
    ("/weird", ["organization", "-", "-", "-", "-", "-", "-", "-"]),
    ("/environment=*", ["organization", "-", "-", "-", "-", "-", "-", "-"]),
    ("/cloud-cluster=lkc-1", ["organization", "-", "-", "-", "-", "-", "-", "-"]),
    ("/environment=env-1/*", ["environment", "env-1", "-", "-", "-", "-", "-", "-"]),
    ("/environment=env-1/weird=a/other=b", ["environment", "env-1", "-", "-", "-", "-", "-", "-"]),
    ("/environment=env-1/environment=env-2", ["environment", "env-1", "-", "-", "-", "-", "-", "-"]),
    ("/environment=env-1/cloud-cluster=", ["environment", "env-1", "-", "-", "-", "-", "-", "-"]),
    ("C/*", ["cloud-cluster", "env-1", "lkc-1", "-", "-", "-", "-", "-"]),
    ("C/weird/topic=t", ["cloud-cluster", "env-1", "lkc-1", "-", "-", "-", "-", "-"]),
    ("K/topic=a/b", ["cloud-cluster", "env-1", "lkc-1", "kafka", "lkc-1", "-", "-", "-"]),
    ("SR/ksql=b", ["environment", "env-1", "-", "schema-registry", "lsrc-1", "-", "-", "-"]),
];

#[test]
fn of_a_pattern_that_goes_on_in_an_unknown_form_the_beginning_is_read() {
    let records: Vec<Value> = HALF_KNOWN
        .iter()
        .enumerate()
        .map(|(i, (form, _))| binding(i, "User:u-1", &spelled_out(form)))
        .collect();
    let sim = crafted("role_bindings", &records);
    let run = only(&sim, "role_bindings");
    for (record, (form, expected)) in run.records("role_bindings").iter().zip(HALF_KNOWN) {
        assert_eq!(&columns(record), expected, "{form}");
    }
    let told = format!("WARN role_bindings: {} Confluent Resource Names", HALF_KNOWN.len());
    assert_eq!(lines(&run, &[&told, "/*\""]), 1, "the first is named once");
    assert_eq!(lines(&run, &["WARN"]), 1, "WARN lines");
}

#[test]
fn every_kind_of_principal_is_told_apart_and_others_are_unknown() {
    let cases = [
        ("User:u-1", "user", Some("u-1")),
        ("User:sa-1", "service_account", Some("sa-1")),
        ("User:pool-1", "identity_pool", Some("pool-1")),
        ("User:group-1", "group_mapping", Some("group-1")),
        ("User:u-", "user", Some("u-")),
        ("User:*", "unknown", Some("*")),
        ("User:x-1", "unknown", Some("x-1")),
        ("User:usage", "unknown", Some("usage")),
        ("Group:admins", "unknown", Some("admins")),
        ("Robot:a:b", "unknown", Some("a:b")),
    ];
    let pattern = spelled_out("C");
    let records: Vec<Value> =
        cases.iter().enumerate().map(|(i, (principal, ..))| binding(i, principal, &pattern)).collect();
    let sim = crafted("role_bindings", &records);
    for (record, (principal, kind, id)) in
        only(&sim, "role_bindings").records("role_bindings").iter().zip(cases)
    {
        assert_eq!(record["principal_type"], kind, "{principal}");
        assert_eq!(record["principal_id"].as_str(), id, "{principal}");
    }
}

#[test]
fn a_field_that_the_service_sends_under_a_name_of_ours_wins_and_is_told_once() {
    let mut records: Vec<Value> = (0..3).map(|i| binding(i, "User:u-1", &spelled_out("C"))).collect();
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
