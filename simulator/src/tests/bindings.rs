//! What role bindings there are: their scopes, and who holds them.

use super::{made, organization};
use crate::bindings::pattern;
use crate::organization::Organization;
use crate::scenario::Scenario;

#[test]
fn as_many_bindings_as_said_are_the_organization_s_own() {
    for (all, own) in [(264, 44), (10, 0), (10, 10), (7, 3), (1, 1)] {
        let scenario = Scenario::new().role_bindings(all).organization_bindings(own);
        let org = organization(scenario);
        let found = patterns(&org).filter(|pattern| *pattern == org.crn()).count();
        assert_eq!(found as u64, own);
    }
}

fn organizations() -> impl Iterator<Item = Organization> {
    let scenarios = (0..20).flat_map(|seed| {
        [(100, 17), (120, 0), (264, 44)].map(|(all, own)| {
            Scenario::new().seed(seed).role_bindings(all).organization_bindings(own).environments(3)
        })
    });
    scenarios.map(organization)
}

fn patterns(org: &Organization) -> impl Iterator<Item = String> {
    (0..org.count("role_bindings")).map(|index| pattern(org, org.row("role_bindings", index)))
}

#[test]
fn every_kind_of_principal_occurs() {
    for org in organizations() {
        let all = made(&org, "role_bindings");
        let some = |start: &str| {
            all.iter().filter(|row| row["principal"].as_str().unwrap().starts_with(start)).count()
        };
        for start in ["User:u-", "User:sa-", "User:pool-", "User:group-", "Group:group-", "User:svc-"] {
            assert!(some(start) > 0, "{start} {}", org.scenario.seed);
        }
        assert!(some("Group:") > some("Group:group-"), "groups by name");
        assert!(some("Group:") + some("User:svc-") < all.len() / 8, "rare");
        let listed: Vec<String> = (0..org.count("users")).map(|index| org.id("users", index)).collect();
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
    let mut forms: Vec<String> = ["identity-provider", "service-account", e, c].map(str::to_owned).to_vec();
    forms.extend(below(e, &["flink-region", "flink-region/compute-pool"]));
    forms.extend(below(e, &["schema-registry", "schema-registry/subject", "schema-registry/kek"]));
    forms.extend(below(c, &["kafka/topic", "kafka/group", "kafka/transactional-id", "ksql", "connector"]));
    for org in organizations() {
        let found: Vec<String> = patterns(&org).map(|pattern| form(&pattern)).collect();
        for form in &forms {
            assert!(found.contains(form), "{form} {}", org.scenario.seed);
        }
        assert_eq!(found.contains(&String::new()), org.scenario.organization_bindings != Some(0), "bare");
    }
}

#[test]
fn the_first_binding_is_the_owner_s() {
    let org = organization(Scenario::new());
    let first = &made(&org, "role_bindings")[0];
    assert_eq!(first["principal"], format!("User:{}", org.owner().1));
    assert_eq!(
        (&first["role_name"], &first["crn_pattern"]),
        (&"OrganizationAdmin".into(), &org.crn().into())
    );
}
