//! Kafka clusters: which ids there are, for everything that names one, and their records in the
//! shape recorded in the Terraform provider's fixtures and the specification.

use fastrand::Rng;

use crate::encryption;
use crate::json::Object;
use crate::organization::{HOST, Organization, Row};
use crate::places::{SITES, Site, network, zones};
use crate::random::{one_in, pick, short_id};
use crate::records::{head, refer};

/// How many clusters of an environment are named here and there and listed no more.
pub const GONE: u64 = 3;

/// The ids of an environment's clusters, listed or not, are set this far apart.
const ROOM: u64 = 4096;

/// The id of cluster number `place` of an environment; those past the listed ones are of clusters
/// that are no more.
pub fn of(org: &Organization, environment: u64, place: u64) -> String {
    format!("lkc-{}", short_id(org.scenario.seed, 77, environment * ROOM + place))
}

pub fn id(org: &Organization, row: Row) -> String {
    let (home, place) = environment(org, row);
    assert!(place < ROOM - GONE, "an environment has room for {} Kafka clusters", ROOM - GONE);
    of(org, home.index, place)
}

/// The environment that a cluster is in, and its number there.
fn environment(org: &Organization, row: Row) -> (Row, u64) {
    let (home, place) = org.home(row);
    (home.expect("clusters are in environments"), place)
}

/// The id of a cluster as others name it: one of the environment's, by any number, and once in
/// twelve one that is listed no more. The last one of every third environment is never named.
pub fn named(org: &Organization, environment: u64, number: u64) -> String {
    let known = environment < org.count("environments");
    let listed = if known { org.each(org.stream("kafka_clusters")) } else { 0 };
    let (twelfth, number) = (number % 12, number / 12);
    let idle = u64::from(environment % 3 == 2 && listed > 1);
    let place = if listed == 0 || twelfth == 0 { listed + number % GONE } else { number % (listed - idle) };
    of(org, environment, place)
}

fn config(dice: &mut Rng, kind: &str, (zones, cku): (&str, &str)) -> String {
    let config = Object::new().text("kind", kind);
    match kind {
        "Dedicated" => config.raw("cku", cku).raw("zones", zones),
        "Freight" if one_in(dice, 2) => config.raw("zones", zones),
        _ if one_in(dice, 3) => config.raw("max_ecku", pick(dice, &["1", "2", "10"])),
        _ => config,
    }
    .finish()
}

/// Adds where clients find the cluster. One that is being made is nowhere yet.
fn endpoints(mut spec: Object, dice: &mut Rng, site: &Site, (id, phase): (&str, &str)) -> Object {
    if phase != "PROVISIONED" {
        return match dice.u32(..2) {
            0 => spec,
            _ => spec.text("kafka_bootstrap_endpoint", "").text("http_endpoint", ""),
        };
    }
    let place = format!("{}.{}.confluent.cloud", site.region, site.cloud.to_lowercase());
    let number = id.trim_start_matches("lkc-");
    let bootstrap = format!("pkc-{number}.{place}:9092");
    let http = format!("https://pkc-{number}.{place}:443");
    spec = spec
        .text("kafka_bootstrap_endpoint", &format!("SASL_SSL://{bootstrap}"))
        .text("http_endpoint", &http);
    if one_in(dice, 3) {
        spec = spec.text("api_endpoint", &format!("https://pkac-{number}.{place}"));
    }
    if one_in(dice, 2) {
        return spec;
    }
    // Keyed by access point; two of the keys are words.
    let (key, kind) = match dice.u32(..3) {
        0 => (format!("ap1{number}"), "PRIVATE_NETWORK_INTERFACE"),
        1 => ("PRIVATE_LINK".to_owned(), "PRIVATE_LINK"),
        _ => ("PUBLIC".to_owned(), "PUBLIC"),
    };
    let one = Object::new()
        .text("kafka_bootstrap_endpoint", &bootstrap)
        .text("http_endpoint", &http)
        .text("connection_type", kind);
    spec.raw("endpoints", &Object::new().raw(&key, &one.finish()).finish())
}

/// Adds what the cluster belongs to.
fn belongings(spec: Object, dice: &mut Rng, org: &Organization, (kind, row): (&str, Row)) -> Object {
    let home = environment(org, row).0;
    // Recorded: ten clusters of fifteen name what kind of object these two references point to.
    let names_kinds = !one_in(&mut org.dice(row, 7), 3);
    let kinds = |reference: Object, version, kind| {
        if names_kinds { reference.text("api_version", version).text("kind", kind) } else { reference }
    };
    let environment = org.id_of(home);
    let name = format!("{}/environment={environment}", org.crn());
    // An old path, as recorded.
    let link = format!("{HOST}/v2/environments/{environment}");
    let reference = kinds(refer(dice, &environment, &link, &name), "org/v2", "Environment");
    let mut spec = spec.raw("environment", &reference.finish());
    let private = ["Dedicated", "Enterprise"].contains(&kind);
    if private && one_in(dice, 2) {
        let id = network(org, home.index, dice.u64(..2));
        let link = format!("{HOST}/networking/v1/networks/{id}");
        let reference = refer(dice, &id, &link, &format!("{name}/network={id}"));
        let scoped = one_in(dice, 2).then_some(environment.as_str());
        let reference = kinds(reference.maybe("environment", scoped), "networking/v1", "Network");
        spec = spec.raw("network", &reference.finish());
    }
    if private && one_in(dice, 3) {
        let id = encryption::named(org, home.index);
        let link = format!("{HOST}/byok/v1/keys/{id}");
        spec = spec.raw("byok", &refer(dice, &id, &link, &format!("{}/key={id}", org.crn())).finish());
    }
    spec
}

pub fn record(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let (home, place) = environment(org, row);
    let (id, environment) = (org.id_of(row), org.id_of(home));
    let name = format!("{}/environment={environment}/cloud-cluster={id}/kafka={id}", org.crn());
    let kind = pick(&mut dice, &["Basic", "Standard", "Dedicated", "Enterprise", "Freight"]);
    let site = &SITES[dice.usize(..SITES.len())];
    let several = one_in(&mut dice, 2);
    let (one, more) = pick(&mut dice, &[("SINGLE_ZONE", "MULTI_ZONE"), ("LOW", "HIGH")]);
    let cku = if several { "2" } else { "1" };
    let phase = match dice.u32(..20) {
        0 => "PROVISIONING",
        1 => "FAILED",
        _ => "PROVISIONED",
    };
    let display = match dice.u32(..6) {
        0 => format!("Orders & clicks <{place}>"),
        1 => format!("søk \"{place}\""),
        _ => format!("cluster_{place}"),
    };
    let spec = Object::new()
        .text("display_name", &display)
        .text("availability", if several { more } else { one })
        .text("cloud", site.cloud)
        .text("region", site.region)
        .raw("config", &config(&mut dice, kind, (&zones(site, several), cku)));
    let mut spec = endpoints(spec, &mut dice, site, (&id, phase));
    if one_in(&mut dice, 3) {
        spec = spec.raw("deletion_protection", pick(&mut dice, &["true", "false"]));
    }
    let spec = belongings(spec, &mut dice, org, (kind, row)).finish();
    let status = Object::new().text("phase", phase);
    let status = if kind == "Dedicated" { status.raw("cku", cku) } else { status };
    head(org, row, &name, &mut dice).raw("spec", &spec).raw("status", &status.finish())
}
