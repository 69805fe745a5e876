//! Catalogs of both protocols: read or refused, and the key is never dropped.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tap_confluent_cloud::protocol::{Offer, Selected, airbyte, singer};
use tap_confluent_cloud::shape::Personal;
use tap_confluent_cloud::streams::STREAMS;

fn keeps_key(selected: &Selected) -> bool {
    selected.deselected.of(&[]).all(|name| name != selected.stream.key)
}

fuzz_target!(|catalog: &[u8]| {
    let Ok(catalog) = serde_json::from_slice::<Value>(catalog) else { return };
    let offer = Offer { streams: STREAMS.iter().collect(), personal: Personal::Omit };
    if let Ok(selected) = singer::catalog::select(&catalog, &offer) {
        assert!(selected.iter().all(keeps_key));
    }
    if let Ok((wanted, _)) = airbyte::catalog::select(&catalog, &offer) {
        assert!(wanted.iter().all(keeps_key));
    }
});
