//! The reader of a text: checks it by RFC 8259, and notes where each value stands.

use serde::de::IgnoredAny;
use wide::u8x16;

/// Maximum number of values in a text: for a page of 16 MiB, one in eight bytes.
const MOST_VALUES: usize = 2 << 20;

/// Where a value stands in the text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Node {
    /// Its name without the quotes, if it is a field.
    pub name: u32,
    pub name_end: u32,
    pub start: u32,
    pub end: u32,
    /// Number of the first value behind it and all that is in it.
    pub next: u32,
    /// The first byte of the value, which tells its type.
    pub first: u8,
    /// Whether an escape or a control character may be in it or in its name.
    pub is_odd: bool,
    /// Whether something in it is so deep that it was not looked into.
    pub is_too_deep: bool,
}

/// Why a text was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It ends too early.
    Cut,
    NotJson,
    /// It holds more values than are kept.
    TooMany,
}

/// Reads a text from that place to its end: where each value stands. Its size must fit into 32 bits.
///
/// Does not call itself, which would cost a tenth of the time, and keeps its place in a variable that no other function
/// can change.
pub fn scan(text: &str, mut at: usize, deepest: usize) -> Result<Vec<Node>, Unread> {
    let bytes = text.as_bytes();
    // Whether a control character is anywhere, perhaps between values, where a line may break. Without a branch, so that
    // many bytes are looked at in one step.
    let has_controls = bytes.iter().fold(false, |found, byte| found | (*byte < 0x20));
    // A name, a value and what stands around them mostly take some thirty bytes.
    let mut nodes: Vec<Node> = Vec::with_capacity(bytes.len() / 28);
    // The objects and arrays that have not ended: their numbers, and the brackets that end them.
    let mut open: Vec<(usize, u8)> = Vec::new();
    'next: loop {
        let number = nodes.len();
        let mut node = Node { is_odd: has_controls, next: number as u32 + 1, ..Node::default() };
        if open.last().is_some_and(|(_, end)| *end == b'}') {
            at = expect(bytes, at, b'"')?;
            node.name = at as u32;
            (at, node.is_odd) = string(bytes, at, has_controls)?;
            node.name_end = at as u32 - 1;
            at = expect(bytes, at, b':')?;
        }
        let (start, first) = peek(bytes, at)?;
        if number == MOST_VALUES {
            return Err(Unread::TooMany);
        }
        (node.start, node.first) = (start as u32, first);
        let opens = matches!(first, b'{' | b'[');
        if opens && open.len() < deepest {
            at = start + 1;
            nodes.push(node);
            open.push((number, first + 2));
            // An empty one ends below.
            if peek(bytes, at)?.1 != first + 2 {
                continue;
            }
        } else {
            node.is_too_deep = opens;
            at = if first == b'"' {
                let (end, is_odd) = string(bytes, start + 1, has_controls)?;
                node.is_odd |= is_odd;
                end
            } else {
                other(bytes, start, opens)?
            };
            node.end = at as u32;
            mark(&mut nodes, &open, &node);
            nodes.push(node);
        }
        while let Some((number, end)) = open.last().copied() {
            let (place, next) = peek(bytes, at)?;
            at = place + 1;
            match next {
                b',' => continue 'next,
                _ if next == end => open.pop(),
                _ => return Err(Unread::NotJson),
            };
            let next = nodes.len() as u32;
            let node = &mut nodes[number];
            (node.end, node.next) = (at as u32, next);
            let node = *node;
            mark(&mut nodes, &open, &node);
        }
        return if peek(bytes, at).is_err() { Ok(nodes) } else { Err(Unread::NotJson) };
    }
}

/// The next byte that is no white space, and its place.
#[inline(always)]
fn peek(bytes: &[u8], mut at: usize) -> Result<(usize, u8), Unread> {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' => at += 1,
            byte => return Ok((at, *byte)),
        }
    }
    Err(Unread::Cut)
}

/// The place behind that byte, which comes next.
#[inline(always)]
fn expect(bytes: &[u8], at: usize, byte: u8) -> Result<usize, Unread> {
    let (at, next) = peek(bytes, at)?;
    if next == byte { Ok(at + 1) } else { Err(Unread::NotJson) }
}

/// Marks the object or array around a value as odd or too deep, if the value is.
#[inline(always)]
fn mark(nodes: &mut [Node], open: &[(usize, u8)], node: &Node) {
    if (node.is_odd || node.is_too_deep)
        && let Some((open, _)) = open.last()
    {
        nodes[*open].is_odd |= node.is_odd;
        nodes[*open].is_too_deep |= node.is_too_deep;
    }
}

/// The place behind a string whose first character is there, and whether an escape or, as `is_odd` says, a control
/// character may be in it.
#[inline(always)]
fn string(bytes: &[u8], start: usize, mut is_odd: bool) -> Result<(usize, bool), Unread> {
    let mut at = start;
    loop {
        while let Some(some) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            let special = special(*some);
            at += special.trailing_zeros().min(16) as usize;
            if special != 0 {
                break;
            }
        }
        match bytes.get(at).ok_or(Unread::Cut)? {
            b'"' => break,
            b'\\' => (is_odd, at) = (true, at + 2),
            _ => at += 1,
        }
    }
    let end = if is_odd { other(bytes, start - 1, false)? } else { at + 1 };
    Ok((end, is_odd))
}

/// Has another reader check the value that begins there. Gives the place behind it. Numbers and words, strings that may
/// hold a wrong character, and what is too deep: all of them are rare.
#[cold]
fn other(bytes: &[u8], start: usize, is_too_deep: bool) -> Result<usize, Unread> {
    let mut values = serde_json::Deserializer::from_slice(&bytes[start..]).into_iter();
    let read = values.next().unwrap_or(Ok(IgnoredAny));
    match read {
        Ok(IgnoredAny) => Ok(start + values.byte_offset()),
        // What goes too deep and does not end was never whole.
        Err(error) if !is_too_deep && (error.is_eof() || bytes[start..] == *b"-") => Err(Unread::Cut),
        Err(_) => Err(Unread::NotJson),
    }
}

/// A bit for each byte that is a quote or a backslash.
fn special(bytes: [u8; 16]) -> u32 {
    let bytes = u8x16::new(bytes);
    (bytes.simd_eq(u8x16::splat(b'"')) | bytes.simd_eq(u8x16::splat(b'\\'))).to_bitmask()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::super::{Json, Tape};
    use super::*;

    /// Compares what is made of a text with what another reader makes of it. Only what may go on is cut.
    fn agrees(text: &str) {
        match (Tape::read(text.to_owned(), 127), serde_json::from_str::<&RawValue>(text)) {
            (Ok(tape), Ok(whole)) => {
                assert_eq!(tape.root().text(), whole.get());
                for number in 0..=tape.root().count() {
                    let value = tape.at(number);
                    let same: &RawValue = serde_json::from_str(value.text()).expect(text);
                    assert_eq!(same.get(), value.text(), "{text}");
                }
                for (end, _) in text.char_indices().filter(|_| text.starts_with(['{', '[', '"'])) {
                    let part = Tape::read(text[..end].to_owned(), 127);
                    let is_whole = text[end..].trim_ascii().is_empty();
                    assert!(is_whole || matches!(part, Err((Unread::Cut, _))), "{text} up to {end}");
                }
            }
            (Err((Unread::Cut | Unread::NotJson, _)), Err(_)) => {}
            (read, plain) => panic!("{text:?}: {read:?}, {plain:?}"),
        }
    }

    /// Whole and broken, at each place where a text may go wrong.
    const TEXTS: &[&str] = &[
        "null",
        "true",
        "false",
        "nul",
        "nulL",
        "truex",
        "0",
        "-0",
        "01",
        "-",
        "1.",
        "1.5e",
        "1.5E+7",
        "1e-9 ",
        "+1",
        ".5",
        "1e5.5",
        "\"\"",
        "\"",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\u{1f}\"",
        "\"\u{7f}é\u{10ffff}\"",
        "\"12345678\"",
        "\"1234567\\n\"",
        "\"12345678\n\"",
        "[]",
        "[ ]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1",
        "[1,",
        "[",
        "]",
        "{}",
        "{ }",
        "{\"a\":1,}",
        "{\"a\" : 1 , \"a\":[ {} ]}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1",
        "{\"a\"",
        "{\"a\":",
        "{1:2}",
        "{\"a\":1]",
        "[1}",
        " \r\n\t[null]\t",
        "null null",
        "",
        " ",
        "\u{a0}null",
        "{\"a\\u0062\":\"\\/\"}",
        "NaN",
        "Infinity",
        "'a'",
        "[\"a\":1]",
        "/**/1",
        "\u{0}",
    ];

    #[test]
    fn texts_are_accepted_and_refused_as_by_another_reader() {
        TEXTS.iter().for_each(|text| agrees(text));
    }

    proptest! {
        #[test]
        fn any_text_is_accepted_or_refused_as_by_another_reader(
            text in r#"([\[\]{}:, \n]|null|true|-?[0-9]{1,2}(\.[0-9])?(e[0-9])?|"([a-z0-9é ]|\\[nu"\\]|\\u[0-9a-d]{4}){0,12}"){0,16}"#,
        ) {
            agrees(&text);
        }
    }

    #[test]
    fn depth_and_number_of_values_are_limited() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        for (levels, is_too_deep) in [(127, false), (128, true), (100_000, true)] {
            let text = deep(levels);
            assert_eq!(Tape::read(text.clone(), 127).unwrap().root().is_too_deep(), is_too_deep, "{levels}");
            let cut = Tape::read(text[1..].to_owned(), 127);
            assert!(matches!(cut, Err((Unread::NotJson, _))));
        }
        assert!(Tape::read(format!("[{}1]", "[],".repeat(500)), 2).is_ok(), "wide is not deep");
        let tape = Tape::read("[[1], [[2]], {}]".to_owned(), 2).unwrap();
        assert_eq!(tape.root().items().map(Json::is_too_deep).collect::<Vec<_>>(), [false, true, false]);
        let many = |values: usize| format!("[{}0]", "0,".repeat(values - 2));
        assert!(Tape::read(many(MOST_VALUES), 1).is_ok());
        assert!(matches!(Tape::read(many(MOST_VALUES + 1), 1), Err((Unread::TooMany, _))));
    }
}
