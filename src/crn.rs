//! Confluent Resource Names: `crn://AUTHORITY/organization=ID/environment=ID/…`. Parsed, never invented.
//!
//! A name is segments between slashes, each split at its first `=` only: what follows may hold `=`, `:`,
//! spaces, and percent-encoded bytes. Knows nothing of streams or records.

use std::borrow::Cow;

use memchr::memchr;
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
    let (authority, mut rest) = cut(crn.strip_prefix("crn://")?, b'/');
    let segments = std::iter::from_fn(move || {
        let (segment, others) = cut(rest?, b'/');
        rest = others;
        Some(cut(segment, b'='))
    });
    Some((authority, segments))
}

/// What stands before and behind the first such character.
fn cut(text: &str, at: u8) -> (&str, Option<&str>) {
    memchr(at, text.as_bytes()).map_or((text, None), |at| (&text[..at], Some(&text[at + 1..])))
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
    /// The deepest of organization, environment and cloud-cluster; the ids of the latter two; type and id of the
    /// service; and, if there is a resource, its type (`topic`, `identity-provider`, …), its name without the `*` of a
    /// prefix, and `PREFIXED` or `LITERAL`. Ids and names are percent-decoded. The order is that of `CrnPart`.
    pub parts: [Option<Cow<'a, str>>; 8],
}

const SCOPES: [&str; 3] = ["organization", "environment", "cloud-cluster"];
const SERVICES: [&str; 4] = ["kafka", "schema-registry", "ksql", "flink-region"];

/// Reads a pattern: `organization`, perhaps `environment`, perhaps `cloud-cluster`, perhaps a service,
/// perhaps a resource, in this order. It is read from its beginning up to the first segment of another form:
/// nothing is guessed of what follows.
///
/// Only a `*` at the end of the resource makes a prefix; a bare `*` covers all names.
pub fn parse(crn: &str) -> Pattern<'_> {
    let segments = split(crn).into_iter().flat_map(|(_, segments)| segments);
    let segments = &mut segments.map(|(key, value)| (key, value.unwrap_or_default())).peekable();
    let mut id = |key| {
        let is_id = |(name, value): &(&str, &str)| *name == key && !value.is_empty() && !value.ends_with('*');
        segments.next_if(is_id).map(|(_, value)| decode(value))
    };
    let [organization, environment, cluster] = SCOPES;
    if id(organization).is_none() {
        return Pattern::default();
    }
    let environment_id = id(environment);
    let cluster_id = environment_id.as_ref().and_then(|_| id(cluster));
    let depth = environment_id.iter().chain(&cluster_id).count();
    let service = SERVICES.into_iter().find_map(|service| Some((service, id(service)?)));
    let (service_type, service_id) = service.unzip();
    let rest = segments.next();
    let resource = rest.filter(|(key, value)| {
        let is_known = SCOPES.contains(key) || SERVICES.contains(key);
        !is_known && !key.is_empty() && !value.is_empty() && segments.next().is_none()
    });
    let prefix = resource.and_then(|(_, value)| value.strip_suffix('*'));
    let parts = [
        Some(SCOPES[depth].into()),
        environment_id,
        cluster_id,
        service_type.map(Cow::from),
        service_id,
        resource.map(|(key, _)| key.into()),
        resource.map(|(_, value)| decode(prefix.unwrap_or(value))),
        resource.map(|_| if prefix.is_some() { "PREFIXED" } else { "LITERAL" }.into()),
    ];
    Pattern { is_whole: rest.is_none() || resource.is_some(), parts }
}

/// What kind of principal a text such as `User:u-123` names; `unknown` is for a form that is not known.
pub fn principal_type(text: &str) -> &'static str {
    const KINDS: [(&str, &str); 4] =
        [("u-", "user"), ("sa-", "service_account"), ("pool-", "identity_pool"), ("group-", "group_mapping")];
    let id = text.strip_prefix("User:").unwrap_or_default();
    KINDS.iter().find(|(prefix, _)| id.starts_with(prefix)).map_or("unknown", |(_, kind)| kind)
}

/// The id of a principal, which follows the first colon.
pub fn principal_id(text: &str) -> Option<&str> {
    text.split_once(':').map(|(_, id)| id)
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
    if memchr(b'%', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::streams::{Derived, find};

    /// Names and principals of a kind, and what is read of them. The tests of the binary read the same.
    fn forms(kind: &str) -> Vec<Value> {
        let mut forms: Value = serde_json::from_str(include_str!("../tests/data/crn.json")).unwrap();
        serde_json::from_value(forms[kind].take()).unwrap()
    }

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
        for (kind, is_whole) in [("whole", true), ("begun", false)] {
            for case in forms(kind) {
                let crn = format!("{}{}", organization("o-1"), case["below"].as_str().unwrap());
                let pattern = parse(&crn);
                let mut read = 0;
                for (name, derived) in find("role_bindings").unwrap().derived {
                    let Derived::Crn(_, part) = derived else { continue };
                    let value = pattern.parts[*part as usize].as_deref();
                    assert_eq!(value, case[*name].as_str(), "{name} of {crn}");
                    read += 1;
                }
                assert_eq!(read, pattern.parts.len(), "each part is a column");
                assert_eq!(pattern.is_whole, is_whole, "{crn}");
            }
        }
    }

    #[test]
    fn of_a_form_whose_beginning_is_not_known_nothing_is_guessed() {
        for crn in forms("unknown") {
            assert_eq!(parse(crn.as_str().unwrap()), Pattern::default(), "{crn}");
        }
    }

    #[test]
    fn principals() {
        for case in forms("principals") {
            let principal = case["principal"].as_str().unwrap();
            assert_eq!(
                (Some(principal_type(principal)), principal_id(principal)),
                (case["principal_type"].as_str(), case["principal_id"].as_str()),
                "{case}"
            );
        }
    }
}
