//! What can be read: the declared list of streams.
//!
//! A stream is a handful of facts and a schema file; no function belongs to a stream, and no code asks
//! which stream it has. Knows nothing of HTTP, of messages or of how far a sync has come.

mod facts;

use Derived::{Crn, Digest, Injected, Joined, Lifted, LiftedOfOne, Principal};
pub use facts::*;

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
        key_only: false,
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

/// The common case of the networking API: per environment, and in pages that may be larger.
macro_rules! networking {
    ($name:literal, $path:literal) => {
        Stream { partitions: BY_ENVIRONMENT, page_size: 500, max_page_size: 1_000, ..flat!($name, $path) }
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

/// One listing per environment, which the query names and each record repeats.
const BY_ENVIRONMENT: Partitions = Partitions::Each(Parent {
    parameter: Some("environment"),
    echo: &["spec", "environment", "id"],
    ..OF_ENVIRONMENTS
});

/// Columns that are the same on every stream that has them.
const ENVIRONMENT_ID: (&str, Derived) = ("environment_id", Injected);
const DISPLAY_NAME: (&str, Derived) = ("display_name", Lifted(&["spec", "display_name"]));
const CLOUD: (&str, Derived) = ("cloud", Lifted(&["spec", "cloud"]));
const REGION: (&str, Derived) = ("region", Lifted(&["spec", "region"]));
const NETWORK_ID: (&str, Derived) = ("network_id", Lifted(&["spec", "network", "id"]));
const PHASE: (&str, Derived) = ("phase", Lifted(&["status", "phase"]));

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
            DISPLAY_NAME,
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
        partitions: BY_ENVIRONMENT,
        derived: &[ENVIRONMENT_ID, DISPLAY_NAME, CLOUD, REGION, NETWORK_ID, PHASE],
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
            ENVIRONMENT_ID,
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
        partitions: BY_ENVIRONMENT,
        derived: &[ENVIRONMENT_ID, DISPLAY_NAME, CLOUD, REGION, PHASE],
        key_only: true,
        ..flat!("schema_registry_clusters", "/srcm/v3/clusters")
    },
    Stream {
        partitions: BY_ENVIRONMENT,
        derived: &[
            ENVIRONMENT_ID,
            DISPLAY_NAME,
            ("kafka_cluster_id", Lifted(&["spec", "kafka_cluster", "id"])),
            ("credential_identity_id", Lifted(&["spec", "credential_identity", "id"])),
            PHASE,
        ],
        ..flat!("ksqldb_clusters", "/ksqldbcm/v2/clusters")
    },
    Stream {
        partitions: BY_ENVIRONMENT,
        derived: &[ENVIRONMENT_ID, DISPLAY_NAME, CLOUD, REGION, NETWORK_ID, PHASE],
        ..flat!("flink_compute_pools", "/fcpm/v2/compute-pools")
    },
    Stream {
        derived: &[ENVIRONMENT_ID, DISPLAY_NAME, CLOUD, REGION, PHASE],
        ..networking!("networks", "/networking/v1/networks")
    },
    Stream {
        derived: &[ENVIRONMENT_ID, DISPLAY_NAME, NETWORK_ID, PHASE],
        ..networking!("peerings", "/networking/v1/peerings")
    },
    Stream {
        partitions: BY_ENVIRONMENT,
        derived: &[ENVIRONMENT_ID, DISPLAY_NAME, CLOUD, REGION, PHASE],
        ..flat!("private_link_attachments", "/networking/v1/private-link-attachments")
    },
    Stream {
        derived: &[ENVIRONMENT_ID, DISPLAY_NAME, NETWORK_ID, PHASE],
        ..networking!("transit_gateway_attachments", "/networking/v1/transit-gateway-attachments")
    },
    flat!("certificate_authorities", "/iam/v2/certificate-authorities"),
    Stream {
        partitions: each("certificate_authorities", "certificate_authority_id"),
        derived: &[("certificate_authority_id", Injected)],
        ..flat!(
            "certificate_pools",
            "/iam/v2/certificate-authorities/{certificate_authority_id}/identity-pools"
        )
    },
    flat!("ip_groups", "/iam/v2/ip-groups"),
    flat!("ip_filters", "/iam/v2/ip-filters"),
    Stream {
        derived: &[
            ("region", Lifted(&["validation", "region"])),
            ("phase", Lifted(&["validation", "phase"])),
        ],
        ..flat!("byok_keys", "/byok/v1/keys")
    },
    Stream {
        partitions: Partitions::Each(Parent {
            parameter: Some("environment"),
            echo: &["environment", "id"],
            ..OF_ENVIRONMENTS
        }),
        derived: &[("environment_id", Injected)],
        ..flat!("provider_integrations", "/pim/v1/integrations")
    },
    Stream { key_only: true, ..flat!("custom_connector_plugins", "/connect/v1/custom-connector-plugins") },
    Stream {
        query: &[("scope", "ORGANIZATION")],
        key: "quota_key",
        // The id is the same for every resource of a kind.
        derived: &[(
            "quota_key",
            Joined(&[
                &["id"],
                &["scope"],
                &["user", "id"],
                &["organization", "id"],
                &["environment", "id"],
                &["network", "id"],
                &["kafka_cluster", "id"],
                &["identity_provider", "id"],
                &["certificate_authority", "id"],
            ]),
        )],
        ..flat!("service_quotas", "/service-quota/v1/applied-quotas")
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
    Stream { key: "extraction_id", cursor: Some("ended_at"), role: "none", ..flat!("extractions", "") },
];

/// The stream of that name, if it is offered.
pub fn find(name: &str) -> Option<&'static Stream> {
    STREAMS.iter().find(|stream| stream.name == name)
}

#[cfg(test)]
mod tests;
