//! Cuts a listing into pages and writes the envelope around them: the recorded one when polite,
//! any form the service has been seen to send when rude. A page depends on its place and the seed
//! only, so the same token brings the same rows however often it is asked.

use std::ops::Range;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::faults::{Fault, errors_of_page};
use crate::json::{Object, quoted};
use crate::organization::{ALIAS, Envelope, HOST, Last, Narrowed, Organization, Row, Stream};
use crate::random::{dice, hash, mix, one_in};
use crate::time::Day;
use crate::token::Cursor;

/// What a fault changes about a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Twist {
    None,
    NextWithoutToken,
    RepeatToken,
    Errors(u16),
    EndlessEmpty,
    EndlessRows,
}

impl Twist {
    /// The twist that a fault is, if the answer is right apart from it.
    pub fn of(fault: &Fault) -> Option<Self> {
        Some(match fault {
            Fault::NextWithoutToken => Self::NextWithoutToken,
            Fault::RepeatToken => Self::RepeatToken,
            Fault::RowsAndErrors(status) => Self::Errors(*status),
            Fault::EndlessEmpty => Self::EndlessEmpty,
            Fault::EndlessRows => Self::EndlessRows,
            _ => return None,
        })
    }
}

/// The rows of one listing.
#[derive(Debug)]
pub struct Listing {
    pub asked: Asked,
    rows: Rows,
}

/// What a request for a listing names.
#[derive(Clone, Debug)]
pub struct Asked {
    pub stream: &'static Stream,
    /// The record that it is narrowed to.
    pub home: Option<Row>,
    /// The days that it is narrowed to.
    pub days: Option<Range<Day>>,
    /// Names and values, sorted.
    pub filter: Vec<(String, String)>,
}

impl Asked {
    /// What tokens of the listing are bound to.
    pub fn number(&self) -> u64 {
        let text: Vec<u64> = self.filter.iter().flat_map(|(name, value)| [hash(name), hash(value)]).collect();
        let number = mix(&[self.stream.number, mix(&text)]);
        match (self.stream.narrowed, self.home) {
            // The others have it in the filter.
            (Narrowed::Path(_), Some(home)) => mix(&[number, home.index]),
            _ => number,
        }
    }
}

#[derive(Debug)]
enum Rows {
    All(u64),
    Some(Vec<u32>),
}

impl Listing {
    pub fn all(org: &Organization, asked: Asked) -> Self {
        let rows = Rows::All(org.count(asked.stream.name));
        Self { asked, rows }
    }

    /// These rows, in this order.
    pub fn of(asked: Asked, rows: impl Iterator<Item = u64>) -> Self {
        let short = |index| u32::try_from(index).expect("fewer than four billion records");
        let rows: Vec<u32> = rows.map(short).collect();
        // The commonest listing of all, everything below an organization, need not be kept.
        let all = rows.iter().zip(0..).all(|(index, place)| *index == place);
        let rows = if all { Rows::All(rows.len() as u64) } else { Rows::Some(rows) };
        Self { asked, rows }
    }

    fn len(&self, cursor: Cursor) -> u64 {
        let all = match &self.rows {
            Rows::All(count) => *count,
            Rows::Some(rows) => rows.len() as u64,
        };
        if self.asked.stream.stops_at == Some(cursor.size) { all.min(cursor.size) } else { all }
    }

    fn index(&self, place: u64) -> u64 {
        match &self.rows {
            Rows::All(_) => place,
            Rows::Some(rows) => u64::from(rows[place as usize]),
        }
    }
}

/// One page to be written.
pub struct Page<'a> {
    pub org: &'a Organization,
    pub listing: &'a Listing,
    pub cursor: Cursor,
    pub twist: Twist,
    /// The parts of records that a map is asked for.
    pub expand: Vec<&'a str>,
    /// Makes the token for a place.
    pub token: &'a dyn Fn(Cursor) -> String,
}

impl Page<'_> {
    fn dice(&self, what: u64) -> fastrand::Rng {
        let place = self.cursor.offset << 1 | u64::from(self.cursor.empty);
        dice(&[self.org.scenario.seed, self.listing.asked.number(), place, what])
    }

    fn rude(&self, what: u64, once_in: u32) -> bool {
        self.org.scenario.rude && one_in(&mut self.dice(what), once_in)
    }

    /// The first row of this page and the one after its last.
    fn rows(&self) -> (u64, u64) {
        let Cursor { offset, size, empty } = self.cursor;
        let len = self.listing.len(self.cursor);
        if matches!(self.stream().envelope, Envelope::Map { .. }) {
            return (0, len);
        }
        match self.twist {
            Twist::EndlessRows => return (offset, offset + size),
            Twist::EndlessEmpty => return (offset, offset),
            _ if empty => return (offset, offset),
            _ => {}
        }
        let size = if self.rude(1, 3) { self.dice(2).u64(1..=size) } else { size };
        (offset.min(len), len.min(offset + size))
    }

    fn stream(&self) -> &'static Stream {
        self.listing.asked.stream
    }

    /// The path that the page was asked for at.
    fn path(&self) -> String {
        self.org.path(self.stream(), self.listing.asked.home)
    }

    fn row(&self, index: u64) -> Row {
        Row { stream: self.stream(), index }
    }

    /// The records on this page, by their numbers.
    pub fn indices(&self) -> impl Iterator<Item = u64> {
        let (from, to) = self.rows();
        let listed = self.twist != Twist::EndlessRows;
        (from..to).map(move |place| if listed { self.listing.index(place) } else { place })
    }

    /// Where the next page begins, if there is one.
    fn next(&self, end: u64) -> Option<Cursor> {
        let len = self.listing.len(self.cursor);
        let here = self.cursor;
        match self.twist {
            Twist::RepeatToken => return Some(here),
            Twist::EndlessEmpty | Twist::EndlessRows => {
                return Some(Cursor { offset: here.offset + here.size, empty: false, ..here });
            }
            _ => {}
        }
        let empty = !here.empty && self.rude(3, if end < len { 8 } else { 4 });
        let wanted = end < len || empty || self.twist == Twist::NextWithoutToken;
        wanted.then_some(Cursor { offset: end, empty, ..here })
    }

    /// The body.
    pub fn write(&self) -> String {
        let body = match self.stream().envelope {
            Envelope::Pages => self.list(),
            Envelope::Map { name, parts } => self.map(name, parts),
        };
        if self.rude(6, 5) { pretty(&body) } else { body }
    }

    fn map(&self, name: fn(&Organization, Row) -> String, parts: &[&str]) -> String {
        let rows = self.indices().map(|index| self.row(index));
        if self.expand.is_empty() {
            let names: Vec<String> = rows.map(|row| quoted(&name(self.org, row))).collect();
            return format!("[{}]", names.join(","));
        }
        let left_out: Vec<&&str> = parts.iter().filter(|part| !self.expand.contains(part)).collect();
        let body = rows.fold(Object::new(), |body, row| {
            let mut record = self.org.record(row);
            if !left_out.is_empty() {
                let mut parts: Map<String, Value> = serde_json::from_str(&record).unwrap_or_default();
                parts.retain(|part, _| !left_out.contains(&&part.as_str()));
                record = Value::Object(parts).to_string();
            }
            body.raw(&name(self.org, row), &record)
        });
        self.with_errors(body).finish()
    }

    fn list(&self) -> String {
        let (from, to) = self.rows();
        let data = if from == to && self.rude(4, 2) {
            "null".to_owned()
        } else {
            let rows = self.indices().map(|index| self.org.record(self.row(index)));
            let rows: Vec<String> = rows.collect();
            format!("[{}]", rows.join(","))
        };
        let mut body = Object::new();
        if !self.rude(5, 7) {
            body = body.text("api_version", self.stream().api_version());
        }
        let body = body
            .text("kind", &format!("{}List", self.stream().kind))
            .raw("metadata", &self.metadata(self.next(to)))
            .raw("data", &data);
        self.with_errors(body).finish()
    }

    fn with_errors(&self, body: Object) -> Object {
        match self.twist {
            Twist::Errors(status) => body.raw("errors", &errors_of_page(status)),
            _ => body,
        }
    }

    fn metadata(&self, next: Option<Cursor>) -> String {
        let path = self.path();
        let total = self.listing.len(self.cursor);
        let Some(next) = next else {
            let form = if self.org.scenario.rude { self.dice(7).u32(..4) } else { 0 };
            let metadata = Object::new();
            let (first, total) = (format!("{HOST}{path}"), total.to_string());
            return match (form, self.stream().last) {
                (0, Last::Nothing) => metadata,
                (0, Last::Total) => metadata.text("first", &first).text("next", "").raw("total_size", &total),
                (1, _) => metadata.text("first", &first).raw("total_size", &total),
                (0, Last::Empty) | (2, _) => metadata.text("first", "").text("next", ""),
                _ => metadata.raw("next", "null"),
            }
            .finish();
        };
        let mut metadata = Object::new().text("first", &format!("{HOST}{path}"));
        if self.rude(8, 3) {
            let size = self.cursor.size;
            let last = Cursor { offset: total.saturating_sub(1) / size * size, empty: false, ..self.cursor };
            metadata =
                metadata.text("last", &format!("{HOST}{path}?page_token={}", encode(&(self.token)(last))));
        }
        metadata = metadata.raw("next", &self.link(next));
        // Recorded: page one of two of a listing that says it holds one row.
        let said = if self.rude(9, 4) { 1 } else { total };
        if self.rude(10, 4) {
            metadata.finish()
        } else {
            metadata.raw("total_size", &said.to_string()).finish()
        }
    }

    /// The next link, a JSON string: on the public host whoever was asked, for some listings under
    /// the web alias.
    fn link(&self, next: Cursor) -> String {
        let path = self.path();
        let alias = self.stream().alias || self.rude_listing(3);
        let public = if alias { ALIAS } else { HOST };
        let host = self.org.scenario.links_to.as_deref().unwrap_or(public);
        let filter: String = self
            .listing
            .asked
            .filter
            .iter()
            .map(|(name, value)| format!("&{name}={}", encode(value)))
            .collect();
        let size = self.cursor.size;
        if self.twist == Twist::NextWithoutToken {
            return quoted(&format!("{host}{path}?page_size={size}"));
        }
        let token = (self.token)(next);
        let token = if self.rude(11, 3) { oddly(&token) } else { encode(&token) };
        // Recorded: of these listings only the one of clusters carries its filter along.
        let polite = u32::from(matches!(self.stream().narrowed, Narrowed::Query(..)));
        let form = if self.org.scenario.rude { self.dice(12).u32(..3) } else { polite };
        quoted(&match form {
            0 => format!("{host}{path}?page_token={token}"),
            1 => format!("{host}{path}?page_token={token}{filter}"),
            _ => format!("{host}{path}?page_size={size}&page_token={token}{filter}"),
        })
    }

    /// The same for all pages of a listing.
    fn rude_listing(&self, once_in: u32) -> bool {
        self.org.scenario.rude
            && one_in(&mut dice(&[self.org.scenario.seed, self.stream().number, 13]), once_in)
    }
}

/// What a browser's `encodeURIComponent` leaves alone.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn encode(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string()
}

/// Legal and unusual: letters encoded without need, hexadecimal digits in lower case.
fn oddly(text: &str) -> String {
    text.bytes()
        .enumerate()
        .map(|(place, byte)| match byte {
            b'0'..=b'9' => char::from(byte).to_string(),
            _ if byte.is_ascii_alphabetic() && place % 5 != 0 => char::from(byte).to_string(),
            _ => format!("%{byte:02x}"),
        })
        .collect()
}

/// Indented, with the digits of numbers and the escapes inside strings kept as they are.
fn pretty(json: &str) -> String {
    let (mut out, mut depth, mut text, mut escaped) =
        (String::with_capacity(json.len() * 2), 0_usize, false, false);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    for character in json.chars() {
        if text {
            out.push(character);
            text = escaped || character != '"';
            escaped = character == '\\' && !escaped;
            continue;
        }
        match character {
            '{' | '[' => {
                depth += 1;
                out.push(character);
                line(&mut out, depth);
            }
            '}' | ']' => {
                depth -= 1;
                line(&mut out, depth);
                out.push(character);
            }
            ',' => {
                out.push(character);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => {
                text = character == '"';
                out.push(character);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::percent_decode_str;

    #[test]
    fn pretty_bodies_say_the_same() {
        let json = r#"{"a":[],"b":{},"c":"x\"{,:\\","d":[1.10,null,{"e":"}"}]}"#;
        let spread = pretty(json);
        let same = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(same(&spread), same(json));
        assert!(spread.lines().count() > 10);
    }

    #[test]
    fn odd_encodings_decode_to_the_same() {
        let token = "x+/QAbc=z09";
        for encoded in [encode(token), oddly(token)] {
            assert_eq!(percent_decode_str(&encoded).decode_utf8_lossy(), token);
        }
    }
}
