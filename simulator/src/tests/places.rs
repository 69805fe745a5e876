//! What an environment holds beside Kafka clusters, as a client gets it, and what the records are.

use serde_json::Value;

use super::{Scenario, Simulator, environment, get, json, made, organization, read};

const PLACES: [&str; 7] = [
    "schema_registry_clusters",
    "ksqldb_clusters",
    "flink_compute_pools",
    "networks",
    "peerings",
    "private_link_attachments",
    "transit_gateway_attachments",
];

fn path(sim: &Simulator, stream: &str) -> &'static str {
    sim.org().stream(stream).path
}

fn listed(sim: &Simulator, stream: &str) -> Vec<Value> {
    let all = (0..3).map(|number| environment(sim, number));
    all.flat_map(|id| read(sim, &format!("{}?environment={id}&page_size=2", path(sim, stream)))).collect()
}

#[test]
fn what_all_environments_hold_is_the_truth_however_rude() {
    for seed in 0..6 {
        for stream in PLACES {
            let sim = Simulator::start(Scenario::new().seed(seed).size(stream, 5));
            let (truth, all) = (sim.truth().records(stream), listed(&sim, stream));
            assert_eq!(all, truth, "{stream}");
            let row = sim.org().stream(stream);
            assert_eq!(all.len(), if row.uneven { 10 } else { 15 }, "{stream}");
        }
    }
}

#[test]
fn records_are_in_their_environment_and_begin_with_its_name() {
    let org = organization(Scenario::new().seed(5).environments(4));
    for stream in PLACES {
        for (record, index) in made(&org, stream).iter().zip(0..) {
            let home = org.id_of(org.home(org.row(stream, index)).0.unwrap());
            assert_eq!(record["spec"]["environment"]["id"], home, "{stream}");
            let name = record["metadata"]["resource_name"].as_str().unwrap();
            assert!(name.starts_with(&format!("{}/environment={home}/", org.crn())), "{name}");
            assert!(record["status"]["phase"].is_string(), "{stream}");
        }
    }
}

#[test]
fn what_is_optional_comes_and_goes() {
    let org = organization(Scenario::new().seed(5).environments(40));
    for (stream, places) in [
        ("schema_registry_clusters", &["/spec/private_networking_config", "/spec/catalog_http_endpoint"][..]),
        (
            "ksqldb_clusters",
            &["/status/is_paused", "/spec/kafka_cluster/environment", "/spec/environment/kind"],
        ),
        (
            "flink_compute_pools",
            &["/spec/config/kind", "/spec/default_pool", "/spec/enable_ai", "/spec/network"],
        ),
        (
            "networks",
            &[
                "/spec/display_name",
                "/spec/zones_info/0/cidr",
                "/spec/dns_config",
                "/spec/gateway/id",
                "/status/cloud/vpc",
                "/status/cloud/vnet",
                "/status/error_code",
                "/status/idle_since",
                "/status/supported_connection_types",
            ],
        ),
        (
            "peerings",
            &["/spec/display_name", "/spec/cloud/tenant", "/spec/cloud/routes", "/status/error_code"],
        ),
        (
            "private_link_attachments",
            &["/spec/environment/environment", "/status/cloud/vpc_endpoint_service"],
        ),
        (
            "transit_gateway_attachments",
            &["/status/cloud/transit_gateway_attachment_id", "/spec/network/kind"],
        ),
    ] {
        let records = made(&org, stream);
        for place in places {
            let count = records.iter().filter(|record| record.pointer(place).is_some()).count();
            assert!(count > 0 && count < records.len(), "{stream} {place} {count}");
        }
    }
}

#[test]
fn networks_are_named_by_others_but_for_the_third_of_each_environment() {
    let org = organization(Scenario::new().seed(5).environments(20).kafka_clusters(9));
    let networks = made(&org, "networks");
    let others = ["kafka_clusters", "flink_compute_pools", "peerings", "transit_gateway_attachments"];
    let named: Vec<Value> = others.iter().flat_map(|stream| made(&org, stream)).collect();
    let by =
        |network: &Value| named.iter().filter(|one| one["spec"]["network"]["id"] == network["id"]).count();
    let counts: Vec<usize> = networks.iter().map(by).collect();
    assert!(counts.iter().skip(2).step_by(3).all(|count| *count == 0), "{counts:?}");
    assert!(counts.iter().step_by(3).all(|count| *count > 0), "{counts:?}");
    let with_network = named.iter().filter(|one| one["spec"]["network"]["id"].is_string()).count();
    assert_eq!(counts.iter().sum::<usize>(), with_network, "every network that is named is listed");
}

#[test]
fn a_polite_last_page_is_as_recorded() {
    let sim = Simulator::start(Scenario::new().polite().size("networks", 900));
    let env = environment(&sim, 1);
    let page = |stream: &str, query: &str| {
        json(&get(&sim, &format!("{}?environment={env}{query}", path(&sim, stream))))
    };
    let networks = page("networks", "&page_size=1000");
    assert_eq!(networks["data"].as_array().unwrap().len(), 900);
    assert_eq!(
        (&networks["metadata"]["next"], &networks["metadata"]["total_size"]),
        (&"".into(), &900.into())
    );
    assert_eq!(page("networks", "")["data"].as_array().unwrap().len(), 10);
    let pools = page("flink_compute_pools", "");
    assert_eq!(pools["metadata"], serde_json::json!({"first": "", "next": ""}));
    assert_eq!(page("ksqldb_clusters", "")["metadata"], serde_json::json!({}));
}
