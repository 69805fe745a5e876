//! Quotas, whose id is the same for every resource of a kind: the key is joined from what tells them apart.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use simulator::Simulator;

use crate::support::crafted::{crafted, only};
use crate::support::{airbyte, small, tap};

const QUOTAS: &str = "service_quotas";

/// A quota of that code, for what `of` names.
fn quota(code: &str, of: &Value) -> Value {
    let mut quota = json!({"id": code, "scope": "ORGANIZATION", "applied_limit": 5});
    quota.as_object_mut().unwrap().extend(of.as_object().unwrap().clone());
    quota
}

/// The keys of these, in both languages.
fn keys(records: &[Value]) -> Vec<String> {
    let sim = crafted(QUOTAS, records);
    let found = only(&sim, QUOTAS).records(QUOTAS);
    let catalog = airbyte::catalog_of(&[QUOTAS], "full_refresh");
    let heard = airbyte::read(tap(&sim).set("streams", json!([QUOTAS])), &catalog).expect_code(0);
    assert_eq!(found, heard.records(QUOTAS));
    found.iter().map(|record| record["quota_key"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn quotas_of_one_code_have_keys_of_their_own() {
    let parts = ["user", "organization", "environment", "network", "kafka_cluster", "identity_provider"];
    let parts = parts.into_iter().chain(["certificate_authority"]);
    let mut records = vec![quota("per", &json!({})), quota("per/user.id=x", &json!({}))];
    for part in parts.clone() {
        records.push(quota("per", &json!({part: {"id": "x"}})));
        records.push(quota("per", &json!({part: {"id": "y"}})));
    }
    records.push(quota("per", &json!({"user": {"id": "x"}, "network": {"id": "x"}})));
    let distinct: BTreeSet<String> = keys(&records).into_iter().collect();
    assert_eq!(distinct.len(), records.len(), "{distinct:?}");
}

#[test]
fn the_key_of_a_quota_does_not_change_with_what_is_told_of_it() {
    let records = [
        json!({"id": "max", "scope": "ORGANIZATION", "organization": {"id": "o-1"}}),
        json!({"organization": {"related": "", "id": "o-1"}, "network": null, "usage": 7, "applied_limit": 9,
            "display_name": "Max", "scope": "ORGANIZATION", "id": "max", "user": {"id": ""}}),
    ];
    assert_eq!(keys(&records), ["id=max/scope=ORGANIZATION/organization.id=o-1"; 2]);
}

#[test]
fn a_quota_without_its_code_fails_the_stream() {
    let sim = crafted(QUOTAS, &[quota("max", &json!({})), json!({"scope": "ORGANIZATION"})]);
    let run = tap(&sim).set("streams", json!([QUOTAS])).run().expect_code(5);
    assert!(run.says("ERROR", &[QUOTAS, "quota_key", "its key"]));
}

#[test]
fn quotas_are_requested_for_the_organization() {
    let sim = Simulator::start(small().size(QUOTAS, 7));
    let run = tap(&sim).set("streams", json!([QUOTAS])).set("page_size", 3).run().expect_code(0);
    let scopes: Vec<_> = run.asked(QUOTAS).iter().map(|request| request.parameter("scope")).collect();
    assert_eq!(scopes, [Some("ORGANIZATION"); 3]);
}
