//! The fields of a JSON object as they stand in its text. Imports nothing of ours.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The name of a field, and its value as a slice of the text.
pub type Entry<'a> = (Cow<'a, str>, &'a RawValue);

/// The fields of an object in order, including duplicates, each made of its entry.
pub struct Fields<F>(pub Vec<F>);

impl<'de, F: From<Entry<'de>>> Deserialize<'de> for Fields<F> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader<F>(PhantomData<F>);
        impl<'de, F: From<Entry<'de>>> Visitor<'de> for Reader<F> {
            type Value = Fields<F>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields<F>, M::Error> {
                let mut fields = Vec::with_capacity(12);
                while let Some((Text(name), value)) = map.next_entry()? {
                    fields.push(F::from((name, value)));
                }
                Ok(Fields(fields))
            }
        }
        from.deserialize_map(Reader(PhantomData))
    }
}

/// A string that is borrowed unless it contains an escape.
#[derive(serde::Deserialize)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);
