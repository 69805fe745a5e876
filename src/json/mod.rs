//! JSON, read once: where each value of a text stands, and what is in it. Imports nothing of ours.
//!
//! A text is checked as a whole, and nothing of it is rebuilt: names and values stay slices of it.

mod scan;
mod text;

use std::borrow::Cow;

pub use scan::Unread;
use scan::{Node, scan};
pub use text::push_text;
use text::{copy, has_replaced, is_plain};

/// Byte order mark, which some editors write and which may precede JSON (RFC 8259, 8.1).
pub const MARK: char = '\u{feff}';

/// How many objects and arrays may be inside of each other in a record. serde_json refuses lines deeper than 127, of
/// which Airbyte's messages take two.
pub const DEEPEST: usize = 125;

/// A JSON text, and where each value in it stands.
#[derive(Debug)]
pub struct Tape {
    text: String,
    /// All values, in the order in which they begin.
    nodes: Vec<Node>,
}

impl Tape {
    /// Reads a text, which may begin with byte order marks. `deepest`: as many objects and arrays that are inside of
    /// each other are looked into.
    ///
    /// # Errors
    /// See [`Unread`]; the text is handed back.
    pub fn read(text: String, deepest: usize) -> Result<Tape, (Unread, String)> {
        let at = text.len() - text.trim_start_matches(MARK).len();
        match scan(&text, at, deepest) {
            Ok(nodes) => Ok(Tape { text, nodes }),
            Err(why) => Err((why, text)),
        }
    }

    /// The whole text.
    pub fn root(&self) -> Json<'_> {
        self.at(0)
    }

    /// The value of that number.
    pub fn at(&self, number: usize) -> Json<'_> {
        Json { tape: self, number }
    }

    pub fn into_text(self) -> String {
        self.text
    }
}

/// A value in a text.
#[derive(Clone, Copy, Debug)]
pub struct Json<'a> {
    pub tape: &'a Tape,
    /// Which of the text's values it is. The whole text is the first.
    pub number: usize,
}

impl<'a> Json<'a> {
    fn node(self) -> &'a Node {
        &self.tape.nodes[self.number]
    }

    /// The value as it stands in the text.
    pub fn text(self) -> &'a str {
        &self.tape.text[self.node().start as usize..self.node().end as usize]
    }

    /// The first byte of the value, which tells its type.
    pub fn first(self) -> u8 {
        self.node().first
    }

    pub fn is_null(self) -> bool {
        self.first() == b'n'
    }

    /// How many values are in it, at any depth.
    pub fn count(self) -> usize {
        self.node().next as usize - self.number - 1
    }

    /// Whether something in it is so deep that it was not looked into.
    pub fn is_too_deep(self) -> bool {
        self.node().is_too_deep
    }

    /// The fields of an object, the items of an array.
    pub fn items(self) -> impl Iterator<Item = Json<'a>> {
        let (mut number, end) = (self.number + 1, self.node().next as usize);
        std::iter::from_fn(move || {
            let item = (number < end).then(|| self.tape.at(number))?;
            number = item.node().next as usize;
            Some(item)
        })
    }

    /// The name of a field as it stands between its quotes.
    pub fn escaped_name(self) -> &'a [u8] {
        // Not of the text, whose slices are checked for whole characters.
        &self.tape.text.as_bytes()[self.node().name as usize..self.node().name_end as usize]
    }

    /// The bytes from the name of a field on, if the text has as many.
    pub fn name_head(self) -> Option<&'a [u8; 16]> {
        self.tape.text.as_bytes()[self.node().name as usize..].first_chunk()
    }

    fn name_text(self) -> &'a str {
        &self.tape.text[self.node().name as usize..self.node().name_end as usize]
    }

    /// Whether [`Json::copy`] and [`Json::name`] replace something in the field.
    pub fn is_replaced(self) -> bool {
        has_replaced(self.name_text()) || has_replaced(self.text())
    }

    /// The name of a field, with U+FFFD for half a surrogate pair and for U+0000.
    pub fn name(self) -> Cow<'a, str> {
        let name = self.name_text();
        if !name.contains('\\') {
            return Cow::Borrowed(name);
        }
        let mut whole = Vec::new();
        copy(&format!("\"{name}\""), &mut whole);
        // It was read as a string, and every escape that is left in it is one of a character.
        Cow::Owned(serde_json::from_slice(&whole).unwrap_or_default())
    }

    /// The field at that path, if each of its names is there once.
    pub fn at(self, path: &[&str]) -> Option<Json<'a>> {
        path.iter().try_fold(self, |object, name| {
            let mut named = object.items().filter(|field| field.name() == *name);
            named.next().filter(|_| named.next().is_none())
        })
    }

    /// The value, if it is a string of characters, which half a surrogate pair is not.
    pub fn string(self) -> Option<Cow<'a, str>> {
        if self.first() != b'"' {
            return None;
        }
        let inner = &self.tape.text[self.node().start as usize + 1..self.node().end as usize - 1];
        match self.node().is_odd && inner.contains('\\') {
            false => Some(Cow::Borrowed(inner)),
            true => serde_json::from_str(self.text()).ok().map(Cow::Owned),
        }
    }

    /// Whether [`Json::copy`] leaves the value as it is: it is on one line, and holds no escape that may be replaced.
    pub fn is_plain(self) -> bool {
        !self.node().is_odd || is_plain(self.text())
    }

    /// A field with its name as they stand in the text, if [`Json::copy`] and [`Json::name`] would leave both as they are.
    pub fn member(self) -> Option<&'a str> {
        (!self.node().is_odd)
            .then(|| &self.tape.text[self.node().name as usize - 1..self.node().end as usize])
    }

    /// Appends the value, on one line, and with U+FFFD for half a surrogate pair and for U+0000.
    pub fn copy(self, out: &mut Vec<u8>) {
        if self.is_plain() { out.extend_from_slice(self.text().as_bytes()) } else { copy(self.text(), out) }
    }
}
