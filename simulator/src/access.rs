//! Who may ask at all: the bearer of a key and its secret, or of a token.

use crate::faults::Fault;
use crate::http::Head;
use crate::refusals::{Refusal, refuse};
use crate::routes::Service;

impl Service {
    /// Whether a request carries a key that works and its secret, or a token that is good for it.
    pub fn authorized(&self, head: &Head) -> bool {
        let (scheme, rest) =
            head.header("authorization").and_then(|value| value.split_once(' ')).unwrap_or_default();
        match &self.issuer {
            Some(issuer) if scheme == "Bearer" => issuer.admits(rest, &head.path),
            _ => scheme.eq_ignore_ascii_case("basic") && self.org.credentials.admit(rest.trim()),
        }
    }

    /// Refuses a request that carries neither, and counts one that does.
    pub fn authenticate(&self, head: &Head) -> Result<(), Refusal> {
        if !self.authorized(head) {
            let fault = Fault::errors(401, "Unauthorized");
            return Err(refuse(fault.with_header(
                "WWW-Authenticate",
                r#"Basic error="invalid_key", error_description="The API Key is invalid""#,
            )));
        }
        let token = head.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        if let (Some(issuer), Some(token)) = (&self.issuer, token) {
            issuer.spend(token);
        }
        if self.org.scenario.resource_key {
            return Err(refuse(Fault::errors(
                401,
                "invalid API key: make sure you're using a Cloud API Key and not a Cluster API Key: \
                 https://docs.confluent.io/cloud/current/access-management/authenticate/api-keys/api-keys.html",
            )));
        }
        Ok(())
    }
}
