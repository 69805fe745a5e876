//! The answers to the queries on costs, held against what the simulator's organization has been billed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::id_of;
use crate::support::sample::{SAMPLE, cell};

fn costs() -> &'static [Value] {
    SAMPLE.sim.truth().records("billing_costs")
}

/// The key, day, kind and resource of the rows that are taken back, and what they cost.
fn taken_back() -> Vec<(String, String, f64)> {
    let answer = &SAMPLE.query("costs_taken_back").duckdb;
    let row = |row: &Vec<Value>| (cell(&row[0]), cell(&row[1]), row[4].as_f64().unwrap());
    answer.rows.iter().map(row).collect()
}

/// Sums, rounded as the queries do.
fn assert_sums(found: &BTreeMap<String, f64>, expected: &BTreeMap<String, f64>) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, sum) in expected {
        assert!((found[name] - sum).abs() < 0.0051, "{name}: {} instead of {sum}", found[name]);
    }
}

#[test]
fn what_is_taken_back_is_found_and_nothing_else() {
    let back = taken_back();
    assert!(!back.is_empty());
    let of_target = SAMPLE.query("cost_by_environment_and_month");
    let rows: i64 = of_target.duckdb.rows.iter().map(|row| row[3].as_i64().unwrap()).sum();
    assert_eq!(rows as usize - back.len(), costs().len());
    for (id, day, _) in &back {
        assert_eq!(day, "2026-01-07", "the day that was over when it was read first");
        assert!(!id.ends_with("-0"), "{id}: the group has rows left");
    }
    let ids: BTreeSet<&str> = costs().iter().map(id_of).collect();
    assert_eq!(ids.len(), costs().len());
}

#[test]
fn environments_cost_what_they_are_billed_month_by_month() {
    let answer = &SAMPLE.query("cost_by_environment_and_month").duckdb;
    let name = |row: &Vec<Value>| format!("{} {}", cell(&row[0]), cell(&row[1]));
    let found = answer.rows.iter().map(|row| (name(row), row[4].as_f64().unwrap())).collect();
    let mut expected: BTreeMap<String, f64> = BTreeMap::new();
    for cost in costs() {
        let month = &cost["start_date"].as_str().unwrap()[..7];
        let name = format!("{month} {}", cell(&cost["resource"]["environment"]["id"]));
        *expected.entry(name).or_default() += cost["amount"].as_f64().unwrap();
    }
    // Tiers are of a cluster in an environment, which another query finds.
    let back: f64 = taken_back().iter().map(|(_, _, amount)| amount).sum();
    let sum = |sums: &BTreeMap<String, f64>| sums.values().sum::<f64>();
    assert!((sum(&found) - sum(&expected) - back).abs() < 0.1);
    let differ = |name: &&String| (found[*name] - expected[*name]).abs() >= 0.0051;
    let differ: Vec<&String> = expected.keys().filter(differ).collect();
    assert!(
        differ.len() <= taken_back().len() && differ.iter().all(|name| name.starts_with("2026-01")),
        "{differ:?}"
    );
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
}

#[test]
fn owners_share_what_the_clusters_of_their_keys_cost() {
    let mut owners: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for key in SAMPLE.keys() {
        let several = key["spec"]["resources"].as_array().is_some_and(|resources| resources.len() > 1);
        let resource = &key["spec"]["resource"];
        if resource["kind"] == "Cluster" && !several {
            let owner = key["spec"]["owner"]["id"].as_str().unwrap();
            owners.entry(resource["id"].as_str().unwrap()).or_default().insert(owner);
        }
    }
    let truth = SAMPLE.sim.truth();
    let homes: BTreeMap<String, Vec<String>> =
        truth.ids("connectors").into_iter().zip(truth.homes("connectors")).collect();
    let mut expected: BTreeMap<String, f64> = BTreeMap::new();
    let mut add = |resource: &str, amount: f64| {
        let cluster = homes.get(resource).map_or(resource, |homes| homes[1].as_str());
        match owners.get(cluster) {
            None => *expected.entry(String::new()).or_default() += amount,
            Some(owners) => {
                for owner in owners {
                    *expected.entry((*owner).to_owned()).or_default() += amount / owners.len() as f64;
                }
            }
        }
    };
    for cost in costs() {
        add(cost["resource"]["id"].as_str().unwrap_or_default(), cost["amount"].as_f64().unwrap());
    }
    for row in &SAMPLE.query("costs_taken_back").duckdb.rows {
        add(row[3].as_str().unwrap(), row[4].as_f64().unwrap());
    }
    let answer = &SAMPLE.query("cost_by_owner").duckdb;
    assert_sums(
        &answer.rows.iter().map(|row| (cell(&row[0]), row[3].as_f64().unwrap())).collect(),
        &expected,
    );
    assert!(expected.len() > 5, "the sample has owners of what costs");
}
