//! What holds for any input, of the pure parts: pages, records, states, catalogs.
//! Reached through the library that the binary hides.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use tap_confluent_cloud::api::{complaint, page};
use tap_confluent_cloud::json::Tape;
use tap_confluent_cloud::partition::Partition;
use tap_confluent_cloud::protocol::{Offer, airbyte, singer};
use tap_confluent_cloud::shape::{Deselected, Drift, Personal, RecordOptions, Records, Shape};
use tap_confluent_cloud::state::{Access, Bookmark, Position};
use tap_confluent_cloud::streams::{Envelope, STREAMS, Stream, find};

/// Any JSON, a few levels deep; what is special to the binary comes up often.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no infinity", |number| number.is_finite()).prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(any_text(), inner, 0..6).prop_map(object),
        ]
    })
}

fn any_text() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "id",
        "type",
        "STATE",
        "value",
        "bookmarks",
        "users",
        "role_bindings",
        "page_token",
        "partition",
        "organization_id",
        "started_at",
        "created_at",
        "metadata",
        "data",
        "next",
        "streams",
        "stream",
        "tap_stream_id",
        "breadcrumb",
        "selected",
        "inclusion",
        "properties",
        "stream_descriptor",
        "stream_state",
        "name",
        "organization/*",
        "2026-01-02T03:04:05Z",
        "json_schema",
        "a\0b",
    ]);
    prop_oneof![known.prop_map(str::to_owned), any::<String>()]
}

fn object(fields: BTreeMap<String, Value>) -> Value {
    Value::Object(fields.into_iter().collect())
}

/// A record with a key and any other fields, in any order.
fn any_record() -> impl Strategy<Value = Value> {
    (vec((any_text(), any_json()), 0..8), "[a-z]{1,3}-[a-z0-9]{1,8}", any::<prop::sample::Index>()).prop_map(
        |(mut fields, id, place)| {
            fields.retain(|(name, _)| name != "id");
            fields.insert(place.index(fields.len() + 1), ("id".to_owned(), id.into()));
            Value::Object(fields.into_iter().collect())
        },
    )
}

/// The same JSON with white space wherever it may be, as these numbers say.
fn spread(value: &Value, spaces: &mut impl Iterator<Item = u8>) -> String {
    let mut space = || match spaces.next().unwrap_or_default() % 6 {
        0 => " ",
        1 => "\n",
        2 => "\r\n\t",
        _ => "",
    };
    let (before, after, inside) = (space(), space(), space());
    let text = match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| spread(item, spaces)).collect();
            format!("[{inside}{}]", items.join(","))
        }
        Value::Object(fields) => {
            let name = |name: &String| Value::from(name.as_str()).to_string();
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("{}{inside}:{}", name(key), spread(value, spaces)))
                .collect();
            format!("{{{inside}{}}}", fields.join(","))
        }
        leaf => leaf.to_string(),
    };
    format!("{before}{text}{after}")
}

/// RFC 3339, in one of the forms that the service sends.
fn any_time() -> impl Strategy<Value = String> {
    let seconds = 0..4_000_000_000_i64;
    (seconds, 0..1_000_000_000_u32, any::<bool>()).prop_filter_map("a time", |(seconds, nanos, offset)| {
        let time: DateTime<Utc> = DateTime::from_timestamp(seconds, nanos)?;
        Some(time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, !offset))
    })
}

/// Fields of users that are declared and no times.
const TEXTS: [&str; 5] = ["api_version", "kind", "email", "full_name", "auth_type"];

/// Without the fields that the schema knows, of which times that are none do not pass; with the key.
fn undeclared(stream: &Stream, record: Value) -> Map<String, Value> {
    let schema = stream.schema();
    let known = |name: &str| name != stream.key && schema["properties"].get(name).is_some();
    let Value::Object(record) = record else { return Map::new() };
    record.into_iter().filter(|(name, _)| !known(name)).collect()
}

/// The same with U+FFFD for U+0000.
fn clean(json: Value) -> Value {
    let clean_text = |text: String| text.replace('\0', "\u{fffd}");
    match json {
        Value::String(text) => clean_text(text).into(),
        Value::Array(items) => items.into_iter().map(clean).collect(),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (clean_text(name), clean(value))).collect())
        }
        other => other,
    }
}

fn clean_fields(fields: Map<String, Value>) -> Map<String, Value> {
    clean(fields.into()).as_object().cloned().unwrap_or_default()
}

/// What comes of a record, if anything; then nothing is written.
fn fitted(shape: &mut Shape, record: &str) -> Option<String> {
    let mut out = Records::default();
    let tape = Tape::read(record.to_owned(), 127).unwrap();
    let fits = shape.fit(tape.root(), &Partition::default(), &mut out).is_ok();
    let line = out.iter().next().map(|line| String::from_utf8(line.to_vec()).unwrap());
    assert_eq!(fits, line.is_some(), "something of a refused record is left: {line:?}");
    line
}

fn values_of(page: &page::Page) -> Vec<Value> {
    page.records().map(|record| serde_json::from_str(record.text()).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_page_holds_the_sent_records_and_the_token_of_its_link(
        records in vec(any_json(), 0..6),
        token in prop::option::of(".{1,40}"),
        extra in any_json(),
        metadata_first in any::<bool>(),
        spaces in vec(any::<u8>(), 0..64),
    ) {
        let mut metadata = Map::from_iter([("total_size".to_owned(), extra.clone())]);
        if let Some(token) = &token {
            let encoded: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
            metadata.insert("next".to_owned(), format!("https://a.b/x?page_token={encoded}&q=1").into());
        }
        let mut fields = vec![
            ("odd", extra),
            ("data", Value::from(records.clone())),
            ("kind", "UserList".into()),
            ("metadata", Value::from(metadata)),
        ];
        if metadata_first {
            fields.reverse();
        }
        let body: Map<String, Value> =
            fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let body = spread(&Value::from(body), &mut spaces.into_iter().cycle());
        let page = page::read(body.into_bytes(), Envelope::List).unwrap();
        prop_assert_eq!(values_of(&page), records);
        prop_assert_eq!(page.next, token);
    }

    #[test]
    fn no_bytes_make_parsing_a_page_panic(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(!complaint::printable(&complaint::read(&bytes, false).said).contains(char::is_control));
        if let Ok(page) = page::read(bytes, Envelope::List) {
            page.records().for_each(|record| assert!(!record.text().is_empty()));
        }
    }

    #[test]
    fn a_damaged_page_is_never_read_as_a_shorter_one(
        records in vec(any_record(), 1..5),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let whole = json!({"data": records, "metadata": {"next": "/x?page_token=t"}}).to_string().into_bytes();
        let at = at.index(whole.len());
        prop_assert!(page::read(whole[..at].to_vec(), Envelope::List).is_err(), "a part of a page was taken for a page");
        let mut changed = whole;
        changed[at] = byte;
        if let Ok(page) = page::read(changed, Envelope::List) {
            for record in page.records() {
                prop_assert!(!record.text().is_empty());
            }
        }
    }

    #[test]
    fn any_error_body_is_quoted_short_and_on_one_line(said in any::<String>(), body in any_json()) {
        for body in [json!({"errors": [{"detail": said}]}), json!({"message": said}), body] {
            let words = complaint::printable(&complaint::read(body.to_string().as_bytes(), false).said);
            prop_assert!(words.chars().count() <= 301 && !words.contains(char::is_control), "{words:?}");
        }
    }

    #[test]
    fn a_record_becomes_one_line_with_its_values_and_derived_columns(
        record in any_record(),
        times in prop::option::of((any_time(), any_time())),
        organization in prop::option::of(any::<String>()),
        spaces in vec(any::<u8>(), 0..64),
        index in any::<prop::sample::Index>(),
    ) {
        let streams: Vec<_> = STREAMS.iter().filter(|stream| stream.key == "id").collect();
        let stream = *index.get(&streams);
        let mut record = undeclared(stream, record);
        if let Some((created, updated)) = &times {
            record.insert("metadata".to_owned(), json!({"created_at": created, "updated_at": updated}));
        }
        let text = spread(&record.clone().into(), &mut spaces.into_iter().cycle());
        let options = RecordOptions::new(organization.clone(), Drift::Warn, Personal::Keep, None);
        let line = fitted(&mut Shape::new(stream, &Deselected::default(), options), text.trim()).unwrap();
        prop_assert!(!line.contains(['\n', '\r']), "{line:?}");
        let out: Map<String, Value> = serde_json::from_str(&line).unwrap();
        let record = clean_fields(record);
        prop_assert!(record.iter().all(|(name, value)| out[name] == *value), "{line} of {text}");
        prop_assert_eq!(out.keys().take(record.len()).collect::<Vec<_>>(), record.keys().collect::<Vec<_>>());
        let (created, updated) = times.unzip();
        prop_assert_eq!(&out["organization_id"], &clean(organization.into()));
        prop_assert_eq!(&out["created_at"], &Value::from(created));
        prop_assert_eq!(&out["updated_at"], &Value::from(updated));
        let columns: Vec<&str> = stream.derived().map(|(name, _)| name).collect();
        prop_assert_eq!(out.keys().skip(record.len()).collect::<Vec<_>>(), columns);
    }

    #[test]
    fn dropping_fields_leaves_the_others_as_they_were(
        record in any_record(),
        declared in btree_map(prop::sample::select(TEXTS.as_slice()), any_json(), 0..5),
        dropped in vec(prop::sample::select(TEXTS.as_slice()), 1..4),
    ) {
        let mut record = undeclared(&STREAMS[0], record);
        record.extend(declared.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let mut deselected = Deselected::default();
        deselected.extend(dropped.iter().map(|name| vec![(*name).to_owned()]));
        let options = RecordOptions::new(None, Drift::Pass, Personal::Keep, None);
        let text = Value::from(record.clone()).to_string();
        let line = fitted(&mut Shape::new(&STREAMS[0], &deselected, options), &text).unwrap();
        let out: Map<String, Value> = serde_json::from_str(&line).unwrap();
        for (name, value) in &clean_fields(record) {
            let left = Some(value).filter(|_| !dropped.contains(&name.as_str()));
            prop_assert_eq!(out.get(name), left, "{}", name);
        }
    }

    #[test]
    fn any_record_is_either_fitted_or_refused(record in any_json()) {
        for personal in [Personal::Keep, Personal::Hash, Personal::Omit] {
            let options = RecordOptions::new(None, Drift::Warn, personal, Some("a key for the hashes"));
            let line = fitted(&mut Shape::new(&STREAMS[0], &Deselected::default(), options), &record.to_string());
            prop_assert_eq!(line.is_some(), record["id"].as_str().is_some_and(|id| !id.is_empty()));
            let whole = line.is_none_or(|line| serde_json::from_str::<Map<String, Value>>(&line).is_ok());
            prop_assert!(whole, "what came out is no object");
        }
    }

    #[test]
    fn a_position_is_read_as_written_even_beside_foreign_keys(
        organization_id in prop::option::of(any::<String>()),
        api_key_hash in prop::option::of(any::<String>()),
        (records, last_records) in any::<(u64, Option<u64>)>(),
        (partition, page_token) in any::<(Option<String>, Option<String>)>(),
        milliseconds in 0..4_000_000_000_000_i64,
        others in btree_map("x_[a-z]{1,5}", any_json(), 0..3),
    ) {
        let stream = find("role_bindings").unwrap();
        let started_at: DateTime<Utc> = DateTime::UNIX_EPOCH + TimeDelta::milliseconds(milliseconds);
        // How long the last list was is kept of the same key.
        let kept = last_records.filter(|_| api_key_hash.is_some());
        let access = Access { organization_id, api_key_hash };
        let complete = Position::Complete { access: access.clone(), records: None, next: None };
        let position = Position::At(Bookmark { access, partition, page_token, started_at, records });
        let mut bookmark: Value = others.clone().into_iter().collect();
        complete.write(&mut bookmark);
        bookmark["last_records"] = last_records.into();
        position.write(&mut bookmark);
        prop_assert!(others.iter().all(|(name, value)| bookmark.get(name) == Some(value)));
        prop_assert_eq!(Position::read(&bookmark, false), Ok(position.clone()));
        let state = json!({"bookmarks": {stream.name: bookmark.clone()}});
        let state = singer::read_state(state).unwrap();
        prop_assert_eq!(Position::read(&state["bookmarks"][stream.name], false), Ok(position));
        prop_assert_eq!(bookmark["last_records"].as_u64(), kept);
        complete.write(&mut bookmark);
        prop_assert_eq!(Position::read(&bookmark, false), Ok(Position::Start));
        prop_assert_eq!(bookmark["last_records"].as_u64(), kept);
    }

    #[test]
    fn no_state_makes_parsing_panic(state in any_json(), bookmark in any_json()) {
        for state in [
            state.clone(),
            json!({"bookmarks": state}),
            json!({"bookmarks": {"users": bookmark}}),
            json!([{"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"}, "stream_state": bookmark}}]),
        ] {
            let _ = airbyte::read_state(&state);
            let Ok(state) = singer::read_state(state) else { continue };
            for stream in STREAMS {
                let position = Position::read(&state["bookmarks"][stream.name], stream.cursor.is_some());
                prop_assert!(position.is_ok(), "{state}");
            }
        }
    }

    #[test]
    fn no_metadata_drops_the_key(
        entries in vec((vec(any_text(), 0..4), any_json()), 0..6),
        selected in any::<[Option<bool>; 4]>(),
        inclusion in prop::sample::select(vec!["available", "automatic", "unsupported", "?"]),
        schema in any_json(),
    ) {
        let mut metadata: Vec<Value> = entries
            .into_iter()
            .map(|(breadcrumb, metadata)| json!({"breadcrumb": breadcrumb, "metadata": metadata}))
            .collect();
        let [stream, key, by_default, field] = selected;
        let words = |selected: Option<bool>| {
            json!({"selected": selected, "selected-by-default": by_default, "inclusion": inclusion})
        };
        metadata.push(json!({"breadcrumb": [], "metadata": words(stream)}));
        metadata.push(json!({"breadcrumb": ["properties", "id"], "metadata": words(key)}));
        metadata.push(json!({"breadcrumb": ["properties", "email"], "metadata": words(field)}));
        let offer = Offer { streams: STREAMS.iter().collect(), personal: Personal::Keep };
        for schema in [schema, STREAMS[0].schema()] {
            let entry = json!({"tap_stream_id": "users", "schema": schema, "metadata": metadata, "selected": stream});
            let catalog = json!({"streams": [entry]});
            let chosen = singer::catalog::select(&catalog, &offer);
            for selected in chosen.iter().flatten() {
                prop_assert!(!selected.deselected.contains([selected.stream.key.to_owned()].as_slice()));
            }
            let wanted = json!({"stream": {"name": "users", "json_schema": schema}, "sync_mode": "full_refresh"});
            let catalog = json!({"streams": [wanted]});
            let (wanted, missing) = airbyte::catalog::select(&catalog, &offer).unwrap();
            prop_assert!(missing.is_empty() && wanted.len() == 1);
            prop_assert!(!wanted[0].deselected.contains(["id".to_owned()].as_slice()));
        }
    }

    #[test]
    fn no_catalog_makes_parsing_panic(catalog in any_json(), entry in any_json()) {
        let offer = Offer { streams: STREAMS.iter().collect(), personal: Personal::Keep };
        for catalog in [catalog.clone(), json!({"streams": catalog}), json!({"streams": [entry]})] {
            let _ = singer::catalog::select(&catalog, &offer).map(|chosen| chosen.len());
            let _ = airbyte::catalog::select(&catalog, &offer).map(|(wanted, _)| wanted.len());
        }
    }
}
