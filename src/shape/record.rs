//! A record, and where the fields stand in it that its rules name.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::mem;

use super::rules::Rules;
use crate::json::Json;
use crate::streams::Stream;

/// Where a field stands in a record. Written out only where it has to be told.
pub struct Path<'a> {
    pub parent: Option<&'a Path<'a>>,
    pub name: &'a str,
}

impl Path<'_> {
    pub fn text(&self) -> String {
        match self.parent {
            Some(parent) => format!("{}.{}", parent.text(), self.name),
            None => self.name.to_owned(),
        }
    }
}

/// Whether a field holds a credential, and is taken for absent.
pub fn is_hidden(stream: &Stream, field: Json<'_>) -> bool {
    !stream.secret.is_empty() && stream.is_secret(&field.name())
}

/// A record whose fields have been found.
pub struct Record<'a> {
    pub json: Json<'a>,
    /// For each rule the number of the value that it is for. It is 0, which no field has, where there is none.
    pub places: Vec<usize>,
    /// Whether a field has no rule, or a value that does not fit its rule.
    pub is_odd: bool,
}

impl<'a> Record<'a> {
    /// Finds the fields of a record, except those that hold credentials. `places`: those of another record, whose
    /// memory is used again.
    ///
    /// # Errors
    /// In words, if the record or an object whose fields are declared holds a field twice.
    pub fn find(
        json: Json<'a>,
        rules: &Rules,
        stream: &Stream,
        mut places: Vec<usize>,
    ) -> Result<Record<'a>, String> {
        places.clear();
        places.resize(rules.count, 0);
        let mut record = Record { json, places, is_odd: false };
        record.enter(json, rules, stream, None).map(|()| record)
    }

    fn enter(
        &mut self,
        object: Json<'_>,
        rules: &Rules,
        stream: &Stream,
        parent: Option<&Path<'_>>,
    ) -> Result<(), String> {
        let (mut last, mut others) = (None, BTreeSet::new());
        for field in object.items().filter(|field| !is_hidden(stream, *field)) {
            let Some(rule) = rules.of_field(field, &mut last) else {
                self.is_odd = true;
                if others.insert(field.name()) {
                    continue;
                }
                return Err("a record that contains an undeclared field twice".to_owned());
            };
            let path = Path { parent, name: &rule.name };
            if mem::replace(&mut self.places[rule.number], field.number) != 0 {
                return Err(format!("a record that contains the field {:?} twice", path.text()));
            }
            self.is_odd |= !rule.is_fit(field);
            if let Some(within) = rule.opens(field) {
                self.enter(field, within, stream, Some(&path))?;
            }
        }
        Ok(())
    }

    /// The field of the rule of that number.
    pub fn at(&self, rule: usize) -> Option<Json<'a>> {
        let number = self.places[rule];
        (number != 0).then(|| self.json.tape.at(number))
    }

    /// That field as a text; none if it is absent or anything else.
    pub fn text(&self, rule: usize) -> Option<Cow<'a, str>> {
        self.at(rule)?.string()
    }
}
