//! What a stream is: a handful of facts and a schema file.

use serde_json::{Map, Value, json};

use Derived::Lifted;

/// The common part of the schemas of all streams.
const COMMON: &str = include_str!("../../schemas/common.json");

/// The facts about one kind of listing of Confluent Cloud. `flat` has those that most streams share.
///
/// A stream is read from the service, but for one that tells of the runs themselves and has no path.
#[derive(Debug)]
pub struct Stream {
    /// Name in catalogs, messages and states.
    pub name: &'static str,
    /// Path of the listing below the base URL. `{column}` stands for the id that a parent injects under that name.
    /// Empty of the history of runs.
    pub path: &'static str,
    /// Query parameters that every request carries, besides those of paging and of partitions.
    pub query: &'static [(&'static str, &'static str)],
    /// The form of the records in a response.
    pub envelope: Envelope,
    /// The field that identifies a record: one that the API sends, or a derived column. Never absent; opaque. An
    /// id of the API has at most 255 characters.
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
    /// Whether the service accepts API keys only, and no tokens of identity pools. From Confluent's Terraform provider,
    /// not verified against the service.
    pub key_only: bool,
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
    /// The texts at these paths as one, which differs wherever one of them does. An empty text counts as none, and
    /// without the first of them there is no value.
    Joined(&'static [&'static [&'static str]]),
    /// A digest of the same text, and the record's number among those of the listing with the same digest.
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

/// Where, which service in it, and what, in the order of `crn::Pattern`.
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

impl Stream {
    /// Whether it is not read, but tells what runs have read: rows are added to it and never replaced.
    pub fn is_history(&self) -> bool {
        self.path.is_empty()
    }

    /// All columns that are computed, in the order in which they follow the API's own fields.
    pub fn derived(&self) -> impl Iterator<Item = (&'static str, Derived)> {
        let common = if self.is_history() { &DERIVED[..1] } else { &DERIVED };
        common.iter().chain(self.derived).copied()
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
