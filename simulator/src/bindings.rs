//! Role bindings: the forms of `crn_pattern` seen in fixtures, documents and a public capture, and
//! what each kind of server finds for one (see `BindingsServer`).

use fastrand::Rng;

use crate::clusters;
use crate::grants;
use crate::json::Object;
use crate::oauth::pool;
use crate::organization::{ALIAS, Organization, Row};
use crate::random::{mix, one_in, pick, short_id};
use crate::scenario::BindingsServer;
use crate::time::rfc3339;

const FORMS: u64 = 16;
const TOPICS: [&str; 9] =
    ["orders", "clicks-*", "*", "pay%3Arefunds", "team a:events", "a=b", "日本-*", "x%2Fy%20z", "audit.log"];

/// A capture of a real organization shows ids like u-ymjk3o3077-m among the rb-… ones.
pub fn id(org: &Organization, row: Row) -> String {
    let short = org.short_id(row);
    if row.index % 9 == 4 {
        return format!("u-{short}{:04}-m", mix(&[org.scenario.seed, row.index]) % 10_000);
    }
    format!("rb-{short}")
}

/// Spreads the organization's own bindings evenly over the listing, the first one first.
fn of_organization(org: &Organization, index: u64) -> bool {
    if let Some(in_environment) = grants::is_in_environment(index) {
        return !in_environment;
    }
    let all = org.count("role_bindings");
    let own = org.scenario.organization_bindings.unwrap_or(all.div_ceil(6)).min(all);
    all > 0 && (index * own) % all < own
}

/// The scope of a binding.
pub fn pattern(org: &Organization, row: Row) -> String {
    let (top, index) = (org.crn(), row.index);
    if of_organization(org, index) {
        return top;
    }
    let mut dice = org.dice(row, 4);
    let seed = org.scenario.seed;
    // Now and then an environment that is listed no more.
    let environments = org.count("environments");
    let gone = environments == 0 || one_in(&mut dice, 25);
    let environment = if gone { environments } else { dice.u64(..environments) };
    let e = format!("{top}/environment={}", org.id("environments", environment));
    if grants::is_in_environment(index).is_some() {
        return e;
    }
    let lkc = clusters::named(org, environment, dice.u64(..));
    let c = format!("{e}/cloud-cluster={lkc}");
    let number = dice.u64(..9);
    let short = short_id(seed, 78, number);
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
        14 => format!("{top}/identity-provider={}", org.id("identity_providers", number)),
        _ => format!("{top}/service-account={}", org.id("service_accounts", 0)),
    }
}

/// Binding numbers whose kind of principal is not left to chance, with a number that `principal`
/// takes for that kind: every organization has each kind, in scopes of different forms.
const SETTLED: [(u64, u32); 9] =
    [(1, 0), (2, 98), (3, 99), (5, 80), (7, 97), (9, 93), (11, 87), (13, 45), (18, 97)];

fn principal(org: &Organization, index: u64, dice: &mut Rng) -> String {
    let (users, robots) = (org.count("users"), org.count("service_accounts"));
    let seed = org.scenario.seed;
    let chance = dice.u32(..100);
    let settled = SETTLED.iter().find(|(number, _)| *number == index);
    let id = match settled.map_or(chance, |(_, kind)| *kind) {
        0..45 => org.id("users", dice.u64(..users.max(1))),
        45..80 => org.active("service_accounts", dice.u64(..robots.max(1))),
        80..87 => org.id("identity_pools", dice.u64(..9)),
        87..93 => format!("group-{}", short_id(seed, 80, dice.u64(..9))),
        // Deleted since, or invited and not yet there.
        93..97 => org.id("users", users + dice.u64(..20)),
        // The old specification allows groups by themselves; today's page does not.
        97 => return format!("Group:group-{}", short_id(seed, 80, dice.u64(..9))),
        98 => {
            return format!("Group:{}", pick(dice, &["kafka-admins", "Data Platform: EU", "all-sso-users"]));
        }
        // Nobody has documented this one.
        _ => format!("svc-{}", short_id(seed, 81, dice.u64(..9))),
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

pub fn record(org: &Organization, row: Row) -> Object {
    let (mut dice, index) = (org.dice(row, 0), row.index);
    let (id, pattern) = (org.id_of(row), pattern(org, row));
    let top = of_organization(org, index);
    let oauth = org.scenario.oauth.is_some();
    let owner = if oauth { pool(org.scenario.seed) } else { org.owner().1 };
    let owner = format!("User:{owner}");
    let mut principal = principal(org, index, &mut dice);
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
}
