//! A record made to fit: derived columns added, deselected fields dropped, strays counted.
//!
//! The bytes of a record are copied, not rebuilt, wherever nothing in it has to change. What comes out is
//! valid JSON without a line break whatever the page looked like. Knows no protocol and no HTTP.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use memchr::{memchr2, memchr2_iter, memmem};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::crn::{self, Pattern};
use crate::streams::{CrnPart, Derived, PrincipalPart, Stream};

/// Nesting that targets are sure to parse; Python's and Rust's parsers give up not far above.
const DEEPEST: usize = 128;

/// The fields of a JSON object, in order, each value as it stands in the text.
pub struct Fields<'a> {
    text: &'a str,
    entries: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Fields<'a> {
    /// # Errors
    /// In words, if the text is not a JSON object.
    pub fn of(text: &'a str) -> Result<Fields<'a>, &'static str> {
        let Entries(entries) = serde_json::from_str(text).map_err(|_| "a record that is not an object")?;
        Ok(Fields { text, entries })
    }

    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.entries.iter().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    /// The field as a text; none if it is absent or anything else.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        serde_json::from_str::<Text<'_>>(self.get(name)?.get()).ok().map(|text| text.0)
    }
}

struct Entries<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Entries<'de>, M::Error> {
                let mut entries = Vec::with_capacity(16);
                while let Some((Text(key), value)) = map.next_entry()? {
                    entries.push((key, value));
                }
                Ok(Entries(entries))
            }
        }
        from.deserialize_map(Reader)
    }
}

/// A text that is borrowed wherever it holds no escape.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Deselected fields, as a tree: a field is dropped whole, or some of what is in it. Whatever is not
/// named is kept, so that fields that no schema declares pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drops(BTreeMap<String, Option<Drops>>);

impl Drops {
    /// Drops the field of that name whole.
    pub fn whole(&mut self, name: &str) {
        self.0.insert(name.to_owned(), None);
    }

    /// Drops within the field of that name; nothing to drop there leaves it alone.
    pub fn within(&mut self, name: &str, drops: Drops) {
        if !drops.is_empty() {
            self.0.insert(name.to_owned(), Some(drops));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is dropped of the field: nothing (none), all of it (`Some(None)`), or some of what is in it.
    pub fn of(&self, name: &str) -> Option<Option<&Drops>> {
        self.0.get(name).map(Option::as_ref)
    }
}

/// The form of one stream's records in one run.
pub struct Shape {
    stream: &'static Stream,
    drops: Drops,
    /// `organization_id` as JSON.
    organization_id: String,
    /// Top-level fields that the schema declares.
    declared: Vec<String>,
    /// Fields that the schema does not declare, and the number of records that had them.
    strays: BTreeMap<String, u64>,
    /// Derived columns that the API sends itself: its own value wins.
    overruled: BTreeMap<&'static str, u64>,
    /// Confluent Resource Names of a form that is not known: how many, and the first.
    unread: (u64, Option<String>),
}

impl Shape {
    pub fn new(stream: &'static Stream, drops: Drops, organization_id: Option<&str>) -> Shape {
        let declared = stream.schema()["properties"].as_object().map(|p| p.keys().cloned().collect());
        Shape {
            stream,
            drops,
            organization_id: json_of(organization_id),
            declared: declared.unwrap_or_default(),
            strays: BTreeMap::new(),
            overruled: BTreeMap::new(),
            unread: (0, None),
        }
    }

    /// Appends the record, made to fit, to `out`.
    ///
    /// # Errors
    /// In words, if the record has no key or is nested too deep; `out` is then left as it was.
    pub fn fit(&mut self, record: &Fields<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        if record.text(self.stream.key).is_none_or(|key| key.is_empty()) {
            return Err(format!("a record without {:?}, its key", self.stream.key));
        }
        if memchr2_iter(b'{', b'[', record.text.as_bytes()).nth(DEEPEST).is_some()
            && depth(record.text) > DEEPEST
        {
            return Err(format!("a record nested deeper than {DEEPEST}"));
        }
        for (name, _) in &record.entries {
            if !self.declared.iter().any(|declared| declared == name) {
                *self.strays.entry(name.clone().into_owned()).or_default() += 1;
            }
        }
        if self.drops.is_empty() && is_plain(record.text) {
            // RawValue has no white space around it: the last byte is the closing brace.
            out.extend_from_slice(&record.text.as_bytes()[..record.text.len() - 1]);
        } else {
            open_rebuilt(record, &self.drops, out);
        }
        self.derive(record, out);
        out.push(b'}');
        Ok(())
    }

    fn derive(&mut self, record: &Fields<'_>, out: &mut Vec<u8>) {
        let mut crn = None;
        for (column, derived) in self.stream.derived() {
            if record.get(column).is_some() {
                *self.overruled.entry(column).or_default() += 1;
                continue;
            }
            if self.drops.of(column).is_some() {
                continue;
            }
            if out.last() != Some(&b'{') {
                out.push(b',');
            }
            out.extend_from_slice(format!("\"{column}\":").as_bytes());
            match derived {
                Derived::OrganizationId => out.extend_from_slice(self.organization_id.as_bytes()),
                Derived::Lifted(object, field) => {
                    let object = record.get(object).and_then(|object| Fields::of(object.get()).ok());
                    let value = object.and_then(|object| object.get(field));
                    copy(value.map_or("null", RawValue::get), out);
                }
                Derived::Principal(field, part) => {
                    let principal = record.text(field);
                    let (kind, id) = principal.as_deref().map(crn::principal).unzip();
                    let value = match part {
                        PrincipalPart::Type => kind,
                        PrincipalPart::Id => id.flatten(),
                    };
                    out.extend_from_slice(json_of(value).as_bytes());
                }
                Derived::Crn(field, part) => {
                    let pattern = crn.get_or_insert_with(|| self.pattern(record, field));
                    out.extend_from_slice(
                        json_of(pattern.as_ref().and_then(|p| crn_part(p, part))).as_bytes(),
                    );
                }
            }
        }
    }

    /// The pattern in a field; one that cannot be read is counted.
    fn pattern(&mut self, record: &Fields<'_>, field: &str) -> Option<Pattern> {
        let crn = record.text(field)?;
        let pattern = crn::parse(&crn);
        if pattern.is_none() {
            self.unread.0 += 1;
            self.unread.1.get_or_insert_with(|| crn.into_owned());
        }
        pattern
    }

    /// What was odd about the records so far, in words; each is told once.
    pub fn strays(&self) -> Option<String> {
        let mut words = Vec::new();
        if !self.strays.is_empty() {
            let fields = self.strays.iter().map(|(name, records)| format!("{name:?} in {records} records"));
            words.push(format!(
                "fields unknown to the schema, passed on: {}",
                fields.collect::<Vec<_>>().join(", ")
            ));
        }
        if !self.overruled.is_empty() {
            let columns = self.overruled.keys().copied().collect::<Vec<_>>().join(", ");
            words.push(format!("the service sends these columns itself, its values are kept: {columns}"));
        }
        if let (records, Some(first)) = &self.unread {
            words.push(format!(
                "Confluent Resource Names of a form that is not known, whose columns are null: {records}, the \
                 first of them {first:?}"
            ));
        }
        (!words.is_empty()).then(|| words.join("; "))
    }
}

fn json_of(value: Option<&str>) -> String {
    serde_json::Value::from(value).to_string()
}

fn crn_part(pattern: &Pattern, part: CrnPart) -> Option<&str> {
    let resource = pattern.resource.as_ref();
    match part {
        CrnPart::ScopeType => Some(pattern.scope_type),
        CrnPart::EnvironmentId => pattern.environment_id.as_deref(),
        CrnPart::CloudClusterId => pattern.cloud_cluster_id.as_deref(),
        CrnPart::ServiceType => pattern.service_type,
        CrnPart::ServiceId => pattern.service_id.as_deref(),
        CrnPart::ResourceType => resource.map(|resource| resource.kind.as_str()),
        CrnPart::ResourceName => resource.map(|resource| resource.name.as_str()),
        CrnPart::PatternType => {
            resource.map(|resource| if resource.is_prefix { "PREFIXED" } else { "LITERAL" })
        }
    }
}

/// Writes `{` and the fields that are not dropped, without the closing brace.
fn open_rebuilt(record: &Fields<'_>, drops: &Drops, out: &mut Vec<u8>) {
    out.push(b'{');
    for (name, value) in &record.entries {
        let within = match drops.of(name) {
            Some(None) => continue,
            Some(Some(within)) => Some(within),
            None => None,
        };
        if out.last() != Some(&b'{') {
            out.push(b',');
        }
        out.extend_from_slice(serde_json::Value::from(name.as_ref()).to_string().as_bytes());
        out.push(b':');
        match (within, Fields::of(value.get())) {
            (Some(within), Ok(inner)) => {
                open_rebuilt(&inner, within, out);
                out.push(b'}');
            }
            _ => copy(value.get(), out),
        }
    }
}

/// Whether the text can go out as it is: on one line, and without an escape that may be half a
/// surrogate pair, which some parsers refuse.
fn is_plain(json: &str) -> bool {
    memchr2(b'\n', b'\r', json.as_bytes()).is_none() && !has_surrogates(json)
}

fn has_surrogates(json: &str) -> bool {
    memmem::find_iter(json.as_bytes(), b"\\u")
        .any(|at| matches!(json.as_bytes().get(at + 2), Some(b'd' | b'D')))
}

/// Appends JSON, as it is if it is plain; else without white space between tokens, and with U+FFFD for
/// each half of a surrogate pair whose other half is missing.
fn copy(json: &str, out: &mut Vec<u8>) {
    if is_plain(json) {
        return out.extend_from_slice(json.as_bytes());
    }
    let bytes = json.as_bytes();
    let (mut at, mut in_string) = (0, false);
    while let Some(&byte) = bytes.get(at) {
        let mut length = 1;
        match byte {
            b'"' => in_string = !in_string,
            b'\\' => length = escape(&json[at..], out),
            _ => {}
        }
        if byte != b'\\' && (in_string || !byte.is_ascii_whitespace()) {
            out.push(byte);
        }
        at += length;
    }
}

/// Appends the escape sequence that the text begins with, and gives its length.
fn escape(text: &str, out: &mut Vec<u8>) -> usize {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let length = match (unit(0), unit(6)) {
        (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
        (Some(0xD800..=0xDFFF), _) => {
            out.extend_from_slice(b"\\ufffd");
            return 6;
        }
        (Some(_), _) => 6,
        (None, _) => 2,
    };
    out.extend_from_slice(&text.as_bytes()[..length.min(text.len())]);
    length
}

/// How deep JSON is nested.
fn depth(json: &str) -> usize {
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
    use crate::streams::find;

    fn fitted(record: &str, drops: Drops) -> Result<String, String> {
        let mut shape = Shape::new(find("users").unwrap(), drops, Some("o-1"));
        let mut out = Vec::new();
        shape.fit(&Fields::of(record)?, &mut out).map(|()| String::from_utf8(out).unwrap())
    }

    const TAIL: &str = r#","organization_id":"o-1","created_at":null,"updated_at":null}"#;

    #[test]
    fn what_has_nothing_to_change_is_copied() {
        let table = [
            (r#"{"id":"u-1"}"#, format!(r#"{{"id":"u-1"{TAIL}"#)),
            (
                r#"{"metadata":{"created_at":"2026-03-02T12:00:00.123456789Z"},"id":"u-1","n":1.50e3 }"#,
                r#"{"metadata":{"created_at":"2026-03-02T12:00:00.123456789Z"},"id":"u-1","n":1.50e3 ,"organization_id":"o-1","created_at":"2026-03-02T12:00:00.123456789Z","updated_at":null}"#.to_owned(),
            ),
            (
                r#"{"id":"u-1","created_at":"theirs","metadata":[]}"#,
                r#"{"id":"u-1","created_at":"theirs","metadata":[],"organization_id":"o-1","updated_at":null}"#.to_owned(),
            ),
        ];
        for (record, expected) in table {
            assert_eq!(fitted(record, Drops::default()).as_ref(), Ok(&expected), "{record}");
        }
    }

    #[test]
    fn pretty_printed_records_come_out_on_one_line_and_keep_order_and_digits() {
        let record = "{\r\n  \"id\" : \"u-1\",\n\t\"z\": [ 1.0,\n 1E+2, \"a \\n \\\" b\\\\\" ], \"a\": {}\n}";
        let expected = format!(r#"{{"id":"u-1","z":[1.0,1E+2,"a \n \" b\\"],"a":{{}}{TAIL}"#);
        assert_eq!(fitted(record, Drops::default()), Ok(expected));
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced_and_a_whole_one_kept() {
        let table = [
            (r"\ud83d\ude00", r"\ud83d\ude00"),
            (r"\ud83d", r"\ufffd"),
            (r"\uDE00\uD83D", r"\ufffd\ufffd"),
            (r"\ud83dx\\ud83d", r"\ufffdx\\ud83d"),
            (r"\u00e9\ud83d\u00e9", r"\u00e9\ufffd\u00e9"),
        ];
        for (sent, expected) in table {
            let out = fitted(&format!(r#"{{"id":"u-1","n":"{sent}"}}"#), Drops::default()).unwrap();
            assert_eq!(out, format!(r#"{{"id":"u-1","n":"{expected}"{TAIL}"#));
            assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok());
        }
    }

    #[test]
    fn dropped_fields_are_gone_at_every_depth() {
        let mut drops = Drops::default();
        drops.whole("email");
        drops.whole("organization_id");
        let mut within = Drops::default();
        within.whole("self");
        drops.within("metadata", within);
        let record = r#"{"id":"u-1","email":"a@b","metadata":{"self":"x","updated_at":"t"},"q\"":1}"#;
        let expected =
            r#"{"id":"u-1","metadata":{"updated_at":"t"},"q\"":1,"created_at":null,"updated_at":"t"}"#;
        assert_eq!(fitted(record, drops.clone()).as_deref(), Ok(expected));
        let record = r#"{"email":"a@b","id":"u-1","metadata":null}"#;
        let expected = r#"{"id":"u-1","metadata":null,"created_at":null,"updated_at":null}"#;
        assert_eq!(fitted(record, drops).as_deref(), Ok(expected));
    }

    #[test]
    fn what_is_no_record() {
        let deep =
            |levels: usize| format!(r#"{{"id":"u-1","x":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
        for record in [
            "5",
            "null",
            "[]",
            r#""u-1""#,
            "{}",
            r#"{"id":null}"#,
            r#"{"id":7}"#,
            r#"{"id":""}"#,
            r#"{"ID":"u-1"}"#,
            &deep(128),
        ] {
            assert!(fitted(record, Drops::default()).is_err(), "{record}");
        }
        assert!(fitted(&deep(127), Drops::default()).is_ok());
        let wide = format!(r#"{{"id":"u-1","x":"{}","y":[{}[]]}}"#, "[".repeat(500), "[],".repeat(500));
        assert!(fitted(&wide, Drops::default()).is_ok(), "many brackets are not deep ones");
    }

    #[test]
    fn a_role_binding_is_read_in_its_parts() {
        let mut shape = Shape::new(find("role_bindings").unwrap(), Drops::default(), Some("o-1"));
        let mut columns = |principal: &str, pattern: &str| {
            let record = format!(r#"{{"id":"rb-1","principal":{principal},"crn_pattern":{pattern}}}"#);
            let mut out = Vec::new();
            shape.fit(&Fields::of(&record).unwrap(), &mut out).unwrap();
            let out: serde_json::Value = serde_json::from_slice(&out).unwrap();
            let names = [
                "principal_type",
                "principal_id",
                "scope_type",
                "environment_id",
                "resource_name",
                "pattern_type",
            ];
            names.map(|name| out[name].as_str().map(str::to_owned))
        };
        let some = |words: [&str; 6]| words.map(|word| (word != "-").then(|| word.to_owned()));
        let base = "crn://confluent.cloud/organization=o-1/environment=env-1";
        assert_eq!(
            columns(r#""User:sa-1""#, &format!(r#""{base}/schema-registry=lsrc-1/subject=a\"b*""#)),
            some(["service_account", "sa-1", "environment", "env-1", "a\"b", "PREFIXED"])
        );
        assert_eq!(
            columns("null", &format!("\"{base}\"")),
            some(["-", "-", "environment", "env-1", "-", "-"])
        );
        assert_eq!(columns(r#""User:x""#, r#""crn://what""#), some(["unknown", "x", "-", "-", "-", "-"]));
        assert_eq!(columns("5", "null"), some(["-"; 6]));
        let words = shape.strays().unwrap();
        assert!(words.contains("null: 1, the first of them \"crn://what\""), "{words}");
    }

    #[test]
    fn strays_are_counted_and_told_once() {
        let mut shape = Shape::new(find("users").unwrap(), Drops::default(), None);
        for record in
            [r#"{"id":"u-1","new":1}"#, r#"{"id":"u-2","new":2,"created_at":"x"}"#, r#"{"id":"u-3"}"#]
        {
            shape.fit(&Fields::of(record).unwrap(), &mut Vec::new()).unwrap();
        }
        let words = shape.strays().unwrap();
        assert!(words.contains("\"new\" in 2 records") && words.contains("created_at"), "{words}");
    }
}
