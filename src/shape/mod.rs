//! A record made to fit: derived columns added, deselected fields dropped, personal data hashed, what is no time made
//! null, drift counted.
//!
//! The bytes of a record are copied, not rebuilt, wherever nothing in it has to change. What comes out is valid JSON
//! without a line break whatever the page looked like. Knows no protocol and no HTTP.

mod derive;
mod drift;
mod options;
mod record;
mod records;
mod rules;

use std::borrow::Cow;
use std::mem;

use crate::crn;
use crate::json::{DEEPEST, Json, push_text};
use crate::partition::Partition;
use crate::streams::{Derived, Stream};
use derive::Columns;
use drift::DriftReport;
pub use options::{Drift, Personal, RecordOptions};
use record::{Record, is_hidden};
pub use records::Records;
pub use rules::Deselected;
use rules::{Fate, Rules};

/// What became known of a record while it was made to fit.
pub struct Fitted<'a> {
    pub key: Cow<'a, str>,
    /// Whether its own scope is narrower than the one that the listing names.
    pub is_narrower: bool,
}

/// The form of one stream's records in one run.
pub struct Shape {
    stream: &'static Stream,
    /// What the key is computed from, if it is.
    key: Option<Derived>,
    options: RecordOptions,
    rules: Rules,
    rebuilds: bool,
    /// Memory for the places of the next record's fields.
    places: Vec<usize>,
    columns: Columns,
    report: DriftReport,
}

impl Shape {
    pub fn new(stream: &'static Stream, deselected: &Deselected, options: RecordOptions) -> Shape {
        let rules = Rules::of(stream, deselected, options.personal);
        let columns = Columns::new(stream, &rules, options.organization_id.as_deref());
        let key = stream.derived.iter().find(|(name, _)| *name == stream.key);
        Shape {
            stream,
            key: key.map(|(_, derived)| *derived),
            rebuilds: rules.change_always() || !stream.secret.is_empty(),
            rules,
            places: Vec::new(),
            columns,
            report: DriftReport::new(options.drift, options.personal == Personal::Keep),
            options,
        }
    }

    /// Begins a listing: equal records are numbered anew.
    pub fn begin(&mut self) {
        self.columns.digests.clear();
    }

    /// Appends a record of that partition, made to fit, to `out`.
    ///
    /// # Errors
    /// In words, if the record is not an object, has no key, belongs to another listing, is nested too deep, does not
    /// fit a schema that is enforced, or holds a field twice where its fields are looked at: parsers differ in which
    /// of the two they take. `out` is then left as it was.
    pub fn fit<'a>(
        &mut self,
        record: Json<'a>,
        partition: &Partition,
        out: &mut Records,
    ) -> Result<Fitted<'a>, String> {
        let (stream, rules) = (self.stream, &self.rules);
        if record.first() != b'{' {
            return Err("a record that is not an object".to_owned());
        }
        if record.is_too_deep() {
            return Err(format!("a record nested deeper than {DEEPEST} levels"));
        }
        let found = Record::find(record, rules, stream, mem::take(&mut self.places))?;
        let is_plain = record.is_plain();
        let text = |path: &[&str]| found.text(rules.at(path)?.number).filter(|text| !text.is_empty());
        if let Some(foreign) = partition.disowns(|path| record.at(path)?.string()) {
            return Err(foreign);
        }
        // A field that the API sends under the name of a derived column wins, also under that of the key.
        let own = rules.at(&[stream.key]).and_then(|rule| found.at(rule.number));
        let key = match self.key.filter(|_| own.is_none()) {
            Some(Derived::Lifted(path)) => text(path),
            Some(derived) => self.columns.key(record, derived).map(|key| Cow::Owned(key.to_owned())),
            None => own.and_then(Json::string).filter(|text| !text.is_empty()),
        };
        let key = key.ok_or_else(|| format!("a record without {:?}, its key", stream.key))?;
        let scope = partition.query.last().filter(|_| partition.inclusive.is_some());
        let is_narrower = scope
            .is_some_and(|(field, scope)| text(&[*field]).is_some_and(|crn| crn::is_narrower(&crn, scope)));
        self.report.nulled.clear();
        if found.is_odd || !is_plain {
            self.report.inspect(record, rules, stream, None)?;
        }
        let nulled = mem::take(&mut self.report.nulled);
        if !self.rebuilds && nulled.is_empty() && is_plain {
            out.json.extend_from_slice(record.text().as_bytes());
        } else {
            self.rebuild(record, Some(rules), &mut out.json);
        }
        // The columns come before the closing brace.
        out.json.pop();
        self.columns.derive(&found, partition, &mut self.report, &mut out.json);
        self.places = found.places;
        out.json.push(b'}');
        if !nulled.is_empty() {
            out.nulled.insert(out.ends.len(), nulled);
        }
        out.ends.push(out.json.len());
        Ok(Fitted { key, is_narrower })
    }

    /// Writes an object with its fields as the rules want them.
    fn rebuild(&self, object: Json<'_>, rules: Option<&Rules>, out: &mut Vec<u8>) {
        let mut last = None;
        out.push(b'{');
        for field in object.items().filter(|field| !is_hidden(self.stream, *field)) {
            let rule = rules.and_then(|rules| rules.of_field(field, &mut last));
            let fate = rule.map_or(Fate::Copied, |rule| rule.fate(field));
            if matches!(fate, Fate::Dropped) {
                continue;
            }
            if out.last() != Some(&b'{') {
                out.push(b',');
            }
            if let (Fate::Copied, true, Some(whole)) = (&fate, self.stream.secret.is_empty(), field.member())
            {
                out.extend_from_slice(whole.as_bytes());
                continue;
            }
            push_text(Some(&field.name()), out);
            out.push(b':');
            match fate {
                Fate::Dropped | Fate::Nulled => push_text(None, out),
                Fate::Hashed => {
                    let hashed = field.string().map(|text| self.options.hash(&text));
                    push_text(hashed.as_deref(), out);
                }
                Fate::Opened(rules) => self.rebuild(field, Some(rules), out),
                Fate::Copied => self.pass(field, out),
            }
        }
        out.push(b'}');
    }

    /// Writes a value, without credentials at any depth.
    fn pass(&self, value: Json<'_>, out: &mut Vec<u8>) {
        match value.first() {
            _ if self.stream.secret.is_empty() => value.copy(out),
            b'{' => self.rebuild(value, None, out),
            b'[' => {
                out.push(b'[');
                for (number, item) in value.items().enumerate() {
                    out.extend_from_slice(if number > 0 { b"," } else { b"" });
                    self.pass(item, out);
                }
                out.push(b']');
            }
            _ => value.copy(out),
        }
    }

    /// What was odd about the records so far, in words; each is told once.
    pub fn drift(&self) -> Option<String> {
        self.report.words()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Tape;
    use crate::streams::find;

    fn options() -> RecordOptions {
        RecordOptions::new(Some("o-1".to_owned()), Drift::Warn, Personal::Keep, None)
    }

    fn shape(stream: &str, deselected: &Deselected) -> Shape {
        Shape::new(find(stream).unwrap(), deselected, options())
    }

    /// The record that comes out, and its key.
    fn fit(shape: &mut Shape, record: &str, partition: &Partition) -> Result<(String, String), String> {
        let mut out = Records::default();
        let tape = Tape::read(record.to_owned(), 125).map_err(|(why, _)| format!("{why:?}"))?;
        let key = shape.fit(tape.root(), partition, &mut out)?.key.into_owned();
        let text = out.iter().next().unwrap().to_vec();
        Ok((String::from_utf8(text).unwrap(), key))
    }

    fn fitted(record: &str, deselected: &Deselected) -> Result<String, String> {
        fit(&mut shape("users", deselected), record, &Partition::default()).map(|(record, _)| record)
    }

    fn deselected(paths: &[&str]) -> Deselected {
        let mut deselected = Deselected::default();
        for path in paths {
            deselected.insert(path.split('.').map(str::to_owned).collect());
        }
        deselected
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
                r#"{"id":"u-1","created_at":"2026-01-01T00:00:00Z","metadata":[]}"#,
                r#"{"id":"u-1","created_at":"2026-01-01T00:00:00Z","metadata":[],"organization_id":"o-1","updated_at":null}"#.to_owned(),
            ),
        ];
        for (record, expected) in table {
            assert_eq!(fitted(record, &Deselected::default()).as_ref(), Ok(&expected), "{record}");
        }
    }

    #[test]
    fn pretty_printed_records_come_out_on_one_line_and_keep_order_and_digits() {
        let record = "{\r\n  \"id\" : \"u-1\",\n\t\"z\": [ 1.0,\n 1E+2, \"a \\n \\\" b\\\\\" ], \"a\": {}\n}";
        let expected = format!(r#"{{"id":"u-1","z":[1.0,1E+2,"a \n \" b\\"],"a":{{}}{TAIL}"#);
        assert_eq!(fitted(record, &Deselected::default()), Ok(expected));
    }

    #[test]
    fn dropped_fields_are_gone_at_every_depth() {
        let mut paths = vec!["email", "organization_id", "metadata.self"];
        let record = r#"{"id":"u-1","email":"a@b","metadata":{"self":"x","updated_at":"2026-03-02T12:00:00Z"},"q\"":1}"#;
        let expected = r#"{"id":"u-1","metadata":{"updated_at":"2026-03-02T12:00:00Z"},"q\"":1,"created_at":null,"updated_at":"2026-03-02T12:00:00Z"}"#;
        assert_eq!(fitted(record, &deselected(&paths)).as_deref(), Ok(expected));
        paths.push("undeclared");
        let record = r#"{"email":"a@b","id":"u-1","metadata":null,"undeclared":1}"#;
        let expected = r#"{"id":"u-1","metadata":null,"created_at":null,"updated_at":null}"#;
        assert_eq!(fitted(record, &deselected(&paths)).as_deref(), Ok(expected));
    }

    #[test]
    fn a_name_is_not_taken_for_one_that_begins_like_it() {
        let long = "a".repeat(40);
        let table = [
            ("ab\\", r#""ab\"cd":1"#.to_owned()),
            ("a\":1,\"b", r#""a":1,"b":1"#.to_owned()),
            ("ab", r#""abc":1,"a":1"#.to_owned()),
            (&long[..15], format!(r#""{}":1,"{}":1"#, &long[..14], &long[..16])),
            (&long[..17], format!(r#""{}":1,"{long}":1"#, &long[..16])),
        ];
        for (dropped, others) in table {
            let mut shape = shape("users", &deselected(&[dropped]));
            let name = serde_json::to_string(dropped).unwrap();
            // Behind the first of them it is expected; the text may end soon behind a name.
            for fields in [format!(",{name}:1"), format!(",{others},{name}:1"), format!(",{others}")] {
                let record = format!(r#"{{"id":"u-1"{fields}}}"#);
                let expected = format!(r#"{{"id":"u-1"{}{TAIL}"#, fields.replace(&format!(",{name}:1"), ""));
                let fitted = fit(&mut shape, &record, &Partition::default());
                assert_eq!(fitted.map(|(record, _)| record), Ok(expected), "{dropped}: {record}");
            }
        }
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
            r#"{"id":"u-1","id":"u-1"}"#,
            r#"{"id":"u-1","x":1,"y":2,"\u0078":null}"#,
            r#"{"id":"u-1","email":1,"full_name":2,"email":3}"#,
            r#"{"id":"u-1","metadata":{"self":1,"self":1}}"#,
            r#"{"id":"u-1","x\u0000":1,"x\ufffd":1}"#,
            &deep(128),
        ] {
            assert!(fitted(record, &Deselected::default()).is_err(), "{record}");
        }
        assert!(fitted(&deep(124), &Deselected::default()).is_ok());
        let twice_inside = r#"{"id":"u-1","x":{"a":1,"a":1},"email":{"a":1,"a":1}}"#;
        assert!(fitted(twice_inside, &Deselected::default()).is_ok(), "what is not opened is passed on");
        let wide = format!(r#"{{"id":"u-1","x":"{}","y":[{}[]]}}"#, "[".repeat(500), "[],".repeat(500));
        assert!(fitted(&wide, &Deselected::default()).is_ok(), "many brackets are not deep ones");
    }

    #[test]
    fn half_a_surrogate_pair_in_a_name_is_replaced() {
        let record = r#"{"id":"u-1","metadata":{"\ud800":1,"created_at":"never"},"email":"a@b"}"#;
        let metadata = "{\"\u{fffd}\":1,\"created_at\":null}";
        let expected = format!(r#"{{"id":"u-1","metadata":{metadata},"email":"a@b"{TAIL}"#);
        assert_eq!(fitted(record, &Deselected::default()), Ok(expected));
    }

    #[test]
    fn the_secret_of_a_key_goes_out_in_no_form() {
        for catalog in [deselected(&[]), deselected(&["spec.description"])] {
            let mut shape = shape("api_keys", &catalog);
            for (spec, expected) in [
                (r#"{"secret":"HUSH","display_name":"x"}"#, r#"{"display_name":"x"}"#),
                (r#"{"s\u0065cret":"HUSH"}"#, "{}"),
                (r#"{"secret":{"a":"HUSH"},"secret":["HUSH"],"x":1}"#, r#"{"x":1}"#),
                (r#"{"owner":{"Token":"HUSH","id":"u-1"}}"#, r#"{"owner":{"id":"u-1"}}"#),
                (r#"{"resources":[ {"API_SECRET":"HUSH"} ]}"#, r#"{"resources":[{}]}"#),
                (r#"{"x":[[{"password":"HUSH"}]]}"#, r#"{"x":[[{}]]}"#),
                (r#"{"display_name":{"token":1,"tokens":2}}"#, r#"{"display_name":{"tokens":2}}"#),
                (r#"[{"secret":"HUSH"}]"#, "null"),
                (r#""{\"secret\":\"HUSH\"}""#, "null"),
                (r#"{"\ud800":1,"secret":"HUSH"}"#, "{\"\u{fffd}\":1}"),
                ("null", "null"),
            ] {
                let record = format!(r#"{{"id":"K","spec":{spec}}}"#);
                let (out, _) = fit(&mut shape, &record, &Partition::default()).unwrap();
                let start = format!(r#"{{"id":"K","spec":{expected},"organization_id""#);
                assert!(out.starts_with(&start) && !out.contains("HUSH"), "{out}");
            }
        }
    }

    #[test]
    fn a_joined_key_differs_wherever_a_part_of_it_does() {
        let mut shape = shape("service_quotas", &deselected(&["organization", "scope"]));
        let mut key = |record: &str| {
            let (out, key) = fit(&mut shape, record, &Partition::default())?;
            let out: serde_json::Value = serde_json::from_str(&out).unwrap();
            assert_eq!(out["quota_key"], *key, "{record}");
            Ok::<_, String>(key)
        };
        for (record, expected) in [
            (r#"{"id":"a.b"}"#, "id=a.b"),
            (r#"{"id":"a","scope":"S","organization":{"id":"o"}}"#, "id=a/scope=S/organization.id=o"),
            (r#"{"organization":{"x":1,"id":"o"},"scope":"S","id":"a"}"#, "id=a/scope=S/organization.id=o"),
            (r#"{"id":"a","user":{"id":"x"},"network":null}"#, "id=a/user.id=x"),
            (r#"{"id":"a","network":{"id":"x"},"user":{}}"#, "id=a/network.id=x"),
            (
                r#"{"id":"a","environment":{"id":"x"},"network":{"id":"y"}}"#,
                "id=a/environment.id=x/network.id=y",
            ),
            (r#"{"id":"a/user.id=x"}"#, "id=a%2Fuser.id=x"),
            (r#"{"id":"a%2Fuser.id=x","scope":""}"#, "id=a%252Fuser.id=x"),
            (r#"{"id":"é =\\ \"","scope":7,"user":"x"}"#, "id=é =\\ \""),
            (r#"{"id":"a","quota_key":"its own"}"#, "its own"),
        ] {
            assert_eq!(key(record).as_deref(), Ok(expected), "{record}");
        }
        for record in ["{}", r#"{"id":"","scope":"S"}"#, r#"{"id":7}"#, r#"{"id":"a","quota_key":null}"#] {
            assert!(key(record).is_err_and(|words| words.contains("quota_key")), "{record}");
        }
    }

    #[test]
    fn a_connector_keeps_its_class_and_nothing_else_of_its_configuration() {
        let record = r#"{"id":{"id":"lcc-1"},"info":{"name":"a b","config":{"x":"HUSH","connector.class":"S3"}},
            "status":{"connector":{"state":"FAILED","trace":"HUSH"},"tasks":[{"id":0,"trace":"HUSH"}]}}"#;
        let mut shape = shape("connectors", &deselected(&["info"]));
        let columns = vec![("environment_id", "env-1".to_owned()), ("kafka_cluster_id", "lkc-1".to_owned())];
        let partition = Partition { columns, ..Partition::default() };
        let (out, key) = fit(&mut shape, record, &partition).unwrap();
        assert_eq!(key, "lcc-1");
        let out: serde_json::Value = serde_json::from_str(&out).unwrap();
        let names =
            ["connector_id", "environment_id", "kafka_cluster_id", "name", "state", "connector_class"];
        let expected = ["lcc-1", "env-1", "lkc-1", "a b", "FAILED", "S3"];
        assert_eq!(names.map(|name| out[name].as_str().unwrap()), expected);
        assert!(!out.to_string().contains("HUSH") && out.get("info").is_none(), "{out}");
    }
}
