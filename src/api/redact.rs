//! Finds pieces of the credentials in a text, even escaped ones. Pure.
//!
//! A proxy may send back what it was sent: truncated, wrapped, escaped or in lower case. So texts and secrets are
//! compared by their letters and digits only, ignoring case. Line breaks, escapes and the variants of base64 make no
//! difference.

use std::collections::BTreeSet;

/// A text must not contain as many consecutive characters of a secret.
pub const PIECE: usize = 10;

/// Replaces a text that is withheld.
const WITHHELD: &str = "[withheld: it contains a piece of the credentials]";

/// Pieces of secrets, in lower case.
pub struct Pieces {
    /// The letters and digits of each piece, by the first two of these: most of a text is passed over with one look.
    letters: Vec<BTreeSet<Vec<u8>>>,
    /// Pieces of few letters and digits: they are looked for as they are.
    plain: Vec<String>,
}

impl Pieces {
    /// All pieces of ten characters, or the whole of a shorter secret.
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Pieces {
        let mut pieces = Pieces { letters: vec![BTreeSet::new(); 36 * 36], plain: Vec::new() };
        for secret in secrets {
            let secret: Vec<char> = secret.to_lowercase().chars().collect();
            for piece in secret.windows(secret.len().clamp(1, PIECE)) {
                let letters = piece.iter().filter(|c| c.is_ascii_alphanumeric());
                let letters: Vec<u8> = letters.map(|c| *c as u8).collect();
                match letters[..] {
                    [first, second, ..] if letters.len() * 2 > piece.len() => {
                        pieces.letters[place([first, second])].insert(letters);
                    }
                    _ => pieces.plain.push(piece.iter().collect()),
                }
            }
        }
        pieces
    }

    /// The text, or [`WITHHELD`] if it contains a piece.
    pub fn withhold(&self, text: String) -> String {
        if self.are_in(&text) { WITHHELD.to_owned() } else { text }
    }

    /// Whether the text contains a piece, as it is or unescaped.
    ///
    /// It is read from its end, and escapes are undone as they come. So what follows an escape has been read
    /// before it, escapes inside of escapes are undone from the inside, and a piece is found also where the
    /// sign before it makes an escape of its first characters.
    pub fn are_in(&self, text: &str) -> bool {
        // Nothing in it begins an escape, as in most ids and page tokens.
        if self.plain.is_empty() && !text.trim_end_matches('=').contains(['\\', '%', '=', '&', '<']) {
            let mut letters = text.to_ascii_lowercase().into_bytes();
            letters.retain(u8::is_ascii_alphanumeric);
            return (0..letters.len()).any(|start| self.begins(&letters[start..]));
        }
        // A backslash may make an escape of the letter after it, or only stand before it.
        let found = |bare| {
            let mut read = Read { bare, bytes: Vec::with_capacity(text.len()), ..Read::default() };
            text.bytes().rev().any(|byte| read.add(byte) && self.begins(&read.letters()))
        };
        let plain = || text.to_lowercase().split_whitespace().collect::<String>();
        let plain = self.plain.first().map(|_| plain()).unwrap_or_default();
        found(false)
            || (text.contains('\\') && found(true))
            || self.plain.iter().any(|piece| plain.contains(piece))
    }

    /// Whether these letters and digits begin with those of a piece.
    fn begins(&self, letters: &[u8]) -> bool {
        let pieces = letters.first_chunk().and_then(|two| self.letters.get(place(*two)));
        pieces.is_some_and(|pieces| pieces.iter().any(|piece| letters.starts_with(piece)))
    }
}

/// The number of two letters or digits of any case.
fn place(two: [u8; 2]) -> usize {
    let [first, second] = two.map(|byte| char::from(byte).to_digit(36).unwrap_or_default() as usize);
    first * 36 + second
}

/// The end of a text with its escapes undone, the last character first.
#[derive(Default)]
struct Read {
    /// Without white space, control characters and non-ASCII characters.
    bytes: Vec<u8>,
    /// Whether a line ends where it begins.
    wrapped: bool,
    /// Whether a backslash stands before it, of which a run counts as one.
    slashed: bool,
    /// Whether a backslash makes no escape.
    bare: bool,
}

impl Read {
    /// Puts a character before what has been read. Whether it is, or stands for, a letter or a digit.
    fn add(&mut self, mut byte: u8) -> bool {
        let was_slashed = std::mem::replace(&mut self.slashed, byte == b'\\');
        if was_slashed && self.slashed {
            return false;
        }
        while let Some((length, meant)) = self.escape(byte) {
            self.bytes.truncate(self.bytes.len() - length);
            byte = meant;
        }
        self.wrapped = matches!(byte, b'\r' | b'\n') || (self.wrapped && !byte.is_ascii_graphic());
        self.bytes.extend(Some(byte).filter(u8::is_ascii_graphic));
        byte.is_ascii_alphanumeric()
    }

    /// The letters and digits that it begins with, as many as a piece can have.
    fn letters(&self) -> [u8; PIECE] {
        let mut letters = self.bytes.iter().rev().filter(|byte| byte.is_ascii_alphanumeric());
        std::array::from_fn(|_| letters.next().map_or(0, u8::to_ascii_lowercase))
    }

    /// The character at this place of what has been read.
    fn at(&self, place: usize) -> Option<u8> {
        self.bytes.iter().rev().nth(place).copied()
    }

    /// If an escape begins with this character: how many of the following belong to it, and what it stands for.
    fn escape(&self, first: u8) -> Option<(usize, u8)> {
        let next = self.bytes.last().map(u8::to_ascii_lowercase);
        match (first, next?) {
            // At the end of a line it only says that the line goes on.
            (b'=', _) if self.wrapped => Some((0, b' ')),
            (b'\\', _) if self.bare => Some((0, b' ')),
            (b'\\' | b'%', b'u') => self.hex(1, 4),
            (b'\\', b'x') => self.hex(1, 2),
            (b'\\', b'n' | b'r') => Some((1, b'\n')),
            (b'\\', b't' | b'b' | b'f') => Some((1, b' ')),
            (b'\\', _) => Some((0, b' ')),
            (b'%' | b'=', _) => self.hex(0, 2),
            (b'&', b'#') => self.numbered(),
            (b'&', _) => self.named(),
            (b'<', _) => (0..LONGEST_TAG).find(|end| self.at(*end) == Some(b'>')).map(|end| (end + 1, b' ')),
            _ => None,
        }
    }

    /// So many hexadecimal digits from this place on.
    fn hex(&self, from: usize, count: usize) -> Option<(usize, u8)> {
        self.number(from, 16, count).filter(|(end, _)| *end == from + count)
    }

    /// `&#43;` and `&#x2b;`.
    fn numbered(&self) -> Option<(usize, u8)> {
        let (from, radix) = if matches!(self.at(1), Some(b'x' | b'X')) { (2, 16) } else { (1, 10) };
        let (end, meant) = self.number(from, radix, self.bytes.len())?;
        Some((end + usize::from(self.at(end) == Some(b';')), meant))
    }

    /// The digits at this place, so many at most: where they end, and the character that they number.
    fn number(&self, from: usize, radix: u32, most: usize) -> Option<(usize, u8)> {
        let digits = (from..from + most).map_while(|place| char::from(self.at(place)?).to_digit(radix));
        let add =
            |(end, code): (usize, u32), digit| (end + 1, code.saturating_mul(radix).saturating_add(digit));
        let (end, code) = digits.fold((from, 0), add);
        (end > from).then_some((end, u8::try_from(code).ok().filter(u8::is_ascii).unwrap_or(b' ')))
    }

    /// `&plus;`: of no weight, unless it stands for what another escape is made of.
    fn named(&self) -> Option<(usize, u8)> {
        let letters = (0..LONGEST_NAME).map_while(|place| self.at(place).filter(u8::is_ascii_alphabetic));
        let name: Vec<u8> = letters.map(|letter| letter.to_ascii_lowercase()).collect();
        let meant = match name.as_slice() {
            b"amp" => b'&',
            b"bsol" => b'\\',
            b"equals" => b'=',
            b"lt" => b'<',
            b"gt" => b'>',
            b"newline" => b'\n',
            b"num" => b'#',
            b"percnt" => b'%',
            b"semi" => b';',
            _ => b' ',
        };
        (self.at(name.len()) == Some(b';')).then(|| (name.len() + 1, meant))
    }
}

/// Of a tag such as `<br>`, within which lines may be wrapped.
const LONGEST_TAG: usize = 64;

/// `&CounterClockwiseContourIntegral;` is the longest that HTML has.
const LONGEST_NAME: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "ab12345678/CDEFGHIJ+klmnopqr";

    fn found(text: &str) -> bool {
        let pieces = Pieces::of([SECRET, "hush", "++//++//++//a", "–—–—"]);
        assert_eq!(pieces.withhold(text.to_owned()) != text, pieces.are_in(text), "{text}");
        pieces.are_in(text)
    }

    #[test]
    fn pieces_are_found_in_any_disguise() {
        for text in [
            SECRET,
            "xab12345678x",
            "AB12345678",
            "12345678/C",
            "12345678_c",
            "12345678c",
            "ab123\n45678",
            "ab123 \u{200b}-45\t678",
            "ab123=\r\n45678",
            "ab12=\n345678",
            "ab1234=3\r\n5678",
            r"ab123\n45678",
            r"ab12\r\n345678",
            r"ab\u0031\u00332345678 ab12\u003345678",
            r"ab12\\u003345678",
            r"12345678\\u002fc\\u0064ef",
            r"ij\\u006b\\u006c\\u006d\\u006e\\u006f\\\\u0070q",
            r"12345678\/\c",
            r"\k\l\m\n\o\p\q\r + i\j\+\k\l\m\n\o\p\q",
            r"ab12\x3345678",
            r"12345678\/c",
            "ab12%3345678",
            "ab12%253345678",
            "ab12%25%32%35%33%33345678 ab12%2525%33345678 ab12%2533345678",
            "ab12%u003345678",
            "ab12%3\n345678",
            "ab12&#51;45678",
            "ab12&#0000051;45678",
            "ab12&#x33;45678",
            "ab12&amp;#x33;45678",
            "ab12&#37;3345678",
            "ab12&#37;&#51;&#51;45678",
            "ab12&percnt;3345678",
            "12345678&sol;cdefghij&plus;k",
            "ab12=3345678",
            "ab123<br/>45678",
            "ab123&lt;br&gt;45678",
            "<ab12345678>",
            "%ab12345678",
            "=ab12%345678 =ab12345678",
            "%ab%31%32345678",
            r"\uab12345678",
            "&ab12345678;",
            "&#12;ab12345678",
            "&#ab12345678",
            "hush",
            "be HUSH ed",
            "%68ush",
            "++//++//++",
            "+ + / / + + / / + +",
            "a –—–— b",
        ] {
            assert!(found(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_piece_is_told() {
        for text in [
            "",
            "b1234567",
            "ab1234567",
            "ab1234567 ab12345679",
            "hus",
            "++//++//+",
            "%",
            "100%",
            "&#;",
            "&#",
            "=",
            "\\",
            "<",
            r"\u12",
            "%zz%1",
            "&&&&;;;;",
            "Either unauthorized to access role binding or role binding does not exist",
        ] {
            assert!(!found(text), "{text}");
        }
        assert!(!Pieces::of([""]).are_in("anything"), "there is no secret");
        let of_one_letter = Pieces::of([&*"a".repeat(20_000)]);
        assert_eq!(of_one_letter.letters.iter().map(BTreeSet::len).sum::<usize>(), 1, "each is kept once");
    }

    #[test]
    fn a_long_text_takes_no_long_time() {
        let pieces = Pieces::of([SECRET]);
        for part in
            ["%25", "&#", "<", "\\", "&amp;", "=\n", "&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "/", "<%3", "&#1"]
        {
            let begun = std::time::Instant::now();
            assert!(!pieces.are_in(&part.repeat((32 << 10) / part.len())), "{part}");
            assert!(begun.elapsed().as_secs() < 10, "{part}: {:?}", begun.elapsed());
        }
    }
}
