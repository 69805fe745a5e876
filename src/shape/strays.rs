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
            if rule.act != Act::Keep {
                continue;
            }
            if rule.is_no_time(field) {
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
            list("fields that hold no time, made null", &self.nulled),
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
