//! Remembers the records of the listings of one scope, so that a record in two of them is emitted once.

use std::collections::HashSet;

use ring::digest;

use crate::partition::Partition;

/// Hashes of the ids that the bare listing of a scope has brought in this pass. None where they are not all known,
/// because another run has read some, or of no use, because no other listing of the scope follows.
#[derive(Default)]
pub struct Emitted(Option<HashSet<[u8; 16]>>);

impl Emitted {
    /// Begins a partition, on its first page or on a later one.
    pub fn begin(&mut self, partition: &Partition, is_first_page: bool) {
        if !partition.repeats {
            self.0 = (partition.observes.is_some() && is_first_page).then(HashSet::new);
        }
    }

    /// Whether the record with that key has already been emitted in this pass.
    pub fn repeats(&mut self, key: &str, partition: &Partition) -> bool {
        let Some(emitted) = &mut self.0 else { return false };
        let digest = digest::digest(&digest::SHA256, key.as_bytes());
        let Some(hash) = digest.as_ref().first_chunk::<16>() else { return false };
        if partition.repeats {
            return emitted.contains(hash);
        }
        emitted.insert(*hash);
        false
    }
}
