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

mod bindings;
mod clusters;
mod faults;
mod http;
mod json;
mod keys;
mod log;
mod organization;
mod page;
mod random;
mod records;
mod routes;
mod scenario;
mod serve;
mod stream;
mod time;
mod tls;
mod token;
mod truth;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::{oneshot, watch};
use tokio_rustls::TlsAcceptor;

pub use faults::{At, Fault, RetryAfter};
pub use log::Request;
pub use scenario::{BindingsServer, Scenario};
pub use truth::Truth;

use faults::Plan;
use log::{Log, lock};
use organization::Organization;
use routes::Service;
use serve::Shared;

/// A running simulator; it stops when dropped.
pub struct Simulator {
    shared: Arc<Shared>,
    truth: Truth,
    address: SocketAddr,
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
        let (tls, certificate) = scenario.https.then(tls::acceptor).unzip();
        let port = scenario.port;
        let shared = Arc::new(Shared {
            log: Log::new(scenario.log_file.as_deref()),
            service: Service::new(Organization::new(scenario)),
            plan: Mutex::new(plan),
            held: watch::Sender::new(false),
        });
        let (stop, stopped) = oneshot::channel();
        let (ready, address) = std::sync::mpsc::channel();
        let served = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("simulator".to_owned())
            .spawn(move || {
                let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                runtime.block_on(listen(port, tls, served, &ready, stopped));
            })
            .expect("a thread");
        let address = address.recv().expect("the simulator listens");
        let truth = Truth::new(Arc::clone(&shared));
        Self { shared, truth, address, certificate, stop: Some(stop), thread: Some(thread) }
    }

    /// Scheme, host and port, without a slash at the end.
    pub fn base_url(&self) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    pub fn api_key(&self) -> &str {
        &self.org().key
    }

    pub fn api_secret(&self) -> &str {
        &self.org().secret
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

    /// Every secret that an API key's record holds though none should: a rude service's. Those of
    /// deleted keys too.
    pub fn key_secrets(&self) -> Vec<String> {
        let org = self.org();
        (0..org.scenario.api_keys).filter_map(|index| keys::secret(org, index)).collect()
    }

    /// Deletes the last `count` records of a stream, in the service and in the truth; says their ids.
    /// With an environment go its Kafka clusters.
    pub fn delete(&mut self, stream: &str, count: usize) -> Vec<String> {
        let stream = truth::known(stream);
        self.truth.forget(stream);
        self.shared.service.delete(stream, count)
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
    port: u16,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    ready: &std::sync::mpsc::Sender<SocketAddr>,
    stopped: oneshot::Receiver<()>,
) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.expect("the port is free");
    // Whoever starts the simulator waits for this.
    let _ = ready.send(listener.local_addr().expect("a bound socket has an address"));
    tokio::select! {
        _ = stopped => {}
        () = serve::accept(listener, tls, shared) => {}
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
mod tests {
    use super::*;
    use crate::http::{Answer, Head};
    use crate::page::Twist;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::Value;

    const CLUSTERS: &str = "/cmk/v2/clusters";

    fn get(sim: &Simulator, target: &str) -> Answer {
        let key = STANDARD.encode(format!("{}:{}", sim.api_key(), sim.api_secret()));
        let head = format!("GET {target} HTTP/1.1\r\nAuthorization: Basic {key}\r\n\r\n");
        sim.shared.service.answer(&Head::read(&head).unwrap(), Twist::None)
    }

    fn json(answer: &Answer) -> Value {
        serde_json::from_slice(&answer.body).unwrap()
    }

    fn environment(sim: &Simulator, number: usize) -> String {
        sim.truth().ids("environments").swap_remove(number)
    }

    fn clusters(sim: &Simulator, environment: &str) -> Vec<Value> {
        let (mut rows, mut place) = (Vec::new(), String::new());
        loop {
            let answer = get(sim, &format!("{CLUSTERS}?environment={environment}&page_size=4{place}"));
            if answer.status == 429 || answer.status == 503 {
                continue;
            }
            assert_eq!(answer.status, 200);
            let page = json(&answer);
            rows.extend(page["data"].as_array().cloned().unwrap_or_default());
            let next = page["metadata"]["next"].as_str().unwrap_or_default();
            let Some((_, query)) = next.split_once("page_token=") else {
                return rows;
            };
            place = format!("&page_token={}", query.split('&').next().unwrap());
        }
    }

    #[test]
    fn the_clusters_of_all_environments_are_the_truth_however_rude() {
        for seed in 0..12 {
            let sim = Simulator::start(Scenario::new().seed(seed).kafka_clusters(11));
            let all: Vec<Value> =
                (0..3).flat_map(|number| clusters(&sim, &environment(&sim, number))).collect();
            assert_eq!((all.len(), all.as_slice()), (33, sim.truth().records("kafka_clusters")));
        }
        let none = Simulator::start(Scenario::new().kafka_clusters(0));
        assert_eq!(clusters(&none, &environment(&none, 0)), [] as [Value; 0]);
        assert_eq!(none.truth().count("kafka_clusters"), 0);
    }

    #[test]
    fn a_polite_link_to_more_clusters_has_the_token_first() {
        let sim = Simulator::start(Scenario::new().kafka_clusters(25).polite());
        let env = environment(&sim, 1);
        let page = json(&get(&sim, &format!("{CLUSTERS}?environment={env}")));
        assert_eq!((&page["kind"], page["data"].as_array().unwrap().len()), (&"ClusterList".into(), 10));
        let next = page["metadata"]["next"].as_str().unwrap();
        assert!(next.starts_with("https://api.confluent.cloud/cmk/v2/clusters?page_token="), "{next}");
        assert!(next.ends_with(&format!("&environment={env}")), "{next}");
        let target = next.trim_start_matches("https://api.confluent.cloud");
        assert_eq!(get(&sim, target).status, 200);
        let other = target.replace(&env, &environment(&sim, 0));
        assert_eq!(get(&sim, &other).status, 400, "the token of another environment");
    }

    #[test]
    fn an_environment_must_be_named_and_exist() {
        let sim = Simulator::start(Scenario::new().polite());
        for target in [CLUSTERS.to_owned(), format!("{CLUSTERS}?environment=&page_size=9")] {
            let answer = get(&sim, &target);
            let error = json(&answer)["errors"][0].clone();
            assert_eq!((answer.status, &error["source"]["parameter"]), (400, &"environment".into()));
        }
        let answer = get(&sim, &format!("{CLUSTERS}?environment=env-nosuch"));
        let error = json(&answer)["errors"][0].clone();
        assert_eq!((answer.status, &error["title"], error.get("detail")), (404, &"Not Found".into(), None));
        let id = sim.truth().ids("kafka_clusters").swap_remove(0);
        let one = |query: &str| get(&sim, &format!("{CLUSTERS}/{id}{query}")).status;
        assert_eq!(one(&format!("?environment={}", environment(&sim, 0))), 200);
        assert_eq!(one(&format!("?environment={}", environment(&sim, 1))), 404);
        assert_eq!(one(""), 400);
    }

    #[test]
    fn clusters_are_narrowed_to_a_network_and_by_nothing_unknown() {
        let sim = Simulator::start(Scenario::new().seed(2).kafka_clusters(60).polite());
        let env = environment(&sim, 0);
        let network = sim.truth().records("kafka_clusters")[..60]
            .iter()
            .find_map(|row| row["spec"]["network"]["id"].as_str())
            .unwrap();
        let found = clusters(&sim, &format!("{env}&spec.network={network}"));
        assert!(!found.is_empty() && found.len() < 60);
        assert!(found.iter().all(|row| row["spec"]["network"]["id"] == network));
        assert_eq!(clusters(&sim, &format!("{env}&colour=red")).len(), 60);
    }

    #[test]
    fn the_clusters_of_one_environment_or_of_all_are_refused() {
        let status = |sim: &Simulator| {
            [0, 1, 2].map(|number| {
                let env = environment(sim, number);
                get(sim, &format!("{CLUSTERS}?environment={env}")).status
            })
        };
        let scenario = || Scenario::new().seed(8).polite();
        assert_eq!(status(&Simulator::start(scenario().refuse("kafka_clusters"))), [403; 3]);
        assert_eq!(status(&Simulator::start(scenario().refuse("kafka_clusters/#1"))), [200, 403, 200]);
        let env = environment(&Simulator::start(scenario()), 2);
        let sim = Simulator::start(scenario().refuse(&format!("kafka_clusters/{env}")));
        assert_eq!(status(&sim), [200, 200, 403]);
        let answer = get(&sim, &format!("{CLUSTERS}?environment={env}"));
        assert_eq!(json(&answer)["errors"][0]["code"], "forbidden_access");
        assert_eq!(sim.truth().count("kafka_clusters"), 6);
    }

    #[test]
    fn clusters_go_by_themselves_or_with_their_environment() {
        let mut sim = Simulator::start(Scenario::new().polite());
        let before = sim.truth().records("kafka_clusters").to_vec();
        let env = environment(&sim, 2);
        assert_eq!(clusters(&sim, &env), before[4..]);
        assert_eq!(sim.delete("kafka_clusters", 1), [before[5]["id"].as_str().unwrap()]);
        assert_eq!(sim.truth().records("kafka_clusters"), &before[..5]);
        assert_eq!(clusters(&sim, &env), before[4..5]);
        assert_eq!(sim.delete("environments", 1), [env.as_str()]);
        assert_eq!(get(&sim, &format!("{CLUSTERS}?environment={env}")).status, 404);
        assert_eq!((sim.truth().count("kafka_clusters"), sim.truth().ids("kafka_clusters").len()), (4, 4));
        assert_eq!(sim.truth().records("kafka_clusters"), &before[..4]);
        assert_eq!(clusters(&sim, &environment(&sim, 1)), before[2..4]);
        sim.delete("environments", 9);
        assert_eq!(sim.truth().count("kafka_clusters"), 0);
    }

    #[test]
    fn key_secrets_are_those_that_the_listing_lets_slip() {
        let sim = Simulator::start(Scenario::new());
        let said = sim.truth().records("api_keys").iter().filter_map(|row| row["spec"]["secret"].as_str());
        let said: Vec<&str> = said.filter(|secret| !secret.is_empty()).collect();
        assert!(!said.is_empty());
        assert_eq!(sim.key_secrets(), said);
        assert_eq!(Simulator::start(Scenario::new().polite()).key_secrets(), [] as [String; 0]);
    }
}
