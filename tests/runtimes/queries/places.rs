//! The answers about clusters, networks and connectors, held against the simulator's records.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::sample::{SAMPLE, cell, sorted};

fn records(stream: &str) -> std::slice::Iter<'static, Value> {
    SAMPLE.sim.truth().records(stream).iter()
}

#[test]
fn connectors_are_counted_by_their_class_and_state() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for record in records("connectors") {
        let text = |place: &Value| place.as_str().unwrap_or("(none)").to_owned();
        let class = text(&record["info"]["config"]["connector.class"]);
        let state = text(&record["status"]["connector"]["state"]);
        *counts.entry(format!("{class} {state}")).or_default() += 1;
    }
    let expected = sorted(counts.iter().map(|(which, count)| format!("{which} {count}")));
    let found =
        SAMPLE.query("connectors_by_class_and_state").sorted(["connector_class", "state", "connectors"]);
    assert_eq!(found, expected);
    assert!(counts.values().any(|count| *count > 1), "the sample has some of one kind");
}

#[test]
fn networks_without_clusters_are_those_that_no_cluster_names() {
    let named_by = |stream: &str, id: &Value| {
        records(stream).filter(|record| record["spec"]["network"]["id"] == *id).count()
    };
    let (empty, used): (Vec<&Value>, Vec<&Value>) =
        records("networks").partition(|network| named_by("kafka_clusters", &network["id"]) == 0);
    assert!(!used.is_empty(), "the sample has a network with a cluster");
    let attached = ["flink_compute_pools", "peerings", "transit_gateway_attachments"];
    let counts = |network: &&Value| attached.map(|stream| named_by(stream, &network["id"]).to_string());
    assert!(empty.iter().any(|network| counts(network) != ["0", "0", "0"]), "one has something else");
    let expected =
        sorted(empty.iter().map(|network| format!("{} {}", cell(&network["id"]), counts(network).join(" "))));
    let columns = ["id", "compute_pools", "peerings", "transit_gateways"];
    assert_eq!(SAMPLE.query("networks_without_clusters").sorted(columns), expected);
}

#[test]
fn clusters_that_nothing_names_are_in_no_pattern_and_no_key() {
    let patterns: Vec<&str> =
        records("role_bindings").map(|binding| binding["crn_pattern"].as_str().unwrap()).collect();
    let mut named: BTreeSet<String> = SAMPLE
        .keys()
        .flat_map(|key| {
            let several = key["spec"]["resources"].as_array().into_iter().flatten();
            several.chain([&key["spec"]["resource"]]).map(|resource| cell(&resource["id"]))
        })
        .collect();
    for pattern in &patterns {
        let part = pattern.split('/').find_map(|part| part.strip_prefix("cloud-cluster="));
        named.extend(part.map(str::to_owned));
    }
    let top = format!("crn://confluent.cloud/organization={}", SAMPLE.sim.organization_id());
    let on = |scope: &str| patterns.iter().filter(|pattern| **pattern == scope).count();
    let idle = records("kafka_clusters").filter(|record| !named.contains(&cell(&record["id"])));
    let expected = sorted(idle.map(|record| {
        let environment = format!("{top}/environment={}", cell(&record["spec"]["environment"]["id"]));
        format!("{} {} {}", cell(&record["id"]), on(&environment), on(&top))
    }));
    let columns = ["id", "grants_on_environment", "grants_on_organization"];
    assert_eq!(SAMPLE.query("clusters_that_nothing_names").sorted(columns), expected);
}
