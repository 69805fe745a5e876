//! What a path asks for: a listing or one record of it.

use crate::organization::{Envelope, Narrowed, Stream};
use crate::streams::STREAMS;

/// What a path asks for.
pub struct Target<'a> {
    pub stream: &'static Stream,
    /// The records that the listing is in, the outermost first: their streams and ids.
    pub homes: Vec<(&'static str, &'a str)>,
    /// The id of one record.
    pub id: Option<&'a str>,
}

/// Takes a path apart; none if no stream has it. The web alias `confluent.cloud/api/…` serves the
/// same paths.
pub fn at(path: &str) -> Option<Target<'_>> {
    let path = path.strip_prefix("/api/").map_or(path, |_| &path[4..]);
    STREAMS.iter().find_map(|stream| target(stream, path))
}

fn target<'a>(stream: &'static Stream, path: &'a str) -> Option<Target<'a>> {
    let (mut given, mut homes) = (path.split('/'), Vec::new());
    for wanted in stream.path.split('/') {
        let part = given.next()?;
        match wanted.strip_prefix('{').and_then(|wanted| wanted.strip_suffix('}')) {
            Some(home) => homes.push((home, part)),
            None if wanted == part => {}
            None => return None,
        }
    }
    let id = given.next();
    // What comes in a map is asked for by its name, and looks different by itself; what a day has left has
    // no id.
    let known = match (stream.envelope, stream.narrowed) {
        (Envelope::Map { .. }, _) | (_, Narrowed::Days(_)) => id.is_none(),
        _ => id != Some("") && given.next().is_none(),
    };
    known.then_some(Target { stream, homes, id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_listing_or_one_record_or_nothing() {
        let connectors = "/connect/v1/environments/env-1/clusters/lkc-1/connectors";
        for (path, expected) in [
            ("/iam/v2/users", Some(("users", vec![], None))),
            ("/api/iam/v2/users", Some(("users", vec![], None))),
            ("/iam/v2/api-keys/ABC", Some(("api_keys", vec![], Some("ABC")))),
            ("/cmk/v2/clusters/lkc-1", Some(("kafka_clusters", vec![], Some("lkc-1")))),
            ("/iam/v2/identity-providers/op-1", Some(("identity_providers", vec![], Some("op-1")))),
            (
                "/iam/v2/identity-providers/op-1/identity-pools/pool-1",
                Some(("identity_pools", vec![("identity_providers", "op-1")], Some("pool-1"))),
            ),
            (
                connectors,
                Some(("connectors", vec![("environments", "env-1"), ("kafka_clusters", "lkc-1")], None)),
            ),
            ("/billing/v1/costs", Some(("billing_costs", vec![], None))),
            ("/billing/v1/costs/1", None),
            ("/iam/v2/users&page_token=x", None),
            ("/iam/v2/users/", None),
            ("/iam/v2/usersx", None),
            ("/iam/v2/users/u-1/x", None),
            ("/", None),
        ] {
            let found = at(path).map(|target| (target.stream.name, target.homes, target.id));
            assert_eq!(found, expected, "{path}");
        }
    }
}
