//! Bodies of pages: read as another reader reads them, and each record made to fit. What comes out is one line of
//! valid JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use serde_json::value::RawValue;
use tap_confluent_cloud::api::page::{self, Page, PageError};
use tap_confluent_cloud::partition::Partition;
use tap_confluent_cloud::shape::{Deselected, Drift, Personal, RecordOptions, Records, Shape};
use tap_confluent_cloud::streams::{Envelope, STREAMS, find};

/// Whether a field of such a name is anywhere in it.
fn holds(json: &Value, is_it: &impl Fn(&str) -> bool) -> bool {
    match json {
        Value::Object(fields) => fields.iter().any(|(name, value)| is_it(name) || holds(value, is_it)),
        Value::Array(items) => items.iter().any(|item| holds(item, is_it)),
        _ => false,
    }
}

/// Compares what was made of a body with what a slow and obvious reader makes of it.
fn agrees(body: &[u8], page: &Result<Page, (PageError, Vec<u8>)>, records: impl Fn(Value) -> Option<Vec<Value>>) {
    let text = std::str::from_utf8(body).unwrap_or_default().trim_start_matches('\u{feff}');
    let is_json = serde_json::from_str::<&RawValue>(text).is_ok();
    match page {
        Ok(page) => {
            assert!(is_json);
            // It refuses half a surrogate pair, and numbers that no double holds.
            let Ok(whole) = serde_json::from_str::<Value>(text) else { return };
            let read: Vec<Value> =
                page.records().map(|record| serde_json::from_str(record.text()).expect("JSON")).collect();
            if let Some(records) = records(whole) {
                assert_eq!(read, records);
            }
        }
        Err((PageError::Cut, _)) => assert!(!is_json),
        Err((PageError::Broken(words), _)) => assert!(!is_json || *words != "the response is not JSON"),
        Err((PageError::Complaint, _)) => assert!(is_json),
    }
}

fuzz_target!(|body: &[u8]| {
    let pages = [Envelope::List, Envelope::Map].map(|envelope| page::read(body.to_vec(), envelope));
    agrees(body, &pages[0], |mut page| match page["data"].take() {
        Value::Null => Some(Vec::new()),
        data => data.as_array().cloned(),
    });
    // A map keeps the last one only of two fields of one name.
    agrees(body, &pages[1], |page| {
        let fields = page.as_object()?.values().cloned().collect::<Vec<_>>();
        let count = pages[1].as_ref().map_or(0, |page| page.records().count());
        (fields.len() == count).then_some(fields)
    });
    let path = |path: &[&str]| path.iter().map(|name| (*name).to_owned()).collect();
    let narrowed = Deselected::from([path(&["email"]), path(&["metadata", "self"])]);
    let keys = find("api_keys").expect("a stream with credentials");
    let all = Deselected::default();
    for (stream, deselected) in [(&STREAMS[0], &all), (&STREAMS[0], &narrowed), (keys, &all)] {
        let key = Some("a key for the hashes");
        let options = RecordOptions::new(Some("o-1".to_owned()), Drift::Warn, Personal::Hash, key);
        let mut shape = Shape::new(stream, deselected, options);
        for text in pages.iter().flatten().flat_map(page::Page::records) {
            let mut records = Records::default();
            let is_fitted = shape.fit(text, &Partition::default(), &mut records).is_ok();
            assert_eq!(records.iter().count(), usize::from(is_fitted));
            for out in records.iter() {
                assert!(!out.contains(&b'\n') && !out.contains(&b'\r'));
                // A number keeps its digits, also where they are more than a double can hold.
                match serde_json::from_slice::<Value>(out) {
                    Ok(fitted) => {
                        // Written anew, U+0000 has but this escape.
                        let plain = fitted.to_string().replace(r"\\", "");
                        assert!(stream.secret.is_empty() || !holds(&fitted, &|name| stream.is_secret(name)));
                        assert!(fitted.is_object() && !plain.contains(r"\u0000"));
                    }
                    Err(error) => assert!(error.to_string().starts_with("number out of range"), "{error}"),
                }
            }
        }
    }
});
