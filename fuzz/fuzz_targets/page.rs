//! Bodies of pages: read, and each record made to fit. What comes out is one line of valid JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tap_confluent_cloud::api::page;
use tap_confluent_cloud::shape::{Drift, Drops, Form, Personal, Shape};
use tap_confluent_cloud::streams::{STREAMS, find};

/// Whether a field of such a name is anywhere in it.
fn holds(json: &Value, is_it: &impl Fn(&str) -> bool) -> bool {
    match json {
        Value::Object(fields) => fields.iter().any(|(name, value)| is_it(name) || holds(value, is_it)),
        Value::Array(items) => items.iter().any(|item| holds(item, is_it)),
        _ => false,
    }
}

fuzz_target!(|body: &[u8]| {
    let Ok(page) = page::read(body.to_vec()) else { return };
    let mut narrowed = Drops::default();
    narrowed.whole("email");
    let mut within = Drops::default();
    within.whole("self");
    narrowed.within("metadata", within);
    let keys = find("api_keys").expect("a stream with credentials");
    for (stream, drops) in [(&STREAMS[0], Drops::default()), (&STREAMS[0], narrowed), (keys, Drops::default())] {
        let form = Form::new(Some("o-1".to_owned()), Drift::Warn, Personal::Hash, Some("a key for the hashes"));
        let mut shape = Shape::new(stream, drops, form);
        for text in page.records() {
            let (Ok(record), mut out) = (shape.open(text), Vec::new()) else { continue };
            if shape.fit(&record, None, &mut out).is_ok() {
                assert!(!out.contains(&b'\n') && !out.contains(&b'\r'));
                // A number keeps its digits, also where they are more than a double can hold.
                match serde_json::from_slice::<Value>(&out) {
                    Ok(fitted) => {
                        // Written anew, U+0000 has but this escape.
                        let plain = fitted.to_string().replace(r"\\", "");
                        assert!(stream.secret.is_empty() || !holds(&fitted, &|name| stream.is_secret(name)));
                        assert!(fitted.is_object() && !plain.contains(r"\u0000"));
                    }
                    Err(error) => assert!(error.to_string().starts_with("number out of range"), "{error}"),
                }
            } else {
                assert!(out.is_empty());
            }
        }
    }
});
