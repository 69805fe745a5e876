//! What a simulator is asked to be: how big, how rude, which kind of role-bindings server, what
//! goes wrong. Only facts; nothing here runs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::faults::{At, Fault};
use crate::grants::Grant;
use crate::oauth::OAuth;
use crate::time::{Day, day};

/// What a role-bindings listing takes `crn_pattern` for, with a scope X (an organization, an
/// environment or a cluster). Confluent's own documents and clients disagree, so all are offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BindingsServer {
    /// `X` is X itself; `X/*` is X and everything nested in it.
    #[default]
    Inclusive,
    /// `X` is X itself; `X/*` is what is nested in X, without X.
    NestedOnly,
    /// `X` is everything whose pattern starts with it; `X/*` is taken literally and finds nothing.
    Partial,
}

/// A rate limit as good answers tell it.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    pub limit: u64,
    pub remaining: u64,
    /// Seconds that a window is long.
    pub reset: u64,
}

/// A simulator to be started. Rude unless [`polite`](Self::polite).
#[derive(Clone, Debug)]
pub struct Scenario {
    pub(crate) seed: u64,
    pub(crate) rude: bool,
    /// Of the streams that do not have their usual size.
    pub(crate) sizes: BTreeMap<String, u64>,
    pub(crate) today: Option<Day>,
    pub(crate) past_days: u64,
    pub(crate) organization_bindings: Option<u64>,
    pub(crate) bindings: BindingsServer,
    pub(crate) latency: Duration,
    pub(crate) quota: Option<Quota>,
    pub(crate) links_to: Option<String>,
    pub(crate) https: bool,
    pub(crate) port: u16,
    pub(crate) oauth: Option<OAuth>,
    pub(crate) weak_key: bool,
    pub(crate) resource_key: bool,
    pub(crate) refused: Vec<String>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) faults: Vec<(Fault, At)>,
    pub(crate) log_file: Option<PathBuf>,
}

impl Default for Scenario {
    fn default() -> Self {
        Self::new()
    }
}

impl Scenario {
    /// A middling organization, rude, with a seed of its own (see [`Simulator::seed`](crate::Simulator::seed)).
    pub fn new() -> Self {
        Self {
            seed: fastrand::u64(..1_000_000),
            rude: true,
            sizes: BTreeMap::new(),
            today: None,
            past_days: 10,
            organization_bindings: None,
            bindings: BindingsServer::default(),
            latency: Duration::ZERO,
            quota: None,
            links_to: None,
            https: false,
            port: 0,
            oauth: None,
            weak_key: false,
            resource_key: false,
            refused: Vec::new(),
            grants: Vec::new(),
            faults: Vec::new(),
            log_file: None,
        }
    }

    /// The same seed gives the same organization and the same rudeness; only tokens differ.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Turns all rudeness off: full pages, no hiccups, one form of last page.
    pub fn polite(mut self) -> Self {
        self.rude = false;
        self
    }

    /// How many records a stream has; one that is narrowed to the records of another stream, how
    /// many in each of these. The methods that are called like a stream do the same.
    pub fn size(mut self, stream: &str, count: u64) -> Self {
        self.sizes.insert(stream.to_owned(), count);
        self
    }

    pub fn users(self, count: u64) -> Self {
        self.size("users", count)
    }

    pub fn invitations(self, count: u64) -> Self {
        self.size("invitations", count)
    }

    pub fn service_accounts(self, count: u64) -> Self {
        self.size("service_accounts", count)
    }

    /// How many role bindings there are, those of the organization itself included.
    pub fn role_bindings(self, count: u64) -> Self {
        self.size("role_bindings", count)
    }

    /// How many of the role bindings are the organization's own; a sixth unless said.
    pub fn organization_bindings(mut self, count: u64) -> Self {
        self.organization_bindings = Some(count);
        self
    }

    pub fn environments(self, count: u64) -> Self {
        self.size("environments", count)
    }

    /// How many organizations the listing shows. The key belongs to the first; the role bindings
    /// of the others are refused.
    pub fn organizations(self, count: u64) -> Self {
        self.size("organizations", count)
    }

    /// How many API keys there are; the first is the caller's own.
    pub fn api_keys(self, count: u64) -> Self {
        self.size("api_keys", count)
    }

    /// How many Kafka clusters each environment has.
    pub fn kafka_clusters(self, count: u64) -> Self {
        self.size("kafka_clusters", count)
    }

    pub fn identity_providers(self, count: u64) -> Self {
        self.size("identity_providers", count)
    }

    /// How many pools each identity provider has, but for the one that has none in a rude organization.
    pub fn identity_pools(self, count: u64) -> Self {
        self.size("identity_pools", count)
    }

    /// How many connectors each Kafka cluster has, but for the one that has none in a rude organization.
    pub fn connectors(self, count: u64) -> Self {
        self.size("connectors", count)
    }

    /// How many lines each day costs.
    pub fn billing_costs(self, count: u64) -> Self {
        self.size("billing_costs", count)
    }

    /// The day on which it is started, `yyyy-mm-dd`; the real one in UTC unless said. It stays that day
    /// until [`Simulator::set_today`](crate::Simulator::set_today).
    pub fn today(mut self, date: &str) -> Self {
        self.today = Some(day(date).expect("a date"));
        self
    }

    /// How many days before that day the first one was that cost anything; 10 unless said.
    pub fn past_days(mut self, count: u64) -> Self {
        self.past_days = count;
        self
    }

    pub fn bindings(mut self, server: BindingsServer) -> Self {
        self.bindings = server;
        self
    }

    /// How long each answer is kept back.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// What good answers say of the rate limit: of `limit` requests in `reset` seconds so many remain,
    /// one less with each, and all again when the seconds are over. Nothing is refused because of it.
    pub fn quota(mut self, limit: u64, remaining: u64, reset: u64) -> Self {
        self.quota = Some(Quota { limit, remaining, reset });
        self
    }

    /// Next links name this origin (scheme, host and port) instead of the public ones.
    pub fn links_to(mut self, origin: &str) -> Self {
        self.links_to = Some(origin.to_owned());
        self
    }

    /// Serves https, with a certificate made at start for 127.0.0.1 and localhost.
    pub fn https(mut self) -> Self {
        self.https = true;
        self
    }

    /// A port of 127.0.0.1 to listen on; a free one unless said.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Takes tokens besides the key, and plays an identity provider on an origin of its own.
    pub fn oauth(mut self, oauth: OAuth) -> Self {
        self.oauth = Some(oauth);
        self
    }

    /// The owner of the caller's key holds no OrganizationAdmin, and of API keys sees only their own. The other
    /// listings stay whole.
    pub fn weak_key(mut self) -> Self {
        self.weak_key = true;
        self
    }

    /// The right key answers 401 as the key of a Kafka cluster does.
    pub fn resource_key(mut self) -> Self {
        self.resource_key = true;
        self
    }

    /// Answers 403 to every request for a stream; `role_bindings/*` refuses only the
    /// organization's inclusive listing (`crn_pattern=…organization=ORG/*`), `kafka_clusters/env-…`
    /// only the clusters of that environment, and `kafka_clusters/#N` those of environment number N
    /// as the listing has them, the first one being number 0; likewise for whatever is narrowed to
    /// the records of another stream, by the id of any of them that the request names.
    pub fn refuse(mut self, stream: &str) -> Self {
        self.refused.push(stream.to_owned());
        self
    }

    /// Plans role bindings that are granted while the service runs; see
    /// [`Simulator::granted`](crate::Simulator::granted).
    pub fn grant(mut self, grant: Grant) -> Self {
        self.grants.push(grant);
        self
    }

    /// Plans a fault; the first planned fault that fits a request is the one it meets.
    pub fn fault(mut self, fault: Fault, at: At) -> Self {
        self.faults.push((fault, at));
        self
    }

    /// Writes one line of JSON a request to this file, as requests end.
    pub fn log_file(mut self, path: PathBuf) -> Self {
        self.log_file = Some(path);
        self
    }

    /// Every stream that is named.
    pub(crate) fn streams(&self) -> impl Iterator<Item = &str> {
        let refused = self.refused.iter().map(|refused| refused.split('/').next().unwrap_or_default());
        let faulty = self.faults.iter().filter_map(|(_, at)| at.of()).filter(|name| !name.starts_with('('));
        self.sizes.keys().map(String::as_str).chain(refused).chain(faulty)
    }
}
