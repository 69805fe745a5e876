//! What a catalog leaves out of a stream's records.

use std::collections::BTreeMap;

/// Deselected fields, as a tree: a field is dropped whole, or some of what is in it. Whatever is not
/// named is kept, so that fields that no schema declares pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drops(BTreeMap<String, Option<Drops>>);

impl Drops {
    /// Drops the field of that name whole.
    pub fn whole(&mut self, name: &str) {
        self.0.insert(name.to_owned(), None);
    }

    /// Drops within the field of that name; nothing to drop there leaves it alone.
    pub fn within(&mut self, name: &str, drops: Drops) {
        if !drops.is_empty() {
            self.0.insert(name.to_owned(), Some(drops));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields that are dropped whole.
    pub fn wholes(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, within)| within.is_none()).map(|(name, _)| name.as_str())
    }

    /// What is dropped of the field: nothing (none), all of it (`Some(None)`), or some of what is in it.
    pub fn of(&self, name: &str) -> Option<Option<&Drops>> {
        self.0.get(name).map(Option::as_ref)
    }
}
