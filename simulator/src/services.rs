//! What an environment holds beside Kafka clusters and networks: Schema Registry, ksqlDB clusters and Flink
//! compute pools, in the shapes recorded in the Terraform provider's fixtures and the specification.

use fastrand::Rng;

use crate::clusters;
use crate::json::Object;
use crate::organization::{HOST, Organization, Row};
use crate::places::{Place, site};
use crate::random::{one_in, pick};
use crate::records::{head, person, refer};

fn phase(dice: &mut Rng) -> &'static str {
    match dice.u32(..12) {
        0 => "PROVISIONING",
        1 => "FAILED",
        _ => "PROVISIONED",
    }
}

pub fn registry(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let (place, id, site) = (Place::of(org, row), org.id_of(row), site(&mut dice));
    let name = format!("{}/schema-registry={id}", place.name);
    let host = format!("{}.{}.confluent.cloud", site.region, site.cloud.to_lowercase());
    let public = format!("https://psrc-{}.{host}", org.short_id(row));
    let spec = Object::new()
        .text("display_name", "Stream Governance Package")
        .text("package", pick(&mut dice, &["ESSENTIALS", "ADVANCED"]))
        .raw("environment", &place.reference(&mut dice).finish())
        .text("cloud", site.cloud)
        .text("region", site.region);
    let spec = match dice.u32(..3) {
        0 => {
            let private = format!("https://{id}.{}.private.confluent.cloud", site.region);
            let regions = Object::new().text(site.region, &private).finish();
            let config = Object::new().raw("regional_endpoints", &regions).finish();
            // As recorded.
            spec.text("http_endpoint", "")
                .text("private_http_endpoint", &private)
                .raw("private_networking_config", &config)
        }
        1 => spec.text("http_endpoint", &public).text("catalog_http_endpoint", &public),
        _ => spec.text("http_endpoint", &public),
    };
    let status = Object::new().text("phase", phase(&mut dice)).finish();
    head(org, row, &name, &mut dice).raw("spec", &spec.finish()).raw("status", &status)
}

/// Role bindings name the first one of a cluster.
pub fn ksqldb(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let (place, number) = (Place::of(org, row), org.home(row).1);
    let display = match dice.u32(..5) {
        0 if number > 0 => format!("søk \"{number}\" & co."),
        _ => format!("ksqlDB_cluster_{number}"),
    };
    let cluster = clusters::named(org, place.home.index, dice.u64(..));
    let cluster_name = format!("{}/cloud-cluster={cluster}", place.name);
    let link = format!("{HOST}/cmk/v2/clusters/{cluster}");
    let scoped = one_in(&mut dice, 2).then_some(place.id.as_str());
    let reference = refer(&mut dice, &cluster, &link, &cluster_name).maybe("environment", scoped).finish();
    let kind = pick(&mut dice, &["users", "service_accounts", "service_accounts"]);
    let account = org.active(kind, dice.u64(..=org.count(kind)));
    let account = person(org, &mut dice, (kind, &account));
    // Recorded with its id alone, too.
    let alone = one_in(&mut dice, 3);
    let environment = if alone { Object::new().text("id", &place.id) } else { place.reference(&mut dice) };
    let spec = Object::new()
        .text("display_name", &display)
        .raw("use_detailed_processing_log", pick(&mut dice, &["true", "false"]))
        .raw("csu", pick(&mut dice, &["1", "2", "4", "8", "12"]))
        .raw("kafka_cluster", &reference)
        .raw("credential_identity", &account)
        .raw("environment", &environment.finish());
    let prefix = format!("pksqlc-{}", org.short_id(row));
    let status = Object::new()
        .text("phase", phase(&mut dice))
        .text("topic_prefix", &prefix)
        .raw("storage", "125")
        .text("http_endpoint", &format!("https://{prefix}.us-central1.gcp.confluent.cloud"));
    let paused = pick(&mut dice, &["true", "false"]);
    let status = if one_in(&mut dice, 3) { status } else { status.raw("is_paused", paused) };
    let name = format!("{cluster_name}/ksql-name=ksqlDB_cluster_{number}");
    head(org, row, &name, &mut dice).raw("spec", &spec.finish()).raw("status", &status.finish())
}

pub fn pool(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let (place, id, site) = (Place::of(org, row), org.id_of(row), site(&mut dice));
    let region = format!("{}.{}", site.cloud.to_lowercase(), site.region);
    let name = format!("{}/flink-region={region}/compute-pool={id}", place.name);
    // Recorded: the link to the environment leads to the pool itself.
    let link = format!("{HOST}/fcpm/v2/compute-pools/{id}");
    let environment = refer(&mut dice, &place.id, &link, &place.name).finish();
    let mut spec = Object::new()
        .text("cloud", site.cloud)
        .text("region", site.region)
        .text("display_name", pick(&mut dice, &["flink_compute_pool_0", "Auswertung für R&D", "日本"]))
        .raw("max_cfu", pick(&mut dice, &["5", "10", "50"]))
        .raw("environment", &environment);
    // Recorded, and not in the specification.
    if one_in(&mut dice, 2) {
        let host = format!("https://flink.{}.{}.confluent.cloud", site.region, site.cloud.to_lowercase());
        spec = spec
            .raw("config", r#"{"kind":"Standard"}"#)
            .text("http_endpoint", &format!("{host}/sql/v1alpha1/environments/{}", place.id));
    }
    if one_in(&mut dice, 2) {
        spec = spec.raw("default_pool", pick(&mut dice, &["true", "false"]));
    }
    if one_in(&mut dice, 6) {
        spec = spec.raw("enable_ai", "false");
    }
    if one_in(&mut dice, 3) {
        spec = spec.raw("network", &place.network(org, &mut dice).1);
    }
    let status =
        Object::new().text("phase", phase(&mut dice)).raw("current_cfu", pick(&mut dice, &["0", "4"]));
    head(org, row, &name, &mut dice).raw("spec", &spec.finish()).raw("status", &status.finish())
}
