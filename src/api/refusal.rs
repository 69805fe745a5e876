//! What an answer that is no page means, in words. Trying again may help where that is Unavailable.

use super::auth::{PROVIDER, Party};
use super::client::{Client, NOTHING_THERE};
use super::retry;
use crate::error::Kind;

/// Parts of what a service says that an organization does not have; the first is recorded.
const NOT_OFFERED: [&str; 2] = ["Confluent Cloud for Government", "not available"];

impl Client {
    /// What an error status means, by its complaint. `role`: the least that may read what was asked for.
    pub(super) fn of_status(&self, status: u16, complaint: &str, role: &str) -> (Kind, String) {
        let (name, is_pool) = (self.identity_masked(), self.config.api_key.is_none());
        // Some services answer 403 to a key of the wrong kind; Terraform's provider tells it by these words.
        let is_other_kind = !is_pool
            && (complaint.contains("Cluster API Key")
                || status == 403 && complaint.contains("invalid API key"));
        let kind = match status {
            _ if is_other_kind || matches!(status, 401 | 403) => Kind::Denied,
            status if retry::is_passing(status) => Kind::Unavailable,
            _ => Kind::Broken,
        };
        let words = match status {
            _ if is_other_kind => format!(
                "the {name} is not a Cloud API key: create one with the *Cloud resource management* scope"
            ),
            401 if is_pool => format!(
                "the token of the {name} is rejected, and so is one exchanged anew: check that the pool is \
                 enabled. If other streams are read, the service of this one may accept no such token"
            ),
            401 if self.accepted.get() => format!(
                "the {name} was accepted at first, but is now rejected: it has been deleted or rotated, \
                 or its owner was removed"
            ),
            401 => format!(
                "the {name} or its secret is wrong (a new key may need a few minutes before it works): \
                 check api_key and api_secret"
            ),
            403 if NOT_OFFERED.iter().any(|words| complaint.contains(words)) => {
                "the plan or cloud of the organization does not offer this: remove the stream from the \
             setting streams"
                    .to_owned()
            }
            403 => {
                let owner = if is_pool { "" } else { "owner of the " };
                format!("the {owner}{name} may not read this; the role {role} may")
            }
            429 => "the service limits the rate of requests".to_owned(),
            _ if kind == Kind::Unavailable => "the service is failing".to_owned(),
            404 => "there is no such listing: check base_url. If the plan or cloud of the organization does \
                not offer it, remove the stream from the setting streams"
                .to_owned(),
            300..=399 => "the service redirects to another origin or drops a part of the query, so the \
                      redirect is not followed"
                .to_owned(),
            _ => "the service rejected the request".to_owned(),
        };
        (kind, words)
    }

    /// The same of a request for a token.
    pub(super) fn of_token(&self, status: u16, party: Party) -> (Kind, String) {
        let (kind, words) = self.of_status(status, "", "");
        match status {
            404 | 405 => (Kind::Config, party.words(NOTHING_THERE)),
            _ if kind == Kind::Unavailable || status < 400 => (kind, party.words(&words)),
            _ if party == PROVIDER => {
                let remedy = "check oauth_client_id, oauth_client_secret, oauth_scope and oauth_audience";
                (Kind::Denied, format!("the identity provider gives the client no token: {remedy}"))
            }
            _ => {
                let remedy = "check identity_pool_id, and that the pool is enabled and its provider and filter \
                              fit the token and its audience";
                let name = self.identity_masked();
                (Kind::Denied, format!("the token exchange gives no token of the {name}: {remedy}"))
            }
        }
    }
}
