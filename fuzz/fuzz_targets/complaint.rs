//! Bodies of errors: words on one line, of bounded length.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tap_confluent_cloud::api::complaint;

fuzz_target!(|body: &[u8]| {
    let words = complaint::printable(&complaint::said(body, false));
    assert!(words.chars().count() <= 301 && !words.contains(char::is_control));
});
