//! What can be read: the declared list of streams.
//!
//! A stream is a handful of facts and a schema file; no function belongs to a stream, and no code asks
//! which stream it has. Knows nothing of HTTP, of messages or of how far a sync has come.

use serde_json::{Map, Value, json};

use Derived::{Crn, Digest, Injected, Lifted, LiftedOfOne, Principal};

/// The common part of the schemas of all streams.
const COMMON: &str = include_str!("../schemas/common.json");

/// The facts about one kind of listing of Confluent Cloud. `flat` has those that most streams share.
///
/// A stream is read from the service. If one comes to be read from the run itself, `path` becomes one of two
/// sources here; nothing outside this module and `api` reads it.
#[derive(Debug)]
pub struct Stream {
    /// Name in catalogs, messages and states.
    pub name: &'static str,
    /// Path of the listing below the base URL. `{column}` stands for the id that a parent injects under that name.
    pub path: &'static str,
    /// Query parameters that every request carries, besides those of paging and of partitions.
    pub query: &'static [(&'static str, &'static str)],
    /// The form of the records in a response.
    pub envelope: Envelope,
    /// The field that identifies a record: one that the API sends, or a derived column. Never absent; opaque, at
    /// most 255 characters.
    pub key: &'static str,
    /// How the stream falls into listings.
    pub partitions: Partitions,
    /// What the stream is, and the properties that differ from `schemas/common.json`, derived columns included.
    pub schema: &'static str,
    /// Records per request unless the settings say otherwise.
    pub page_size: u32,
    /// Largest `page_size` that the listing serves without losing records.
    pub max_page_size: u32,
    /// Columns that are computed, besides those of every stream.
    pub derived: &'static [(&'static str, Derived)],
    /// Top-level fields that hold a person's name or e-mail address.
    pub personal: &'static [&'static str],
    /// Names of fields that hold a credential, wherever they come in a record and however their letters are
    /// written: they never leave.
    pub secret: &'static [&'static str],
    /// The date of a record, if a run reads on where the last complete one ended. All other streams are read whole.
    pub cursor: Option<&'static str>,
    /// Whether the stream is offered only if the setting `streams` names it.
    pub on_demand: bool,
    /// Whether no organization can be without a record, so that an empty list shows less than there is.
    /// Inferred, not documented: each has a user, somebody who holds a role, and an environment.
    pub never_empty: bool,
    /// Least role known to read the whole listing. From documentation, not verified against the service.
    pub role: &'static str,
}

/// The form of the records in a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// In the list `data`, page by page.
    List,
    /// Each under its name in one object, all of them at once.
    Map,
}

/// How a stream falls into listings. What each kind means is known to `sync::partitions` alone.
#[derive(Clone, Copy, Debug)]
pub enum Partitions {
    /// One listing holds everything.
    One,
    /// The listing wants the CRN of a scope in the query parameter named here, and its records carry their own
    /// scope in a field of the same name. Where the listing of the whole organization is refused, there is one
    /// listing per row of the fallback.
    Scopes { parameter: &'static str, fallback: Parent },
    /// One listing per row of the parent.
    Each(Parent),
    /// One listing per calendar month, between dates (`2026-05-01`) in these query parameters; `until` is exclusive.
    Days { from: &'static str, until: &'static str },
}

/// A stream whose rows make partitions of another.
#[derive(Clone, Copy, Debug)]
pub struct Parent {
    /// Name of the stream.
    pub stream: &'static str,
    /// The column that holds the id of the row: injected into each record, and filled into the path.
    pub column: &'static str,
    /// The query parameter that takes the id, if one does.
    pub parameter: Option<&'static str>,
    /// The place where a record repeats the id, if it does. Another id there fails the stream.
    pub echo: &'static [&'static str],
}

/// The source of a derived column. The column is null if the value is unknown.
#[derive(Clone, Copy, Debug)]
pub enum Derived {
    /// The id of the organization that the API key belongs to.
    OrganizationId,
    /// The id that the parent of that column injects.
    Injected,
    /// A field of an object inside the record, by its path.
    Lifted(&'static [&'static str]),
    /// The same of an object that is one of several where the list at the second path holds several: then it is
    /// not known which one is meant.
    LiftedOfOne(&'static [&'static str], &'static [&'static str]),
    /// The key of a record that has none of its own: a digest of the fields at these paths, of which the first is
    /// never absent, and the record's number among those of the listing with the same digest.
    Digest(&'static [&'static [&'static str]]),
    /// A part of the principal in the field of that name.
    Principal(&'static str, PrincipalPart),
    /// A part of the Confluent Resource Name in the field of that name.
    Crn(&'static str, CrnPart),
}

#[derive(Clone, Copy, Debug)]
pub enum PrincipalPart {
    Type,
    Id,
}

/// Where, which service in it, and what: see `crn::Pattern`.
#[derive(Clone, Copy, Debug)]
pub enum CrnPart {
    ScopeType,
    EnvironmentId,
    CloudClusterId,
    ServiceType,
    ServiceId,
    ResourceType,
    ResourceName,
    PatternType,
}

/// The columns that are computed for every stream.
pub const DERIVED: [(&str, Derived); 3] = [
    ("organization_id", Derived::OrganizationId),
    ("created_at", Lifted(&["metadata", "created_at"])),
    ("updated_at", Lifted(&["metadata", "updated_at"])),
];

/// The common case: one listing of everything, keyed by `id`, 100 records a page, offered on demand.
const fn flat(name: &'static str, path: &'static str, schema: &'static str) -> Stream {
    Stream {
        name,
        path,
        query: &[],
        envelope: Envelope::List,
        key: "id",
        partitions: Partitions::One,
        schema,
        page_size: 100,
        max_page_size: 100,
        derived: &[],
        personal: &[],
        secret: &[],
        cursor: None,
        on_demand: true,
        never_empty: false,
        role: "OrganizationAdmin",
    }
}

/// The common case, with the schema file of that name.
macro_rules! flat {
    ($name:literal, $path:literal) => {
        flat($name, $path, include_str!(concat!("../schemas/streams/", $name, ".json")))
    };
}

/// The same of a stream that is offered unless the settings say otherwise.
macro_rules! core {
    ($name:literal, $path:literal) => {
        Stream { on_demand: false, ..flat!($name, $path) }
    };
}

/// One listing per row of a stream, whose id stands in the path.
const fn each(stream: &'static str, column: &'static str) -> Partitions {
    Partitions::Each(Parent { stream, column, parameter: None, echo: &[] })
}

/// A role that reads costs, and need not see anything else of the organization.
pub const BILLING_ADMIN: &str = "BillingAdmin";

/// Path of an API key's own record, which names its owner; the id of the key follows.
pub const API_KEY: &str = "/iam/v2/api-keys/";

/// The rows of an organization's environments make partitions of other streams.
const OF_ENVIRONMENTS: Parent =
    Parent { stream: ENVIRONMENTS.name, column: "environment_id", parameter: None, echo: &[] };

/// Tells which organization a key belongs to.
pub const ORGANIZATIONS: Stream =
    Stream { never_empty: true, role: "Operator", ..flat!("organizations", "/org/v2/organizations") };

/// Tells the same where organizations are refused: the names of environments hold the organization's.
pub const ENVIRONMENTS: Stream =
    Stream { never_empty: true, role: "Operator", ..flat!("environments", "/org/v2/environments") };

/// Tells whether the owner of a key sees everything.
pub const ROLE_BINDINGS: Stream = Stream {
    partitions: Partitions::Scopes { parameter: "crn_pattern", fallback: OF_ENVIRONMENTS },
    derived: &[
        ("principal_type", Principal("principal", PrincipalPart::Type)),
        ("principal_id", Principal("principal", PrincipalPart::Id)),
        ("scope_type", Crn("crn_pattern", CrnPart::ScopeType)),
        ("environment_id", Crn("crn_pattern", CrnPart::EnvironmentId)),
        ("cloud_cluster_id", Crn("crn_pattern", CrnPart::CloudClusterId)),
        ("service_type", Crn("crn_pattern", CrnPart::ServiceType)),
        ("service_id", Crn("crn_pattern", CrnPart::ServiceId)),
        ("resource_type", Crn("crn_pattern", CrnPart::ResourceType)),
        ("resource_name", Crn("crn_pattern", CrnPart::ResourceName)),
        ("pattern_type", Crn("crn_pattern", CrnPart::PatternType)),
    ],
    never_empty: true,
    ..core!("role_bindings", "/iam/v2/role-bindings")
};

/// All streams, in the order in which they are offered and started.
pub static STREAMS: &[Stream] = &[
    Stream {
        personal: &["email", "full_name"],
        never_empty: true,
        role: "AccountAdmin",
        ..core!("users", "/iam/v2/users")
    },
    Stream {
        personal: &["email"],
        // Asked for 100 a page, the service has stopped at 100 rows without a next link
        // (confluentinc/cli pull request 2243).
        page_size: 99,
        max_page_size: 99,
        derived: &[("user_id", Lifted(&["user", "id"])), ("creator_id", Lifted(&["creator", "id"]))],
        role: "AccountAdmin",
        ..core!("invitations", "/iam/v2/invitations")
    },
    Stream { role: "AccountAdmin", ..core!("service_accounts", "/iam/v2/service-accounts") },
    ROLE_BINDINGS,
    Stream {
        derived: &[
            ("display_name", Lifted(&["spec", "display_name"])),
            ("owner_id", Lifted(&["spec", "owner", "id"])),
            ("resource_id", LiftedOfOne(&["spec", "resource", "id"], &["spec", "resources"])),
            ("resource_kind", LiftedOfOne(&["spec", "resource", "kind"], &["spec", "resources"])),
            ("environment_id", LiftedOfOne(&["spec", "resource", "environment"], &["spec", "resources"])),
        ],
        // The API reference promises that `spec.secret` is empty in lists.
        secret: &["secret", "api_secret", "password", "token"],
        ..flat!("api_keys", "/iam/v2/api-keys")
    },
    ENVIRONMENTS,
    Stream {
        partitions: Partitions::Each(Parent {
            parameter: Some("environment"),
            echo: &["spec", "environment", "id"],
            ..OF_ENVIRONMENTS
        }),
        derived: &[("environment_id", Injected), ("display_name", Lifted(&["spec", "display_name"]))],
        role: "Operator",
        ..flat!("kafka_clusters", "/cmk/v2/clusters")
    },
    ORGANIZATIONS,
    flat!("identity_providers", "/iam/v2/identity-providers"),
    Stream {
        partitions: each("identity_providers", "identity_provider_id"),
        derived: &[("identity_provider_id", Injected)],
        ..flat!("identity_pools", "/iam/v2/identity-providers/{identity_provider_id}/identity-pools")
    },
    flat!("group_mappings", "/iam/v2/sso/group-mappings"),
    Stream {
        query: &[("expand", "id,info,status")],
        envelope: Envelope::Map,
        key: "connector_id",
        partitions: each("kafka_clusters", "kafka_cluster_id"),
        derived: &[
            ("connector_id", Lifted(&["id", "id"])),
            ("environment_id", Injected),
            ("kafka_cluster_id", Injected),
            ("name", Lifted(&["info", "name"])),
            ("type", Lifted(&["info", "type"])),
            ("state", Lifted(&["status", "connector", "state"])),
            ("connector_class", Lifted(&["info", "config", "connector.class"])),
        ],
        // Users write credentials into any setting of a connector, and what is told of a failure may quote one.
        secret: &["config", "trace", "msg"],
        ..flat!(
            "connectors",
            "/connect/v1/environments/{environment_id}/clusters/{kafka_cluster_id}/connectors"
        )
    },
    Stream {
        key: "cost_id",
        partitions: Partitions::Days { from: "start_date", until: "end_date" },
        cursor: Some("start_date"),
        page_size: 1_000,
        max_page_size: 10_000,
        derived: &[
            // Without what is corrected later: price, quantity, amounts, tiers and descriptions.
            (
                "cost_id",
                Digest(&[
                    &["start_date"],
                    &["end_date"],
                    &["granularity"],
                    &["product"],
                    &["line_type"],
                    &["resource", "id"],
                    &["resource", "environment", "id"],
                    &["network_access_type"],
                    &["unit"],
                ]),
            ),
            ("resource_id", Lifted(&["resource", "id"])),
            ("resource_name", Lifted(&["resource", "display_name"])),
            ("environment_id", Lifted(&["resource", "environment", "id"])),
        ],
        role: BILLING_ADMIN,
        ..flat!("billing_costs", "/billing/v1/costs")
    },
];

/// The stream of that name, if it is offered.
pub fn find(name: &str) -> Option<&'static Stream> {
    STREAMS.iter().find(|stream| stream.name == name)
}

impl Stream {
    /// All columns that are computed, in the order in which they follow the API's own fields.
    pub fn derived(&self) -> impl Iterator<Item = (&'static str, Derived)> {
        DERIVED.into_iter().chain(self.derived.iter().copied())
    }

    /// Whether a field of that name holds a credential.
    pub fn is_secret(&self, name: &str) -> bool {
        self.secret.iter().any(|secret| secret.eq_ignore_ascii_case(name))
    }

    /// JSON Schema (draft-07) of a record: the common one, patched by the properties in the stream's own file.
    /// Properties come in the order of a record: the API's own fields, `metadata` last, then what is computed.
    pub fn schema(&self) -> Value {
        // Both files are compiled in and parsed by a test below, so neither can be broken here; null would
        // still be a valid (empty) answer.
        let parse = |text| serde_json::from_str::<Value>(text).unwrap_or_default();
        let (mut schema, own) = (parse(COMMON), parse(self.schema));
        schema["required"] = json!([self.key]);
        if let (Value::Object(properties), Value::Object(own)) =
            (&mut schema["properties"], &own["properties"])
        {
            merge(properties, own);
            let mut ordered = Vec::from_iter(std::mem::take(properties));
            let computed = |name: &str| self.derived().position(|(column, _)| column == name);
            ordered.sort_by_key(|(name, _)| (computed(name), name == "metadata"));
            properties.extend(ordered);
        }
        schema
    }
}

/// Applies a JSON merge patch (RFC 7396): null takes a property away.
fn merge(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, patch) in patch {
        match (target.get_mut(name), patch) {
            (_, Value::Null) => drop(target.shift_remove(name)),
            (Some(Value::Object(target)), Value::Object(patch)) => merge(target, patch),
            _ => drop(target.insert(name.clone(), patch.clone())),
        }
    }
}

#[cfg(test)]
mod tests;
