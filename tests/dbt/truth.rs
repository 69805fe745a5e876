//! Who can do what in the simulator's organization: worked out from its records, and from nothing that the package or
//! the connector says.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::{Value, json};
use simulator::Simulator;

/// Grants by who, what, where and how.
pub type Grants = BTreeMap<String, Value>;

/// Columns that are compared besides those that make up the key.
const COMPARED: [&str; 18] = [
    "principal_name",
    "principal_email",
    "principal_status",
    "principal_state",
    "auth_type",
    "is_dangling_principal",
    "environment_id",
    "environment_name",
    "cloud_cluster_id",
    "cloud_cluster_name",
    "is_dangling_scope",
    "is_conditional",
    "condition",
    "api_key_resource_kind",
    "api_key_resource_id",
    "role_binding_id",
    "granted_at",
    "organization_id",
];

/// What the key of a grant is made of.
const KEY: [&str; 6] = ["principal_type", "principal_id", "role_name", "crn_pattern", "via", "via_id"];

/// Some loaders make nulls of empty texts.
fn without_empty(value: &Value) -> Value {
    if value == "" { Value::Null } else { value.clone() }
}

fn seconds(value: &Value) -> Value {
    value.as_str().map(|text| text.replace('T', " ").chars().take(19).collect::<String>()).into()
}

pub fn key(row: &Value) -> String {
    KEY.map(|name| row[name].as_str().unwrap_or_default()).join(" | ")
}

/// What of a row is compared.
pub fn compared(row: &Value) -> Value {
    let value = |name: &str| match name {
        "granted_at" => seconds(&row[name]),
        _ => without_empty(&row[name]),
    };
    COMPARED.into_iter().map(|name| (name.to_owned(), value(name))).collect()
}

/// Rows by their keys, of which each is there once.
#[track_caller]
pub fn by_key(rows: &[Value]) -> Grants {
    let grants: Grants = rows.iter().map(|row| (key(row), compared(row))).collect();
    assert_eq!(grants.len(), rows.len(), "a grant is there twice");
    grants
}

/// The columns in which two grants differ.
pub fn differing(one: &Value, other: &Value) -> Vec<String> {
    COMPARED.into_iter().filter(|name| one[name] != other[name]).map(str::to_owned).collect()
}

struct Organization<'a> {
    sim: &'a Simulator,
}

impl<'a> Organization<'a> {
    fn find(&self, stream: &str, id: &str) -> Option<&'a Value> {
        self.sim.truth().records(stream).iter().find(|record| record["id"] == id)
    }

    /// What is known of whom a binding names.
    fn principal(&self, principal: &str) -> Value {
        let (authority, id) = principal.split_once(':').unwrap();
        let kind = if authority == "User" { id.split('-').next().unwrap() } else { "" };
        let (streams, expected): (&[(&str, &str)], &str) = match kind {
            "u" => (&[("users", "user")], "user"),
            "sa" => (&[("service_accounts", "service_account")], "service_account"),
            "pool" => (
                &[("identity_pools", "identity_pool"), ("certificate_pools", "certificate_pool")],
                "identity_pool",
            ),
            "group" => (&[("group_mappings", "group_mapping")], "group_mapping"),
            _ => (&[], "unknown"),
        };
        let found = streams.iter().find_map(|(stream, kind)| Some((self.find(stream, id)?, *kind)));
        let (record, kind) = found.map_or((&Value::Null, expected), |(record, kind)| (record, kind));
        let invitation = match record {
            Value::Null if expected == "user" => self.invitation(id),
            _ => &Value::Null,
        };
        let open = ["INVITE_STATUS_SENT", "INVITE_STATUS_STAGED"];
        let status = match (record, expected) {
            (Value::Null, "unknown") => "not_checked",
            (Value::Null, _)
                if invitation["status"].as_str().is_some_and(|status| open.contains(&status)) =>
            {
                "invited"
            }
            (Value::Null, _) => "not_listed",
            _ => "listed",
        };
        let first = |values: [&Value; 2]| values.into_iter().find(|value| !value.is_null()).cloned();
        json!({
            "principal_type": kind,
            "principal_id": id,
            "principal_name": first([&record["full_name"], &record["display_name"]]),
            "principal_email": first([&record["email"], &invitation["email"]]),
            "principal_status": status,
            "principal_state": first([&record["state"], &invitation["status"]]),
            "auth_type": record["auth_type"],
            "is_dangling_principal": (status != "not_checked").then_some(status == "not_listed"),
            "is_conditional": (["identity_pool", "certificate_pool", "group_mapping"].contains(&kind)),
            "condition": record["filter"],
        })
    }

    /// The newest invitation of a user.
    fn invitation(&self, user: &str) -> &'a Value {
        let all = self.sim.truth().records("invitations").iter();
        let newest = all.filter(|record| record["user"]["id"] == user).max_by_key(|record| created(record));
        newest.unwrap_or(&Value::Null)
    }

    /// What a pattern names, and whether all of it is there.
    fn scope(&self, pattern: &str) -> Value {
        const LISTED: [(&str, &str); 6] = [
            ("environment", "environments"),
            ("cloud-cluster", "kafka_clusters"),
            ("schema-registry", "schema_registry_clusters"),
            ("compute-pool", "flink_compute_pools"),
            ("identity-provider", "identity_providers"),
            ("service-account", "service_accounts"),
        ];
        let parts: BTreeMap<&str, &str> =
            pattern.split('/').filter_map(|part| part.split_once('=')).collect();
        let gone =
            |(part, stream): &(&str, &str)| parts.get(part).is_some_and(|id| self.find(stream, id).is_none());
        let of = |stream, part| parts.get(part).and_then(|id| self.find(stream, id));
        json!({
            "crn_pattern": pattern,
            "environment_id": parts.get("environment"),
            "environment_name": of("environments", "environment").map(|record| &record["display_name"]),
            "cloud_cluster_id": parts.get("cloud-cluster"),
            "cloud_cluster_name": of("kafka_clusters", "cloud-cluster").map(|record| &record["spec"]["display_name"]),
            "is_dangling_scope": LISTED.iter().any(gone),
        })
    }

    /// The ways in which a principal uses what is bound to it.
    fn ways(&self, principal: &Value) -> Vec<Value> {
        let id = &principal["principal_id"];
        let mut ways = match principal["principal_type"].as_str().unwrap() {
            "group_mapping" => vec![json!({"via": "group_mapping", "via_id": id})],
            _ => vec![json!({"via": "direct"})],
        };
        let kind = &principal["principal_type"];
        let keys = self.sim.truth().records("api_keys").iter();
        let own =
            |key: &&Value| key["spec"]["owner"]["id"] == *id && (kind == "user" || kind == "service_account");
        ways.extend(keys.filter(own).map(|key| {
            let several = key["spec"]["resources"].as_array().is_some_and(|all| all.len() > 1);
            let resource = if several { &Value::Null } else { &key["spec"]["resource"] };
            json!({
                "via": "api_key", "via_id": key["id"],
                "api_key_resource_kind": resource["kind"], "api_key_resource_id": resource["id"],
            })
        }));
        ways
    }
}

fn created(record: &Value) -> i64 {
    let time = record["metadata"]["created_at"].as_str().unwrap();
    DateTime::parse_from_rfc3339(time).unwrap().timestamp_micros()
}

/// All grants of the organization as it is now.
pub fn grants(sim: &Simulator) -> Grants {
    let organization = Organization { sim };
    let mut bindings = sim.truth().records("role_bindings").to_vec();
    bindings.extend(sim.granted().into_iter().map(|granted| granted.record));
    bindings.sort_by_key(|binding| (created(binding), binding["id"].as_str().unwrap().to_owned()));
    let mut grants = Grants::new();
    for binding in &bindings {
        let principal = organization.principal(binding["principal"].as_str().unwrap());
        let scope = organization.scope(binding["crn_pattern"].as_str().unwrap());
        for way in organization.ways(&principal) {
            let granted_at = DateTime::from_timestamp_micros(created(binding)).unwrap();
            let mut grant = json!({
                "role_name": binding["role_name"], "role_binding_id": binding["id"],
                "granted_at": granted_at.format("%Y-%m-%d %H:%M:%S").to_string(),
                "organization_id": sim.organization_id(),
            });
            for part in [&principal, &scope, &way] {
                grant.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
            }
            grants.entry(key(&grant)).or_insert_with(|| compared(&grant));
        }
    }
    grants
}
