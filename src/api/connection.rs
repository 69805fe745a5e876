//! What connects to a host: proxy, certificates, time limits, and which redirects are followed.

use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::{Certificate, redirect};
use url::Url;

use super::proxy;
use super::refusal::causes;
use crate::config::{Config, is_loopback};
use crate::error::Error;

/// Time limit for establishing a connection, TLS included. The whole request has its own setting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Redirects followed for one request.
const MOST_REDIRECTS: usize = 5;

/// What sends requests to the host of that URL.
///
/// # Errors
/// Config, if the proxy of the environment or the certificates cannot be used.
pub fn http(config: &Config, url: &Url) -> Result<reqwest::Client, Error> {
    let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    let user_agent = format!("{name}/{version} {}", config.user_agent.as_deref().unwrap_or_default());
    let mut builder = reqwest::Client::builder()
        .user_agent(user_agent.trim_end())
        .redirect(same_origin(url.clone()))
        .default_headers(HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))]))
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(config.request_timeout);
    if is_loopback(url) {
        builder = builder.no_proxy();
    } else {
        proxy::check(url, |name| std::env::var_os(name))?;
    }
    if let Some(pem) = &config.ca_certificate {
        let certificates = Certificate::from_pem_bundle(pem).ok().filter(|found| !found.is_empty());
        let none = "settings: ca_certificate contains no PEM certificate (-----BEGIN CERTIFICATE-----)";
        builder = builder.tls_certs_merge(certificates.ok_or_else(|| Error::config(none))?);
    }
    builder.build().map_err(|error| {
        Error::config(format!(
            "the HTTP client cannot be set up: {}. Check SSL_CERT_FILE, ca_certificate and the proxy \
             variables of the environment",
            causes(&error)
        ))
    })
}

/// Follows redirects on the origin of that URL only: credentials go nowhere else. The parameters that narrow
/// a listing or select its page must be kept, or the response would answer another request.
fn same_origin(base: Url) -> redirect::Policy {
    redirect::Policy::custom(move |attempt| {
        let asked = attempt.previous().iter().take(1).flat_map(Url::query_pairs);
        let mut asked = asked.filter(|(name, _)| name != "page_size");
        let is_kept = asked.all(|pair| attempt.url().query_pairs().any(|other| other == pair));
        if attempt.url().origin() != base.origin() || !is_kept {
            attempt.stop()
        } else if attempt.previous().len() > MOST_REDIRECTS {
            attempt.error("too many redirects")
        } else {
            attempt.follow()
        }
    })
}
