//! Bodies of errors: words on one line, of bounded length, and never the credentials.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tap_confluent_cloud::api::complaint;
use tap_confluent_cloud::api::redact::Pieces;

const SECRET: &str = "abcabcabcabcabca+/a";

fuzz_target!(|body: &[u8]| {
    let pieces = Pieces::of([SECRET]);
    let words = complaint::printable(&pieces.withhold(complaint::read(body, false).said));
    assert!(words.chars().count() <= 301 && !words.contains(char::is_control));
    assert!(
        SECRET.as_bytes().windows(10).all(|piece| !words.as_bytes().windows(10).any(|found| found == piece))
    );
});
