//! What is odd about records, counted to be told once a stream.

use std::collections::BTreeMap;
use std::fmt;

use super::object::{Object, is_mended};
use super::options::Drift;
use super::rules::{Act, Rules};

/// What was odd about records, each told once.
pub struct DriftReport {
    drift: Drift,
    quotes: bool,
    /// In how many records, by what is odd and the field.
    fields: BTreeMap<(What, String), u64>,
    /// How often there were other fields than those, by what is odd.
    rest: BTreeMap<What, u64>,
    /// Confluent Resource Names that could not be read to their ends, and the first of them.
    unread: (u64, Option<String>),
}

/// A field's place in a record. Written out only where it has to be told.
pub struct Within<'a> {
    before: Option<&'a Within<'a>>,
    name: &'a str,
}

impl fmt::Display for Within<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(before) = self.before {
            write!(f, "{before}.")?;
        }
        f.write_str(self.name)
    }
}

/// What is odd about a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Unknown,
    Misfit,
    Nulled,
    /// A character in it, or in a derived column that its field holds in another form, is replaced.
    Mended,
    /// A derived column that the service sends itself.
    Overruled,
}

impl What {
    const ALL: [What; 5] = [What::Unknown, What::Misfit, What::Nulled, What::Mended, What::Overruled];

    /// What is counted, without the ending of the plural, and what is said of it.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            What::Unknown => ("unknown field", ", passed on"),
            What::Misfit => ("field", " of another type than declared, passed on"),
            What::Nulled => {
                ("field", " made null, being no time, no text to hash or no object that can be read")
            }
            What::Mended => ("field", " in which U+0000 or half a surrogate pair became U+FFFD"),
            What::Overruled => ("derived column", " that the service sends itself, its values kept"),
        }
    }
}

impl DriftReport {
    /// `quotes`: whether names that no schema declares are told, in which a person may be named.
    pub fn new(drift: Drift, quotes: bool) -> DriftReport {
        DriftReport { drift, quotes, fields: BTreeMap::new(), rest: BTreeMap::new(), unread: (0, None) }
    }

    /// Compares a record with its rules. Gives the fields that have to be made null in `nulled`. `within`: the
    /// names of the objects that it is in, each with what is before it.
    pub fn look(
        &mut self,
        record: &Object<'_>,
        rules: &Rules,
        within: Option<&Within<'_>>,
        nulled: &mut Vec<String>,
    ) -> Result<(), String> {
        for field in &record.fields {
            let here = Within { before: within, name: &field.name };
            let path = || here.to_string();
            let Some(rule) = rules.of_field(field) else {
                self.drift(What::Unknown, self.quotes, &here)?;
                continue;
            };
            let fits = rule.allows(field);
            match rule.act {
                Act::Drop => continue,
                Act::Hash if fits && (field.value.get() == "null" || field.text().is_some()) => continue,
                Act::Keep if !rule.is_unfit(field) => {
                    if !fits {
                        self.drift(What::Misfit, true, &here)?;
                    } else if let (Some(within), Some(object)) = (&rule.within, &field.object) {
                        self.look(object, within, Some(&here), nulled)?;
                    }
                    continue;
                }
                // Nothing of a person goes out in a form that cannot be hashed.
                Act::Hash | Act::Keep => {}
            }
            if !fits && self.drift == Drift::Fail {
                self.drift(What::Misfit, true, &here)?;
            }
            nulled.push(path());
            self.add(What::Nulled, path());
        }
        Ok(())
    }

    /// Counts the fields in which a character is replaced. `within`: as of `look`.
    pub fn mend(&mut self, record: &Object<'_>, rules: &Rules, within: Option<&Within<'_>>) {
        for field in &record.fields {
            let here = Within { before: within, name: &field.name };
            let rule = rules.of_field(field);
            if rule.is_some_and(|rule| rule.act != Act::Keep || rule.is_unfit(field)) {
                continue;
            }
            match (rule.and_then(|rule| rule.within.as_ref()), &field.object) {
                (Some(rules), Some(object)) => self.mend(object, rules, Some(&here)),
                _ if field.name.contains('\0') || is_mended(field.value.get()) => {
                    self.add(What::Mended, named(&here, self.quotes || rule.is_some()));
                }
                _ => {}
            }
        }
    }

    fn drift(&mut self, what: What, told: bool, field: &Within<'_>) -> Result<(), String> {
        match (self.drift, what) {
            (Drift::Pass, _) => {}
            (Drift::Warn, _) => self.add(what, named(field, told)),
            (Drift::Fail, _) => {
                let unknown = "a field unknown to the schema,";
                let odd =
                    if what == What::Unknown { unknown } else { "a value that does not fit the schema, of" };
                return Err(format!("{odd} {:?}", named(field, told)));
            }
        }
        Ok(())
    }

    /// Counts a field, or, once there are many, only that there are others.
    pub fn add(&mut self, what: What, name: String) {
        let key = (what, name);
        if let Some(records) = self.fields.get_mut(&key) {
            *records += 1;
        } else if self.fields.keys().filter(|(other, _)| *other == what).count() < MOST_NAMES {
            self.fields.insert(key, 1);
        } else {
            *self.rest.entry(what).or_default() += 1;
        }
    }

    /// Counts a Confluent Resource Name that cannot be read to its end.
    pub fn unread(&mut self, crn: &str) {
        self.unread.0 += 1;
        self.unread.1.get_or_insert_with(|| crn.to_owned());
    }

    pub fn words(&self) -> Option<String> {
        let mut words = Vec::new();
        for what in What::ALL {
            let of_it = self.fields.iter().filter(|((other, _), _)| *other == what);
            let mut each: Vec<_> = of_it
                .map(|((_, name), records)| format!("{name:?} in {records} record{}", plural(*records)))
                .collect();
            let count = each.len() as u64;
            if count == 0 {
                continue;
            }
            let rest = self.rest.get(&what);
            each.extend(rest.map(|times| format!("and the rest, {times} time{}", plural(*times))));
            let more = if rest.is_some() { "more than " } else { "" };
            let (noun, said) = what.words();
            words.push(format!("{more}{count} {noun}{}{said}: {}", plural(count), each.join(", ")));
        }
        let (count, first) = &self.unread;
        words.extend(first.as_ref().map(|first| {
            let quoted = if self.quotes { format!(", the first of them {first:?}") } else { String::new() };
            format!(
                "{count} Confluent Resource Name{} of a form that is not known, read as far as it is known and null \
                 beyond{quoted}",
                plural(*count)
            )
        }));
        (!words.is_empty()).then(|| words.join("; "))
    }
}

/// The place of a field, or, where its name is not told, that of what it is in.
fn named(field: &Within<'_>, told: bool) -> String {
    match field.before {
        _ if told => field.to_string(),
        Some(before) => format!("{before}.…"),
        None => "…".to_owned(),
    }
}

/// As many names are told of each; a field with ever new names would fill memory and the log.
const MOST_NAMES: usize = 20;

/// The ending of a noun that is counted.
fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partition::Partition;
    use crate::shape::{Deselected, Personal, RecordOptions, Records, Shape};
    use crate::streams::find;

    #[test]
    fn drift_is_passed_told_or_refused() {
        let of = |drift, record: &str| {
            let mut shape = Shape::new(
                find("users").unwrap(),
                &Deselected::default(),
                RecordOptions::new(None, drift, Personal::Keep, None),
            );
            let fitted = shape.fit(record, &Partition::default(), &mut Records::default());
            let fitted = fitted.map(|_| shape.drift());
            fitted.map(Option::unwrap_or_default)
        };
        let unknown = r#"{"id":"u-1","metadata":{"new":1}}"#;
        let misfit = r#"{"id":"u-1","metadata":5,"email":true}"#;
        assert_eq!(
            (of(Drift::Pass, unknown), of(Drift::Pass, misfit)),
            (Ok(String::new()), Ok(String::new()))
        );
        assert!(
            of(Drift::Warn, unknown).is_ok_and(
                |words| words.contains("1 unknown field, passed on: \"metadata.new\" in 1 record")
            )
        );
        assert!(of(Drift::Warn, misfit).is_ok_and(|words| words.contains("2 fields of another type")));
        assert!(of(Drift::Fail, unknown).is_err_and(|words| words.contains("\"metadata.new\"")));
        assert!(of(Drift::Fail, misfit).is_err_and(|words| words.contains("\"metadata\"")));
        let no_time = r#"{"id":"u-1","metadata":{"created_at":5}}"#;
        assert!(of(Drift::Fail, no_time).is_err_and(|words| words.contains("\"metadata.created_at\"")));
        assert!(of(Drift::Warn, no_time).is_ok_and(|words| words.contains("1 field made null")));
        let fine = r#"{"id":"u-1","email":null,"metadata":null,"full_name":"x"}"#;
        assert_eq!(of(Drift::Fail, fine), Ok(String::new()));
    }

    #[test]
    fn names_are_bounded() {
        let mut report = DriftReport::new(Drift::Warn, true);
        (0..1000).for_each(|number| report.add(What::Unknown, format!("field_{number}")));
        report.add(What::Overruled, "created_at".to_owned());
        assert_eq!((report.fields.len(), report.rest[&What::Unknown]), (MOST_NAMES + 1, 980));
        let words = report.words().unwrap();
        assert!(
            words.starts_with("more than 20 unknown fields, passed on: \"field_0\" in 1 record, "),
            "{words}"
        );
        assert!(words.contains("in 1 record, and the rest, 980 times; 1 derived column that"), "{words}");
    }
}
