//! JSON as it stands in the page: an object's fields in order, each value a slice of the text, and the
//! copying of such slices to one line of valid JSON.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr3_iter};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::json::{Entry, Fields, Text};

/// A JSON object, not rebuilt.
pub struct Object<'a> {
    pub text: &'a str,
    pub fields: Vec<Field<'a>>,
}

pub struct Field<'a> {
    pub name: Cow<'a, str>,
    pub value: &'a RawValue,
    /// Number of its rule, where it has one.
    pub rule: Option<usize>,
    /// The value once more, where it is an object that has been opened. Boxed, so that the fields of an
    /// object stay in a small allocation.
    pub object: Option<Box<Object<'a>>>,
}

impl<'a> From<Entry<'a>> for Field<'a> {
    fn from((name, value): Entry<'a>) -> Field<'a> {
        Field { name, value, rule: None, object: None }
    }
}

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

impl<'a> Object<'a> {
    /// None if the text is not a JSON object.
    pub fn open(text: &'a str) -> Option<Object<'a>> {
        let Fields(fields) = serde_json::from_str(text).ok()?;
        Some(Object { text, fields })
    }

    /// The field at that path, through objects that have been opened.
    pub fn at(&self, path: &[&str]) -> Option<&Field<'a>> {
        let (name, rest) = path.split_first()?;
        let field = self.fields.iter().find(|field| field.name == *name)?;
        if rest.is_empty() { Some(field) } else { field.object.as_ref()?.at(rest) }
    }

    /// The field at that path as a text; none if it is absent or anything else.
    pub fn text(&self, path: &[&str]) -> Option<Cow<'a, str>> {
        self.at(path)?.text()
    }
}

impl<'a> Field<'a> {
    pub fn is_null(&self) -> bool {
        self.value.get() == "null"
    }

    /// The value as a text; none if it is anything else.
    pub fn text(&self) -> Option<Cow<'a, str>> {
        let value = self.value.get();
        let inner = value.strip_prefix('"')?.strip_suffix('"')?;
        match memchr(b'\\', inner.as_bytes()) {
            None => Some(Cow::Borrowed(inner)),
            Some(_) => serde_json::from_str::<Text<'_>>(value).ok().map(|text| text.0),
        }
    }

    /// How many elements the value has that are not null, if it is an array; else none.
    pub fn count(&self) -> usize {
        let items: Vec<&RawValue> = serde_json::from_str(self.value.get()).unwrap_or_default();
        items.iter().filter(|item| item.get() != "null").count()
    }
}

/// The field at that path of an object, whether or not it has been opened.
pub fn dig<'a>(object: &'a str, path: &[&str]) -> Option<Field<'a>> {
    let (name, rest) = path.split_first()?;
    let field = Object::open(object)?.fields.into_iter().find(|field| field.name == *name)?;
    if rest.is_empty() { Some(field) } else { dig(field.value.get(), rest) }
}

/// Whether the text can go out as it is: on one line, and without an escape that [`copy`] may have to replace.
pub fn is_plain(json: &str) -> bool {
    let bytes = json.as_bytes();
    let is_suspect =
        |rest: &[u8]| ["ud", "uD", "u0000"].iter().any(|start| rest.starts_with(start.as_bytes()));
    !memchr3_iter(b'\n', b'\r', b'\\', bytes).any(|at| bytes[at] != b'\\' || is_suspect(&bytes[at + 1..]))
}

/// Appends JSON, as it is if it is plain; else without white space between tokens, and with U+FFFD for
/// what [`has_replaced`] tells.
pub fn copy(json: &str, out: &mut Vec<u8>) {
    if is_plain(json) {
        return out.extend_from_slice(json.as_bytes());
    }
    let (mut copied, mut in_string) = (0, false);
    let mut tighten = |range: Range<usize>, out: &mut Vec<u8>| {
        for byte in json[range].bytes() {
            in_string ^= byte == b'"';
            if in_string || !byte.is_ascii_whitespace() {
                out.push(byte);
            }
        }
    };
    for Escape { range, is_replaced } in escapes(json) {
        tighten(copied..range.start, out);
        copied = range.end;
        out.extend_from_slice(if is_replaced { b"\\ufffd" } else { json[range].as_bytes() });
    }
    tighten(copied..json.len(), out);
}

/// Appends JSON as [`copy`] does, without the fields of such names at any depth.
pub fn copy_redacted(json: &str, is_secret: &impl Fn(&str) -> bool, out: &mut Vec<u8>) {
    if !json.starts_with(['{', '[']) {
        return copy(json, out);
    }
    // Half a surrogate pair in a name would keep its object shut.
    let mut whole = Vec::with_capacity(json.len());
    copy(json, &mut whole);
    let value = serde_json::from_slice(&whole);
    let written = value.and_then(|value| serde_json::to_writer(out, &Redacted { value, is_secret }));
    // What `copy` has made of JSON can be read, and writing to a vector cannot fail.
    written.unwrap_or_default();
}

/// A value without the fields of such names at any depth.
struct Redacted<'a, F> {
    value: &'a RawValue,
    is_secret: &'a F,
}

impl<F: Fn(&str) -> bool> Serialize for Redacted<'_, F> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let (json, is_secret) = (self.value.get(), self.is_secret);
        if json.starts_with('{') {
            let fields = Object::open(json).into_iter().flat_map(|object| object.fields);
            let kept = fields.filter(|field| !is_secret(&field.name));
            return to
                .collect_map(kept.map(|field| (field.name, Redacted { value: field.value, is_secret })));
        }
        match serde_json::from_str::<Vec<&RawValue>>(json) {
            Ok(items) => to.collect_seq(items.into_iter().map(|value| Redacted { value, is_secret })),
            Err(_) => self.value.serialize(to),
        }
    }
}

/// Whether the text holds an escape sequence that is replaced.
pub fn has_replaced(json: &str) -> bool {
    escapes(json).any(|escape| escape.is_replaced)
}

/// An escape sequence. Replaced are U+0000, which PostgreSQL refuses, and a half of a surrogate pair whose other half
/// is missing, which some parsers refuse.
struct Escape {
    range: Range<usize>,
    is_replaced: bool,
}

/// The escape sequences of JSON, in order.
fn escapes(json: &str) -> impl Iterator<Item = Escape> {
    let unit = |at: usize| u16::from_str_radix(json.get(at..at + 6)?.strip_prefix("\\u")?, 16).ok();
    let mut end = 0;
    std::iter::from_fn(move || {
        let start = end + memchr(b'\\', &json.as_bytes()[end..])?;
        let (length, is_replaced) = match (unit(start), unit(start + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (12, false),
            (Some(0 | 0xD800..=0xDFFF), _) => (6, true),
            (Some(_), _) => (6, false),
            (None, _) => (2, false),
        };
        end = start + length;
        Some(Escape { range: start..end, is_replaced })
    })
}

/// Appends a text as JSON, with U+FFFD for U+0000; null for none.
pub fn push_text(text: Option<&str>, out: &mut Vec<u8>) {
    match text {
        // Writing a text to a vector cannot fail.
        Some(text) => serde_json::to_writer(out, &clean(text)).unwrap_or_default(),
        None => out.extend_from_slice(b"null"),
    }
}

/// The text with U+FFFD for U+0000.
pub fn clean(text: &str) -> Cow<'_, str> {
    match memchr(0, text.as_bytes()) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(text.replace('\0', "\u{fffd}")),
    }
}

/// How deep JSON is nested.
pub fn depth(json: &str) -> usize {
    let (mut deepest, mut depth, mut in_string, mut escaped) = (0, 0usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_left_out_at_every_depth() {
        let table = [
            ("1.50", "1.50"),
            (r#""gone""#, r#""gone""#),
            ("[ ]", "[]"),
            ("{ }", "{}"),
            (r#"{"gone":1}"#, "{}"),
            (
                r#"[{"gone":{"a":1},"a":1E5},[[{"b":[],"\u0067one":2}]],"gone"]"#,
                r#"[{"a":1E5},[[{"b":[]}]],"gone"]"#,
            ),
            (
                "{\"a\" :\n{\"gone\":[],\"b\":\"\\ud800 \\u0000\"} , \"gone\":2}",
                r#"{"a":{"b":"\ufffd \ufffd"}}"#,
            ),
            (r#"{"\ud800":{"gone":1},"gone\u0000":1}"#, "{\"\u{fffd}\":{},\"gone\u{fffd}\":1}"),
        ];
        for (sent, expected) in table {
            let mut out = Vec::new();
            copy_redacted(sent, &|name| name == "gone", &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{sent}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_and_u_0000_are_replaced_and_all_else_is_kept() {
        let table = [
            (r"\ud83d\ude00", r"\ud83d\ude00"),
            (r"\ud83d", r"\ufffd"),
            (r"\uDE00\uD83D", r"\ufffd\ufffd"),
            (r"\ud83dx\\ud83d", r"\ufffdx\\ud83d"),
            (r"\u00e9\ud83d\u00e9", r"\u00e9\ufffd\u00e9"),
            (r"\u0000", r"\ufffd"),
            (r"a\\\u0000b\u0001", r"a\\\ufffdb\u0001"),
            (r"\\u0000\\\\u0000", r"\\u0000\\\\u0000"),
            (r"\ud83d\u0000", r"\ufffd\ufffd"),
        ];
        for (sent, expected) in table {
            let (json, mut out) = (format!("[\"{sent}\"]"), Vec::new());
            copy(&json, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("[\"{expected}\"]"));
            assert_eq!(has_replaced(&json), sent != expected, "{sent}");
            assert!(sent == expected || !is_plain(&json), "{sent}");
            assert!(serde_json::from_str::<serde_json::Value>(&format!("[\"{expected}\"]")).is_ok());
        }
    }
}
