//! A pretend Confluent Cloud management API on 127.0.0.1, for tests, the demo and benchmarks.
//! Its routes, envelopes, headers and errors are written from what is recorded of the real service,
//! and from nothing in the connector: were it to borrow a path from there, a wrong one would be
//! wrong on both sides and every test green.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a simulator that cannot start or is misused fails its test, loudly"
)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod access;
mod addresses;
mod bindings;
mod certificates;
mod clusters;
mod connectors;
mod costs;
mod credentials;
mod days;
mod encryption;
mod faults;
mod grants;
mod http;
mod identities;
mod integrations;
mod issuer;
mod json;
mod keys;
mod limits;
mod log;
mod networks;
mod oauth;
mod organization;
mod page;
mod places;
mod quota;
mod random;
mod records;
mod refusals;
mod routes;
mod scenario;
mod serve;
mod services;
mod streams;
mod target;
mod time;
mod tls;
mod token;
mod truth;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::{oneshot, watch};
use tokio_rustls::TlsAcceptor;

pub use credentials::OldKey;
pub use faults::{At, Fault, RetryAfter};
pub use grants::Grant;
pub use log::{EXCHANGE, PROVIDER, Request};
pub use oauth::OAuth;
pub use organization::Stream;
pub use scenario::{BindingsServer, Scenario};
pub use streams::STREAMS;
pub use truth::Truth;

use faults::Plan;
use log::{Log, lock};
use organization::{Organization, Row};
use routes::Service;
use serve::Shared;

/// A role binding that has been granted while the service ran.
#[derive(Clone, Debug)]
pub struct Granted {
    /// As the API sends it.
    pub record: Value,
    /// Whether a page of a listing has held it. Answers to those who named a principal or a role do
    /// not count.
    pub listed: bool,
}

/// A running simulator; it stops when dropped.
pub struct Simulator {
    shared: Arc<Shared>,
    truth: Truth,
    address: SocketAddr,
    provider: Option<SocketAddr>,
    certificate: Option<String>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Listens from the moment this returns.
    pub fn start(scenario: Scenario) -> Self {
        let mut plan = Plan::default();
        for (fault, at) in &scenario.faults {
            plan.add(fault.clone(), at.clone());
        }
        let grants = scenario.grants.clone();
        let (tls, certificate) = scenario.https.then(tls::acceptor).unzip();
        let (port, provides) = (scenario.port, scenario.oauth.is_some());
        let shared = Arc::new(Shared {
            log: Log::new(scenario.log_file.as_deref()),
            service: Service::new(Organization::new(scenario, STREAMS)),
            plan: Mutex::new(plan),
            held: watch::Sender::new(false),
        });
        for grant in grants {
            shared.service.grant(grant);
        }
        let (stop, stopped) = oneshot::channel();
        let (ready, address) = std::sync::mpsc::channel();
        let served = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("simulator".to_owned())
            .spawn(move || {
                let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                runtime.block_on(listen((port, provides), tls, served, &ready, stopped));
            })
            .expect("a thread");
        let (address, provider) = address.recv().expect("the simulator listens");
        let truth = Truth::new(Arc::clone(&shared));
        Self { shared, truth, address, provider, certificate, stop: Some(stop), thread: Some(thread) }
    }

    /// Scheme, host and port, without a slash at the end.
    pub fn base_url(&self) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The id of the caller's key; of the newest, once it has been rotated.
    pub fn api_key(&self) -> &str {
        self.org().credentials.newest().0
    }

    pub fn api_secret(&self) -> &str {
        self.org().credentials.newest().1
    }

    pub fn organization_id(&self) -> &str {
        &self.org().id
    }

    pub fn organization_name(&self) -> &str {
        &self.org().name
    }

    /// The user (`u-…`) or service account (`sa-…`) that owns the caller's key.
    pub fn owner_id(&self) -> String {
        self.org().owner().1
    }

    /// PEM, to be trusted through `SSL_CERT_FILE`; none without https.
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    pub fn seed(&self) -> u64 {
        self.org().scenario.seed
    }

    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// All requests so far, in order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.log.requests()
    }

    /// The most requests of different streams that were open at once.
    pub fn max_open(&self) -> usize {
        self.shared.log.max_open()
    }

    /// How many requests have met a fault, or a hiccup of a rude service.
    pub fn faults_met(&self) -> u64 {
        self.shared.service.faults.load(SeqCst)
    }

    /// Plans a fault from now on; its requests are counted from now.
    pub fn add_fault(&self, fault: Fault, at: At) {
        at.of().filter(|stream| !stream.starts_with('(')).map(|stream| self.org().stream(stream));
        lock(&self.shared.plan).add(fault, at);
    }

    /// Forgets all planned faults.
    pub fn clear_faults(&self) {
        *lock(&self.shared.plan) = Plan::default();
    }

    /// From now on every page token is answered 400, as an expired one; or no more.
    pub fn refuse_tokens(&self, refuse: bool) {
        self.shared.service.refuse_tokens.store(if refuse { 400 } else { 0 }, SeqCst);
    }

    /// The same with another status.
    pub fn refuse_tokens_with(&self, status: u16) {
        self.shared.service.refuse_tokens.store(status, SeqCst);
    }

    /// Page tokens handed out until now are answered 400; new ones work.
    pub fn expire_tokens(&self) {
        self.shared.service.generation.fetch_add(1, SeqCst);
    }

    /// Page tokens handed out until now are answered by an empty last page, also those that were
    /// answered 400; new ones work.
    pub fn expire_tokens_to_empty(&self) {
        let service = &self.shared.service;
        service.emptied.store(service.generation.fetch_add(1, SeqCst) + 1, SeqCst);
    }

    /// Gives the caller another key, of the same owner, and says its id and secret. The record of the
    /// caller's key is the new one's from now on, in the truth too.
    pub fn rotate_key(&self, old: OldKey) -> (&str, &str) {
        self.org().credentials.rotate(old);
        self.org().credentials.newest()
    }

    /// Every secret that an API key's record holds though none should: a rude service's. Those of
    /// deleted keys too.
    pub fn key_secrets(&self) -> Vec<String> {
        self.secrets("api_keys", keys::secret)
    }

    /// Every secret that stands unmasked in what a connector is set up with.
    pub fn connector_secrets(&self) -> Vec<String> {
        self.secrets("connectors", connectors::secret)
    }

    fn secrets(&self, stream: &str, secret: fn(&Organization, Row) -> Option<String>) -> Vec<String> {
        let org = self.org();
        (0..org.count(stream)).filter_map(|index| secret(org, org.row(stream, index))).collect()
    }

    /// Deletes the last `count` records of a stream, in the service and in the truth; says their ids.
    /// With a record goes what is in it: with an environment its Kafka clusters, with these their
    /// connectors.
    pub fn delete(&mut self, stream: &str, count: usize) -> Vec<String> {
        self.truth.forget();
        self.shared.service.delete(self.org().stream(stream), count)
    }

    /// From now on it is this day, `yyyy-mm-dd`, in the service and in the truth. What days have left
    /// by then may have changed.
    pub fn set_today(&mut self, date: &str) {
        self.org().set_today(time::day(date).expect("a date"));
        self.truth.forget();
        self.shared.service.forget_listings();
    }

    /// The day that it is, `yyyy-mm-dd`.
    pub fn today(&self) -> String {
        time::date(self.org().today())
    }

    /// Grants role bindings, at once or when they are due.
    pub fn grant(&self, grant: Grant) {
        self.shared.service.grant(grant);
    }

    /// The role bindings that have been granted while the service ran, in that order. The truth holds
    /// those that were there from the start, and none of these.
    pub fn granted(&self) -> Vec<Granted> {
        let record = |index| self.truth.make(self.org().row("role_bindings", index));
        let granted = lock(&self.shared.service.grants);
        granted.granted().map(|(index, listed)| Granted { record: record(index), listed }).collect()
    }

    /// Holds all answers back until [`release`](Self::release).
    pub fn hold(&self) {
        self.shared.held.send_replace(true);
    }

    pub fn release(&self) {
        self.shared.held.send_replace(false);
    }

    fn org(&self) -> &Organization {
        &self.shared.service.org
    }
}

async fn listen(
    (port, provides): (u16, bool),
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    ready: &std::sync::mpsc::Sender<(SocketAddr, Option<SocketAddr>)>,
    stopped: oneshot::Receiver<()>,
) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.expect("the port is free");
    let provider = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("there is a free port");
    let address = |listener: &TcpListener| listener.local_addr().expect("a bound socket has an address");
    // Whoever starts the simulator waits for this.
    let _ = ready.send((address(&listener), provides.then(|| address(&provider))));
    let provide = async {
        if provides {
            serve::accept(provider, tls.clone(), Arc::clone(&shared), true).await;
        }
        std::future::pending().await
    };
    tokio::select! {
        _ = stopped => {}
        () = serve::accept(listener, tls.clone(), Arc::clone(&shared), false) => {}
        () = provide => {}
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator")
            .field("base_url", &self.base_url())
            .field("seed", &self.seed())
            .field("scenario", &self.org().scenario)
            .finish_non_exhaustive()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic over there has been printed already.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
