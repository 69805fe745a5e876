//! Confluent Resource Names: `crn://AUTHORITY/organization=ID/environment=ID/…`. Parsed, never invented.
//!
//! A name is segments between slashes, each split at its first `=` only: what follows may hold `=`, `:`,
//! spaces, and percent-encoded bytes. Knows nothing of streams or records.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The authority in every recorded name of a scope.
const AUTHORITY: &str = "crn://confluent.cloud";

/// The name of an organization, from its id.
pub fn organization(id: &str) -> String {
    format!("{AUTHORITY}/organization={id}")
}

/// The name of an environment of an organization, from the organization's name.
pub fn environment(organization: &str, id: &str) -> String {
    format!("{organization}/environment={id}")
}

/// Cuts a name into its authority and its segments, each at its first `=` and all of it raw: joined again
/// they are the name. None if it does not begin as one.
pub fn split(crn: &str) -> Option<(&str, impl Iterator<Item = (&str, Option<&str>)>)> {
    let mut parts = crn.strip_prefix("crn://")?.split('/');
    let authority = parts.next()?;
    let segments =
        parts.map(|part| part.split_once('=').map_or((part, None), |(key, value)| (key, Some(value))));
    Some((authority, segments))
}

/// The value of the first segment with that key, percent-decoded: `segment(crn, "organization")`.
pub fn segment(crn: &str, key: &str) -> Option<String> {
    let (_, mut segments) = split(crn)?;
    let value = segments.find_map(|(name, value)| value.filter(|value| name == key && !value.is_empty()))?;
    Some(decode(value).into_owned())
}

/// What a role binding's pattern covers, in three parts: where, which service in it, and what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern<'a> {
    /// Whether all of it could be read. What could not is none.
    pub is_whole: bool,
    /// The deepest of organization, environment and cloud-cluster.
    pub scope_type: Option<&'static str>,
    pub environment_id: Option<Cow<'a, str>>,
    pub cloud_cluster_id: Option<Cow<'a, str>>,
    pub service_type: Option<&'static str>,
    pub service_id: Option<Cow<'a, str>>,
    pub resource: Option<Resource<'a>>,
}

/// The last segment of a pattern, if it names no scope and no service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource<'a> {
    /// `topic`, `group`, `subject`, `connector`, `identity-provider`, …
    pub kind: &'a str,
    /// Percent-decoded, without the `*` of a prefix.
    pub name: Cow<'a, str>,
    pub is_prefix: bool,
}

const SCOPES: [&str; 3] = ["organization", "environment", "cloud-cluster"];
const SERVICES: [&str; 4] = ["kafka", "schema-registry", "ksql", "flink-region"];

/// Reads a pattern: `organization`, perhaps `environment`, perhaps `cloud-cluster`, perhaps a service,
/// perhaps a resource, in this order. It is read from its beginning up to the first segment of another form:
/// nothing is guessed of what follows.
///
/// Only a `*` at the end of the resource makes a prefix; a bare `*` covers all names.
pub fn parse(crn: &str) -> Pattern<'_> {
    let mut pattern = Pattern::default();
    let read = split(crn).and_then(|(_, segments)| pattern.read(segments));
    pattern.is_whole = read.is_some() && pattern.scope_type.is_some();
    pattern
}

impl<'a> Pattern<'a> {
    /// None at the first segment of a form that is not known.
    fn read(&mut self, segments: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Option<()> {
        let (mut segments, mut scopes) = (segments.peekable(), SCOPES.into_iter().peekable());
        while let Some((key, value)) = segments.next() {
            let value = value.filter(|value| !key.is_empty() && !value.is_empty())?;
            let is_prefix = value.ends_with('*');
            if let Some(scope) =
                scopes.next_if(|scope| *scope == key && !is_prefix && self.service_type.is_none())
            {
                self.scope_type = Some(scope);
                match scope {
                    "environment" => self.environment_id = Some(decode(value)),
                    "cloud-cluster" => self.cloud_cluster_id = Some(decode(value)),
                    _ => {}
                }
                continue;
            }
            if self.scope_type.is_none() || SCOPES.contains(&key) {
                return None;
            }
            if let Some(service) = SERVICES.into_iter().find(|service| *service == key) {
                if self.service_type.is_some() || is_prefix {
                    return None;
                }
                (self.service_type, self.service_id) = (Some(service), Some(decode(value)));
            } else if segments.peek().is_none() {
                let name = decode(value.strip_suffix('*').unwrap_or(value));
                self.resource = Some(Resource { kind: key, name, is_prefix });
            } else {
                return None;
            }
        }
        Some(())
    }
}

/// What kind of principal a text such as `User:u-123` names, and its id. `unknown` is for a form that is
/// not known; the id is what follows the first colon.
pub fn principal(text: &str) -> (&'static str, Option<&str>) {
    const KINDS: [(&str, &str); 4] =
        [("u-", "user"), ("sa-", "service_account"), ("pool-", "identity_pool"), ("group-", "group_mapping")];
    let Some((authority, id)) = text.split_once(':') else { return ("unknown", None) };
    let kind = KINDS.iter().find(|(prefix, _)| authority == "User" && id.starts_with(prefix));
    (kind.map_or("unknown", |(_, kind)| kind), Some(id))
}

/// Whether a name lies in an environment of the organization `scope`, or in a cluster of the environment
/// `scope`. What else is below a scope, such as an organization's identity provider, is not.
///
/// Compares percent-decoded, because the service returns `:` and `%3A` for the same name (Terraform
/// provider 2.38.0), and without the authority, because it names more than one (recorded for API keys).
pub fn is_narrower(crn: &str, scope: &str) -> bool {
    let (crn, scope) = (decode(crn), decode(scope));
    let below =
        path(&crn).zip(path(&scope)).and_then(|(crn, scope)| crn.strip_prefix(scope)?.strip_prefix('/'));
    let segment = below.and_then(|below| below.split('/').next()?.split_once('='));
    segment.is_some_and(|(key, id)| SCOPES.contains(&key) && !id.is_empty() && !id.ends_with('*'))
}

/// What follows the authority.
fn path(crn: &str) -> Option<&str> {
    crn.strip_prefix("crn://")?.split_once('/').map(|(_, path)| path)
}

fn decode(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments() {
        let table = [
            ("crn://confluent.cloud/organization=o-1/environment=env-2", "organization", Some("o-1")),
            ("crn://confluent.cloud/organization=o-1/environment=env-2", "environment", Some("env-2")),
            ("crn://confluent.cloud/organization=o-1/environment=env-2", "cloud-cluster", None),
            ("crn://api.confluent.cloud/organization=o%2D1/api-key=K", "organization", Some("o-1")),
            ("crn://confluent.cloud/organization=a=b", "organization", Some("a=b")),
            ("crn://confluent.cloud/organization=", "organization", None),
            ("https://confluent.cloud/organization=o-1", "organization", None),
            ("", "organization", None),
        ];
        for (crn, key, value) in table {
            assert_eq!(segment(crn, key).as_deref(), value, "{crn} {key}");
        }
    }

    #[test]
    fn what_lies_in_a_narrower_scope() {
        let (top, env) = (organization("o-1"), environment(&organization("o-1"), "env-1"));
        for crn in [
            "crn://confluent.cloud/organization=o-1/environment=env-1",
            "crn://confluent.cloud/organization=o-1/environment=env-1/cloud-cluster=lkc-1/topic=x",
            "crn://confluent.cloud/organization=o-1/environment=env-1/flink-region=aws.us-east-1",
            "crn://api.confluent.cloud/organization=o-1/environment=env-1",
            "crn%3A//confluent.cloud/organization%3Do-1/environment%3Denv-1",
        ] {
            assert!(is_narrower(crn, &top), "{crn}");
        }
        for crn in [
            "crn://confluent.cloud/organization=o-1",
            "crn://confluent.cloud/organization=o-1/",
            "crn://confluent.cloud/organization=o-1/*",
            "crn://confluent.cloud/organization=o-1/environment=*",
            "crn://confluent.cloud/organization=o-1/environment=",
            "crn://confluent.cloud/organization=o-1/identity-provider=op-1",
            "crn://confluent.cloud/organization=o-1/service-account=sa-1",
            "crn://confluent.cloud/organization=o-12/environment=env-1",
            "something else",
            "",
        ] {
            assert!(!is_narrower(crn, &top), "{crn}");
        }
        assert!(is_narrower(&format!("{env}/cloud-cluster=lkc-1/kafka=lkc-1"), &env));
        assert!(!is_narrower(&format!("{env}/schema-registry=lsrc-1/subject=x"), &env));
        assert!(!is_narrower(&env, &env));
    }

    #[test]
    fn patterns() {
        // below the organization, E for an environment and C for a cluster; then scope, environment, cluster,
        // service, its id, kind of resource, its name, kind of pattern, a blank for none, and … where it is not
        // whole
        let table = [
            ("", "organization"),
            ("/identity-provider=op-1", "organization| | | | |identity-provider|op-1|LITERAL"),
            ("/service-account=sa-1", "organization| | | | |service-account|sa-1|LITERAL"),
            ("E", "environment|env-1"),
            ("E/flink-region=aws.us-east-1", "environment|env-1| |flink-region|aws.us-east-1"),
            (
                "E/flink-region=aws.us-east-1/compute-pool=lfcp-1",
                "environment|env-1| |flink-region|aws.us-east-1|compute-pool|lfcp-1|LITERAL",
            ),
            ("E/schema-registry=lsrc-1", "environment|env-1| |schema-registry|lsrc-1"),
            (
                "E/schema-registry=lsrc-1/subject=*",
                "environment|env-1| |schema-registry|lsrc-1|subject||PREFIXED",
            ),
            (
                "E/schema-registry=lsrc-1/subject=:.ctx:a b%2Fc=d",
                "environment|env-1| |schema-registry|lsrc-1|subject|:.ctx:a b/c=d|LITERAL",
            ),
            ("C", "cloud-cluster|env-1|lkc-1"),
            ("C/kafka=lkc-1", "cloud-cluster|env-1|lkc-1|kafka|lkc-1"),
            ("C/kafka=lkc-1/topic=clicks-*", "cloud-cluster|env-1|lkc-1|kafka|lkc-1|topic|clicks-|PREFIXED"),
            ("C/kafka=lkc-1/topic=a*b", "cloud-cluster|env-1|lkc-1|kafka|lkc-1|topic|a*b|LITERAL"),
            ("C/kafka=lkc-1/group=a%2A", "cloud-cluster|env-1|lkc-1|kafka|lkc-1|group|a*|LITERAL"),
            (
                "C/kafka=lkc-1/transactional-id=t%3A1",
                "cloud-cluster|env-1|lkc-1|kafka|lkc-1|transactional-id|t:1|LITERAL",
            ),
            ("C/ksql=my ksql", "cloud-cluster|env-1|lkc-1|ksql|my ksql"),
            ("C/connector=my connector", "cloud-cluster|env-1|lkc-1| | |connector|my connector|LITERAL"),
            ("/something-new=*", "organization| | | | |something-new||PREFIXED"),
            // of these the beginning is known
            ("/*", "organization…"),
            ("/", "organization…"),
            ("/cloud-cluster=lkc-1", "organization…"),
            ("/environment=env-*", "organization…"),
            ("/thing=a/other=b", "organization…"),
            ("E/environment=env-2", "environment|env-1…"),
            ("E/topic=a/b", "environment|env-1…"),
            ("E/kafka=lkc-1/cloud-cluster=lkc-1", "environment|env-1| |kafka|lkc-1…"),
            ("E/kafka=a/ksql=b", "environment|env-1| |kafka|a…"),
            ("C/*", "cloud-cluster|env-1|lkc-1…"),
            ("C/kafka=*", "cloud-cluster|env-1|lkc-1…"),
            ("C/kafka=lkc-1/topic=a/b", "cloud-cluster|env-1|lkc-1|kafka|lkc-1…"),
            ("C/kafka=lkc-1/topic=", "cloud-cluster|env-1|lkc-1|kafka|lkc-1…"),
        ];
        for (below, expected) in table {
            let cluster = "/environment=env-1/cloud-cluster=lkc-1";
            let below = below.replace('C', cluster).replace('E', "/environment=env-1");
            let crn = format!("crn://confluent.cloud/organization=o-1{below}");
            let pattern = parse(&crn);
            let resource = pattern.resource.as_ref();
            let kind = resource.map(|resource| if resource.is_prefix { "PREFIXED" } else { "LITERAL" });
            let parts = [
                pattern.scope_type,
                pattern.environment_id.as_deref(),
                pattern.cloud_cluster_id.as_deref(),
                pattern.service_type,
                pattern.service_id.as_deref(),
                resource.map(|resource| resource.kind),
                resource.map(|resource| &*resource.name),
                kind,
            ];
            let found = parts.map(|part| part.unwrap_or(" ")).join("|");
            let end = if pattern.is_whole { "" } else { "…" };
            assert_eq!(format!("{}{end}", found.trim_end_matches("| ")), expected, "{below}");
        }
    }

    #[test]
    fn of_a_form_whose_beginning_is_not_known_nothing_is_guessed() {
        for crn in [
            "",
            "crn://confluent.cloud",
            "crn://confluent.cloud/",
            "crn://confluent.cloud/environment=env-1",
            "crn://confluent.cloud/kafka=lkc-1",
            "crn://confluent.cloud/user=u-1",
            "crn://confluent.cloud/organization=",
            "crn://confluent.cloud/organization=*",
            "crn://confluent.cloud//organization=o-1",
            "https://confluent.cloud/organization=o-1",
        ] {
            assert_eq!(parse(crn), Pattern::default(), "{crn}");
        }
    }

    #[test]
    fn principals() {
        let table = [
            ("User:u-1", "user", Some("u-1")),
            ("User:sa-1", "service_account", Some("sa-1")),
            ("User:pool-1", "identity_pool", Some("pool-1")),
            ("User:group-1", "group_mapping", Some("group-1")),
            ("User:12345", "unknown", Some("12345")),
            ("User:*", "unknown", Some("*")),
            ("Group:u-1", "unknown", Some("u-1")),
            ("User:u-1:x", "user", Some("u-1:x")),
            ("u-1", "unknown", None),
            ("", "unknown", None),
        ];
        for (text, kind, id) in table {
            assert_eq!(principal(text), (kind, id), "{text}");
        }
    }
}
