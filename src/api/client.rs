//! Sends requests and sleeps. No other module does either.
//!
//! Credentials go to the configured hosts, each to its own, and nowhere else: links in answers are never followed, only
//! their page token is taken, and redirects are followed on the same origin alone.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use chrono::Utc;
use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use url::Url;

use super::auth::{self, Auth, PROVIDER, Party, SERVICE, Token};
use super::body;
use super::complaint::{self, Complaint};
use super::connection::{causes, failure, http};
use super::pace::{Pace, Wait};
use super::page::{self, Page, PageError};
use super::retry;
use crate::config::Config;
use crate::error::{Answer, Error, Kind};
use crate::partition::Partition;
use crate::streams::{Envelope, Stream};

/// Describes a text that must be neither shown nor stored.
pub const BETRAYS: &str = "contains a piece of the credentials, and is neither used nor kept";

/// What it means if the first answer is 404, and not of the service.
pub const NOTHING_THERE: &str = "nothing is served at this path: check base_url and its path prefix";

/// Where tokens are exchanged.
const EXCHANGE_PATH: &str = "/sts/v1/oauth2/token";

/// Longer waits for the pace are logged.
const LONGEST_UNTOLD: Duration = Duration::from_secs(5);

pub struct Client {
    http: reqwest::Client,
    /// For the identity provider, because redirects and proxies differ by host.
    provider: Option<(reqwest::Client, Url)>,
    pub config: Config,
    pub auth: Auth,
    pace: RefCell<Pace>,
    /// Whether the service has accepted the key in this run.
    pub(super) accepted: Cell<bool>,
    /// Pages and records that have been requested so far, without retries.
    pub requests: Cell<u64>,
}

impl Client {
    /// # Errors
    /// Config, if no HTTP client can be built from the settings: a proxy or certificates are invalid, or a setting that
    /// others can see contains a piece of the secret.
    pub fn new(config: &Config) -> Result<Client, Error> {
        Ok(Client {
            http: http(config, &config.base_url)?,
            provider: config.oauth_token_url.clone().map(|url| Ok((http(config, &url)?, url))).transpose()?,
            config: config.clone(),
            auth: Auth::new(config)?,
            pace: RefCell::new(Pace::new(config.concurrency as u64, config.max_requests_per_second)),
            accepted: Cell::new(false),
            requests: Cell::new(0),
        })
    }

    /// Requests a page of a listing, the first one if there is no `token`. `on_wait` is called for each wait before a
    /// retry and for long waits for the pace, and is cancelled if it takes longer than the wait. The page is retried
    /// until it comes or a retry is pointless; without `on_wait` it is tried once, because it is not worth a wait.
    ///
    /// # Errors
    /// Denied (401, 403), Unavailable (all tries failed), Config (the host's certificate is not trusted),
    /// Broken (anything else that is not a page).
    pub async fn page(
        &self,
        stream: &Stream,
        partition: &Partition,
        token: Option<&str>,
        on_wait: Option<&impl AsyncFn(Wait)>,
    ) -> Result<Page, Error> {
        let ask = async |asked| self.ask_page(asked, stream).await;
        self.authorized(&self.url(stream, partition, token), ask, on_wait).await
    }

    /// Requests a record in the same way and returns its body. `role`: the least role that can read it.
    ///
    /// # Errors
    /// As for a page.
    pub async fn record(
        &self,
        path: &str,
        role: &str,
        on_wait: Option<&impl AsyncFn(Wait)>,
    ) -> Result<Vec<u8>, Error> {
        let ask = async |asked| Ok(self.ask(asked, SERVICE, role).await?.0);
        self.authorized(&self.at(path), ask, on_wait).await
    }

    /// Asks with what authorizes a request; if that is refused, once more with a new token.
    async fn authorized<T>(
        &self,
        url: &Url,
        ask: impl AsyncFn(RequestBuilder) -> Result<T, Error>,
        on_wait: Option<&impl AsyncFn(Wait)>,
    ) -> Result<T, Error> {
        self.requests.set(self.requests.get() + 1);
        // A token is waited for by others, too.
        let send = async |party, form: String| {
            self.insist(true, async || self.token(party, &form, on_wait).await, on_wait).await
        };
        let ask = async || {
            let mut refused = None;
            loop {
                self.turn(on_wait).await;
                let header = self.auth.header(refused.as_ref(), send).await?;
                let asked = ask(self.http.get(url.clone()).header(AUTHORIZATION, &header)).await;
                let is_refused = asked.as_ref().is_err_and(|error| error.meant() == Some(401));
                if !is_refused || refused.is_some() || self.config.api_key.is_some() {
                    return asked;
                }
                refused = Some(header);
            }
        };
        self.insist(on_wait.is_some(), ask, on_wait).await
    }

    async fn insist<T>(
        &self,
        insists: bool,
        ask: impl AsyncFn() -> Result<T, Error>,
        on_wait: Option<&impl AsyncFn(Wait)>,
    ) -> Result<T, Error> {
        let (mut failures, mut first_failure) = (0, None);
        loop {
            let asked = ask().await;
            let Err(mut error) = asked else { return asked };
            let is_passing = insists && error.kind == Kind::Unavailable;
            let Some(answer) = error.answer.as_mut().filter(|answer| is_passing && !answer.is_last) else {
                return Err(error);
            };
            let is_rate_limit = answer.claimed.or(answer.status) == Some(429);
            let (now, asked) = (Instant::now(), answer.retry_after);
            let spent = now - *first_failure.get_or_insert(now);
            failures += 1;
            let Some(duration) = self.config.retry.wait(failures, spent, asked, fastrand::f64()) else {
                answer.is_last = true;
                error.message = self.given_up(&error, failures, asked);
                return Err(error);
            };
            if is_rate_limit {
                self.pace.borrow_mut().hold(now, duration);
            }
            let why = if is_rate_limit { "rate limited".into() } else { error.to_string().into() };
            sit_out(Wait { why, is_retry: true, is_rate_limit, duration }, on_wait).await;
        }
    }

    async fn turn(&self, on_wait: Option<&impl AsyncFn(Wait)>) {
        let (begun, mut told) = (Instant::now(), None);
        loop {
            let now = Instant::now();
            let Some(wait) = self.pace.borrow_mut().turn(now) else { return };
            // Other tasks may take their turns first, so a long wait can consist of many short ones.
            if told.as_ref() == Some(&wait.why) || now - begun + wait.duration <= LONGEST_UNTOLD {
                tokio::time::sleep(wait.duration).await;
            } else {
                told = Some(wait.why.clone());
                sit_out(wait, on_wait).await;
            }
        }
    }

    fn given_up(&self, error: &Error, failures: u32, asked: Option<Duration>) -> String {
        let retry = &self.config.retry;
        let budget = format!("max_retry_seconds ({} s)", retry.budget.as_secs_f64());
        let tries = format!("gave up after {failures} {}", if failures == 1 { "try" } else { "tries" });
        let why = match asked {
            Some(asked) if asked > retry.budget => {
                format!("a wait of {} s is asked for, which is more than {budget}", asked.as_secs())
            }
            _ if failures > retry.max_retries => tries,
            _ => format!("{tries}, because the next one would come after {budget}"),
        };
        format!("{}: {why}. Try again later", error.message)
    }

    fn at(&self, path: &str) -> Url {
        let base = &self.config.base_url;
        let mut url = base.clone();
        url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
        url
    }

    fn url(&self, stream: &Stream, partition: &Partition, token: Option<&str>) -> Url {
        let mut url = self.at(&partition.path);
        let page_size = self.config.page_size.unwrap_or(stream.page_size).min(stream.max_page_size);
        let page_size = (stream.envelope == Envelope::List).then(|| page_size.to_string());
        url.query_pairs_mut()
            .extend_pairs(page_size.map(|size| ("page_size", size)))
            .extend_pairs(stream.query)
            .extend_pairs(&partition.query)
            .extend_pairs(token.map(|token| ("page_token", token)));
        url
    }

    async fn ask_page(&self, request: RequestBuilder, stream: &Stream) -> Result<Page, Error> {
        let role = stream.role;
        let (body, mut answer) = self.ask(request, SERVICE, role).await?;
        let (why, body) = match page::read(body, stream.envelope) {
            Ok(page) if page.next.as_ref().is_some_and(|token| self.auth.is_in(token)) => {
                return Err(Error::answered(Kind::Broken, format!("its page token {BETRAYS}"), answer));
            }
            Ok(mut page) => {
                page.request_id = answer.request_id;
                self.accepted.set(true);
                return Ok(page);
            }
            Err(unread) => unread,
        };
        let Complaint { said, status, .. } = complaint::read(&body, true);
        (answer.body, answer.claimed) = (self.quote(said.clone()), status);
        let (kind, words) = match (why, answer.claimed) {
            (PageError::Cut, _) => (Kind::Unavailable, "the response was truncated".to_owned()),
            (_, Some(claimed)) => {
                let (kind, meaning) = self.of_status(claimed, &said, role);
                (kind, format!("the response reports an error with status {claimed}: {meaning}"))
            }
            (PageError::Complaint, None) => {
                (Kind::Broken, "the response reports an error and is not a page of the listing".to_owned())
            }
            (PageError::Broken(words), None) => (Kind::Broken, words.to_owned()),
        };
        Err(Error::answered(kind, words, answer))
    }

    /// Requests a token.
    async fn token(
        &self,
        party: Party,
        form: &str,
        on_wait: Option<&impl AsyncFn(Wait)>,
    ) -> Result<Token, Error> {
        self.turn(on_wait).await;
        let exchange = || (self.http.clone(), self.at(EXCHANGE_PATH));
        let (http, url) = self.provider.clone().filter(|_| party == PROVIDER).unwrap_or_else(exchange);
        let request = http.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.header(ACCEPT, "application/json").body(form.to_owned());
        let (body, mut answer) = self.ask(request, party, "").await?;
        // Nothing of the body is quoted: it may contain a token.
        let broken = (Kind::Broken, "the response contains no token that can be used".to_owned());
        auth::token(&body).ok_or_else(|| {
            answer.claimed = complaint::read(&body, true).status;
            let (kind, words) = answer.claimed.map_or(broken, |claimed| self.of_token(claimed, party));
            Error::answered(kind, words, answer)
        })
    }

    /// Sends one request and returns the body of its response if that has status 200.
    async fn ask(&self, asked: RequestBuilder, party: Party, role: &str) -> Result<(Vec<u8>, Answer), Error> {
        let (http, request) = asked.build_split();
        let path = request.as_ref().map_or("", |request| request.url().path());
        let path = self.auth.withhold(path.replace(self.config.identity().1, &self.id_masked()));
        let asked = Answer { path, is_post: party != SERVICE, ..Answer::default() };
        let unanswered = |error: reqwest::Error| {
            let ((kind, words), body) = (failure(&error), self.auth.withhold(causes(&error)));
            Error::answered(kind, party.words(words), Answer { body, ..asked.clone() })
        };
        let response = http.execute(request.map_err(unanswered)?).await.map_err(unanswered)?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let quota = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"].map(header);
        // Other hosts give the reset as a point in time.
        let quota @ [.., reset] = if party == PROVIDER { [None; 3] } else { quota };
        let mut answer = Answer {
            status: Some(status),
            request_id: headers.get("x-request-id").and_then(|id| self.request_id(id.as_bytes())),
            retry_after: retry::asked_wait(status, header("retry-after"), reset, Utc::now()),
            ..asked.clone()
        };
        let body = match body::read(response).await.map_err(unanswered)? {
            Ok(body) => body,
            Err((kind, words)) => return Err(Error::answered(kind, words, answer)),
        };
        if status == 200 {
            if let [Some(limit), Some(remaining), Some(reset)] = quota.map(|text| text?.trim().parse().ok()) {
                self.pace.borrow_mut().spread(Instant::now(), limit, remaining, reset);
            }
            return Ok((body, answer));
        }
        let Complaint { said, is_json, .. } = complaint::read(&body, party != SERVICE);
        let (kind, message) = match status {
            _ if party != SERVICE => self.of_token(status, party),
            // The service itself responds with JSON.
            404 if !self.accepted.get() && !is_json => (Kind::Config, NOTHING_THERE.to_owned()),
            _ => self.of_status(status, &said, role),
        };
        // Other text of a token endpoint may be a token that is not known yet.
        answer.body = if party == SERVICE || is_json { self.quote(said) } else { String::new() };
        Err(Error::answered(kind, message, answer))
    }
}

/// Reports a wait, even one of zero length, and then waits.
async fn sit_out(wait: Wait, on_wait: Option<&impl AsyncFn(Wait)>) {
    let slept = tokio::time::sleep(wait.duration);
    let Some(tell) = on_wait else { return slept.await };
    tokio::select! {
        biased;
        () = async { tell(wait).await; std::future::pending().await } => {}
        () = slept => {}
    }
}
