//! The listings this simulator knows: names, paths and what their bodies call themselves.

/// One listing of the management API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    Users,
    Invitations,
    ServiceAccounts,
    RoleBindings,
    Organizations,
    Environments,
    ApiKeys,
    KafkaClusters,
}

pub const STREAMS: [Stream; 8] = [
    Stream::Users,
    Stream::Invitations,
    Stream::ServiceAccounts,
    Stream::RoleBindings,
    Stream::Organizations,
    Stream::Environments,
    Stream::ApiKeys,
    Stream::KafkaClusters,
];

impl Stream {
    pub fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Invitations => "invitations",
            Self::ServiceAccounts => "service_accounts",
            Self::RoleBindings => "role_bindings",
            Self::Organizations => "organizations",
            Self::Environments => "environments",
            Self::ApiKeys => "api_keys",
            Self::KafkaClusters => "kafka_clusters",
        }
    }

    pub fn path(self) -> &'static str {
        match self {
            Self::Users => "/iam/v2/users",
            Self::Invitations => "/iam/v2/invitations",
            Self::ServiceAccounts => "/iam/v2/service-accounts",
            Self::RoleBindings => "/iam/v2/role-bindings",
            Self::Organizations => "/org/v2/organizations",
            Self::Environments => "/org/v2/environments",
            Self::ApiKeys => "/iam/v2/api-keys",
            Self::KafkaClusters => "/cmk/v2/clusters",
        }
    }

    pub fn kind(self) -> &'static str {
        match self {
            Self::Users => "User",
            Self::Invitations => "Invitation",
            Self::ServiceAccounts => "ServiceAccount",
            Self::RoleBindings => "RoleBinding",
            Self::Organizations => "Organization",
            Self::Environments => "Environment",
            Self::ApiKeys => "ApiKey",
            Self::KafkaClusters => "Cluster",
        }
    }

    pub fn api_version(self) -> &'static str {
        match self {
            Self::Organizations | Self::Environments => "org/v2",
            Self::KafkaClusters => "cmk/v2",
            _ => "iam/v2",
        }
    }

    /// Query parameters that narrow the listing, and where a record holds what they name.
    pub fn filters(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Invitations => &[
                ("email", "/email"),
                ("status", "/status"),
                ("user", "/user/id"),
                ("creator", "/creator/id"),
            ],
            Self::ServiceAccounts => &[("display_name", "/display_name")],
            Self::RoleBindings => {
                &[("crn_pattern", "/crn_pattern"), ("principal", "/principal"), ("role_name", "/role_name")]
            }
            Self::ApiKeys => &[("spec.owner", "/spec/owner/id"), ("spec.resource", "/spec/resource/id")],
            Self::KafkaClusters => {
                &[("environment", "/spec/environment/id"), ("spec.network", "/spec/network/id")]
            }
            Self::Users | Self::Organizations | Self::Environments => &[],
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        STREAMS.into_iter().find(|stream| stream.name() == name)
    }

    /// The listing a path asks for, and the id of one record if it names one. The web alias
    /// `confluent.cloud/api/…` serves the same paths.
    pub fn at(path: &str) -> Option<(Self, Option<&str>)> {
        let path = path.strip_prefix("/api/").map_or(path, |_| &path[4..]);
        STREAMS.into_iter().find_map(|stream| {
            let rest = path.strip_prefix(stream.path())?;
            match rest.strip_prefix('/') {
                None if rest.is_empty() => Some((stream, None)),
                Some(id) if !id.is_empty() && !id.contains('/') => Some((stream, Some(id))),
                _ => None,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_listing_or_one_record_or_nothing() {
        for (path, expected) in [
            ("/iam/v2/users", Some((Stream::Users, None))),
            ("/api/iam/v2/users", Some((Stream::Users, None))),
            ("/iam/v2/api-keys/ABC", Some((Stream::ApiKeys, Some("ABC")))),
            ("/cmk/v2/clusters/lkc-1", Some((Stream::KafkaClusters, Some("lkc-1")))),
            ("/iam/v2/users&page_token=x", None),
            ("/iam/v2/users/", None),
            ("/iam/v2/usersx", None),
            ("/", None),
        ] {
            assert_eq!(Stream::at(path), expected, "{path}");
        }
    }
}
