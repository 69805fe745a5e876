//! What is done with each field of a record: its schema, the selection and the settings, made one tree.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::slice;

use chrono::{DateTime, Datelike, FixedOffset, Timelike};
use serde_json::Value;

use super::options::Personal;
use crate::json::Json;
use crate::streams::Stream;

/// Paths of the fields that a catalog leaves out, each with all that is in it. Whatever is not named is kept, so that
/// fields that no schema declares pass.
pub type Deselected = BTreeSet<Vec<String>>;

/// The rules of one object's fields, and of what is in them.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    fields: Vec<Rule>,
    /// Which of them was the first in the last record.
    first: Cell<usize>,
    /// How many rules a whole stream has.
    pub count: usize,
}

/// The rule of one field that the schema declares, or that is left out.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    pub name: String,
    /// The first bytes of the name and of the quote behind it, and a mask of them.
    head: [u128; 2],
    /// Whether these tell the name from all others: it ends within them, and stands in a text as it is.
    is_short: bool,
    /// Which of the stream's rules it is.
    pub number: usize,
    /// Which rule of the same object came next in the last record.
    next: Cell<usize>,
    pub is_dropped: bool,
    is_hashed: bool,
    /// Types that the schema allows, as [`kind`] tells them.
    kinds: u8,
    is_time: bool,
    /// Whether a credential may stand in it in another form than as a field of its own.
    guards: bool,
    /// The rules of what is in it, if it is an object whose fields are declared.
    within: Option<Rules>,
}

/// What becomes of a field.
pub enum Fate<'a> {
    Dropped,
    Hashed,
    Nulled,
    /// Goes by the rules of what is in it.
    Opened(&'a Rules),
    Copied,
}

impl Rules {
    pub fn of(stream: &Stream, deselected: &Deselected, personal: Personal) -> Rules {
        let mut count = 0;
        let mut rules = Rules::of_schema(&stream.schema(), &mut count);
        for rule in &mut rules.fields {
            rule.guards = !stream.secret.is_empty();
            let is_personal = stream.personal.contains(&rule.name.as_str());
            rule.is_hashed = is_personal && personal == Personal::Hash;
            rule.is_dropped = is_personal && personal == Personal::Omit;
        }
        deselected.iter().for_each(|path| rules.leave_out(path, &mut count));
        Rules { count, ..rules }
    }

    fn of_schema(schema: &Value, count: &mut usize) -> Rules {
        let properties = schema["properties"].as_object().into_iter().flatten();
        let rule = |(name, property): (&String, &Value)| Rule {
            kinds: kinds(&property["type"]),
            is_time: property["format"] == "date-time",
            within: property.get("properties").map(|_| Rules::of_schema(property, count)),
            ..Rule::new(name, count)
        };
        Rules { fields: properties.map(rule).collect(), ..Rules::default() }
    }

    /// Leaves out the field at that path.
    fn leave_out(&mut self, path: &[String], count: &mut usize) {
        let Some((name, rest)) = path.split_first() else { return };
        match (self.fields.iter_mut().find(|rule| rule.name == *name), rest) {
            (Some(rule), []) => rule.is_dropped = true,
            (Some(rule), _) => rule.within.iter_mut().for_each(|within| within.leave_out(rest, count)),
            // A catalog may describe, and deselect, what our schema does not know.
            (None, []) => {
                let rule = Rule { is_dropped: true, ..Rule::new(name, count) };
                self.fields.push(rule);
            }
            (None, _) => {}
        }
    }

    /// The rule of the field at that path.
    pub fn at(&self, path: &[&str]) -> Option<&Rule> {
        let (name, rest) = path.split_first()?;
        let rule = self.fields.iter().find(|rule| rule.name == *name)?;
        if rest.is_empty() { Some(rule) } else { rule.within.as_ref()?.at(rest) }
    }

    /// The rule of a field. `last`: which of these rules was that of the field before it, if there was one: fields mostly
    /// come in the order of the record before.
    #[inline(always)]
    pub fn of_field(&self, field: Json<'_>, last: &mut Option<usize>) -> Option<&Rule> {
        let guess = last.map_or(&self.first, |last| &self.fields[last].next);
        if !self.fields.get(guess.get()).is_some_and(|rule| rule.is_of(field)) {
            guess.set(self.search(field)?);
        }
        *last = Some(guess.get());
        self.fields.get(guess.get())
    }

    // Apart and cold, so that the guess is compiled into the loops over fields.
    #[cold]
    fn search(&self, field: Json<'_>) -> Option<usize> {
        let name = field.name();
        self.fields.iter().position(|rule| rule.name == name)
    }

    /// Whether any field is dropped or hashed, here or within.
    pub fn change_always(&self) -> bool {
        let changes = |rule: &Rule| rule.is_dropped || rule.is_hashed;
        self.fields.iter().any(|rule| changes(rule) || rule.within.as_ref().is_some_and(Rules::change_always))
    }
}

impl Rule {
    fn new(name: &str, count: &mut usize) -> Rule {
        *count += 1;
        let quoted = format!("{name}\"");
        let (mut head, length) = ([0; 16], quoted.len().min(16));
        head[..length].copy_from_slice(&quoted.as_bytes()[..length]);
        let head = [u128::from_le_bytes(head), u128::MAX >> (128 - 8 * length)];
        let is_short = name.len() < 16 && !name.contains(['\\', '"']);
        Rule { name: name.to_owned(), head, is_short, number: *count - 1, ..Rule::default() }
    }

    /// Whether it is the rule of that field.
    #[inline(always)]
    fn is_of(&self, field: Json<'_>) -> bool {
        match field.name_head() {
            // One step, where a comparison of slices would call a function.
            Some(bytes) if self.is_short => (u128::from_le_bytes(*bytes) ^ self.head[0]) & self.head[1] == 0,
            _ => self.name.as_bytes() == field.escaped_name(),
        }
    }

    /// What becomes of a field of this rule.
    pub fn fate(&self, field: Json<'_>) -> Fate<'_> {
        let is_hashable = || self.allows(field) && (field.is_null() || field.string().is_some());
        match self.opens(field) {
            _ if self.is_dropped => Fate::Dropped,
            _ if self.is_hashed && is_hashable() => Fate::Hashed,
            // Nothing of a person goes out in a form that cannot be hashed.
            _ if self.is_hashed || self.is_unfit(field) => Fate::Nulled,
            Some(within) => Fate::Opened(within),
            None => Fate::Copied,
        }
    }

    /// The rules of what is in a field of this rule, if there are any.
    pub fn opens(&self, field: Json<'_>) -> Option<&Rules> {
        self.within.as_ref().filter(|_| field.first() == b'{')
    }

    /// Whether the value is of a type that the schema allows.
    pub fn allows(&self, field: Json<'_>) -> bool {
        self.kinds & kind(field.first()) != 0
    }

    /// Whether the value is of a type that the schema allows, and may go out as it is.
    pub fn is_fit(&self, field: Json<'_>) -> bool {
        self.allows(field) && !((self.is_time || self.guards) && self.is_unfit(field))
    }

    /// Whether all that fits this rule fits the other one, too.
    pub fn is_covered_by(&self, other: &Rule) -> bool {
        self.kinds & !other.kinds == 0 && self.is_time == other.is_time && other.within.is_none()
    }

    /// Whether the value may not go out as it is: it ought to be a time and is none, over which targets
    /// abort a whole load; or a credential could hide in it, and it is no object.
    pub fn is_unfit(&self, field: Json<'_>) -> bool {
        let is_no_time = self.is_time && field.string().is_none_or(|text| !is_time(&text));
        !field.is_null() && (is_no_time || self.guards && self.within.is_some() && field.first() != b'{')
    }
}

/// A bit for each type of a JSON value, told by its first byte.
fn kind(first: u8) -> u8 {
    match first {
        b'"' => 1,
        b'{' => 2,
        b'[' => 4,
        b't' | b'f' => 8,
        b'n' => 16,
        _ => 32,
    }
}

fn kinds(declared: &Value) -> u8 {
    let names = declared.as_array().map_or(slice::from_ref(declared), Vec::as_slice);
    let bit = |name: &str| match name {
        "string" => kind(b'"'),
        "object" => kind(b'{'),
        "array" => kind(b'['),
        "boolean" => kind(b't'),
        "null" => kind(b'n'),
        _ => kind(b'0'),
    };
    names.iter().filter_map(Value::as_str).map(bit).fold(0, |all, bit| all | bit)
}

/// RFC 3339 with a `T`, and with a `Z` if it is no offset, of what common parsers and databases hold: years
/// 1 to 9999, also when told in UTC, and no leap second.
fn is_time(text: &str) -> bool {
    let years = 1..=9999;
    let is_held = |time: DateTime<FixedOffset>| {
        // chrono keeps a leap second as a second that is longer.
        let is_leap = time.nanosecond() >= 1_000_000_000;
        !is_leap && years.contains(&time.year()) && years.contains(&time.naive_utc().year())
    };
    let is_strict = || text.is_ascii() && text.as_bytes().get(10) == Some(&b'T') && !text.ends_with('z');
    is_common_time(text.as_bytes()) || is_strict() && DateTime::parse_from_rfc3339(text).is_ok_and(is_held)
}

/// The form that the service sends, of almost any day: told without chrono, which costs as much
/// as all else that is done to a record.
fn is_common_time(text: &[u8]) -> bool {
    let Some((time, rest)) = text.split_first_chunk::<19>() else { return false };
    // Digits compare as numbers do.
    let of = u16::from_be_bytes;
    let is_two = |at: usize, least, most| (of(least)..=of(most)).contains(&of([time[at], time[at + 1]]));
    let is_end = match rest.strip_suffix(b"Z").or_else(|| rest.strip_suffix(b"+00:00")) {
        Some([]) => true,
        Some([b'.', b'0'..=b'9', digits @ ..]) => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    is_end
        && is_of_form(&time[..8], b"0000-00-")
        && is_of_form(&time[8..16], b"00T00:00")
        && is_of_form(&time[11..], b"00:00:00")
        && time[..4] != *b"0000"
        && is_two(5, *b"01", *b"12")
        && is_two(8, *b"01", if time[5..7] == *b"02" { *b"28" } else { *b"30" })
        && is_two(11, *b"00", *b"23")
        && is_two(14, *b"00", *b"59")
        && is_two(17, *b"00", *b"59")
}

/// Whether eight bytes are a digit wherever the form is `0`, and equal it elsewhere. Looks at all of them at once.
fn is_of_form(eight: &[u8], form: &[u8; 8]) -> bool {
    let of = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
    let digits = of(&form.map(|byte| if byte == b'0' { 0xFF } else { 0 }));
    let differs = of(eight) ^ of(form);
    // A digit differs from `0` by its value.
    let above_nine = (differs.wrapping_add(0x7676_7676_7676_7676) | differs) & 0x8080_8080_8080_8080;
    differs & !digits == 0 && above_nine == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_time() {
        for text in [
            "2026-03-02T12:00:00Z",
            "2026-03-02T12:00:00.1Z",
            "2026-03-02T12:00:00.123456789Z",
            "2026-03-02T12:00:00.12345678901234567890Z",
            "2026-03-02T12:00:00+02:00",
            "2026-03-02T12:00:00.5-11:30",
            "2024-02-29T23:59:59Z",
            "2026-01-31T00:00:00.000000Z",
            "2026-03-02T12:00:00.000000-00:00",
            "2026-03-02T12:00:00+23:59",
            "2026-03-02T12:00:00-23:59",
            "0001-01-01T00:00:00Z",
            "0001-01-01T00:00:00-01:00",
            "0001-01-01T01:00:00+01:00",
            "0001-12-31T00:00:00.5Z",
            "9999-12-31T23:59:59.999999999Z",
            "9999-12-31T23:59:59+01:00",
        ] {
            assert!(is_time(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "2026-03-02",
            "2026-03-02 12:00:00Z",
            "2026-03-02T12:00:00",
            "2026-02-30T12:00:00Z",
            "2026-02-29T12:00:00Z",
            "2026-00-02T12:00:00Z",
            "2026-03-00T12:00:00Z",
            "2026-03-02T12:60:00Z",
            "2026-03-02T12:00:00.Z",
            "2026-03-02T12:00:00.1xZ",
            "2026-03-02T12:00:00Zz",
            "2026-03-0:T12:00:00Z",
            "２026-03-02T12:00:00Z",
            "2026-13-01T12:00:00Z",
            "2026-03-02T25:00:00Z",
            "1772452800",
            "never",
            "2026-03-02T12:00:00Z ",
            // no parser of Python holds these
            "0000-01-01T00:00:00Z",
            "0000-12-31T23:59:59.5Z",
            "0000-12-31T23:59:59-01:00",
            "0001-01-01T00:59:59+01:00",
            "9999-12-31T23:00:00-01:00",
            "10000-01-01T00:00:00Z",
            "2016-12-31T23:59:60Z",
            "2016-12-31T23:59:60.999Z",
            "2017-01-01T00:59:60+01:00",
            "2026-03-02T12:00:61Z",
            "2026-03-02T24:00:00Z",
            "2026-03-02T12:00:00+24:00",
            "2026-03-02T12:00:00+01:60",
            "2026-03-02T12:00:00+0100",
            "2026-03-02T12:00:00+01",
            "2026-03-02T12:00:00z",
            "2026-03-02T12:00:00\u{2212}01:00",
            "2026-03-02t12:00:00Z",
            "2026-03-02T12:00:00,5Z",
            "2026-03-02T12:00:00 Z",
            "2026-03-02T12:00:00Z+01:00",
        ] {
            assert!(!is_time(text), "{text}");
        }
    }
}
