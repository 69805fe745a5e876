//! How tokens of an identity pool are given.

use std::time::Duration;

use crate::random::{characters, dice};

/// How tokens are given.
#[derive(Clone, Debug)]
pub struct OAuth {
    pub lifetime: Duration,
    pub requests: u64,
    pub audience: String,
    pub scope: Option<String>,
}

impl Default for OAuth {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_secs(3600),
            requests: u64::MAX,
            audience: "confluent".to_owned(),
            scope: None,
        }
    }
}

impl OAuth {
    /// How long a token of the service is good for, as the exchange tells; an hour unless said.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// How many requests it is good for, as nobody tells.
    pub fn requests(mut self, requests: u64) -> Self {
        self.requests = requests;
        self
    }

    /// The audience that the pool wants; `confluent` unless said, which is also the provider's usual one.
    pub fn audience(mut self, audience: &str) -> Self {
        audience.clone_into(&mut self.audience);
        self
    }

    /// The scope without which the provider gives no token.
    pub fn scope(mut self, scope: &str) -> Self {
        self.scope = Some(scope.to_owned());
        self
    }
}

/// The id of the pool; no listing has it. With oauth it holds the role that the owner of the key holds without.
pub fn pool(seed: u64) -> String {
    format!("pool-{}", characters(&mut dice(&[seed, 0x706f_6f6c]), b"ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", 4))
}
