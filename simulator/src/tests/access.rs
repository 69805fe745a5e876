//! Who and what may get in, and from where: as recorded, and in agreement with the rest.

use super::{Scenario, Simulator, environment};

#[test]
fn what_is_optional_comes_and_goes() {
    const MANY: u64 = 60;
    for (stream, places) in [
        ("certificate_authorities", &["/crl_url", "/crl_updated_at", "/state"][..]),
        ("certificate_pools", &["/principal", "/state"]),
        ("ip_filters", &["/resource_scope", "/operation_groups", "/ip_groups/1", "/ip_groups/0/related"]),
        (
            "byok_keys",
            &["/validation", "/validation/region", "/key/key_arn", "/key/tenant_id", "/display_name"],
        ),
        ("provider_integrations", &["/usages/0", "/environment/related"]),
        ("custom_connector_plugins", &["/runtime_language", "/sensitive_config_properties/0"]),
        ("service_quotas", &["/usage", "/network"]),
    ] {
        let sim = Simulator::start(Scenario::new().seed(3).size(stream, MANY));
        let records = sim.truth().records(stream);
        for place in places {
            let with = records.iter().filter(|record| record.pointer(place).is_some()).count();
            assert!((1..records.len()).contains(&with), "{stream}{place}: {with} of {}", records.len());
        }
    }
}

#[test]
fn clusters_name_encryption_keys_that_are_listed() {
    let sim = Simulator::start(Scenario::new().seed(5).kafka_clusters(60));
    let keys = sim.truth().ids("byok_keys");
    let clusters = sim.truth().records("kafka_clusters").iter();
    let named: Vec<&str> = clusters.filter_map(|record| record["spec"]["byok"]["id"].as_str()).collect();
    assert!(!named.is_empty() && named.iter().all(|id| keys.iter().any(|key| key == id)));
}

#[test]
fn an_integration_names_its_environment_and_has_no_metadata() {
    let sim = Simulator::start(Scenario::new());
    let records = sim.truth().records("provider_integrations");
    assert_eq!(records[2]["environment"]["id"], environment(&sim, 1).as_str());
    assert!(records.iter().all(|record| record.get("metadata").is_none()));
}
