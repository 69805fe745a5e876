//! Remembers the records of the listings of one scope, so that a record in two of them is emitted once.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use crate::partition::Partition;

/// Hashes of the ids that the bare listing of a scope has brought in this pass. None where they are not all known,
/// because another run has read some, or of no use, because no other listing of the scope follows.
#[derive(Default)]
pub struct Emitted {
    hashes: Option<BTreeSet<[u64; 2]>>,
    /// The keys of both halves of a hash are random: nobody can choose ids that have the same.
    hashers: [RandomState; 2],
}

impl Emitted {
    /// Begins a partition, on its first page or on a later one.
    pub fn begin(&mut self, partition: &Partition, is_first_page: bool) {
        if !partition.repeats {
            self.hashes = (partition.inclusive.is_some() && is_first_page).then(BTreeSet::new);
        }
    }

    /// Whether the record with that key has already been emitted in this pass.
    pub fn repeats(&mut self, key: &str, partition: &Partition) -> bool {
        let Some(hashes) = &mut self.hashes else { return false };
        let hash = [0, 1].map(|half: usize| self.hashers[half].hash_one(key));
        if partition.repeats {
            return hashes.contains(&hash);
        }
        hashes.insert(hash);
        false
    }
}
