//! Records that have been made to fit.

use std::collections::BTreeMap;

/// Records that are ready to be written: JSON objects end to end.
#[derive(Debug, Default)]
pub struct Records {
    /// The objects, without anything between them.
    pub(super) json: Vec<u8>,
    /// Where each object ends.
    pub(super) ends: Vec<usize>,
    /// Paths of the fields that were made null, by the number of the object, for the few that have any.
    pub nulled: BTreeMap<usize, Vec<String>>,
}

impl Records {
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.json[start..*end])
    }

    /// None yet, with room for so many bytes.
    pub fn with_room(bytes: usize) -> Records {
        Records { json: Vec::with_capacity(bytes), ..Records::default() }
    }

    /// Takes the last one off.
    pub fn pop(&mut self) {
        self.ends.pop();
        self.json.truncate(self.ends.last().copied().unwrap_or_default());
        self.nulled.remove(&self.ends.len());
    }
}
