//! Role bindings: the forms of `crn_pattern` seen in fixtures, documents and a public capture, and
//! what each kind of server finds for one (see `BindingsServer`).

use fastrand::Rng;

use crate::clusters;
use crate::grants;
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
    if let Some(in_environment) = grants::is_in_environment(index) {
        return !in_environment;
    }
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
    if grants::is_in_environment(index).is_some() {
        return e;
    }
    let lkc = clusters::named(org, environment, dice.u64(..));
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

/// Binding numbers whose kind of principal is not left to chance, with a number that `principal`
/// takes for that kind: every organization has each kind, in scopes of different forms.
const SETTLED: [(u64, u32); 9] =
    [(1, 0), (2, 98), (3, 99), (5, 80), (7, 97), (9, 93), (11, 87), (13, 45), (18, 97)];

fn principal(org: &Organization, index: u64, dice: &mut Rng) -> String {
    let (users, robots) = (org.scenario.users, org.scenario.service_accounts);
    let seed = org.scenario.seed;
    let chance = dice.u32(..100);
    let settled = SETTLED.iter().find(|(number, _)| *number == index);
    let id = match settled.map_or(chance, |(_, kind)| *kind) {
        0..45 => org.id_of(Stream::Users, dice.u64(..users.max(1))),
        45..80 => org.active(Stream::ServiceAccounts, dice.u64(..robots.max(1))),
        80..87 => format!("pool-{}", short_id(seed, 79, dice.u64(..9))),
        87..93 => format!("group-{}", short_id(seed, 80, dice.u64(..9))),
        // Deleted since, or invited and not yet there.
        93..97 => org.id_of(Stream::Users, users + dice.u64(..20)),
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

pub fn record(org: &Organization, index: u64) -> Object {
    let mut dice = org.dice(Stream::RoleBindings, index, 0);
    let id = org.id_of(Stream::RoleBindings, index);
    let pattern = pattern(org, index);
    let top = of_organization(org, index);
    let owner = format!("User:{}", org.owner().1);
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

    fn organizations() -> impl Iterator<Item = Organization> {
        let scenarios = (0..20).flat_map(|seed| {
            [(100, 17), (120, 0), (264, 44)].map(|(all, own)| {
                Scenario::new().seed(seed).role_bindings(all).organization_bindings(own).environments(3)
            })
        });
        scenarios.map(Organization::new)
    }

    fn records(org: &Organization) -> Vec<serde_json::Value> {
        (0..org.scenario.role_bindings)
            .map(|index| serde_json::from_str(&record(org, index).finish()).unwrap())
            .collect()
    }

    #[test]
    fn every_kind_of_principal_occurs() {
        for org in organizations() {
            let all = records(&org);
            let some = |start: &str| {
                all.iter().filter(|row| row["principal"].as_str().unwrap().starts_with(start)).count()
            };
            for start in ["User:u-", "User:sa-", "User:pool-", "User:group-", "Group:group-", "User:svc-"] {
                assert!(some(start) > 0, "{start} {}", org.scenario.seed);
            }
            assert!(some("Group:") > some("Group:group-"), "groups by name");
            assert!(some("Group:") + some("User:svc-") < all.len() / 8, "rare");
            let listed: Vec<String> =
                (0..org.scenario.users).map(|at| org.id_of(Stream::Users, at)).collect();
            let gone = all
                .iter()
                .filter_map(|row| row["principal"].as_str()?.strip_prefix("User:u-"))
                .any(|id| !listed.contains(&format!("u-{id}")));
            assert!(gone, "a user who is not listed");
        }
    }

    /// The keys of a pattern, in order, without the organization.
    fn form(pattern: &str) -> String {
        let keys = pattern.split('/').skip(4).map(|part| part.split('=').next().unwrap());
        keys.collect::<Vec<_>>().join("/")
    }

    #[test]
    fn every_form_of_scope_occurs() {
        let (e, c) = ("environment", "environment/cloud-cluster");
        let below = |scope: &str, keys: &[&str]| -> Vec<String> {
            keys.iter().map(|key| format!("{scope}/{key}")).collect()
        };
        let mut forms: Vec<String> =
            ["identity-provider", "service-account", e, c].map(str::to_owned).to_vec();
        forms.extend(below(e, &["flink-region", "flink-region/compute-pool"]));
        forms.extend(below(e, &["schema-registry", "schema-registry/subject", "schema-registry/kek"]));
        forms
            .extend(below(c, &["kafka/topic", "kafka/group", "kafka/transactional-id", "ksql", "connector"]));
        for org in organizations() {
            let found: Vec<String> =
                (0..org.scenario.role_bindings).map(|index| form(&pattern(&org, index))).collect();
            for form in &forms {
                assert!(found.contains(form), "{form} {}", org.scenario.seed);
            }
            assert_eq!(found.contains(&String::new()), org.scenario.organization_level() > 0, "bare");
        }
    }

    #[test]
    fn the_first_binding_is_the_owner_s() {
        let org = Organization::new(Scenario::new());
        let first = &records(&org)[0];
        assert_eq!(first["principal"], format!("User:{}", org.owner().1));
        assert_eq!(
            (&first["role_name"], &first["crn_pattern"]),
            (&"OrganizationAdmin".into(), &org.crn().into())
        );
    }
}
