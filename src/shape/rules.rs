//! What is done with each field of a record: its schema, the selection and the settings, made one tree.

use serde_json::Value;

use super::object::{Field, Object};
use super::{Drops, Personal};
use crate::streams::Stream;

/// The rules of one object's fields.
#[derive(Debug, Default)]
pub struct Rules(Vec<(String, Rule)>);

/// The rule of one field that the schema declares.
#[derive(Debug)]
pub struct Rule {
    pub act: Act,
    /// Types that the schema allows, as [`kind`] tells them.
    kinds: Vec<char>,
    pub is_time: bool,
    /// The rules of what is in it, if it is an object whose fields are declared.
    pub within: Option<Rules>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Keep,
    Drop,
    Hash,
}

impl Rules {
    pub fn of(stream: &Stream, drops: &Drops, personal: Personal) -> Rules {
        let mut rules = Rules::of_schema(&stream.schema(), drops);
        for (name, rule) in &mut rules.0 {
            if stream.personal.contains(&name.as_str()) && rule.act == Act::Keep {
                rule.act = match personal {
                    Personal::Keep => Act::Keep,
                    Personal::Hash => Act::Hash,
                    Personal::Omit => Act::Drop,
                };
            }
        }
        rules
    }

    fn of_schema(schema: &Value, drops: &Drops) -> Rules {
        let none = Drops::default();
        let declared = schema["properties"].as_object().into_iter().flatten().map(|(name, property)| {
            let dropped = drops.of(name);
            let within = property.get("properties").is_some();
            let rule = Rule {
                act: if dropped == Some(None) { Act::Drop } else { Act::Keep },
                kinds: kinds(&property["type"]),
                is_time: property["format"] == "date-time",
                within: within.then(|| Rules::of_schema(property, dropped.flatten().unwrap_or(&none))),
            };
            (name.clone(), rule)
        });
        let mut rules: Vec<_> = declared.collect();
        // A catalog may describe, and deselect, what our schema does not know.
        for name in drops.wholes().filter(|name| schema["properties"].get(name).is_none()) {
            let rule = Rule { act: Act::Drop, kinds: Vec::new(), is_time: false, within: None };
            rules.push((name.to_owned(), rule));
        }
        Rules(rules)
    }

    pub fn get(&self, name: &str) -> Option<&Rule> {
        self.0.iter().find(|(declared, _)| declared == name).map(|(_, rule)| rule)
    }

    /// Whether any field is dropped or hashed, here or within.
    pub fn change_always(&self) -> bool {
        self.0
            .iter()
            .any(|(_, rule)| rule.act != Act::Keep || rule.within.as_ref().is_some_and(Rules::change_always))
    }

    /// Opens the objects whose fields are declared.
    pub fn open<'a>(&self, object: &mut Object<'a>) {
        for field in &mut object.fields {
            let within = self.get(&field.name).and_then(|rule| rule.within.as_ref());
            if let Some(within) = within
                && let Some(mut inner) = Object::open(field.value.get())
            {
                within.open(&mut inner);
                field.object = Some(inner);
            }
        }
    }
}

impl Rule {
    /// Whether the value is of a type that the schema allows.
    pub fn allows(&self, field: &Field<'_>) -> bool {
        self.kinds.contains(&kind(field.value.get()))
    }

    /// Whether the value ought to be a time and is none: targets abort a whole load over it.
    pub fn is_no_time(&self, field: &Field<'_>) -> bool {
        self.is_time && field.value.get() != "null" && field.text().is_none_or(|text| !is_time(&text))
    }
}

/// What a JSON value begins with, for all values of one type.
fn kind(json: &str) -> char {
    match json.chars().next() {
        Some('t' | 'f') => 't',
        Some('-' | '0'..='9') => '0',
        Some(other) => other,
        None => 'n',
    }
}

fn kinds(declared: &Value) -> Vec<char> {
    let names: Vec<&str> = match declared {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        name => name.as_str().into_iter().collect(),
    };
    names
        .into_iter()
        .map(|name| match name {
            "string" => '"',
            "object" => '{',
            "array" => '[',
            "boolean" => 't',
            "null" => 'n',
            _ => '0',
        })
        .collect()
}

/// RFC 3339 with a `T`: what every target parses.
pub fn is_time(text: &str) -> bool {
    text.as_bytes().get(10) == Some(&b'T') && chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for text in [
            "2026-03-02T12:00:00Z",
            "2026-03-02T12:00:00.1Z",
            "2026-03-02T12:00:00.123456789Z",
            "2026-03-02T12:00:00.12345678901234567890Z",
            "2026-03-02T12:00:00+02:00",
            "2026-03-02T12:00:00.5-11:30",
            "2024-02-29T23:59:59Z",
        ] {
            assert!(is_time(text), "{text}");
        }
        for text in [
            "",
            "2026-03-02",
            "2026-03-02 12:00:00Z",
            "2026-03-02T12:00:00",
            "2026-02-30T12:00:00Z",
            "2026-13-01T12:00:00Z",
            "2026-03-02T25:00:00Z",
            "1772452800",
            "never",
            "2026-03-02T12:00:00Z ",
        ] {
            assert!(!is_time(text), "{text}");
        }
    }
}
