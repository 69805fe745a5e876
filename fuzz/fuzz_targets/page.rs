//! Bodies of pages: read, and each record made to fit. What comes out is one line of valid JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tap_confluent_cloud::api::page;
use tap_confluent_cloud::partition::Partition;
use tap_confluent_cloud::shape::{Deselected, Drift, Personal, RecordOptions, Records, Shape};
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
    let mut narrowed = Deselected::default();
    narrowed.insert(vec!["email".to_owned()]);
    narrowed.insert(vec!["metadata".to_owned(), "self".to_owned()]);
    let all = Deselected::default();
    let (keys, connectors) = (find("api_keys").expect("a stream"), find("connectors").expect("a stream"));
    for (stream, deselected) in
        [(&STREAMS[0], &all), (&STREAMS[0], &narrowed), (keys, &all), (connectors, &all)]
    {
        let Ok(page) = page::read(body.to_vec(), stream.envelope) else { continue };
        let options = RecordOptions::new(
            Some("o-1".to_owned()),
            Drift::Warn,
            Personal::Hash,
            Some("a key for the hashes"),
        );
        let mut shape = Shape::new(stream, deselected, options);
        for text in page.records() {
            let mut out = Records::default();
            let fits = shape.fit(text, &Partition::default(), &mut out).is_ok();
            assert_eq!(fits, out.len() == 1);
            for out in out.iter() {
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
