//! What the organization really holds, for a test to compare with what a client read.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::credentials;
use crate::organization::{Organization, Row, Stream};
use crate::serve::Shared;
use crate::streams::STREAMS;

/// The whole content of every stream, whatever the scenario refuses or breaks.
pub struct Truth {
    shared: Arc<Shared>,
    /// For each stream and each key that the caller may have: the newest one has a record.
    records: BTreeMap<&'static str, Records>,
}

type Records = [OnceLock<Vec<Value>>; credentials::MOST];

impl Truth {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let records = STREAMS.iter().map(|stream| (stream.name, Records::default()));
        Self { shared, records: records.collect() }
    }

    /// Every record of a stream exactly as the API sends it, in the order of the listing. All of
    /// them are made and kept: for a big organization ask for [`ids`](Self::ids) or
    /// [`record`](Self::record).
    pub fn records(&self, stream: &str) -> &[Value] {
        let stream = self.org().stream(stream);
        let made = || self.live(stream).into_iter().map(|row| self.make(row)).collect();
        self.records[stream.name][self.org().credentials.rotations()].get_or_init(made)
    }

    /// One record, by its place in the listing.
    pub fn record(&self, stream: &str, place: u64) -> Value {
        let stream = self.org().stream(stream);
        let whole = self.shared.service.count(stream) == self.org().count(stream.name);
        let row = if whole { Row { stream, index: place } } else { self.live(stream)[place as usize] };
        self.make(row)
    }

    pub fn ids(&self, stream: &str) -> Vec<String> {
        self.live(self.org().stream(stream)).into_iter().map(|row| self.org().id_of(row)).collect()
    }

    /// For each record, in the order of [`ids`](Self::ids), the ids of the records that it is in, the
    /// outermost first: of a connector its environment and its cluster.
    pub fn homes(&self, stream: &str) -> Vec<Vec<String>> {
        let ids = |row| self.org().homes(row).into_iter().map(|home| self.org().id_of(home)).collect();
        self.live(self.org().stream(stream)).into_iter().map(ids).collect()
    }

    pub fn count(&self, stream: &str) -> u64 {
        self.shared.service.count(self.org().stream(stream))
    }

    /// Looks anew, because something has been deleted, here and in whatever was in it.
    pub(crate) fn forget(&mut self) {
        self.records.values_mut().for_each(|records| *records = Records::default());
    }

    pub(crate) fn make(&self, row: Row) -> Value {
        serde_json::from_str(&self.org().record(row)).expect("records are JSON")
    }

    fn live(&self, stream: &'static Stream) -> Vec<Row> {
        self.shared.service.live(stream, None)
    }

    fn org(&self) -> &Organization {
        &self.shared.service.org
    }
}
