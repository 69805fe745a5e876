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

/// A reader, at a place in a text.
pub struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The objects and arrays that have not ended: their numbers, and the brackets that end them.
    open: Vec<(usize, u8)>,
    nodes: Vec<Node>,
}

impl Scan<'_> {
    /// Reads a text from that place to its end. Its size must fit into 32 bits.
    pub fn all(text: &str, at: usize, deepest: usize) -> Result<Vec<Node>, Unread> {
        let bytes = text.as_bytes();
        // Whether one is anywhere, perhaps between values, where a line may break. Without a branch, so that many bytes
        // are looked at in one step.
        let has_controls = bytes.iter().fold(false, |found, byte| found | (*byte < 0x20));
        // A name, a value and what stands around them mostly take some twenty bytes.
        let mut scan = Scan { bytes, at, open: Vec::new(), nodes: Vec::with_capacity(bytes.len() / 20) };
        scan.values(deepest, has_controls)?;
        if scan.peek().is_err() { Ok(scan.nodes) } else { Err(Unread::NotJson) }
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Result<u8, Unread> {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Ok(*byte),
            }
        }
        Err(Unread::Cut)
    }

    fn expect(&mut self, byte: u8) -> Result<(), Unread> {
        let is_it = self.peek()? == byte;
        self.at += 1;
        if is_it { Ok(()) } else { Err(Unread::NotJson) }
    }

    /// Reads a value, and all that is in it. Does not call itself: that would cost a tenth of the time.
    fn values(&mut self, deepest: usize, is_odd: bool) -> Result<(), Unread> {
        'next: loop {
            let number = self.nodes.len();
            let mut node = Node { is_odd, next: number as u32 + 1, ..Node::default() };
            if self.open.last().is_some_and(|(_, end)| *end == b'}') {
                self.expect(b'"')?;
                node.name = self.at as u32;
                node.is_odd = self.string(is_odd)?;
                node.name_end = self.at as u32 - 1;
                self.expect(b':')?;
            }
            let first = self.peek()?;
            if number == MOST_VALUES {
                return Err(Unread::TooMany);
            }
            node.start = self.at as u32;
            self.at += 1;
            let opens = matches!(first, b'{' | b'[');
            if opens && self.open.len() < deepest {
                self.nodes.push(node);
                self.open.push((number, first + 2));
                // An empty one ends below.
                if self.peek()? != first + 2 {
                    continue;
                }
            } else {
                node.is_too_deep = opens;
                match first {
                    b'"' => node.is_odd |= self.string(is_odd)?,
                    _ => self.other(node.start as usize, opens)?,
                }
                node.end = self.at as u32;
                self.mark(&node);
                self.nodes.push(node);
            }
            while let Some((number, end)) = self.open.last().copied() {
                let next = self.peek()?;
                self.at += 1;
                match next {
                    b',' => continue 'next,
                    _ if next == end => self.open.pop(),
                    _ => return Err(Unread::NotJson),
                };
                let next = self.nodes.len() as u32;
                let node = &mut self.nodes[number];
                (node.end, node.next) = (self.at as u32, next);
                let node = *node;
                self.mark(&node);
            }
            return Ok(());
        }
    }

    /// Marks the object or array around a value as odd or too deep, if the value is.
    fn mark(&mut self, node: &Node) {
        if (node.is_odd || node.is_too_deep)
            && let Some((open, _)) = self.open.last()
        {
            self.nodes[*open].is_odd |= node.is_odd;
            self.nodes[*open].is_too_deep |= node.is_too_deep;
        }
    }

    /// Goes behind the rest of a string. Returns whether an escape or, as `is_odd` says, a control character may be in
    /// it.
    fn string(&mut self, mut is_odd: bool) -> Result<bool, Unread> {
        let (bytes, start, mut at) = (self.bytes, self.at - 1, self.at);
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
        self.at = at + 1;
        if is_odd {
            self.other(start, false)?;
        }
        Ok(is_odd)
    }

    /// Has another reader check the value that begins there, and goes behind it: numbers and words, strings that may
    /// hold a wrong character, and what is too deep. All of them are rare.
    fn other(&mut self, start: usize, is_too_deep: bool) -> Result<(), Unread> {
        let mut values = serde_json::Deserializer::from_slice(&self.bytes[start..]).into_iter();
        let read = values.next().unwrap_or(Ok(IgnoredAny));
        self.at = start + values.byte_offset();
        match read {
            Ok(IgnoredAny) => Ok(()),
            // What goes too deep and does not end was never whole.
            Err(error) if !is_too_deep && (error.is_eof() || self.bytes[start..] == *b"-") => {
                Err(Unread::Cut)
            }
            Err(_) => Err(Unread::NotJson),
        }
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
