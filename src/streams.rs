//! What can be read: the declared list of streams.
//!
//! A stream is a handful of facts and a schema file; no function belongs to a stream, and no code asks
//! which stream it has. Knows nothing of HTTP, of messages or of how far a sync has come.

use serde_json::{Map, Value, json};

/// What the schemas of all streams have in common.
const COMMON: &str = include_str!("../schemas/common.json");

/// The facts about one kind of listing of Confluent Cloud. What is common to most stands in [`FLAT`].
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
    /// How the records lie in an answer.
    pub envelope: Envelope,
    /// The field that identifies a record: one that the API sends, or a derived column. Never absent; opaque, at
    /// most 255 characters.
    pub key: &'static str,
    /// How the stream falls into listings.
    pub partitions: Partitions,
    /// What the stream is, and the properties that differ from `schemas/common.json`, derived columns included.
    pub schema: &'static str,
    /// Largest `page_size` that the listing serves without losing records.
    pub max_page_size: u32,
    /// Columns that are computed, besides those of every stream.
    pub derived: &'static [(&'static str, Derived)],
    /// Top-level fields that hold a person's name or e-mail address.
    pub personal: &'static [&'static str],
    /// Names of fields that hold a credential, wherever they come in a record and however their letters are
    /// written: they never leave.
    pub secret: &'static [&'static str],
    /// Whether the stream is offered only where the setting `streams` names it.
    pub on_demand: bool,
    /// Whether no organization can be without a record, so that an empty list shows less than there is.
    /// Inferred, not documented: each has a user, somebody who holds a role, and an environment.
    pub never_empty: bool,
    /// Weakest role known to read the whole listing. From documentation, not checked against the service.
    pub role: &'static str,
}

/// How the records lie in an answer.
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
    /// Where a record repeats the id, if it does: another id there breaks the stream.
    pub echo: &'static [&'static str],
}

/// Where the value of a derived column comes from. Null when it is not known.
#[derive(Clone, Copy, Debug)]
pub enum Derived {
    /// The id of the organization that the API key belongs to.
    OrganizationId,
    /// The id that the parent of that column injects.
    Parent,
    /// A field of an object inside the record, by its path.
    Lifted(&'static [&'static str]),
    /// The same of an object that is one of several where the list at the second path holds several: then it is
    /// not known which one is meant.
    LiftedOfOne(&'static [&'static str], &'static [&'static str]),
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
    ("created_at", Derived::Lifted(&["metadata", "created_at"])),
    ("updated_at", Derived::Lifted(&["metadata", "updated_at"])),
];

/// The common case: one listing of everything, keyed by `id`, 100 records a page.
const FLAT: Stream = Stream {
    name: "",
    path: "",
    query: &[],
    envelope: Envelope::List,
    key: "id",
    partitions: Partitions::One,
    schema: "",
    max_page_size: 100,
    derived: &[],
    personal: &[],
    secret: &[],
    on_demand: true,
    never_empty: false,
    role: "OrganizationAdmin",
};

/// Path of an API key's own record, which names its owner; the id of the key follows.
pub const API_KEY: &str = "/iam/v2/api-keys/";

/// The rows of an organization's environments make partitions of other streams.
const OF_ENVIRONMENTS: Parent =
    Parent { stream: ENVIRONMENTS.name, column: "environment_id", parameter: None, echo: &[] };

/// Tells which organization a key belongs to.
pub const ORGANIZATIONS: Stream = Stream {
    name: "organizations",
    path: "/org/v2/organizations",
    schema: include_str!("../schemas/streams/organizations.json"),
    never_empty: true,
    role: "Operator",
    ..FLAT
};

/// Tells the same where organizations are refused: the names of environments hold the organization's.
pub const ENVIRONMENTS: Stream = Stream {
    name: "environments",
    path: "/org/v2/environments",
    schema: include_str!("../schemas/streams/environments.json"),
    never_empty: true,
    role: "Operator",
    ..FLAT
};

/// Tells whether the owner of a key sees everything.
pub const ROLE_BINDINGS: Stream = Stream {
    name: "role_bindings",
    path: "/iam/v2/role-bindings",
    partitions: Partitions::Scopes { parameter: "crn_pattern", fallback: OF_ENVIRONMENTS },
    schema: include_str!("../schemas/streams/role_bindings.json"),
    derived: &[
        ("principal_type", Derived::Principal("principal", PrincipalPart::Type)),
        ("principal_id", Derived::Principal("principal", PrincipalPart::Id)),
        ("scope_type", Derived::Crn("crn_pattern", CrnPart::ScopeType)),
        ("environment_id", Derived::Crn("crn_pattern", CrnPart::EnvironmentId)),
        ("cloud_cluster_id", Derived::Crn("crn_pattern", CrnPart::CloudClusterId)),
        ("service_type", Derived::Crn("crn_pattern", CrnPart::ServiceType)),
        ("service_id", Derived::Crn("crn_pattern", CrnPart::ServiceId)),
        ("resource_type", Derived::Crn("crn_pattern", CrnPart::ResourceType)),
        ("resource_name", Derived::Crn("crn_pattern", CrnPart::ResourceName)),
        ("pattern_type", Derived::Crn("crn_pattern", CrnPart::PatternType)),
    ],
    on_demand: false,
    never_empty: true,
    ..FLAT
};

/// All streams, in the order in which they are offered and started.
pub static STREAMS: &[Stream] = &[
    Stream {
        name: "users",
        path: "/iam/v2/users",
        schema: include_str!("../schemas/streams/users.json"),
        on_demand: false,
        personal: &["email", "full_name"],
        never_empty: true,
        role: "AccountAdmin",
        ..FLAT
    },
    Stream {
        name: "invitations",
        path: "/iam/v2/invitations",
        schema: include_str!("../schemas/streams/invitations.json"),
        on_demand: false,
        personal: &["email"],
        // Asked for 100 a page, the service has stopped at 100 rows without a next link
        // (confluentinc/cli pull request 2243).
        max_page_size: 99,
        derived: &[
            ("user_id", Derived::Lifted(&["user", "id"])),
            ("creator_id", Derived::Lifted(&["creator", "id"])),
        ],
        role: "AccountAdmin",
        ..FLAT
    },
    Stream {
        name: "service_accounts",
        path: "/iam/v2/service-accounts",
        schema: include_str!("../schemas/streams/service_accounts.json"),
        on_demand: false,
        role: "AccountAdmin",
        ..FLAT
    },
    ROLE_BINDINGS,
    Stream {
        name: "api_keys",
        path: "/iam/v2/api-keys",
        schema: include_str!("../schemas/streams/api_keys.json"),
        derived: &[
            ("display_name", Derived::Lifted(&["spec", "display_name"])),
            ("owner_id", Derived::Lifted(&["spec", "owner", "id"])),
            ("resource_id", Derived::LiftedOfOne(&["spec", "resource", "id"], &["spec", "resources"])),
            ("resource_kind", Derived::LiftedOfOne(&["spec", "resource", "kind"], &["spec", "resources"])),
            (
                "environment_id",
                Derived::LiftedOfOne(&["spec", "resource", "environment"], &["spec", "resources"]),
            ),
        ],
        // Of `spec.secret` it is promised that it is empty in lists.
        secret: &["secret", "api_secret", "password", "token"],
        ..FLAT
    },
    ENVIRONMENTS,
    Stream {
        name: "kafka_clusters",
        path: "/cmk/v2/clusters",
        partitions: Partitions::Each(Parent {
            parameter: Some("environment"),
            echo: &["spec", "environment", "id"],
            ..OF_ENVIRONMENTS
        }),
        schema: include_str!("../schemas/streams/kafka_clusters.json"),
        derived: &[
            ("environment_id", Derived::Parent),
            ("display_name", Derived::Lifted(&["spec", "display_name"])),
        ],
        role: "Operator",
        ..FLAT
    },
    ORGANIZATIONS,
    Stream {
        name: "identity_providers",
        path: "/iam/v2/identity-providers",
        schema: include_str!("../schemas/streams/identity_providers.json"),
        ..FLAT
    },
    Stream {
        name: "identity_pools",
        path: "/iam/v2/identity-providers/{identity_provider_id}/identity-pools",
        partitions: Partitions::Each(Parent {
            stream: "identity_providers",
            column: "identity_provider_id",
            parameter: None,
            echo: &[],
        }),
        schema: include_str!("../schemas/streams/identity_pools.json"),
        derived: &[("identity_provider_id", Derived::Parent)],
        ..FLAT
    },
    Stream {
        name: "connectors",
        path: "/connect/v1/environments/{environment_id}/clusters/{kafka_cluster_id}/connectors",
        query: &[("expand", "id,info,status")],
        envelope: Envelope::Map,
        key: "connector_id",
        partitions: Partitions::Each(Parent {
            stream: "kafka_clusters",
            column: "kafka_cluster_id",
            parameter: None,
            echo: &[],
        }),
        schema: include_str!("../schemas/streams/connectors.json"),
        derived: &[
            ("connector_id", Derived::Lifted(&["id", "id"])),
            ("environment_id", Derived::Parent),
            ("kafka_cluster_id", Derived::Parent),
            ("name", Derived::Lifted(&["info", "name"])),
            ("type", Derived::Lifted(&["info", "type"])),
            ("state", Derived::Lifted(&["status", "connector", "state"])),
            ("connector_class", Derived::Lifted(&["info", "config", "connector.class"])),
        ],
        // Users write credentials into any setting of a connector, and what is told of a failure may quote one.
        secret: &["config", "trace", "msg"],
        ..FLAT
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
mod tests {
    use super::*;

    fn described(stream: &Stream, schema: &Value, at: &str) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let at = format!("{at}.{name}");
            assert!(
                property["description"].as_str().is_some_and(|words| words.len() > 10),
                "{at}: description"
            );
            assert!(
                name.chars().all(|c| c.is_alphanumeric() || c == '_'),
                "{at}: Meltano skips names that are not words"
            );
            let types: Vec<&str> = match &property["type"] {
                Value::String(one) => vec![one],
                Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
                _ => vec![],
            };
            assert_eq!(types.iter().filter(|t| **t != "null").count(), 1, "{at}: one type that is not null");
            for keyword in ["$ref", "oneOf", "anyOf", "allOf", "not", "enum", "const"] {
                assert!(property.get(keyword).is_none(), "{at}: {keyword} is not understood everywhere");
            }
            assert!(!stream.is_secret(name), "{at}: what never leaves is not declared");
            described(stream, property, &at);
            described(stream, &property["items"], &format!("{at}[]"));
        }
    }

    #[test]
    fn every_stream_is_whole() {
        for stream in STREAMS {
            let own: Value = serde_json::from_str(stream.schema).expect(stream.name);
            assert!(own["description"].as_str().is_some_and(|words| words.ends_with('.')), "{}", stream.name);
            let schema = stream.schema();
            assert_eq!(schema["type"], "object", "{}", stream.name);
            assert_eq!(schema["additionalProperties"], true, "{}", stream.name);
            assert_eq!(
                schema["required"],
                serde_json::json!([stream.key]),
                "{}: only the key is sure",
                stream.name
            );
            assert_eq!(schema["properties"][stream.key]["type"], "string", "{}: key", stream.name);
            for field in stream.personal {
                assert!(
                    schema["properties"].get(field).is_some(),
                    "{}.{field}: personal, no schema",
                    stream.name
                );
            }
            for (column, derived) in stream.derived() {
                assert!(
                    schema["properties"].get(column).is_some(),
                    "{}.{column}: declared, no schema",
                    stream.name
                );
                let lifts = |path: &[&str]| {
                    path.iter().all(|name| !stream.is_secret(name))
                        && schema["properties"].get(path[0]).is_some()
                };
                if let Derived::Lifted(path) | Derived::LiftedOfOne(path, _) = derived
                    && (lifts(path) || stream.envelope == Envelope::List)
                {
                    let place = format!("/properties/{}", path.join("/properties/"));
                    let of_time = |field: &Value| field["format"] == "date-time";
                    let field =
                        schema.pointer(&place).unwrap_or_else(|| panic!("{}.{column}: {place}", stream.name));
                    assert_eq!(
                        of_time(field),
                        of_time(&schema["properties"][column]),
                        "{}.{column}",
                        stream.name
                    );
                }
            }
            assert!(stream.path.starts_with('/') && !stream.role.is_empty());
            assert!((1..=100).contains(&stream.max_page_size));
            described(stream, &schema, stream.name);
        }
    }

    #[test]
    fn names_and_paths_are_unique() {
        for (i, stream) in STREAMS.iter().enumerate() {
            for other in &STREAMS[i + 1..] {
                assert_ne!(stream.name, other.name);
                assert_ne!(stream.path, other.path);
            }
        }
    }
}
