//! What is odd about records, counted to be told once a stream.

use std::collections::BTreeMap;

use super::object::{Object, Path, is_mended};
use super::options::Drift;
use super::rules::{Fate, Rules};

/// As many names are told of each; a field with ever new names would fill memory and the log.
const MOST_NAMES: usize = 20;

/// What was odd about records, each told once.
pub struct DriftReport {
    drift: Drift,
    quotes: bool,
    counts: BTreeMap<Oddity, Count>,
    /// Confluent Resource Names that could not be read to their ends.
    unread: u64,
    first_unread: Option<String>,
    /// Paths of the fields of one record that have to be made null.
    pub nulled: Vec<String>,
}

/// How often one thing was odd.
#[derive(Default)]
struct Count {
    /// In how many records, by the field.
    fields: BTreeMap<String, u64>,
    /// How often there were other fields than those.
    rest: u64,
}

/// What is odd about a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oddity {
    Unknown,
    Misfit,
    Nulled,
    /// A character in it, or in a derived column that its field holds in another form, is replaced.
    Mended,
    /// A derived column that the service sends itself.
    Overruled,
}

impl DriftReport {
    /// `quotes`: whether names that no schema declares are told, in which a person may be named.
    pub fn new(drift: Drift, quotes: bool) -> DriftReport {
        let (counts, nulled) = (BTreeMap::new(), Vec::new());
        DriftReport { drift, quotes, counts, unread: 0, first_unread: None, nulled }
    }

    /// Compares a record with its rules. `parent`: path of the object, if it is not the record itself. `is_plain`:
    /// whether no character in it is replaced.
    ///
    /// # Errors
    /// In words, if a field drifts and may not.
    pub fn look(
        &mut self,
        object: &Object<'_>,
        rules: &Rules,
        parent: Option<&Path<'_>>,
        is_plain: bool,
    ) -> Result<(), String> {
        for field in &object.fields {
            let rule = rules.of_field(field);
            let is_told = self.quotes || rule.is_some();
            let path = Path { parent, name: if is_told { &field.name } else { "…" } };
            let drifted = match rule {
                None => Some(Oddity::Unknown),
                Some(rule) => (!rule.allows(field)).then_some(Oddity::Misfit),
            };
            match rules.fate(field) {
                Fate::Dropped | Fate::Hashed => {}
                Fate::Opened(rules, object) => self.look(object, rules, Some(&path), is_plain)?,
                Fate::Nulled => {
                    if self.drift == Drift::Fail {
                        self.drift(drifted, &path)?;
                    }
                    self.nulled.push(path.to_string());
                    self.add(Oddity::Nulled, path.to_string());
                }
                Fate::Copied => {
                    self.drift(drifted, &path)?;
                    if !is_plain && (field.name.contains('\0') || is_mended(field.value.get())) {
                        self.add(Oddity::Mended, path.to_string());
                    }
                }
            }
        }
        Ok(())
    }

    fn drift(&mut self, drifted: Option<Oddity>, path: &Path<'_>) -> Result<(), String> {
        let Some(drifted) = drifted else { return Ok(()) };
        let words = match drifted {
            Oddity::Unknown => "a field unknown to the schema,",
            _ => "a value that does not fit the schema, of",
        };
        match self.drift {
            Drift::Pass => {}
            Drift::Warn => self.add(drifted, path.to_string()),
            Drift::Fail => return Err(format!("{words} {:?}", path.to_string())),
        }
        Ok(())
    }

    /// Counts a field, or, once there are many, only that there are others.
    pub fn add(&mut self, oddity: Oddity, name: String) {
        let Count { fields, rest } = self.counts.entry(oddity).or_default();
        let is_full = fields.len() >= MOST_NAMES;
        match fields.get_mut(&name) {
            Some(records) => *records += 1,
            None if is_full => *rest += 1,
            None => drop(fields.insert(name, 1)),
        }
    }

    /// Counts a Confluent Resource Name that cannot be read to its end.
    pub fn unread(&mut self, crn: &str) {
        self.unread += 1;
        self.first_unread.get_or_insert_with(|| crn.to_owned());
    }

    pub fn words(&self) -> Option<String> {
        let mut words: Vec<String> = self.counts.iter().map(|(oddity, count)| count.words(*oddity)).collect();
        words.extend(self.first_unread.as_ref().map(|first| {
            let quoted = if self.quotes { format!(", the first of them {first:?}") } else { String::new() };
            format!(
                "{} Confluent Resource Name{} of a form that is not known, read as far as it is known and null \
                 beyond{quoted}",
                self.unread,
                plural(self.unread)
            )
        }));
        (!words.is_empty()).then(|| words.join("; "))
    }
}

impl Count {
    fn words(&self, oddity: Oddity) -> String {
        // What is counted, without the ending of the plural, and what is said of it.
        let (noun, said) = match oddity {
            Oddity::Unknown => ("unknown field", ", passed on"),
            Oddity::Misfit => ("field", " of another type than declared, passed on"),
            Oddity::Nulled => {
                ("field", " made null, being no time, no text to hash or no object that can be read")
            }
            Oddity::Mended => ("field", " in which U+0000 or half a surrogate pair became U+FFFD"),
            Oddity::Overruled => ("derived column", " that the service sends itself, its values kept"),
        };
        let told =
            |(name, records): (&String, &u64)| format!("{name:?} in {records} record{}", plural(*records));
        let mut each: Vec<String> = self.fields.iter().map(told).collect();
        let (count, mut more) = (each.len() as u64, "");
        if self.rest > 0 {
            each.push(format!("and the rest, {} time{}", self.rest, plural(self.rest)));
            more = "more than ";
        }
        format!("{more}{count} {noun}{}{said}: {}", plural(count), each.join(", "))
    }
}

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
        (0..1000).for_each(|number| report.add(Oddity::Unknown, format!("field_{number}")));
        report.add(Oddity::Overruled, "created_at".to_owned());
        assert_eq!(
            (report.counts[&Oddity::Unknown].fields.len(), report.counts[&Oddity::Unknown].rest),
            (MOST_NAMES, 980)
        );
        let words = report.words().unwrap();
        assert!(
            words.starts_with("more than 20 unknown fields, passed on: \"field_0\" in 1 record, "),
            "{words}"
        );
        assert!(words.contains("in 1 record, and the rest, 980 times; 1 derived column that"), "{words}");
    }
}
