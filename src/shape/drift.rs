//! What is odd about records, counted to be told once a stream.

use std::collections::BTreeMap;

use super::options::Drift;
use super::record::{Path, is_hidden};
use super::rules::{Fate, Rules};
use crate::json::Json;
use crate::streams::Stream;

/// As many names are told of each; a field with ever new names would fill memory and the log.
const MOST_NAMES: usize = 20;

/// What was odd about records, each told once.
pub struct DriftReport {
    drift: Drift,
    quotes: bool,
    counts: BTreeMap<Anomaly, Count>,
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
pub enum Anomaly {
    Unknown,
    TypeMismatch,
    Nulled,
    /// A character in it, or in a derived column that its field holds in another form, is replaced.
    Replaced,
    /// A derived column that the service sends itself.
    Overruled,
}

impl DriftReport {
    /// `quotes`: whether names that no schema declares are told, in which a person may be named.
    pub fn new(drift: Drift, quotes: bool) -> DriftReport {
        let (counts, nulled) = (BTreeMap::new(), Vec::new());
        DriftReport { drift, quotes, counts, unread: 0, first_unread: None, nulled }
    }

    /// Compares a record with its rules. `parent`: path of the object, if it is not the record itself.
    ///
    /// # Errors
    /// In words, if a field drifts and may not.
    pub fn inspect(
        &mut self,
        object: Json<'_>,
        rules: &Rules,
        stream: &Stream,
        parent: Option<&Path<'_>>,
    ) -> Result<(), String> {
        let mut last = None;
        for field in object.items().filter(|field| !is_hidden(stream, *field)) {
            let (rule, name) = (rules.of_field(field, &mut last), field.name());
            let path = Path { parent, name: if self.quotes || rule.is_some() { &name } else { "…" } };
            let drifted = match rule {
                None => Some(Anomaly::Unknown),
                Some(rule) => (!rule.allows(field)).then_some(Anomaly::TypeMismatch),
            };
            match rule.map_or(Fate::Copied, |rule| rule.fate(field)) {
                Fate::Dropped | Fate::Hashed => {}
                Fate::Opened(within) => self.inspect(field, within, stream, Some(&path))?,
                Fate::Nulled => {
                    if self.drift == Drift::Fail {
                        self.drift(drifted, &path)?;
                    }
                    self.nulled.push(path.text());
                    self.add(Anomaly::Nulled, path.text());
                }
                Fate::Copied => {
                    self.drift(drifted, &path)?;
                    if field.is_replaced() {
                        self.add(Anomaly::Replaced, path.text());
                    }
                }
            }
        }
        Ok(())
    }

    fn drift(&mut self, drifted: Option<Anomaly>, path: &Path<'_>) -> Result<(), String> {
        let Some(drifted) = drifted else { return Ok(()) };
        let words = match drifted {
            Anomaly::Unknown => "a field unknown to the schema:",
            _ => "a value that does not fit the schema:",
        };
        match self.drift {
            Drift::Pass => {}
            Drift::Warn => self.add(drifted, path.text()),
            Drift::Fail => return Err(format!("{words} {:?}", path.text())),
        }
        Ok(())
    }

    /// Counts a field, or, once there are many, only that there are others.
    pub fn add(&mut self, anomaly: Anomaly, name: String) {
        let Count { fields, rest } = self.counts.entry(anomaly).or_default();
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
        let mut words: Vec<String> =
            self.counts.iter().map(|(anomaly, count)| count.words(*anomaly)).collect();
        if let Some(first) = &self.first_unread {
            let names = counted(self.unread, "Confluent Resource Name");
            let quoted = if self.quotes { format!(", the first of them {first:?}") } else { String::new() };
            words.push(format!("{names} of an unknown form, parsed as far as known and null beyond{quoted}"));
        }
        (!words.is_empty()).then(|| words.join("; "))
    }
}

impl Count {
    fn words(&self, anomaly: Anomaly) -> String {
        // What is counted, without the ending of the plural, and what is said of it.
        let (noun, said) = match anomaly {
            Anomaly::Unknown => ("unknown field", ", passed on"),
            Anomaly::TypeMismatch => ("field", " of another type than declared, passed on"),
            Anomaly::Nulled => ("field", " made null, because the value could not be parsed or hashed"),
            Anomaly::Replaced => ("field", " in which U+FFFD replaces U+0000 or a lone surrogate"),
            Anomaly::Overruled => ("derived column", " that the service itself sends, kept as sent"),
        };
        let told = |(name, records): (&String, &u64)| format!("{name:?} in {}", counted(*records, "record"));
        let mut each: Vec<String> = self.fields.iter().map(told).collect();
        let (fields, mut more) = (counted(each.len() as u64, noun), "");
        if self.rest > 0 {
            each.push(format!("and others, {}", counted(self.rest, "time")));
            more = "more than ";
        }
        format!("{more}{fields}{said}: {}", each.join(", "))
    }
}

fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Tape;
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
            let tape = Tape::read(record.to_owned(), 125).unwrap();
            let fitted = shape.fit(tape.root(), &Partition::default(), &mut Records::default());
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
        (0..1000).for_each(|number| report.add(Anomaly::Unknown, format!("field_{number}")));
        report.add(Anomaly::Overruled, "created_at".to_owned());
        assert_eq!(
            (report.counts[&Anomaly::Unknown].fields.len(), report.counts[&Anomaly::Unknown].rest),
            (MOST_NAMES, 980)
        );
        let words = report.words().unwrap();
        assert!(
            words.starts_with("more than 20 unknown fields, passed on: \"field_0\" in 1 record, "),
            "{words}"
        );
        assert!(words.contains("in 1 record, and others, 980 times; 1 derived column that"), "{words}");
    }
}
