//! The pretend organization: who and what is in it, made from the seed one record at a time, so
//! that a million users cost no more memory than ten.

use fastrand::Rng;

use crate::credentials::Credentials;
use crate::json::Object;
use crate::random::{dice, mix, one_in, pick, short_id, uuid};
use crate::scenario::Scenario;
use crate::stream::Stream;
use crate::{bindings, clusters, keys, records};

/// The host that links name, wherever the simulator itself listens.
pub const HOST: &str = "https://api.confluent.cloud";
/// The web alias, recorded as `self` of role bindings and in some listings' `next`.
pub const ALIAS: &str = "https://confluent.cloud/api";

pub struct Organization {
    pub scenario: Scenario,
    pub id: String,
    pub name: String,
    pub credentials: Credentials,
}

impl Organization {
    pub fn new(scenario: Scenario) -> Self {
        let mut dice = dice(&[scenario.seed, 0x0bad_cafe]);
        let id = organization_id(scenario.seed, 0);
        let name =
            pick(&mut dice, &["Nordwind Logistics", "Acme & Töchter", "Blue Heron Bank", "Kestrel Energy"]);
        let credentials = Credentials::new(scenario.seed, &mut dice);
        Self { scenario, id, name: name.to_owned(), credentials }
    }

    pub fn count(&self, stream: Stream) -> u64 {
        let scenario = &self.scenario;
        match stream {
            Stream::Users => scenario.users,
            Stream::Invitations => scenario.invitations,
            Stream::ServiceAccounts => scenario.service_accounts,
            Stream::RoleBindings => scenario.role_bindings,
            Stream::Organizations => scenario.organizations,
            Stream::Environments => scenario.environments,
            Stream::ApiKeys => scenario.api_keys,
            Stream::KafkaClusters => scenario.environments * scenario.kafka_clusters,
        }
    }

    /// A record as the API sends it, in one line of JSON.
    pub fn record(&self, stream: Stream, index: u64) -> String {
        let object = match stream {
            Stream::Users => records::user(self, index),
            Stream::Invitations => records::invitation(self, index),
            Stream::ServiceAccounts => records::service_account(self, index),
            Stream::RoleBindings => bindings::record(self, index),
            Stream::Organizations => records::organization(self, index),
            Stream::Environments => records::environment(self, index),
            Stream::ApiKeys => keys::record(self, index),
            Stream::KafkaClusters => clusters::record(self, index),
        };
        self.with_stray(stream, index, object).finish()
    }

    /// Fields may be added to the API any day: rude records carry one that nobody declared.
    fn with_stray(&self, stream: Stream, index: u64, object: Object) -> Object {
        let mut dice = self.dice(stream, index, 1);
        if !self.scenario.rude || !one_in(&mut dice, 20) {
            return object;
        }
        match dice.u32(..4) {
            0 => object.text("x_preview_tier", "gold"),
            1 => object.raw("x_preview_tier", "1.10"),
            2 => object.raw("x_labels", r#"{"team":"søk","n":[1,2.50,null]}"#),
            _ => object.raw("x_labels", "null"),
        }
    }

    /// Dice for one use in one record.
    pub fn dice(&self, stream: Stream, index: u64, what: u64) -> Rng {
        dice(&[self.scenario.seed, stream as u64, index, what])
    }

    pub fn id_of(&self, stream: Stream, index: u64) -> String {
        let seed = self.scenario.seed;
        let short = short_id(seed, stream as u64, index);
        match stream {
            Stream::Users => format!("u-{short}"),
            Stream::Invitations => format!("i-{short}"),
            Stream::ServiceAccounts => format!("sa-{short}"),
            // A capture of a real organization shows ids like u-ymjk3o3077-m among the rb-… ones.
            Stream::RoleBindings if index % 9 == 4 => {
                format!("u-{short}{:04}-m", mix(&[seed, index]) % 10_000)
            }
            Stream::RoleBindings => format!("rb-{short}"),
            Stream::Organizations => organization_id(seed, index),
            Stream::Environments => format!("env-{short}"),
            Stream::ApiKeys if index == 0 => self.credentials.newest().0.to_owned(),
            Stream::ApiKeys => {
                let mut dice = self.dice(stream, index, 2);
                let rest = characters(&mut dice, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 10);
                format!("{}{rest}", short.to_uppercase())
            }
            Stream::KafkaClusters => {
                let (environment, place) = clusters::home(self, index);
                clusters::id(self, environment, place)
            }
        }
    }

    /// The id of somebody who owns a key or holds a role. Every twelfth service account does neither,
    /// and the one before it does so instead.
    pub fn active(&self, stream: Stream, index: u64) -> String {
        let idle = stream == Stream::ServiceAccounts && index % 12 == 7 && index < self.count(stream);
        self.id_of(stream, index - u64::from(idle))
    }

    /// Who owns the caller's key: a user or a service account, whichever the seed says and the
    /// organization has.
    pub fn owner(&self) -> (Stream, String) {
        let prefer_robot = self.scenario.seed % 2 == 1 || self.scenario.users == 0;
        if prefer_robot && self.scenario.service_accounts > 0 {
            (Stream::ServiceAccounts, self.id_of(Stream::ServiceAccounts, 0))
        } else {
            (Stream::Users, self.id_of(Stream::Users, 0))
        }
    }

    /// The organization's own name as a scope.
    pub fn crn(&self) -> String {
        format!("crn://confluent.cloud/organization={}", self.id)
    }
}

fn organization_id(seed: u64, index: u64) -> String {
    uuid(&mut dice(&[seed, 0x0126_a112, index]))
}

pub fn characters(dice: &mut Rng, from: &[u8], count: usize) -> String {
    (0..count).map(|_| char::from(pick(dice, from))).collect()
}

pub fn base64(dice: &mut Rng, count: usize) -> String {
    let all = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    characters(dice, all, count)
}
