//! States of both protocols: whatever is read is written again as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tap_confluent_cloud::protocol::{airbyte, singer};
use tap_confluent_cloud::state::Position;
use tap_confluent_cloud::streams::STREAMS;

fn again(position: &Position) {
    let (mut bookmark, mut written) = (Value::Null, Value::Null);
    position.write(&mut bookmark);
    let read = Position::read(&bookmark, false).expect("our own bookmark");
    read.write(&mut written);
    // Of a finished pass, no position is left.
    assert!(read == Position::Start || bookmark == written);
}

fuzz_target!(|state: &[u8]| {
    let Ok(state) = serde_json::from_slice::<Value>(state) else { return };
    if let Ok(given) = airbyte::read_state(&state) {
        given.values().for_each(|(position, _)| again(position));
    }
    let Ok(state) = singer::read_state(state) else { return };
    for stream in STREAMS {
        let bookmark = &state["bookmarks"][stream.name];
        again(&Position::read(bookmark, stream.cursor.is_some()).expect("it was mended"));
    }
});
