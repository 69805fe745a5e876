//! Catalogs of both protocols: read or refused, and the key is never dropped.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tap_confluent_cloud::protocol::{Offer, Selected, airbyte, singer};
use tap_confluent_cloud::shape::Personal;
use tap_confluent_cloud::streams::STREAMS;

fn keeps_its_key(selected: &Selected) {
    assert!(!selected.deselected.contains([selected.stream.key.to_owned()].as_slice()));
}

fuzz_target!(|catalog: &[u8]| {
    let Ok(catalog) = serde_json::from_slice::<Value>(catalog) else { return };
    let offer = Offer { streams: STREAMS.iter().collect(), personal: Personal::Omit };
    if let Ok(selected) = singer::catalog::select(&catalog, &offer) {
        selected.iter().for_each(keeps_its_key);
    }
    if let Ok((wanted, _)) = airbyte::catalog::select(&catalog, &offer) {
        wanted.iter().for_each(keeps_its_key);
    }
});
