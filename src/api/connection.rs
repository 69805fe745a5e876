//! What connects to a host: proxy, certificates, time limits, and which redirects are followed; and what it means where
//! no answer comes.

use std::error::Error as _;
use std::iter::successors;
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::{Certificate, redirect};
use url::Url;

use super::proxy;
use crate::config::{Config, is_loopback};
use crate::error::{Error, Kind};

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
    if url.scheme() == "http" {
        // TLS is never spoken here, because no proxy is asked and no redirect leaves the origin: certificates, some
        // hundred, are not read.
        builder = builder.tls_certs_only([]);
    }
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

/// What it means that no whole answer came to a request: worth another try, unless the other side cannot be trusted.
pub fn failure(error: &reqwest::Error) -> (Kind, &'static str) {
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
