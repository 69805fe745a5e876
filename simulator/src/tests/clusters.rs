//! Which Kafka clusters there are, and what their records look like.

use std::collections::HashSet;

use super::{made, organization};
use crate::clusters::{GONE, named, of};
use crate::organization::Organization;
use crate::scenario::Scenario;

fn forty(clusters: u64) -> Organization {
    organization(Scenario::new().seed(3).environments(40).kafka_clusters(clusters))
}

#[test]
fn no_two_clusters_share_an_id() {
    let org = forty(50);
    let ids: HashSet<String> = (0..41)
        .flat_map(|home| (0..50 + GONE).map(move |place| (home, place)))
        .map(|(home, place)| of(&org, home, place))
        .collect();
    assert_eq!(ids.len(), 41 * 53);
}

#[test]
fn a_cluster_that_is_named_is_mostly_listed() {
    let org = forty(5);
    let gone = |environment: u64| {
        let listed: Vec<String> =
            (environment * 5..environment * 5 + 5).map(|index| org.id("kafka_clusters", index)).collect();
        (0..1200).filter(|number| !listed.contains(&named(&org, environment, *number))).count()
    };
    assert_eq!(gone(0), 100);
    let none = forty(0);
    assert_eq!(none.count("kafka_clusters"), 0);
    assert!(named(&none, 0, 7).starts_with("lkc-"));
    let past: HashSet<String> = (0..1200).map(|number| named(&org, 40, number)).collect();
    assert_eq!(past.len(), 3, "an environment that is no more");
}

#[test]
fn records_are_as_recorded_and_what_is_optional_comes_and_goes() {
    let org = forty(5);
    let records = made(&org, "kafka_clusters");
    for (record, index) in records.iter().zip(0..) {
        let (lkc, env) = (org.id("kafka_clusters", index), org.id("environments", index / 5));
        let name = format!("{}/environment={env}/cloud-cluster={lkc}/kafka={lkc}", org.crn());
        assert_eq!((&record["id"], &record["kind"]), (&lkc.into(), &"Cluster".into()));
        assert_eq!(
            (&record["api_version"], &record["metadata"]["resource_name"]),
            (&"cmk/v2".into(), &name.into())
        );
        assert_eq!(record["spec"]["environment"]["id"], env);
        let dedicated = record["spec"]["config"]["kind"] == "Dedicated";
        assert_eq!(record["status"]["cku"].is_u64(), dedicated);
        assert!(!dedicated || record["spec"]["config"]["zones"].is_array());
    }
    for place in [
        "/spec/api_endpoint",
        "/spec/endpoints",
        "/spec/deletion_protection",
        "/spec/network/id",
        "/spec/byok/id",
        "/spec/http_endpoint",
        "/spec/config/max_ecku",
        "/spec/network/environment",
        "/spec/network/kind",
    ] {
        let count = records.iter().filter(|record| record.pointer(place).is_some()).count();
        assert!(count > 0 && count < records.len(), "{place} {count}");
    }
    let named = records.iter().filter(|record| record["spec"]["environment"]["kind"] == "Environment");
    let named = named.count();
    assert!((110..160).contains(&named), "two of three, as recorded: {named} of 200");
}
