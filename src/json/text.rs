//! Parts of JSON on their way out: copied to one line of valid JSON, or written anew.

use std::ops::Range;

use memchr::{memchr, memchr3_iter};

/// Whether the text can go out as it is: on one line, and without an escape that [`copy`] may have to replace.
pub fn is_plain(json: &str) -> bool {
    let bytes = json.as_bytes();
    let is_suspect =
        |rest: &[u8]| ["ud", "uD", "u0000"].iter().any(|start| rest.starts_with(start.as_bytes()));
    !memchr3_iter(b'\n', b'\r', b'\\', bytes).any(|at| bytes[at] != b'\\' || is_suspect(&bytes[at + 1..]))
}

/// Appends JSON without white space between tokens, and with U+FFFD for what [`has_replaced`] tells.
pub fn copy(json: &str, out: &mut Vec<u8>) {
    let (mut copied, mut in_string) = (0, false);
    let mut tighten = |range: Range<usize>, out: &mut Vec<u8>| {
        for byte in json[range].bytes() {
            in_string ^= byte == b'"';
            if in_string || !byte.is_ascii_whitespace() {
                out.push(byte);
            }
        }
    };
    for Escape { range, is_replaced } in escapes(json) {
        tighten(copied..range.start, out);
        copied = range.end;
        out.extend_from_slice(if is_replaced { b"\\ufffd" } else { json[range].as_bytes() });
    }
    tighten(copied..json.len(), out);
}

/// Whether the text holds an escape sequence that is replaced.
pub fn has_replaced(json: &str) -> bool {
    escapes(json).any(|escape| escape.is_replaced)
}

/// An escape sequence. Replaced are U+0000, which PostgreSQL refuses, and a half of a surrogate pair whose other half
/// is missing, which some parsers refuse.
struct Escape {
    range: Range<usize>,
    is_replaced: bool,
}

/// The escape sequences of JSON, in order.
fn escapes(json: &str) -> impl Iterator<Item = Escape> {
    let unit = |at: usize| u16::from_str_radix(json.get(at..at + 6)?.strip_prefix("\\u")?, 16).ok();
    let mut end = 0;
    std::iter::from_fn(move || {
        let start = end + memchr(b'\\', &json.as_bytes()[end..])?;
        let (length, is_replaced) = match (unit(start), unit(start + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (12, false),
            (Some(0 | 0xD800..=0xDFFF), _) => (6, true),
            (Some(_), _) => (6, false),
            (None, _) => (2, false),
        };
        end = start + length;
        Some(Escape { range: start..end, is_replaced })
    })
}

/// Appends a text as JSON, with U+FFFD for U+0000; null for none.
pub fn push_text(text: Option<&str>, out: &mut Vec<u8>) {
    let Some(text) = text else { return out.extend_from_slice(b"null") };
    // Without a branch, so that many bytes are looked at in one step.
    let is_special = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    if text.bytes().fold(false, |found, byte| found | is_special(byte)) {
        // Writing a text to a vector cannot fail.
        return serde_json::to_writer(out, &text.replace('\0', "\u{fffd}")).unwrap_or_default();
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_surrogate_pair_and_u_0000_are_replaced_and_all_else_is_kept() {
        let table = [
            (r"\ud83d\ude00", r"\ud83d\ude00"),
            (r"\ud83d", r"\ufffd"),
            (r"\uDE00\uD83D", r"\ufffd\ufffd"),
            (r"\ud83dx\\ud83d", r"\ufffdx\\ud83d"),
            (r"\u00e9\ud83d\u00e9", r"\u00e9\ufffd\u00e9"),
            (r"\u0000", r"\ufffd"),
            (r"a\\\u0000b\u0001", r"a\\\ufffdb\u0001"),
            (r"\\u0000\\\\u0000", r"\\u0000\\\\u0000"),
            (r"\ud83d\u0000", r"\ufffd\ufffd"),
        ];
        for (sent, expected) in table {
            let (json, mut out) = (format!("[\"{sent}\"]"), Vec::new());
            copy(&json, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("[\"{expected}\"]"));
            assert_eq!(has_replaced(&json), sent != expected, "{sent}");
            assert!(sent == expected || !is_plain(&json), "{sent}");
            assert!(serde_json::from_str::<serde_json::Value>(&format!("[\"{expected}\"]")).is_ok());
        }
    }
}
