//! What is done with each field of a record: its schema, the selection and the settings, made one tree.

use std::collections::{BTreeSet, HashSet};
use std::ops::RangeInclusive;
use std::{mem, slice};

use chrono::{DateTime, Datelike, FixedOffset, Timelike};
use serde_json::Value;

use super::object::{Field, Object, Path, clean};
use super::options::Personal;
use crate::streams::Stream;

/// Paths of the fields that a catalog leaves out, each with all that is in it. Whatever is not named is kept, so that
/// fields that no schema declares pass.
pub type Deselected = BTreeSet<Vec<String>>;

/// The rules of one object's fields.
#[derive(Clone, Debug, Default)]
pub struct Rules(pub Vec<Rule>);

/// The rule of one field that the schema declares, or that is left out.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    name: String,
    pub is_dropped: bool,
    is_hashed: bool,
    /// Types that the schema allows, as [`kind`] tells them.
    kinds: Vec<char>,
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
    Opened(&'a Rules, &'a Object<'a>),
    Copied,
}

impl Rules {
    pub fn of(stream: &Stream, deselected: &Deselected, personal: Personal) -> Rules {
        let mut rules = Rules::of_schema(&stream.schema());
        for rule in &mut rules.0 {
            rule.guards = !stream.secret.is_empty();
            let is_personal = stream.personal.contains(&rule.name.as_str());
            rule.is_hashed = is_personal && personal == Personal::Hash;
            rule.is_dropped = is_personal && personal == Personal::Omit;
        }
        deselected.iter().for_each(|path| rules.leave_out(path));
        rules
    }

    fn of_schema(schema: &Value) -> Rules {
        let properties = schema["properties"].as_object().into_iter().flatten();
        let rule = |(name, property): (&String, &Value)| Rule {
            name: name.clone(),
            kinds: kinds(&property["type"]),
            is_time: property["format"] == "date-time",
            within: property.get("properties").map(|_| Rules::of_schema(property)),
            ..Rule::default()
        };
        Rules(properties.map(rule).collect())
    }

    /// Leaves out the field at that path.
    fn leave_out(&mut self, path: &[String]) {
        let Some((name, rest)) = path.split_first() else { return };
        match (self.0.iter_mut().find(|rule| rule.name == *name), rest) {
            (Some(rule), []) => rule.is_dropped = true,
            (Some(rule), _) => rule.within.iter_mut().for_each(|within| within.leave_out(rest)),
            // A catalog may describe, and deselect, what our schema does not know.
            (None, []) => self.0.push(Rule { name: name.clone(), is_dropped: true, ..Rule::default() }),
            (None, _) => {}
        }
    }

    /// Number of the rule of that field.
    pub fn number(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|rule| rule.name == name)
    }

    /// The rule of a field of an object that has been opened.
    pub fn of_field(&self, field: &Field<'_>) -> Option<&Rule> {
        field.rule.map(|number| &self.0[number])
    }

    /// Whether any field is dropped or hashed, here or within.
    pub fn change_always(&self) -> bool {
        let changes = |rule: &Rule| rule.is_dropped || rule.is_hashed;
        self.0.iter().any(|rule| changes(rule) || rule.within.as_ref().is_some_and(Rules::change_always))
    }

    /// What becomes of a field of an object that has been opened.
    pub fn fate<'a>(&'a self, field: &'a Field<'_>) -> Fate<'a> {
        let Some(rule) = self.of_field(field) else { return Fate::Copied };
        let is_hashable = || rule.allows(field) && (field.is_null() || field.text().is_some());
        match (&rule.within, &field.object) {
            _ if rule.is_dropped => Fate::Dropped,
            _ if rule.is_hashed && is_hashable() => Fate::Hashed,
            // Nothing of a person goes out in a form that cannot be hashed.
            _ if rule.is_hashed || rule.is_unfit(field) => Fate::Nulled,
            (Some(rules), Some(object)) => Fate::Opened(rules, object),
            _ => Fate::Copied,
        }
    }

    /// Opens an object, and what is in it where its fields are declared, and finds the rules of the fields. Takes the
    /// stream's credentials out of them. None if the text is not an object.
    ///
    /// # Errors
    /// In words, if one of these objects holds a field twice.
    pub fn open<'a>(
        &self,
        text: &'a str,
        stream: &Stream,
        parent: Option<&Path<'_>>,
    ) -> Result<Option<Object<'a>>, String> {
        let Some(mut opened) = Object::open(text) else { return Ok(None) };
        if !stream.secret.is_empty() {
            opened.fields.retain(|field| !stream.is_secret(&field.name));
        }
        let (mut declared, mut others) = (vec![false; self.0.len()], HashSet::new());
        // Fields mostly come in the order in which they are declared.
        let mut next = 0;
        for Field { name, value, rule, object } in &mut opened.fields {
            let is_it = |number: &usize| self.0[*number].name == **name;
            let Some(number) = (next..self.0.len()).chain(0..next).find(is_it) else {
                if others.insert(clean(name)) {
                    continue;
                }
                return Err("a record that contains an undeclared field twice".to_owned());
            };
            let path = Path { parent, name };
            if mem::replace(&mut declared[number], true) {
                return Err(format!("a record that contains the field {:?} twice", path.text()));
            }
            (*rule, next) = (Some(number), number + 1);
            if let Some(within) = &self.0[number].within {
                *object = within.open(value.get(), stream, Some(&path))?.map(Box::new);
            }
        }
        Ok(Some(opened))
    }
}

impl Rule {
    /// Whether the value is of a type that the schema allows.
    pub fn allows(&self, field: &Field<'_>) -> bool {
        self.kinds.contains(&kind(field.value.get()))
    }

    /// Whether the value may not go out as it is: it ought to be a time and is none, over which targets
    /// abort a whole load; or it is an object that cannot be opened, so that nothing can be left out of it;
    /// or a credential could hide in it, and it is no object.
    pub fn is_unfit(&self, field: &Field<'_>) -> bool {
        let is_no_time = || self.is_time && field.text().is_none_or(|text| !is_time(&text));
        let is_shut = || self.guards || field.value.get().starts_with('{');
        !field.is_null() && (is_no_time() || self.within.is_some() && field.object.is_none() && is_shut())
    }
}

/// What a JSON value begins with, for all values of one type.
fn kind(json: &str) -> char {
    match json.chars().next() {
        Some('f') => 't',
        Some('-' | '0'..='9') => '0',
        first => first.unwrap_or('n'),
    }
}

fn kinds(declared: &Value) -> Vec<char> {
    let names = declared.as_array().map_or(slice::from_ref(declared), Vec::as_slice);
    let kind = |name: &str| match name {
        "string" => '"',
        "object" => '{',
        "array" => '[',
        "boolean" => 't',
        "null" => 'n',
        _ => '0',
    };
    names.iter().filter_map(Value::as_str).map(kind).collect()
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

/// The form that the service sends, of any day that each month has: told without chrono, which costs as much
/// as all else that is done to a record.
fn is_common_time(text: &[u8]) -> bool {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', n0, n1, b':', s0, s1, rest @ ..] =
        text
    else {
        return false;
    };
    let within = |tens: &u8, ones: &u8, range: RangeInclusive<u8>| {
        let are_digits = tens.is_ascii_digit() && ones.is_ascii_digit();
        are_digits && range.contains(&((tens - b'0') * 10 + (ones - b'0')))
    };
    let is_year = [y0, y1, y2, y3].into_iter().all(u8::is_ascii_digit) && text[..4] != *b"0000";
    let is_end = match rest {
        b"Z" => true,
        [b'.', digits @ .., b'Z'] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let is_day = within(m0, m1, 1..=12) && within(d0, d1, 1..=28);
    is_year && is_day && within(h0, h1, 0..=23) && within(n0, n1, 0..=59) && within(s0, s1, 0..=59) && is_end
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
