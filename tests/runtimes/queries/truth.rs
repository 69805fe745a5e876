//! The answers to the queries of `docs/queries`, held against what the simulator's organization really
//! holds: read once more from its records, in other ways than SQL's.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::sample::{SAMPLE, cell, sorted};

/// The id of whom an API key belongs to.
fn owner(key: &Value) -> &str {
    key["spec"]["owner"]["id"].as_str().unwrap()
}

/// A role binding as the API sends it.
struct Binding<'a> {
    id: &'a str,
    /// Whether the principal's authority is `User`; any other is of no known kind.
    user: bool,
    principal: &'a str,
    role: &'a str,
    pattern: &'a str,
}

impl<'a> Binding<'a> {
    fn of(record: &'a Value) -> Self {
        let text = |name: &str| record[name].as_str().unwrap();
        let (authority, principal) = text("principal").split_once(':').unwrap();
        let user = authority == "User";
        Self { id: text("id"), user, principal, role: text("role_name"), pattern: text("crn_pattern") }
    }

    /// Whether the principal is one of these kinds, by the beginning of its id.
    fn is_of(&self, kinds: &[&str]) -> bool {
        self.user && kinds.iter().any(|kind| self.principal.starts_with(kind))
    }

    fn of_machine(&self) -> bool {
        self.is_of(&["sa-", "pool-"])
    }

    /// What follows `key=` up to the next slash.
    fn part(&self, key: &str) -> Option<&'a str> {
        let rest = self.pattern.split_once(&format!("/{key}="))?.1;
        rest.split('/').next()
    }
}

fn bindings() -> Vec<Binding<'static>> {
    SAMPLE.sim.truth().records("role_bindings").iter().map(Binding::of).collect()
}

#[test]
fn organization_admins_are_those_whose_pattern_ends_there() {
    let query = SAMPLE.query("organization_admins");
    let top = format!("crn://confluent.cloud/organization={}", SAMPLE.sim.organization_id());
    let bindings = bindings();
    let admins = bindings.iter().filter(|b| b.pattern == top && b.role.ends_with("Admin"));
    let expected = sorted(admins.map(|b| format!("{} {}", b.principal, b.role)));
    assert_eq!(query.sorted(["principal_id", "role_name"]), expected);
    let kinds: Vec<String> = query.duckdb.rows.iter().map(|row| cell(&row[0])).collect();
    let people = kinds.iter().take_while(|kind| *kind == "user").count();
    assert!(people > 0 && !kinds[people..].contains(&"user".to_owned()), "people first: {kinds:?}");
}

#[test]
fn unused_service_accounts_own_no_key_and_hold_no_role() {
    let mut used: BTreeSet<String> = bindings().iter().map(|b| b.principal.to_owned()).collect();
    used.extend(SAMPLE.keys().map(|key| owner(key).to_owned()));
    let expected = sorted(SAMPLE.ids("service_accounts").difference(&used).cloned());
    assert_eq!(SAMPLE.query("unused_service_accounts").sorted(["id"]), expected);
}

#[test]
fn keys_are_listed_by_age_owner_and_resource() {
    let (people, mut listed) = (SAMPLE.ids("users"), SAMPLE.ids("service_accounts"));
    listed.extend(people.iter().cloned());
    let of_people = |key: &&Value| people.contains(owner(key));
    let old = |key: &&Value| key["metadata"]["created_at"].as_str().unwrap() < "2025-10-10";
    let young = SAMPLE.keys().filter(of_people).any(|key| !old(&key));
    assert!(young, "the sample has keys of people that are young enough");
    let orphaned = |key: &&Value| !listed.contains(owner(key));
    let clusters = |key: &Value| -> Vec<String> {
        let (one, all) = (&key["spec"]["resource"], key["spec"]["resources"].as_array());
        let opened = all.map_or_else(|| vec![one], |all| all.iter().collect());
        let opened = opened.into_iter().filter(|one| one["kind"] == "Cluster");
        opened.map(|one| format!("{} {}", cell(&key["id"]), cell(&one["id"]))).collect()
    };
    let expected = sorted(SAMPLE.keys().filter(of_people).flat_map(clusters));
    assert_eq!(SAMPLE.query("keys_of_people_on_clusters").sorted(["api_key", "cluster_id"]), expected);
    let several = |key: &Value| clusters(key).len() > 1;
    assert!(SAMPLE.keys().filter(of_people).any(several), "the sample has a key for several clusters");
    let count = |key: &Value| format!("{} {}", cell(&key["id"]), if several(key) { "2" } else { "" });
    let expected = sorted(SAMPLE.keys().filter(of_people).filter(old).map(count));
    assert_eq!(SAMPLE.query("old_keys_of_people").sorted(["api_key", "clusters"]), expected);
    let expected = sorted(SAMPLE.keys().filter(orphaned).map(count));
    assert_eq!(SAMPLE.query("keys_without_owner").sorted(["api_key", "clusters"]), expected);
}

#[test]
fn keys_are_old_from_the_given_day_on() {
    let (people, query) = (SAMPLE.ids("users"), SAMPLE.query("old_keys_of_people"));
    let day = (chrono::Utc::now() - chrono::TimeDelta::days(90)).format("%F").to_string();
    let old = |key: &&Value| key["metadata"]["created_at"].as_str().unwrap() < day.as_str();
    let of_people = SAMPLE.keys().filter(|key| people.contains(owner(key)));
    let expected = sorted(of_people.filter(old).map(|key| cell(&key["id"])));
    assert_eq!(query.today.len(), 2, "one line is marked as the day");
    for answer in &query.today {
        assert_eq!(answer.sorted(["api_key"]), expected);
    }
}

#[test]
fn orphaned_grants_name_an_unlisted_environment_or_cluster() {
    let (environments, clusters) = (SAMPLE.ids("environments"), SAMPLE.ids("kafka_clusters"));
    let bindings = bindings();
    let gone = |binding: &Binding<'_>| {
        let missing =
            |key: &str, listed: &BTreeSet<String>| binding.part(key).is_some_and(|id| !listed.contains(id));
        match (missing("environment", &environments), missing("cloud-cluster", &clusters)) {
            (true, _) => Some("environment"),
            (false, true) => Some("cluster"),
            (false, false) => None,
        }
    };
    let expected = bindings.iter().filter_map(|b| Some(format!("{} {}", gone(b)?, b.id)));
    assert_eq!(SAMPLE.query("grants_on_what_is_gone").sorted(["gone", "id"]), sorted(expected));
    let kinds: BTreeSet<_> = bindings.iter().filter_map(gone).collect();
    assert_eq!(kinds.len(), 2, "the sample has both");
}

#[test]
fn grants_are_counted_for_unlisted_environments_too() {
    let mut grants: BTreeMap<&str, (u32, BTreeSet<&str>)> = BTreeMap::new();
    for binding in bindings() {
        let Some(environment) = binding.part("environment") else { continue };
        let (count, principals) = grants.entry(environment).or_default();
        *count += 1;
        principals.insert(binding.principal);
    }
    let listed = SAMPLE.ids("environments");
    assert!(
        grants.keys().any(|environment| !listed.contains(*environment)),
        "the sample has one that is gone"
    );
    let expected = sorted(grants.iter().map(|(id, (count, who))| format!("{id} {count} {}", who.len())));
    let found = SAMPLE.query("grants_by_environment").sorted(["environment_id", "grants", "principals"]);
    assert_eq!(found, expected);
}

#[test]
fn invitations_that_were_not_accepted_are_those_sent_or_expired() {
    let invited = SAMPLE.invited(&["SENT", "EXPIRED"]).map(|record| cell(&record["id"]));
    assert_eq!(SAMPLE.query("invitations_not_accepted").sorted(["id"]), sorted(invited));
    let bindings = bindings();
    let early = SAMPLE.invited(&["SENT", "EXPIRED", "STAGED", "DEACTIVATED"]).flat_map(|record| {
        let user = record["user"]["id"].as_str().unwrap();
        bindings.iter().filter(move |b| b.principal == user).map(move |b| format!("{user} {}", b.id))
    });
    assert_eq!(SAMPLE.query("invited_with_roles").sorted(["user_id", "id"]), sorted(early));
}

#[test]
fn no_grant_of_an_unlisted_principal_is_lost() {
    let mut listed = SAMPLE.ids("users");
    listed.extend(SAMPLE.ids("service_accounts"));
    let bindings = bindings();
    let lost = bindings.iter().filter(|b| !listed.contains(b.principal) && !b.is_of(&["pool-", "group-"]));
    let unlisted = SAMPLE.query("bindings_of_unlisted_principals");
    assert_eq!(unlisted.sorted(["id"]), sorted(lost.map(|b| b.id)));
    // One id may occur under several authorities.
    let mut counts: BTreeMap<(bool, &str), u32> = BTreeMap::new();
    let others = bindings.iter().filter(|b| !b.is_of(&["u-", "sa-"]));
    others.for_each(|b| *counts.entry((b.user, b.principal)).or_default() += 1);
    let expected = sorted(counts.iter().map(|((_, id), count)| format!("{id} {count}")));
    assert_eq!(SAMPLE.query("pools_and_groups").sorted(["principal_id", "grants"]), expected);
}

#[test]
fn local_password_users_are_those_who_sign_in_with_one() {
    let bindings = bindings();
    let users = SAMPLE.sim.truth().records("users").iter();
    let local = users.filter(|user| user["auth_type"] == "AUTH_TYPE_LOCAL").map(|user| {
        let id = user["id"].as_str().unwrap();
        format!("{id} {}", bindings.iter().filter(|b| b.principal == id).count())
    });
    assert_eq!(SAMPLE.query("local_passwords").sorted(["id", "grants"]), sorted(local));
}

#[test]
fn wildcard_grants_are_those_whose_pattern_ends_in_a_star() {
    let bindings = bindings();
    let wild: Vec<&Binding> = bindings.iter().filter(|b| b.pattern.ends_with('*')).collect();
    let expected = sorted(wild.iter().map(|b| {
        let covers = if b.pattern.ends_with("=*") { "every name" } else { "prefix" };
        format!("{covers} {} {}", b.role, b.principal)
    }));
    let found = SAMPLE.query("wildcard_grants").sorted(["covers", "role_name", "principal_id"]);
    assert_eq!(found, expected);
}

#[test]
fn roles_are_grouped_by_their_holders() {
    let bindings = bindings();
    let pairs = |chosen: &dyn Fn(&&Binding) -> bool| {
        sorted(bindings.iter().filter(chosen).map(|b| format!("{} {}", b.principal, b.role)))
    };
    let held = |name: &str| SAMPLE.query(name).sorted(["principal_id", "role_name"]);
    let admin = |b: &&Binding| b.of_machine() && b.role.ends_with("Admin");
    assert_eq!(held("machine_admins"), pairs(&admin));
    let developer = |b: &&Binding| b.is_of(&["u-", "group-"]) && b.role.starts_with("Developer");
    assert_eq!(held("people_with_developer_roles"), pairs(&developer));
    let above = ["OrganizationAdmin", "EnvironmentAdmin", "CloudClusterAdmin"];
    let on_topic = ["DeveloperWrite", "DeveloperManage", "ResourceOwner"];
    let writer = |b: &&Binding| match b.part("topic") {
        Some(_) => on_topic.contains(&b.role),
        None => above.contains(&b.role),
    };
    assert_eq!(held("topic_writers"), pairs(&writer));
    let asked = |b: &&Binding| b.principal == "sa-5y00fx";
    let roles = sorted(bindings.iter().filter(asked).map(|b| b.role));
    assert_eq!(SAMPLE.query("grants_of_principal").sorted(["role_name"]), roles);
}

#[test]
fn counts_add_up_and_everyone_is_listed_once() {
    let summary = SAMPLE.query("grants_by_role_and_scope");
    let total: usize = summary.sorted(["grants"]).iter().map(|count| count.parse::<usize>().unwrap()).sum();
    assert_eq!(total, bindings().len());
    let mut people = SAMPLE.ids("users");
    let pending = SAMPLE.invited(&["SENT", "EXPIRED", "STAGED", "DEACTIVATED"]);
    people.extend(pending.map(|record| cell(&record["user"]["id"])));
    assert_eq!(SAMPLE.query("people_to_reconcile").sorted(["user_id"]), sorted(people));
}

#[test]
fn rows_the_simulator_does_not_make_are_classified_correctly() {
    for (name, more) in [
        ("organization_admins", 0),
        ("people_to_reconcile", 0),
        ("pools_and_groups", 1),
        ("bindings_of_unlisted_principals", 1),
        ("invitations_not_accepted", 1),
    ] {
        let query = SAMPLE.query(name);
        assert_eq!(query.odd.rows.len(), query.sqlite.rows.len() + more, "{name}");
    }
}
