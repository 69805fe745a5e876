//! The reader of a text: checks it by RFC 8259, and notes where each value stands.

use serde::de::IgnoredAny;

/// Maximum number of values in a text: for a page of 16 MiB, one in eight bytes.
const MOST_VALUES: usize = 2 << 20;

/// Where a value stands in the text.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// Its name without the quotes, if it is a field.
    pub name: u32,
    pub name_end: u32,
    pub start: u32,
    pub end: u32,
    /// Number of the first value behind it and all that is in it.
    pub next: u32,
    /// Whether an escape or a control character may be in it.
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

pub struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether a control character is anywhere in the text, between values perhaps, where a line may break.
    has_controls: bool,
    /// How many escapes have been read, and how many values are too deep to be looked into.
    escapes: usize,
    deep: usize,
    nodes: Vec<Node>,
}

impl Scan<'_> {
    /// Reads a text from that place to its end. Its size must fit into 32 bits.
    pub fn all(text: &str, at: usize, deepest: usize) -> Result<Vec<Node>, Unread> {
        let bytes = text.as_bytes();
        // Without a branch, so that many bytes are looked at in one step.
        let has_controls = bytes.iter().fold(false, |found, byte| found | (*byte < 0x20));
        // A name, a value and what stands around them mostly take some twenty bytes.
        let nodes = Vec::with_capacity(bytes.len() / 20);
        let mut scan = Scan { bytes, at, has_controls, escapes: 0, deep: 0, nodes };
        scan.value((0, 0), deepest)?;
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

    fn value(&mut self, (name, name_end): (u32, u32), deeper: usize) -> Result<(), Unread> {
        let (first, number, escapes, deep) = (self.peek()?, self.nodes.len(), self.escapes, self.deep);
        if number == MOST_VALUES {
            return Err(Unread::TooMany);
        }
        let (start, is_odd) = (self.at, self.has_controls);
        let node = Node { name, name_end, start: start as u32, end: 0, next: 0, is_odd, is_too_deep: false };
        self.nodes.push(node);
        match first {
            b'"' => {
                self.at += 1;
                self.string()?;
            }
            b'{' => self.inside(b'}', deeper)?,
            b'[' => self.inside(b']', deeper)?,
            _ => self.other(start)?,
        }
        let next = self.nodes.len() as u32;
        let node = &mut self.nodes[number];
        (node.end, node.next) = (self.at as u32, next);
        node.is_odd |= escapes != self.escapes;
        node.is_too_deep = deep != self.deep;
        Ok(())
    }

    /// An object or an array.
    fn inside(&mut self, end: u8, deeper: usize) -> Result<(), Unread> {
        let Some(deeper) = deeper.checked_sub(1) else {
            self.deep += 1;
            return self.other(self.at);
        };
        self.at += 1;
        if self.peek()? == end {
            self.at += 1;
            return Ok(());
        }
        loop {
            let mut name = (0, 0);
            if end == b'}' {
                self.expect(b'"')?;
                name = self.string()?;
                self.expect(b':')?;
            }
            self.value(name, deeper)?;
            let next = self.peek()?;
            self.at += 1;
            match next {
                b',' => {}
                _ if next == end => return Ok(()),
                _ => return Err(Unread::NotJson),
            }
        }
    }

    /// The rest of a string, behind its first quote. Returns where what is between its quotes begins and ends.
    fn string(&mut self) -> Result<(u32, u32), Unread> {
        let (bytes, start, escapes) = (self.bytes, self.at, self.escapes);
        let mut at = start;
        loop {
            while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
                let special = special(u64::from_le_bytes(*eight));
                at += special.trailing_zeros() as usize / 8;
                if special != 0 {
                    break;
                }
            }
            match bytes.get(at).ok_or(Unread::Cut)? {
                b'"' => break,
                b'\\' => (self.escapes, at) = (self.escapes + 1, at + 2),
                _ => at += 1,
            }
        }
        self.at = at + 1;
        if self.has_controls || escapes != self.escapes {
            self.other(start - 1)?;
        }
        Ok((start as u32, self.at as u32 - 1))
    }

    /// Has another reader check the value that begins there, and goes behind it: numbers and words, strings that may
    /// hold a wrong character, and what is too deep. All of them are rare.
    fn other(&mut self, start: usize) -> Result<(), Unread> {
        let mut values = serde_json::Deserializer::from_slice(&self.bytes[start..]).into_iter();
        let read = values.next().unwrap_or(Ok(IgnoredAny));
        self.at = start + values.byte_offset();
        match read {
            Ok(IgnoredAny) => Ok(()),
            // What goes too deep and does not end was never whole.
            Err(error) if self.deep == 0 && (error.is_eof() || self.bytes[start..] == *b"-") => {
                Err(Unread::Cut)
            }
            Err(_) => Err(Unread::NotJson),
        }
    }
}

/// The highest bit of each byte that is a quote or a backslash. Above the lowest of these, other bytes may have theirs,
/// too.
fn special(eight: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let is = |byte: u8| {
        let zero = eight ^ (ONES * u64::from(byte));
        zero.wrapping_sub(ONES) & !zero
    };
    (is(b'"') | is(b'\\')) & (ONES * 0x80)
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
