//! One listing of a stream, as data: what to ask for, and what is known of the records that it brings.
//!
//! Made by `sync::partitions`, which alone knows why a stream falls into these listings. Imports nothing of ours.

/// One listing of a stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Partition {
    /// What it is called in bookmarks, after what it is: `env-1/lkc-2`, `organization/*`. None where the stream has
    /// one listing only.
    pub name: Option<String>,
    /// Path below the base URL, ids percent-encoded.
    pub path: String,
    /// Query parameters, not encoded. They are sent with every page, because a next link may lack them.
    pub query: Vec<(&'static str, String)>,
    /// Columns that are injected into each record, and their values.
    pub columns: Vec<(&'static str, String)>,
    /// The place where a record repeats the id of the listing, and that id.
    pub echo: Option<(&'static [&'static str], String)>,
    /// Of a listing that names a scope, which is the last of `query`: its name once a record of a narrower scope has come,
    /// because then it holds everything. None where that is known already.
    pub inclusive: Option<String>,
    /// Whether records that an earlier listing of the pass has brought are left out.
    pub repeats: bool,
    /// Whether it is read again from its first page if a pass is interrupted or restarted within it.
    pub restarts: bool,
}

impl Partition {
    /// In words, why a record is of another listing; none if it repeats no other id. `text`: of the field at a path.
    pub fn disowns<T: AsRef<str>>(&self, text: impl Fn(&[&str]) -> Option<T>) -> Option<String> {
        let (path, id) = self.echo.as_ref()?;
        let is_other = text(path).is_some_and(|other| !["", id].contains(&other.as_ref()));
        is_other.then(|| format!("a record whose {} is not {id}, which was requested", path.join(".")))
    }
}
