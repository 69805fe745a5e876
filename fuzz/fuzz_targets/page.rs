//! Bodies of pages: read, and each record made to fit. What comes out is one line of valid JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tap_confluent_cloud::api::page;
use tap_confluent_cloud::shape::{Drops, Fields, Shape};
use tap_confluent_cloud::streams::STREAMS;

fuzz_target!(|body: &[u8]| {
    let Ok(page) = page::read(body.to_vec()) else { return };
    let mut narrowed = Drops::default();
    narrowed.whole("email");
    let mut within = Drops::default();
    within.whole("self");
    narrowed.within("metadata", within);
    for drops in [Drops::default(), narrowed] {
        let mut shape = Shape::new(&STREAMS[0], drops, Some("o-1"));
        for record in page.records() {
            let (Ok(fields), mut out) = (Fields::of(record), Vec::new()) else { continue };
            if shape.fit(&fields, &mut out).is_ok() {
                assert!(!out.contains(&b'\n') && !out.contains(&b'\r'));
                let fitted: serde_json::Value = serde_json::from_slice(&out).expect("a record is valid JSON");
                assert!(fitted.is_object());
            } else {
                assert!(out.is_empty());
            }
        }
    }
});
