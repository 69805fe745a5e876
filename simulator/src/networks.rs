//! Networks and what connects to them, in the shapes recorded in the Terraform provider's fixtures and the
//! specification: what each cloud calls its parts stands in an object of its own form.

use fastrand::Rng;

use crate::json::{Object, quoted};
use crate::organization::{HOST, Organization, Row};
use crate::places::{NETWORKS, Place, Site, network_of, site, zones};
use crate::random::{one_in, pick, uuid};
use crate::records::{LAST_DAY, head, refer};
use crate::time::rfc3339;

pub fn id(org: &Organization, row: Row) -> String {
    let (home, place) = org.home(row);
    assert!(place < NETWORKS, "an environment has room for {NETWORKS} networks");
    network_of(org, home.map_or(0, |home| home.index), place)
}

/// Recorded with the group and version before it, specified without.
fn form(dice: &mut Rng, kind: &str) -> Object {
    let group = if one_in(dice, 3) { "" } else { "networking.v1." };
    Object::new().text("kind", &format!("{group}{kind}"))
}

/// One text for each zone, by zone.
fn by_zone(site: &Site, text: impl Fn(&str) -> String) -> String {
    site.zones.iter().fold(Object::new(), |all, zone| all.text(zone, &text(zone))).finish()
}

fn cloud(dice: &mut Rng, site: &Site, short: &str) -> String {
    match site.cloud {
        "AWS" => {
            let service = format!("com.amazonaws.vpce.{}.vpce-svc-{short}", site.region);
            form(dice, "AwsNetwork")
                .text("account", "012345678901")
                .text("vpc", &format!("vpc-{short}"))
                .text("private_link_endpoint_service", if one_in(dice, 2) { "" } else { &service })
        }
        "GCP" => {
            let service = |zone: &str| format!("projects/cc/regions/r/serviceAttachments/s-{short}-{zone}");
            form(dice, "GcpNetwork")
                .text("project", "cc-prod-3")
                .text("vpc_network", &format!("s-{short}"))
                .raw("private_service_connect_service_attachments", &by_zone(site, service))
        }
        _ => {
            let alias = |zone: &str| format!("s-{short}-privatelink-{zone}.azure.privatelinkservice");
            form(dice, "AzureNetwork")
                .text("subscription", &uuid(dice))
                .text("vnet", &format!("s-{short}"))
                .raw("private_link_service_aliases", &by_zone(site, alias))
        }
    }
    .finish()
}

/// What became of the network.
fn status(dice: &mut Rng, site: &Site, (short, phase): (&str, &str)) -> String {
    let status = Object::new().text("phase", phase);
    if phase == "FAILED" {
        return status
            .text("error_code", "insufficient_capacity")
            .text("error_message", "Could not provision cloud resources: \"zone\" full")
            .finish();
    }
    if phase != "READY" {
        return status.finish();
    }
    let domain = format!("{short}.{}.{}.confluent.cloud", site.region, site.cloud.to_lowercase());
    let mut status = status
        .raw("cloud", &cloud(dice, site, short))
        .text("dns_domain", &domain)
        .raw("zonal_subdomains", &by_zone(site, |zone| format!("{zone}.{domain}")));
    if one_in(dice, 2) {
        status = status
            .raw("supported_connection_types", r#"["PEERING","TRANSITGATEWAY"]"#)
            .raw("active_connection_types", pick(dice, &["[]", r#"["PEERING"]"#]));
    }
    if one_in(dice, 3) {
        status = status.text("endpoint_suffix", &format!(".{domain}"));
    }
    if one_in(dice, 3) {
        let since = LAST_DAY - dice.u64(..90 * 86_400);
        status = status.text("idle_since", &rfc3339(dice, since));
    }
    status.finish()
}

pub fn network(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let (place, id, site) = (Place::of(org, row), org.id_of(row), site(&mut dice));
    let name = format!("{}/network={id}", place.name);
    let mut spec = Object::new()
        .text("cloud", site.cloud)
        .text("region", site.region)
        .raw("connection_types", pick(&mut dice, &[r#"["PRIVATELINK"]"#, r#"["PEERING","TRANSITGATEWAY"]"#]))
        .raw("zones", &zones(site, true))
        .raw("environment", &place.reference(&mut dice).finish());
    if !one_in(&mut dice, 6) {
        spec = spec.text("display_name", &format!("prod-{}-ü{}", site.region, org.home(row).1));
    }
    if one_in(&mut dice, 2) {
        spec = spec.text("cidr", "10.1.0.0/16").text("reserved_cidr", "172.20.255.0/24");
    }
    if one_in(&mut dice, 3) {
        let zone = Object::new().text("zone_id", site.zones[0]).text("cidr", "10.2.16.0/27").finish();
        spec = spec.raw("zones_info", &format!("[{zone}]"));
    }
    if one_in(&mut dice, 2) {
        spec = spec.raw("dns_config", pick(&mut dice, &[r#"{"resolution":"CHASED_PRIVATE"}"#, "{}"]));
    }
    spec = match dice.u32(..3) {
        0 => spec,
        1 => spec.raw("gateway", "null"),
        _ => {
            let gateway = format!("gw-{}", org.short_id(row));
            let link = format!("{HOST}/networking/v1/gateways/{gateway}");
            let scope = format!("{}/gateway={gateway}", place.name);
            spec.raw("gateway", &refer(&mut dice, &gateway, &link, &scope).finish())
        }
    };
    let phase =
        pick(&mut dice, &["READY", "READY", "READY", "READY", "PROVISIONING", "FAILED", "DEPROVISIONING"]);
    let status = status(&mut dice, site, (id.trim_start_matches("n-"), phase));
    head(org, row, &name, &mut dice).raw("spec", &spec.finish()).raw("status", &status)
}

/// A connection of one of the environment's networks to something elsewhere.
fn connection(org: &Organization, row: Row, dice: &mut Rng, cloud: &str) -> (String, Object) {
    let place = Place::of(org, row);
    let (network, reference) = place.network(org, dice);
    let spec = Object::new()
        .raw("cloud", cloud)
        .raw("environment", &place.reference(dice).finish())
        .raw("network", &reference);
    let display = format!("Anbindung {} → Büro", org.home(row).1);
    (network, if one_in(dice, 5) { spec } else { spec.text("display_name", &display) })
}

pub fn peering(org: &Organization, row: Row) -> Object {
    let (mut dice, id) = (org.dice(row, 0), org.id_of(row));
    let cloud = match dice.u32(..3) {
        0 => form(&mut dice, "AwsPeering")
            .text("account", "012345678901")
            .text("vpc", "vpc-090dcc71c69483dc1")
            .raw("routes", &format!("[{},{}]", quoted("10.0.0.0/24"), quoted("10.0.0.7/32")))
            .text("customer_region", "us-west-2"),
        1 => form(&mut dice, "GcpPeering")
            .text("project", "my-project")
            .text("vpc_network", "my-network")
            .raw("import_custom_routes", "true"),
        _ => form(&mut dice, "AzurePeering")
            .text("tenant", &uuid(&mut dice))
            .text("vnet", "/subscriptions/0/resourceGroups/my-rg/virtualNetworks/my-vnet")
            .text("customer_region", "eastus"),
    };
    let (network, spec) = connection(org, row, &mut dice, &cloud.finish());
    let phase = pick(&mut dice, &["READY", "READY", "PENDING_ACCEPT", "FAILED", "DISCONNECTED"]);
    let status = attached(phase).finish();
    let name = format!("{network}/peering={id}");
    head(org, row, &name, &mut dice).raw("spec", &spec.finish()).raw("status", &status)
}

fn attached(phase: &str) -> Object {
    let status = Object::new().text("phase", phase);
    match phase {
        "FAILED" => status.text("error_code", "rejected").text("error_message", "Die Gegenseite lehnt ab"),
        _ => status,
    }
}

pub fn transit_gateway(org: &Organization, row: Row) -> Object {
    let (mut dice, id) = (org.dice(row, 0), org.id_of(row));
    let share = uuid(&mut dice);
    // The first field has been recorded, and is not in the specification.
    let cloud = form(&mut dice, "AwsTransitGatewayAttachment")
        .raw("enable_custom_routes", "false")
        .text("ram_share_arn", &format!("arn:aws:ram:us-east-1:012345678901:resource-share/{share}"))
        .text("transit_gateway_id", "tgw-0312f0fdeae1f6a08")
        .raw("routes", r#"["192.168.0.0/16","10.0.0.0/8"]"#);
    let (network, spec) = connection(org, row, &mut dice, &cloud.finish());
    let phase = pick(&mut dice, &["READY", "READY", "PENDING_ACCEPT", "FAILED", "ERROR"]);
    let mut status = attached(phase);
    if phase == "READY" {
        let cloud = form(&mut dice, "AwsTransitGatewayAttachmentStatus")
            .text("transit_gateway_attachment_id", &format!("tgw-attach-{}", org.short_id(row)));
        status = status.raw("cloud", &cloud.finish());
    }
    let name = format!("{network}/transit-gateway-attachment={id}");
    head(org, row, &name, &mut dice).raw("spec", &spec.finish()).raw("status", &status.finish())
}

pub fn private_link(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let (place, id, site) = (Place::of(org, row), org.id_of(row), site(&mut dice));
    let name = format!("{}/private-link-attachment={id}", place.name);
    let environment = place.reference(&mut dice);
    // Recorded: the reference to the environment names its environment, which is the same.
    let once_more = one_in(&mut dice, 2).then_some(place.id.as_str());
    let spec = Object::new()
        .text("display_name", pick(&mut dice, &["staging-aws-us-west", "prod – Zürich"]))
        .text("cloud", site.cloud)
        .text("region", site.region)
        .raw("environment", &environment.maybe("environment", once_more).finish());
    let phase = pick(&mut dice, &["READY", "WAITING_FOR_CONNECTIONS", "PROVISIONING", "EXPIRED", "FAILED"]);
    let mut status = attached(phase);
    if ["READY", "WAITING_FOR_CONNECTIONS"].contains(&phase) {
        let (kind, part, field) = match site.cloud {
            "AWS" => ("Aws", "vpc_endpoint_service", "vpc_endpoint_service_name"),
            "GCP" => ("Gcp", "service_attachment", "private_service_connect_service_attachment"),
            _ => ("Azure", "private_link_service", "private_link_service_alias"),
        };
        let service = Object::new().text(field, &format!("plt-{}", org.short_id(row))).finish();
        let cloud = form(&mut dice, &format!("{kind}PrivateLinkAttachmentStatus")).raw(part, &service);
        status = status
            .raw("cloud", &cloud.finish())
            .text("dns_domain", &format!("{}.aws.private.confluent.cloud", site.region));
    }
    head(org, row, &name, &mut dice).raw("spec", &spec.finish()).raw("status", &status.finish())
}
