//! The only place that knows HTTP. `Client::page` is the only place that sends and sleeps.
//!
//! Credentials go to the configured base URL and nowhere else: links in answers are never followed, only
//! their page token is taken, and redirects are followed on the same origin alone.

pub mod auth;
pub mod organization;
pub mod pace;
pub mod page;
pub mod retry;

use std::error::Error as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use reqwest::{Response, header::HeaderMap, redirect};
use url::Url;

use crate::config::{Config, is_loopback};
use crate::error::{Answer, Error, Kind};
use crate::log;
use auth::Auth;
use pace::Pace;
use page::Page;
use retry::Retry;

/// Largest body that is read. A page of 100 records is well under 1 MiB; the largest records known
/// (identity providers with whole key sets) stay under 64 KiB each.
const LARGEST_BODY: usize = 32 << 20;

/// As much of an unexpected body is looked at, to tell what it says.
const LONGEST_COMPLAINT: usize = 64 << 10;

/// Redirects followed for one request.
const MOST_REDIRECTS: usize = 5;

/// One listing, narrowed or not.
#[derive(Clone, Debug)]
pub struct Listing<'a> {
    pub path: &'a str,
    /// The listing's own maximum; the setting `page_size` may lower it.
    pub page_size: u32,
    /// Query parameters that narrow the listing. Sent with every page: a next link carries them or not.
    pub filters: Vec<(&'a str, String)>,
    /// The least role that reads it, to be named where it is refused.
    pub role: &'a str,
}

/// A wait before a page is asked for again.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    pub rate_limited: bool,
    pub duration: Duration,
}

pub struct Client {
    http: reqwest::Client,
    base: Url,
    auth: Auth,
    pace: Mutex<Pace>,
    retry: Retry,
    page_size: u32,
}

/// Why a try brought no page.
struct Failure {
    error: Error,
    /// None: the next try would bring the same. Else the wait that the service asked for, if any.
    retry: Option<Option<Duration>>,
}

impl Client {
    /// # Errors
    /// Config, if the settings make no HTTP client: a proxy or certificates of the environment are broken.
    pub fn new(config: &Config) -> Result<Client, Error> {
        let mut user_agent = format!("{}/{}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        if let Some(suffix) = &config.user_agent {
            user_agent = format!("{user_agent} {suffix}");
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(user_agent)
            .redirect(same_origin(config.base_url.clone()))
            .timeout(config.request_timeout);
        if is_loopback(&config.base_url) {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| {
            Error::config(format!("the HTTP client cannot be set up: {}", causes(&error)))
        })?;
        Ok(Client {
            http,
            base: config.base_url.clone(),
            auth: Auth::new(config),
            pace: Mutex::new(Pace::new(config.max_requests_per_second)),
            retry: Retry {
                max_retries: config.max_retries,
                base: config.retry_base,
                budget: config.max_retry,
            },
            page_size: config.page_size,
        })
    }

    /// Asks for one page until it comes or trying again is pointless. `on_wait` is told of each wait
    /// before a further try.
    ///
    /// # Errors
    /// Denied (401, 403), Unavailable (all tries failed), Config (the host's certificate is not trusted),
    /// Broken (anything else that is not a page).
    pub async fn page(
        &self,
        listing: &Listing<'_>,
        token: Option<&str>,
        on_wait: &impl AsyncFn(Wait),
    ) -> Result<Page, Error> {
        let page = self.fetch(&self.url(listing, token), page::read, on_wait).await;
        page.map_err(|mut error| {
            if error.status() == Some(403) && error.kind == Kind::Denied {
                error.message =
                    format!("{}; the role {} reads it (not verified)", error.message, listing.role);
            }
            error
        })
    }

    /// Asks for one object, by its path, and gives its body; else as `page`.
    ///
    /// # Errors
    /// As `page`.
    pub async fn object(&self, path: &str, on_wait: &impl AsyncFn(Wait)) -> Result<Vec<u8>, Error> {
        self.fetch(&self.at(path), Ok, on_wait).await
    }

    async fn fetch<T>(
        &self,
        url: &Url,
        read: impl Fn(Vec<u8>) -> Result<T, String>,
        on_wait: &impl AsyncFn(Wait),
    ) -> Result<T, Error> {
        let mut failures = 0;
        let mut first_failure = None;
        loop {
            self.turn().await;
            let Failure { mut error, retry } = match self.ask(url, &read).await {
                Ok(read) => return Ok(read),
                Err(failure) => failure,
            };
            let Some(asked) = retry else { return Err(error) };
            failures += 1;
            let now = Instant::now();
            let spent = now - *first_failure.get_or_insert(now);
            let rate_limited = error.status() == Some(429);
            let Some(duration) = self.retry.wait(failures, spent, asked, fastrand::f64()) else {
                error.message = self.given_up(&error, failures, asked);
                return Err(error);
            };
            if rate_limited {
                self.pace().hold(now, duration);
            }
            log::debug(format!("{error}; trying again in {:.1} s", duration.as_secs_f64()));
            on_wait(Wait { rate_limited, duration }).await;
            tokio::time::sleep(duration).await;
        }
    }

    /// The id of the API key that is used.
    pub fn key(&self) -> &str {
        self.auth.key()
    }

    async fn turn(&self) {
        loop {
            let wait = self.pace().turn(Instant::now());
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return,
            }
        }
    }

    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn given_up(&self, error: &Error, tries: u32, asked: Option<Duration>) -> String {
        let asked = asked.filter(|asked| *asked > self.retry.budget);
        let why = match asked {
            Some(asked) => format!(
                "the service asks to wait {} s, more than max_retry_seconds ({} s)",
                asked.as_secs(),
                self.retry.budget.as_secs()
            ),
            None => format!("given up after {tries} {}", if tries == 1 { "try" } else { "tries" }),
        };
        format!("{}: {why}. Run again later: what has been read is kept in the state", error.message)
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url
    }

    fn url(&self, listing: &Listing<'_>, token: Option<&str>) -> Url {
        let mut url = self.at(listing.path);
        let page_size = listing.page_size.min(self.page_size).to_string();
        let mut query = url.query_pairs_mut();
        query.append_pair("page_size", &page_size);
        for (name, value) in &listing.filters {
            query.append_pair(name, value);
        }
        if let Some(token) = token {
            query.append_pair("page_token", token);
        }
        drop(query);
        url
    }

    async fn ask<T>(&self, url: &Url, read: impl Fn(Vec<u8>) -> Result<T, String>) -> Result<T, Failure> {
        let path = url.path();
        let unanswered = |error: reqwest::Error| no_answer(path, &error);
        let response = self.auth.sign(self.http.get(url.clone())).send().await.map_err(unanswered)?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = read_body(response).await.map_err(|error| match error {
            Some(error) => no_answer(path, &error),
            None => Failure { error: Error::broken("the answer is larger than 32 MiB"), retry: None },
        })?;
        let complaint = self.auth.redact(page::complaint(&body[..body.len().min(LONGEST_COMPLAINT)]));
        let (kind, message) = match status {
            200 => match read(body) {
                Ok(read) => return Ok(read),
                Err(words) => (Kind::Broken, words),
            },
            _ => self.refusal(status, &complaint),
        };
        let request_id = headers.get("x-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        let answer = Answer { path: path.to_owned(), status: Some(status), request_id, body: complaint };
        let retry = retry::is_passing(status).then(|| asked_wait(&headers));
        Err(Failure { error: Error { kind, message, answer: Some(Box::new(answer)) }, retry })
    }

    fn refusal(&self, status: u16, complaint: &str) -> (Kind, String) {
        let key = self.auth.key_masked();
        // Some services answer 403 to a key of the wrong kind; Terraform's provider tells it by these words.
        if complaint.contains("Cluster API Key") || (status == 403 && complaint.contains("invalid API key")) {
            let message = format!(
                "the API key {key} is not a Cloud API key: make one with the *Cloud resource management* scope"
            );
            return (Kind::Denied, message);
        }
        match status {
            401 => (
                Kind::Denied,
                format!(
                    "the API key {key} or its secret is wrong (a key made minutes ago may need a few more): \
                     check api_key and api_secret"
                ),
            ),
            403 => (Kind::Denied, format!("the owner of the API key {key} may not read this")),
            429 => (Kind::Unavailable, "the service limits the rate of requests".to_owned()),
            status if retry::is_passing(status) => (Kind::Unavailable, "the service is failing".to_owned()),
            404 => (Kind::Broken, "there is no such listing: check base_url".to_owned()),
            300..=399 => (Kind::Broken, "the service redirects elsewhere, which is not followed".to_owned()),
            _ => (Kind::Broken, "the service refused the request".to_owned()),
        }
    }
}

fn asked_wait(headers: &HeaderMap) -> Option<Duration> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    retry::asked_wait(header("retry-after"), header("x-ratelimit-reset"), Utc::now())
}

/// The whole body; none as the error if it is larger than we take.
async fn read_body(mut response: Response) -> Result<Vec<u8>, Option<reqwest::Error>> {
    let expected = response.content_length().unwrap_or_default();
    let mut body = Vec::with_capacity(usize::try_from(expected).unwrap_or_default().min(LARGEST_BODY));
    while let Some(chunk) = response.chunk().await.map_err(Some)? {
        if body.len() + chunk.len() > LARGEST_BODY {
            return Err(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A request that no whole answer came to: worth another try, unless the other side cannot be trusted.
fn no_answer(path: &str, error: &reqwest::Error) -> Failure {
    let causes = causes(error);
    let (kind, message) = match tls_error(error) {
        Some(rustls::Error::InvalidCertificate(_)) => (
            Kind::Config,
            "the certificate of the host in base_url is not trusted. If it is signed by an authority of your \
             own, name that authority's PEM file in the environment variable SSL_CERT_FILE",
        ),
        Some(_) => (Kind::Unavailable, "no TLS connection can be made to the host in base_url"),
        None if error.is_timeout() => {
            (Kind::Unavailable, "the service did not answer within request_timeout_seconds")
        }
        None if causes.contains("dns error") => {
            (Kind::Unavailable, "the name of the host in base_url cannot be resolved: check it, and DNS")
        }
        None if error.is_connect() => (Kind::Unavailable, "the host in base_url cannot be reached"),
        None => (Kind::Unavailable, "the connection broke before the answer was whole"),
    };
    let answer = Answer { path: path.to_owned(), status: None, request_id: None, body: causes };
    let retry = (kind == Kind::Unavailable).then_some(None);
    Failure { error: Error { kind, message: message.to_owned(), answer: Some(Box::new(answer)) }, retry }
}

/// What TLS had to say. An `io::Error` hides the error it wraps from `source`, so it is opened.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut cause = error.source();
    while let Some(error) = cause {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let tls = inner.and_then(|inner| inner.downcast_ref()).or_else(|| error.downcast_ref());
        if tls.is_some() {
            return tls;
        }
        cause = error.source();
    }
    None
}

/// What lies behind an error, without the URL that reqwest puts in front.
fn causes(error: &reqwest::Error) -> String {
    let mut words = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let word = error.to_string();
        if words.last() != Some(&word) {
            words.push(word);
        }
        cause = error.source();
    }
    words.join(": ")
}

/// Follows redirects on the origin of the base URL only: a credential goes nowhere else.
fn same_origin(base: Url) -> redirect::Policy {
    redirect::Policy::custom(move |attempt| {
        if attempt.url().origin() != base.origin() {
            attempt.stop()
        } else if attempt.previous().len() > MOST_REDIRECTS {
            attempt.error("too many redirects")
        } else {
            attempt.follow()
        }
    })
}
