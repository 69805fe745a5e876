//! Confluent Resource Names: two texts, apart at the first line break.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tap_confluent_cloud::crn::{self, Relation};

fuzz_target!(|text: &str| {
    let (name, scope) = text.split_once('\n').unwrap_or((text, "crn://confluent.cloud/organization=o-1"));
    let _ = crn::segment(name, "organization");
    if crn::relation(name, scope) == Relation::Below {
        assert!(name.len() >= scope.len() || name.contains('%') || scope.contains('%'));
    }
});
