//! States of both protocols: whatever is read is written again as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use tap_confluent_cloud::protocol::{airbyte, singer};
use tap_confluent_cloud::state::Position;
use tap_confluent_cloud::streams::{STREAMS, find};

fn again(position: &Position) {
    let mut bookmark = Map::new();
    position.into_bookmark(&mut bookmark);
    let read = Position::from_bookmark(&bookmark).expect("our own bookmark");
    let mut written = Map::new();
    read.into_bookmark(&mut written);
    assert_eq!(bookmark, written);
}

fuzz_target!(|state: &[u8]| {
    let Ok(state) = serde_json::from_slice::<Value>(state) else { return };
    if let Ok(positions) = airbyte::read_state(&state) {
        for (name, (_, position)) in &positions {
            assert!(find(name).is_some(), "a stream of ours");
            again(position);
        }
    }
    if let Ok(state) = singer::State::read(state) {
        STREAMS.iter().for_each(|stream| again(&state.position(stream)));
    }
});
