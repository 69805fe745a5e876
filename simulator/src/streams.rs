//! The listings this simulator knows. All that is done with a stream follows from its row here:
//! routes, refusals, faults, sizes and their flags, the truth and the log of requests.

use crate::addresses;
use crate::bindings;
use crate::certificates;
use crate::clusters;
use crate::connectors;
use crate::costs;
use crate::encryption;
use crate::identities;
use crate::integrations;
use crate::keys;
use crate::limits;
use crate::networks;
use crate::organization::{Days, Envelope, Errors, Ids, Last, Narrowed, Stream};
use crate::records;
use crate::services;

/// What most listings have in common. Where it is empty, each row has to say.
const USUAL: Stream = Stream {
    name: "",
    path: "",
    kind: "",
    number: 0,
    ids: Ids::Prefix(""),
    size: 0,
    uneven: false,
    narrowed: Narrowed::Nothing,
    filters: &[],
    page_size: (10, 100),
    stops_at: None,
    alias: false,
    envelope: Envelope::Pages,
    last: Last::Nothing,
    errors: Errors::List,
    record: records::user,
};

/// What the listings of an environment have in common.
const BY_ENVIRONMENT: Stream = Stream { narrowed: Narrowed::Query("environment", "environments"), ..USUAL };

/// The same of most that have to do with networks.
const NETWORKING: Stream = Stream { page_size: (10, 1000), last: Last::Total, ..BY_ENVIRONMENT };

pub static STREAMS: &[Stream] = &[
    Stream {
        name: "users",
        path: "/iam/v2/users",
        kind: "User",
        number: 0,
        ids: Ids::Prefix("u-"),
        size: 237,
        record: records::user,
        ..USUAL
    },
    Stream {
        name: "invitations",
        path: "/iam/v2/invitations",
        kind: "Invitation",
        number: 1,
        ids: Ids::Prefix("i-"),
        size: 205,
        filters: &[
            ("email", "/email"),
            ("status", "/status"),
            ("user", "/user/id"),
            ("creator", "/creator/id"),
        ],
        stops_at: Some(100),
        record: records::invitation,
        ..USUAL
    },
    Stream {
        name: "service_accounts",
        path: "/iam/v2/service-accounts",
        kind: "ServiceAccount",
        number: 2,
        ids: Ids::Prefix("sa-"),
        size: 131,
        filters: &[("display_name", "/display_name")],
        record: records::service_account,
        ..USUAL
    },
    Stream {
        name: "role_bindings",
        path: "/iam/v2/role-bindings",
        kind: "RoleBinding",
        number: 3,
        ids: Ids::Made(bindings::id),
        size: 264,
        narrowed: Narrowed::Scope,
        filters: &[("principal", "/principal"), ("role_name", "/role_name")],
        alias: true,
        errors: Errors::RoleBinding,
        record: bindings::record,
        ..USUAL
    },
    Stream {
        name: "organizations",
        path: "/org/v2/organizations",
        kind: "Organization",
        number: 4,
        ids: Ids::Made(records::organization_id),
        size: 1,
        record: records::organization,
        ..USUAL
    },
    Stream {
        name: "environments",
        path: "/org/v2/environments",
        kind: "Environment",
        number: 5,
        ids: Ids::Prefix("env-"),
        size: 3,
        record: records::environment,
        ..USUAL
    },
    Stream {
        name: "api_keys",
        path: "/iam/v2/api-keys",
        kind: "ApiKey",
        number: 6,
        ids: Ids::Made(keys::id),
        size: 64,
        filters: &[("spec.owner", "/spec/owner/id"), ("spec.resource", "/spec/resource/id")],
        record: keys::record,
        ..USUAL
    },
    Stream {
        name: "kafka_clusters",
        path: "/cmk/v2/clusters",
        kind: "Cluster",
        number: 7,
        ids: Ids::Made(clusters::id),
        size: 2,
        filters: &[("spec.network", "/spec/network/id")],
        record: clusters::record,
        ..BY_ENVIRONMENT
    },
    Stream {
        name: "identity_providers",
        path: "/iam/v2/identity-providers",
        kind: "IdentityProvider",
        number: 78,
        ids: Ids::Prefix("op-"),
        size: 3,
        alias: true,
        errors: Errors::Code,
        record: identities::provider,
        ..USUAL
    },
    Stream {
        name: "identity_pools",
        path: "/iam/v2/identity-providers/{identity_providers}/identity-pools",
        kind: "IdentityPool",
        number: 79,
        ids: Ids::Prefix("pool-"),
        size: 4,
        uneven: true,
        narrowed: Narrowed::Path("identity_providers"),
        alias: true,
        errors: Errors::Code,
        record: identities::pool,
        ..USUAL
    },
    Stream {
        name: "group_mappings",
        path: "/iam/v2/sso/group-mappings",
        kind: "GroupMapping",
        number: 80,
        ids: Ids::Prefix("group-"),
        size: 3,
        alias: true,
        record: identities::group,
        ..USUAL
    },
    Stream {
        name: "connectors",
        path: "/connect/v1/environments/{environments}/clusters/{kafka_clusters}/connectors",
        kind: "Connector",
        number: 8,
        ids: Ids::Prefix("lcc-"),
        size: 2,
        uneven: true,
        narrowed: Narrowed::Path("kafka_clusters"),
        envelope: Envelope::Map { name: connectors::name, parts: &["id", "info", "status"] },
        errors: Errors::Object,
        record: connectors::record,
        ..USUAL
    },
    Stream {
        name: "schema_registry_clusters",
        path: "/srcm/v3/clusters",
        kind: "Cluster",
        number: 30,
        ids: Ids::Prefix("lsrc-"),
        size: 1,
        uneven: true,
        record: services::registry,
        ..BY_ENVIRONMENT
    },
    Stream {
        name: "ksqldb_clusters",
        path: "/ksqldbcm/v2/clusters",
        kind: "Cluster",
        number: 31,
        ids: Ids::Prefix("lksqlc-"),
        size: 2,
        record: services::ksqldb,
        ..BY_ENVIRONMENT
    },
    Stream {
        name: "flink_compute_pools",
        path: "/fcpm/v2/compute-pools",
        kind: "ComputePool",
        number: 32,
        ids: Ids::Prefix("lfcp-"),
        size: 2,
        uneven: true,
        filters: &[("spec.region", "/spec/region"), ("spec.network", "/spec/network/id")],
        last: Last::Empty,
        record: services::pool,
        ..BY_ENVIRONMENT
    },
    Stream {
        name: "networks",
        path: "/networking/v1/networks",
        kind: "Network",
        number: 33,
        ids: Ids::Made(networks::id),
        size: 3,
        filters: &[("spec.cloud", "/spec/cloud"), ("status.phase", "/status/phase")],
        record: networks::network,
        ..NETWORKING
    },
    Stream {
        name: "peerings",
        path: "/networking/v1/peerings",
        kind: "Peering",
        number: 34,
        ids: Ids::Prefix("peer-"),
        size: 2,
        uneven: true,
        filters: &[("spec.network", "/spec/network/id"), ("status.phase", "/status/phase")],
        record: networks::peering,
        ..NETWORKING
    },
    Stream {
        name: "private_link_attachments",
        path: "/networking/v1/private-link-attachments",
        kind: "PrivateLinkAttachment",
        number: 35,
        ids: Ids::Prefix("platt-"),
        size: 2,
        filters: &[("spec.cloud", "/spec/cloud"), ("status.phase", "/status/phase")],
        page_size: (10, 100),
        record: networks::private_link,
        ..NETWORKING
    },
    Stream {
        name: "transit_gateway_attachments",
        path: "/networking/v1/transit-gateway-attachments",
        kind: "TransitGatewayAttachment",
        number: 36,
        ids: Ids::Prefix("tgwa-"),
        size: 1,
        uneven: true,
        filters: &[("spec.network", "/spec/network/id"), ("status.phase", "/status/phase")],
        record: networks::transit_gateway,
        ..NETWORKING
    },
    Stream {
        name: "certificate_authorities",
        path: "/iam/v2/certificate-authorities",
        kind: "CertificateAuthority",
        number: 20,
        ids: Ids::Prefix("op-"),
        size: 2,
        record: certificates::authority,
        ..USUAL
    },
    Stream {
        name: "certificate_pools",
        path: "/iam/v2/certificate-authorities/{certificate_authorities}/identity-pools",
        kind: "CertificateIdentityPool",
        number: 21,
        ids: Ids::Prefix("pool-"),
        size: 3,
        uneven: true,
        narrowed: Narrowed::Path("certificate_authorities"),
        record: certificates::pool,
        ..USUAL
    },
    Stream {
        name: "ip_groups",
        path: "/iam/v2/ip-groups",
        kind: "IpGroup",
        number: 22,
        ids: Ids::Prefix("ipg-"),
        size: 4,
        page_size: (25, 100),
        record: addresses::group,
        ..USUAL
    },
    Stream {
        name: "ip_filters",
        path: "/iam/v2/ip-filters",
        kind: "IpFilter",
        number: 23,
        ids: Ids::Prefix("ipf-"),
        size: 3,
        filters: &[("resource_scope", "/resource_scope")],
        page_size: (25, 100),
        record: addresses::filter,
        ..USUAL
    },
    Stream {
        name: "byok_keys",
        path: "/byok/v1/keys",
        kind: "Key",
        number: 24,
        ids: Ids::Made(encryption::id),
        size: 3,
        filters: &[
            ("display_name", "/display_name"),
            ("provider", "/provider"),
            ("state", "/state"),
            ("validation_phase", "/validation/phase"),
            ("validation_region", "/validation/region"),
        ],
        record: encryption::key,
        ..USUAL
    },
    Stream {
        name: "provider_integrations",
        path: "/pim/v1/integrations",
        kind: "Integration",
        number: 25,
        ids: Ids::Prefix("cspi-"),
        size: 2,
        narrowed: Narrowed::Query("environment", "environments"),
        filters: &[("provider", "/provider")],
        errors: Errors::Code,
        record: integrations::integration,
        ..USUAL
    },
    Stream {
        name: "custom_connector_plugins",
        path: "/connect/v1/custom-connector-plugins",
        kind: "CustomConnectorPlugin",
        number: 26,
        ids: Ids::Prefix("ccp-"),
        size: 2,
        filters: &[("cloud", "/cloud")],
        record: integrations::plugin,
        ..USUAL
    },
    Stream {
        name: "service_quotas",
        path: "/service-quota/v1/applied-quotas",
        kind: "AppliedQuota",
        number: 27,
        ids: Ids::Made(limits::code),
        size: 5,
        narrowed: Narrowed::Filter("scope"),
        filters: &[("scope", "/scope"), ("id", "/id")],
        page_size: (10, 200),
        record: limits::quota,
        ..USUAL
    },
    Stream {
        name: "billing_costs",
        path: "/billing/v1/costs",
        kind: "Cost",
        number: 40,
        ids: Ids::Made(costs::description),
        size: 7,
        narrowed: Narrowed::Days(Days { from: "start_date", until: "end_date", holds: costs::is_known }),
        page_size: (5000, 10_000),
        record: costs::record,
        ..USUAL
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_rows_share_what_is_their_own() {
        let own = |fact: fn(&Stream) -> String| STREAMS.iter().map(fact).collect::<HashSet<_>>().len();
        let facts: [fn(&Stream) -> String; 3] =
            [|row| row.name.to_owned(), |row| row.path.to_owned(), |row| row.number.to_string()];
        assert_eq!(facts.map(own), [STREAMS.len(); 3]);
    }
}
