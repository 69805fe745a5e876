//! What an answer that is no page means, in words. Trying again may help where that is Unavailable.

use std::error::Error as _;
use std::iter::successors;

use super::retry;
use crate::error::Kind;

/// Whoever is asked: what it is called, and the setting that names its host.
#[derive(Clone, Copy, PartialEq)]
pub struct Party(&'static str, &'static str);

/// The management API.
pub const SERVICE: Party = Party("the service", "base_url");
/// Where a token of the identity provider is exchanged for one of the service.
pub const EXCHANGE: Party = Party("the token exchange", "base_url");
pub const PROVIDER: Party = Party("the identity provider", "oauth_token_url");

impl Party {
    /// What is said of the service, said of this one.
    pub fn words(self, of_service: &str) -> String {
        of_service.replace(SERVICE.0, self.0).replace(SERVICE.1, self.1)
    }
}

/// The key or the pool behind a request that was refused.
pub struct KeyUsed<'a> {
    /// What it is, and its id as it may be shown.
    pub name: String,
    pub is_pool: bool,
    /// Whether it has been accepted in this run.
    pub accepted: bool,
    /// The least role that its owner needs for what was asked.
    pub role: &'a str,
}

/// Parts of what a service says that an organization does not have; the first is recorded.
const NOT_OFFERED: [&str; 2] = ["Confluent Cloud for Government", "not available"];

/// What it means if the first answer is 404, and not of the service.
pub const NOTHING_THERE: &str = "nothing is served at this path: check base_url and its path prefix";

/// What an error status means, by its complaint.
pub fn of_status(status: u16, complaint: &str, key: &KeyUsed<'_>) -> (Kind, String) {
    let KeyUsed { name, is_pool, accepted, role } = key;
    // Some services answer 403 to a key of the wrong kind; Terraform's provider tells it by these words.
    let is_other_kind = !is_pool && complaint.contains("Cluster API Key")
        || !is_pool && status == 403 && complaint.contains("invalid API key");
    let kind = match status {
        _ if is_other_kind || matches!(status, 401 | 403) => Kind::Denied,
        status if retry::is_passing(status) => Kind::Unavailable,
        _ => Kind::Broken,
    };
    let words = match status {
        _ if is_other_kind => format!(
            "the {name} is not a Cloud API key: create one with the *Cloud resource management* scope"
        ),
        401 if *is_pool => format!(
            "the token of the {name} is rejected, and so is one exchanged anew: check that the pool is enabled. If other \
             streams are read, the service of this one may accept no such token"
        ),
        401 if *accepted => format!(
            "the {name} was accepted at first, but is now rejected: it has been deleted or rotated, \
             or its owner was removed"
        ),
        401 => format!(
            "the {name} or its secret is wrong (a new key may need a few minutes before it works): \
             check api_key and api_secret"
        ),
        403 if NOT_OFFERED.iter().any(|words| complaint.contains(words)) => {
            "the plan or cloud of the organization does not offer this: remove the stream from the setting streams"
                .to_owned()
        }
        403 => {
            let owner = if *is_pool { "" } else { "owner of the " };
            format!("the {owner}{name} may not read this; the role {role} may")
        }
        429 => "the service limits the rate of requests".to_owned(),
        _ if kind == Kind::Unavailable => "the service is failing".to_owned(),
        404 => "there is no such listing: check base_url. If the plan or cloud of the organization does not offer \
                it, remove the stream from the setting streams"
            .to_owned(),
        300..=399 => {
            "the service redirects to another origin or drops a part of the query, so the redirect is not \
             followed"
                .to_owned()
        }
        _ => "the service rejected the request".to_owned(),
    };
    (kind, words)
}

/// The same of a request for a token.
pub fn of_token(status: u16, party: Party, key: &KeyUsed<'_>) -> (Kind, String) {
    let (kind, words) = of_status(status, "", key);
    match status {
        404 | 405 => (Kind::Config, party.words(NOTHING_THERE)),
        _ if kind == Kind::Unavailable || status < 400 => (kind, party.words(&words)),
        _ if party == PROVIDER => {
            let remedy = "check oauth_client_id, oauth_client_secret, oauth_scope and oauth_audience";
            (Kind::Denied, format!("the identity provider gives the client no token: {remedy}"))
        }
        _ => {
            let remedy = "check identity_pool_id, and that the pool is enabled and its provider and filter fit the \
                          token and its audience";
            (Kind::Denied, format!("the token exchange gives no token of the {}: {remedy}", key.name))
        }
    }
}

/// What it means that no whole answer came to a request: worth another try, unless the other side cannot be trusted.
pub fn of_error(error: &reqwest::Error) -> (Kind, &'static str) {
    let causes = causes(error);
    match tls_error(error) {
        Some(rustls::Error::InvalidCertificate(_)) => (
            Kind::Config,
            "the certificate of the host in base_url is not trusted. If your own certificate authority has \
             signed it, name that authority in the setting ca_certificate or the environment variable \
             SSL_CERT_FILE",
        ),
        Some(_) => (Kind::Unavailable, "no TLS connection can be made to the host in base_url"),
        None if error.is_redirect() => (Kind::Broken, "the service redirects in a loop"),
        None if causes.contains("tunnel") => (
            Kind::Unavailable,
            "the proxy from the environment (HTTPS_PROXY) does not connect to the host in base_url",
        ),
        None if causes.contains("dns error") => {
            (Kind::Unavailable, "the name of the host in base_url cannot be resolved: check the name and DNS")
        }
        None if error.is_connect() => (Kind::Unavailable, "the host in base_url cannot be reached"),
        None if error.is_timeout() => {
            (Kind::Unavailable, "the service did not answer within request_timeout_seconds")
        }
        None => (Kind::Unavailable, "the connection broke before the response was complete"),
    }
}

/// What TLS had to say. An `io::Error` hides the error it wraps from `source`, so it is opened.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    successors(error.source(), |&error| match error.downcast_ref::<std::io::Error>() {
        Some(wrapper) => wrapper.get_ref().map(|inner| inner as _),
        None => error.source(),
    })
    .find_map(|error| error.downcast_ref())
}

/// What lies behind an error, without the URL that reqwest puts in front.
pub fn causes(error: &reqwest::Error) -> String {
    let mut words: Vec<_> =
        successors(error.source(), |&error| error.source()).map(ToString::to_string).collect();
    words.dedup();
    words.join(": ")
}
