//! The caller's API keys. All of them are made at the start and a rotation only moves on to the next,
//! so that a key that was handed out stays readable.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;

use crate::random::{base64, characters, dice};

/// How many keys there are, the first one included.
pub const MOST: usize = 16;

/// What a rotation does to the key before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldKey {
    /// It is answered 401 from now on.
    Revoked,
    /// It works beside the new one, though only the new one is listed.
    Works,
}

pub struct Credentials {
    /// Ids and secrets.
    pairs: Vec<(String, String)>,
    current: AtomicUsize,
    /// No key before this one works.
    oldest: AtomicUsize,
}

impl Credentials {
    /// `first`: dice for the first pair; the others have dice of their own.
    pub fn new(seed: u64, first: &mut Rng) -> Self {
        let pair = |dice: &mut Rng| {
            let id = characters(dice, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16);
            (id, format!("{}+/{}", base64(dice, 40), base64(dice, 22)))
        };
        let mut pairs = vec![pair(first)];
        pairs.extend((1..MOST as u64).map(|number| pair(&mut dice(&[seed, 0x6b65_7973, number]))));
        Self { pairs, current: AtomicUsize::new(0), oldest: AtomicUsize::new(0) }
    }

    /// How many rotations there have been.
    pub fn rotations(&self) -> usize {
        self.current.load(SeqCst)
    }

    /// The newest key: its id and its secret.
    pub fn newest(&self) -> (&str, &str) {
        let (id, secret) = &self.pairs[self.rotations()];
        (id, secret)
    }

    pub fn rotate(&self, old: OldKey) {
        let next = self.rotations() + 1;
        assert!(next < MOST, "a key can be rotated {} times", MOST - 1);
        self.current.store(next, SeqCst);
        if old == OldKey::Revoked {
            self.oldest.store(next, SeqCst);
        }
    }

    /// Whether what follows `Basic` is a key that works, and its secret.
    pub fn admit(&self, basic: &str) -> bool {
        self.pairs[self.oldest.load(SeqCst)..=self.rotations()]
            .iter()
            .any(|(id, secret)| basic == STANDARD.encode(format!("{id}:{secret}")))
    }
}
