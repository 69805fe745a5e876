//! Confluent Resource Names: `crn://AUTHORITY/organization=ID/environment=ID/…`. Parsed, never invented.
//!
//! A name is segments between slashes, each split at its first `=` only: what follows may hold `=`, `:`,
//! spaces, and percent-encoded bytes. Knows nothing of streams or records.

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

/// The value of the first segment with that key, percent-decoded: `segment(crn, "organization")`.
pub fn segment(crn: &str, key: &str) -> Option<String> {
    let mut segments = crn.strip_prefix("crn://")?.split('/').skip(1);
    segments.find_map(|segment| {
        let (name, value) = segment.split_once('=')?;
        (name == key && !value.is_empty()).then(|| decode(value))
    })
}

/// Where a name stands to a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It is the scope.
    Same,
    /// It names something within the scope.
    Below,
    /// Neither, or not a name at all.
    Unrelated,
}

/// Compares percent-decoded, because the service returns `:` and `%3A` for the same name (Terraform
/// provider 2.38.0).
pub fn relation(crn: &str, scope: &str) -> Relation {
    let (crn, scope) = (decode(crn), decode(scope));
    match crn.strip_prefix(scope.as_str()) {
        Some("" | "/") => Relation::Same,
        Some(rest) if rest.starts_with('/') => Relation::Below,
        _ => Relation::Unrelated,
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
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
    fn relations() {
        let scope = &organization("o-1");
        let table = [
            ("crn://confluent.cloud/organization=o-1", Relation::Same),
            ("crn://confluent.cloud/organization=o-1/", Relation::Same),
            ("crn%3A//confluent.cloud/organization%3Do-1", Relation::Same),
            ("crn://confluent.cloud/organization=o-1/environment=env-1", Relation::Below),
            ("crn://confluent.cloud/organization=o-1/identity-provider=op-1", Relation::Below),
            ("crn://confluent.cloud/organization=o-12/environment=env-1", Relation::Unrelated),
            ("crn://confluent.cloud/organization=o-12", Relation::Unrelated),
            ("something else", Relation::Unrelated),
            ("", Relation::Unrelated),
        ];
        for (crn, expected) in table {
            assert_eq!(relation(crn, scope), expected, "{crn}");
        }
        assert_eq!(relation(&environment(scope, "env-1"), scope), Relation::Below);
    }
}
