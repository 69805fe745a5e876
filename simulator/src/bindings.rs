//! Role bindings: the forms of `crn_pattern` seen in fixtures, documents and a public capture, and
//! what each kind of server finds for one (see `BindingsServer`).

use fastrand::Rng;

use crate::json::Object;
use crate::organization::{ALIAS, Organization};
use crate::random::{one_in, pick, short_id};
use crate::scenario::BindingsServer;
use crate::stream::Stream;
use crate::time::rfc3339;

const FORMS: u64 = 16;
const TOPICS: [&str; 9] =
    ["orders", "clicks-*", "*", "pay%3Arefunds", "team a:events", "a=b", "日本-*", "x%2Fy%20z", "audit.log"];

/// Spreads the organization's own bindings evenly over the listing, the first one first.
fn of_organization(org: &Organization, index: u64) -> bool {
    let (own, all) = (org.scenario.organization_level(), org.scenario.role_bindings);
    all > 0 && (index * own) % all < own
}

/// The scope of binding number `index`.
pub fn pattern(org: &Organization, index: u64) -> String {
    let top = org.crn();
    if of_organization(org, index) {
        return top;
    }
    let mut dice = org.dice(Stream::RoleBindings, index, 4);
    let seed = org.scenario.seed;
    // Now and then an environment that is listed no more.
    let environments = org.scenario.environments;
    let gone = environments == 0 || one_in(&mut dice, 25);
    let environment = if gone { environments } else { dice.u64(..environments) };
    let e = format!("{top}/environment={}", org.id_of(Stream::Environments, environment));
    let lkc = format!("lkc-{}", short_id(seed, 77, environment * 3 + dice.u64(..3)));
    let c = format!("{e}/cloud-cluster={lkc}");
    let short = short_id(seed, 78, dice.u64(..9));
    let sr = format!("{e}/schema-registry=lsrc-{short}");
    match index % FORMS {
        0 | 1 => e,
        2 => c,
        3 => format!("{c}/kafka={lkc}/topic={}", pick(&mut dice, &TOPICS)),
        4 => format!("{c}/kafka={lkc}/topic={}", pick(&mut dice, &["clicks-*", "*", "orders"])),
        5 => format!("{c}/kafka={lkc}/group={}", pick(&mut dice, &["billing", "connect-*", "a b:c"])),
        6 => format!("{c}/kafka={lkc}/transactional-id=tx-*"),
        7 => format!("{c}/ksql=ksqlDB_cluster_0"),
        8 => {
            format!("{c}/connector={}", pick(&mut dice, &["My S3 sink (prod)", "PostgresCdcSource%3A1", "*"]))
        }
        9 => format!("{e}/flink-region=aws.us-east-1"),
        10 => format!("{e}/flink-region=gcp.europe-west3/compute-pool=lfcp-{short}"),
        11 => sr,
        12 => format!(
            "{sr}/subject={}",
            pick(&mut dice, &["*", "abc*", ":.context:subject.v1", "%3A.ctx%3Aorders-value"])
        ),
        13 => format!("{sr}/kek=payments-kek"),
        14 => format!("{top}/identity-provider=op-{short}"),
        _ => format!("{top}/service-account={}", org.id_of(Stream::ServiceAccounts, 0)),
    }
}

fn principal(org: &Organization, dice: &mut Rng) -> String {
    let (users, robots) = (org.scenario.users, org.scenario.service_accounts);
    let id = match dice.u32(..100) {
        0..45 => org.id_of(Stream::Users, dice.u64(..users.max(1))),
        45..80 => org.id_of(Stream::ServiceAccounts, dice.u64(..robots.max(1))),
        80..87 => format!("pool-{}", short_id(org.scenario.seed, 79, dice.u64(..9))),
        87..93 => format!("group-{}", short_id(org.scenario.seed, 80, dice.u64(..9))),
        // Deleted since, or invited and not yet there.
        _ => org.id_of(Stream::Users, users + dice.u64(..20)),
    };
    format!("User:{id}")
}

fn role(dice: &mut Rng, pattern: &str, organization: bool) -> &'static str {
    if organization {
        return pick(
            dice,
            &[
                "OrganizationAdmin",
                "AccountAdmin",
                "BillingAdmin",
                "NetworkAdmin",
                "MetricsViewer",
                "Accountant",
                "DataDiscovery",
                "FlinkDeveloper",
                "Operator",
            ],
        );
    }
    let last = pattern.rsplit('/').next().unwrap_or_default();
    match last.split('=').next().unwrap_or_default() {
        "environment" => pick(dice, &["EnvironmentAdmin", "DataDiscovery", "DataSteward", "Operator"]),
        "cloud-cluster" => pick(dice, &["CloudClusterAdmin", "MetricsViewer", "Operator"]),
        "flink-region" | "compute-pool" => pick(dice, &["FlinkAdmin", "FlinkDeveloper"]),
        "ksql" => "KsqlAdmin",
        _ => pick(dice, &["DeveloperRead", "DeveloperWrite", "DeveloperManage", "ResourceOwner"]),
    }
}

pub fn record(org: &Organization, index: u64) -> Object {
    let mut dice = org.dice(Stream::RoleBindings, index, 0);
    let id = org.id_of(Stream::RoleBindings, index);
    let pattern = pattern(org, index);
    let top = of_organization(org, index);
    let owner = format!("User:{}", org.owner().1);
    let mut principal = principal(org, &mut dice);
    let mut role = role(&mut dice, &pattern, top);
    if top && index == 0 {
        principal.clone_from(&owner);
        role = "OrganizationAdmin";
    }
    if org.scenario.weak_key && principal == owner && role == "OrganizationAdmin" {
        role = "MetricsViewer";
    }
    let born = 1_577_880_000 + dice.u64(..190_000_000);
    // Bindings are made and deleted, never changed: recordings show no update time and no api_version.
    let name = format!("{pattern}/rolebinding={id}");
    let metadata = Object::new()
        .text("self", &format!("{ALIAS}/iam/v2/role-bindings/{id}"))
        .maybe("resource_name", one_in(&mut dice, 3).then_some(name.as_str()))
        .text("created_at", &rfc3339(&mut dice, born))
        .finish();
    Object::new()
        .text("kind", "RoleBinding")
        .text("id", &id)
        .raw("metadata", &metadata)
        .text("principal", &principal)
        .text("role_name", role)
        .text("crn_pattern", &pattern)
}

/// Whether a server of this kind returns a binding of `pattern` when asked for `asked`.
pub fn finds(server: BindingsServer, asked: &str, pattern: &str) -> bool {
    let scope = asked.strip_suffix("/*");
    let nested = |scope: &str| pattern.strip_prefix(scope).is_some_and(|rest| rest.starts_with('/'));
    match (server, scope) {
        (BindingsServer::Partial, None) => pattern.starts_with(asked),
        (BindingsServer::Inclusive, Some(scope)) => pattern == scope || nested(scope),
        (BindingsServer::NestedOnly, Some(scope)) => nested(scope),
        (BindingsServer::Partial, Some(_)) | (_, None) => pattern == asked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn each_server_has_its_own_reading_of_a_pattern() {
        use BindingsServer::{Inclusive, NestedOnly, Partial};
        for (asked, pattern, servers) in [
            ("crn://o=1", "crn://o=1", vec![Inclusive, NestedOnly, Partial]),
            ("crn://o=1", "crn://o=1/e=2", vec![Partial]),
            ("crn://o=1", "crn://o=12", vec![Partial]),
            ("crn://o=1/*", "crn://o=1", vec![Inclusive]),
            ("crn://o=1/*", "crn://o=1/e=2", vec![Inclusive, NestedOnly]),
            ("crn://o=1/*", "crn://o=12/e=2", vec![]),
            ("crn://o=1/e=2/*", "crn://o=1/e=2/c=3", vec![Inclusive, NestedOnly]),
        ] {
            for server in [Inclusive, NestedOnly, Partial] {
                let expected = servers.contains(&server);
                assert_eq!(finds(server, asked, pattern), expected, "{server:?} {asked} {pattern}");
            }
        }
    }

    #[test]
    fn as_many_bindings_as_said_are_the_organization_s_own() {
        for (all, own) in [(264, 44), (10, 0), (10, 10), (7, 3), (1, 1)] {
            let scenario = Scenario::new().role_bindings(all).organization_bindings(own);
            let org = Organization::new(scenario);
            let found = (0..all).filter(|index| pattern(&org, *index) == org.crn()).count();
            assert_eq!(found as u64, own);
        }
    }
}
