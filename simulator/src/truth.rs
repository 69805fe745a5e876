//! What the organization really holds, for a test to compare with what a client read.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::credentials;
use crate::organization::Organization;
use crate::serve::Shared;
use crate::stream::{STREAMS, Stream};

/// The whole content of every stream, whatever the scenario refuses or breaks.
pub struct Truth {
    shared: Arc<Shared>,
    /// For each stream and each key that the caller may have: the newest one has a record.
    records: [[OnceLock<Vec<Value>>; credentials::MOST]; STREAMS.len()],
}

impl Truth {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, records: Default::default() }
    }

    fn org(&self) -> &Organization {
        &self.shared.service.org
    }

    /// Every record of a stream exactly as the API sends it, in the order of the listing. All of
    /// them are made and kept: for a big organization ask for [`ids`](Self::ids) or
    /// [`record`](Self::record).
    pub fn records(&self, stream: &str) -> &[Value] {
        let stream = known(stream);
        let made = || self.live(stream).into_iter().map(|index| self.make(stream, index)).collect();
        self.records[stream as usize][self.org().credentials.rotations()].get_or_init(made)
    }

    /// One record, by its place in the listing as long as nothing has been deleted.
    pub fn record(&self, stream: &str, index: u64) -> Value {
        self.make(known(stream), index)
    }

    pub fn ids(&self, stream: &str) -> Vec<String> {
        let stream = known(stream);
        self.live(stream).into_iter().map(|index| self.org().id_of(stream, index)).collect()
    }

    pub fn count(&self, stream: &str) -> u64 {
        self.shared.service.count(known(stream))
    }

    /// Looks anew at a stream of which something was deleted.
    pub(crate) fn forget(&mut self, stream: Stream) {
        self.records[stream as usize] = Default::default();
        // Clusters go with their environment.
        if stream == Stream::Environments {
            self.records[Stream::KafkaClusters as usize] = Default::default();
        }
    }

    fn live(&self, stream: Stream) -> Vec<u64> {
        self.shared.service.live(stream)
    }

    fn make(&self, stream: Stream, index: u64) -> Value {
        serde_json::from_str(&self.org().record(stream, index)).expect("records are JSON")
    }
}

pub(crate) fn known(name: &str) -> Stream {
    Stream::named(name).unwrap_or_else(|| panic!("the simulator serves no stream called {name}"))
}
