//! What a catalog leaves out of a stream's records. Imports nothing of ours.

use std::collections::BTreeSet;

/// Paths of the fields that are left out, each with all that is in it. Whatever is not named is kept, so that fields
/// that no schema declares pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deselected(BTreeSet<Vec<String>>);

impl Deselected {
    /// Leaves out the field at that path.
    pub fn insert(&mut self, path: Vec<String>) {
        self.0.insert(path);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names of the fields that are left out of the object at that path.
    pub fn of<'a>(&'a self, object: &'a [String]) -> impl Iterator<Item = &'a String> {
        self.0
            .iter()
            .filter_map(move |path| path.split_last().filter(|(_, at)| *at == object))
            .map(|(name, _)| name)
    }
}
