//! What is odd about records, counted to be told once a stream.

use std::collections::BTreeMap;

use super::Drift;
use super::object::Object;
use super::rules::{Act, Rules};

/// What was odd about records: by field, in how many.
pub struct Strays {
    drift: Drift,
    unknown: BTreeMap<String, u64>,
    misfits: BTreeMap<String, u64>,
    nulled: BTreeMap<String, u64>,
    /// Derived columns that the API sends itself: its own value wins.
    pub overruled: BTreeMap<String, u64>,
    /// Confluent Resource Names of a form that is not known, and the first of them.
    unread: (u64, Option<String>),
}

impl Strays {
    pub fn new(drift: Drift) -> Strays {
        let none = BTreeMap::new;
        Strays {
            drift,
            unknown: none(),
            misfits: none(),
            nulled: none(),
            overruled: none(),
            unread: (0, None),
        }
    }

    /// Compares a record with its rules. Gives the fields that have to be made null in `nulled`.
    pub fn look(
        &mut self,
        record: &Object<'_>,
        rules: &Rules,
        prefix: &str,
        nulled: &mut Vec<String>,
    ) -> Result<(), String> {
        for field in &record.fields {
            let path = || format!("{prefix}{}", field.name);
            let Some(rule) = rules.get(&field.name) else {
                match self.drift {
                    Drift::Pass => {}
                    Drift::Warn => add(&mut self.unknown, path()),
                    Drift::Fail => return Err(format!("a field unknown to the schema, {:?}", path())),
                }
                continue;
            };
            // Nothing of a person goes out in a form that cannot be hashed.
            let unhashable = rule.act == Act::Hash && !rule.allows(field);
            if rule.act == Act::Drop || (rule.act == Act::Hash && !unhashable) {
                continue;
            }
            if unhashable && self.drift == Drift::Fail {
                return Err(format!("a value that does not fit the schema, of {:?}", path()));
            }
            if unhashable || rule.is_no_time(field) {
                nulled.push(path());
                add(&mut self.nulled, path());
            } else if !rule.allows(field) {
                match self.drift {
                    Drift::Pass => {}
                    Drift::Warn => add(&mut self.misfits, path()),
                    Drift::Fail => {
                        return Err(format!("a value that does not fit the schema, of {:?}", path()));
                    }
                }
            } else if let (Some(within), Some(object)) = (&rule.within, &field.object) {
                self.look(object, within, &format!("{prefix}{}.", field.name), nulled)?;
            }
        }
        Ok(())
    }

    /// Counts a Confluent Resource Name that cannot be read.
    pub fn unread(&mut self, crn: &str) {
        self.unread.0 += 1;
        self.unread.1.get_or_insert_with(|| crn.to_owned());
    }

    pub fn words(&self) -> Option<String> {
        let list = |what: &str, fields: &BTreeMap<String, u64>| {
            let each = fields.iter().map(|(name, records)| format!("{name:?} in {records} records"));
            (!fields.is_empty())
                .then(|| format!("{} {what}: {}", fields.len(), each.collect::<Vec<_>>().join(", ")))
        };
        let unread = self.unread.1.as_ref().map(|first| {
            format!(
                "{} Confluent Resource Names of a form that is not known, whose columns are null, the first \
                 of them {first:?}",
                self.unread.0
            )
        });
        let words = [
            list("unknown fields, passed on", &self.unknown),
            list("fields of another type than declared, passed on", &self.misfits),
            list("fields made null, being no time or no text to hash", &self.nulled),
            list("derived columns that the service sends itself, its values kept", &self.overruled),
            unread,
        ];
        let words: Vec<_> = words.into_iter().flatten().collect();
        (!words.is_empty()).then(|| words.join("; "))
    }
}

/// As many names are told; a field with ever new names would fill memory and the log.
const MOST_NAMES: usize = 20;

/// Counts a name, or, once there are many, only that there are others.
pub fn add(fields: &mut BTreeMap<String, u64>, name: String) {
    let known = fields.contains_key(&name) || fields.len() < MOST_NAMES;
    *fields.entry(if known { name } else { "others".to_owned() }).or_default() += 1;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{Drops, Form, Personal, Shape};
    use crate::streams::find;

    #[test]
    fn drift_is_passed_told_or_refused() {
        let of = |drift, record: &str| {
            let mut shape = Shape::new(
                find("users").unwrap(),
                Drops::default(),
                Form::new(None, drift, Personal::Keep, None),
            );
            let fitted = shape.fit(&shape.open(record).unwrap(), &mut Vec::new()).map(|_| shape.strays());
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
                |words| words.contains("1 unknown fields, passed on: \"metadata.new\" in 1 records")
            )
        );
        assert!(of(Drift::Warn, misfit).is_ok_and(|words| words.contains("2 fields of another type")));
        assert!(of(Drift::Fail, unknown).is_err_and(|words| words.contains("\"metadata.new\"")));
        assert!(of(Drift::Fail, misfit).is_err_and(|words| words.contains("\"metadata\"")));
        let fine = r#"{"id":"u-1","email":null,"metadata":null,"full_name":"x"}"#;
        assert_eq!(of(Drift::Fail, fine), Ok(String::new()));
    }

    #[test]
    fn strays_are_counted_and_told_once() {
        let mut shape = Shape::new(
            find("users").unwrap(),
            Drops::default(),
            Form::new(None, Drift::Warn, Personal::Keep, None),
        );
        for record in
            [r#"{"id":"u-1","new":1}"#, r#"{"id":"u-2","new":2,"created_at":null}"#, r#"{"id":"u-3"}"#]
        {
            shape.fit(&shape.open(record).unwrap(), &mut Vec::new()).unwrap();
        }
        let words = shape.strays().unwrap();
        assert!(words.contains("\"new\" in 2 records") && words.contains("created_at"), "{words}");
    }

    #[test]
    fn names_are_bounded() {
        let mut fields = BTreeMap::new();
        (0..1000).for_each(|number| add(&mut fields, format!("field_{number}")));
        assert_eq!((fields.len(), fields["others"]), (MOST_NAMES + 1, 980));
    }
}
