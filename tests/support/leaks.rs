//! Pieces of a secret in a text, also where they are escaped: a second opinion on what the binary
//! withholds, slow and plain.

use std::collections::BTreeSet;

use super::run::Run;

/// Ten characters of a secret are too many.
const PIECE: usize = 10;

/// A piece of one of these secrets that can be read out of the text.
pub fn leak(text: &str, secrets: &[&str]) -> Option<String> {
    let mut views = BTreeSet::from([text.to_lowercase()]);
    for _ in 0..3 {
        let unescaped: Vec<String> = views
            .iter()
            .flat_map(|view| {
                let soft = view.replace("=\r\n", "").replace("=\n", "").replace("= ", "");
                let one_line = view.replace("\\r", "").replace("\\n", "");
                [bytes(view, '%', 2), bytes(&soft, '=', 2), bytes(view, 'u', 4), entities(view), one_line]
            })
            .map(|view| squeezed(&view))
            .collect();
        views.extend(unescaped);
    }
    let views: Vec<String> = views.iter().map(|view| squeezed(view)).collect();
    for secret in secrets {
        let secret: Vec<char> = secret.to_lowercase().chars().collect();
        for piece in secret.windows(PIECE.min(secret.len())) {
            let piece: String = piece.iter().collect();
            let url_safe = piece.replace('+', "-").replace('/', "_");
            if views.iter().any(|view| view.contains(&piece) || view.contains(&url_safe)) {
                return Some(piece);
            }
        }
    }
    None
}

/// Nothing of any secret of these, not even its beginning.
#[track_caller]
pub fn keeps(run: &Run, secrets: &[String]) {
    assert!(!secrets.is_empty());
    for start in secrets.iter().map(|secret| &secret[..12]) {
        assert!(!run.stdout.contains(start), "stdout has the secret {start}…");
        assert!(!run.stderr.contains(start), "stderr has the secret {start}…");
    }
    assert!(!run.stdout.contains(r#""secret""#), "something is called a secret");
}

fn squeezed(text: &str) -> String {
    let hidden = ['\\', '\u{200b}', '\u{feff}'];
    text.chars().filter(|c| !c.is_whitespace() && !c.is_control() && !hidden.contains(c)).collect()
}

/// With each introduction and so many hexadecimal digits put as the character that they stand for.
fn bytes(text: &str, introduction: char, digits: usize) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(introduction) {
        let code = rest.get(at + 1..at + 1 + digits).and_then(|code| u32::from_str_radix(code, 16).ok());
        out.push_str(&rest[..at]);
        match code.and_then(char::from_u32) {
            Some(c) => (out.push(c), rest = &rest[at + 1 + digits..]).1,
            None => (out.push(introduction), rest = &rest[at + 1..]).1,
        }
    }
    (out + rest).to_lowercase()
}

fn entities(text: &str) -> String {
    let mut out = String::new();
    for (number, part) in text.split('&').enumerate() {
        let (code, rest) = part.split_once(';').unwrap_or(("", part));
        let c = match (code, code.strip_prefix("#x"), code.strip_prefix('#')) {
            ("plus", ..) => Some('+'),
            ("sol", ..) => Some('/'),
            ("equals", ..) => Some('='),
            ("amp", ..) => Some('&'),
            (_, Some(hex), _) => u32::from_str_radix(hex, 16).ok().and_then(char::from_u32),
            (_, _, Some(decimal)) => decimal.parse().ok().and_then(char::from_u32),
            _ => None,
        };
        match c {
            Some(c) if number > 0 => (out.push(c), out.push_str(rest)).1,
            _ if number > 0 => (out.push('&'), out.push_str(part)).1,
            _ => out.push_str(part),
        }
    }
    out.to_lowercase()
}

/// A name and an escape.
type Named = (&'static str, fn(&str) -> String);

/// Ways in which a service may send back what it was sent.
pub const ESCAPES: [Named; 21] = [
    ("plain", str::to_owned),
    ("lower case", |text| text.to_lowercase()),
    ("url-safe", |text| text.replace('+', "-").replace('/', "_")),
    ("percent", |text| url::form_urlencoded::byte_serialize(text.as_bytes()).collect()),
    ("percent, all of it", |text| each(text, |c| format!("%{:02x}", u32::from(c)))),
    ("percent, twice", |text| each(text, |c| format!("%25{:02X}", u32::from(c)))),
    ("html, decimal", |text| each(text, |c| format!("&#{};", u32::from(c)))),
    ("html, long decimal", |text| each(text, |c| format!("&#0000{};", u32::from(c)))),
    ("html, hexadecimal", |text| each(text, |c| format!("&#x{:x};", u32::from(c)))),
    ("html, twice", |text| each(text, |c| format!("&amp;#{};", u32::from(c)))),
    ("html, named", |text| text.replace('+', "&plus;").replace('/', "&sol;").replace('=', "&equals;")),
    ("json", |text| each(text, |c| format!("\\u{:04x}", u32::from(c)))),
    ("json, twice", |text| each(text, |c| format!("\\\\u{:04X}", u32::from(c)))),
    ("backslashes", |text| text.replace('/', "\\/").replace('+', "\\+").replace('=', "\\=")),
    ("backslashes, all over", |text| each(text, |c| format!("\\{c}"))),
    ("quoted-printable", |text| each(text, |c| format!("={:02X}", u32::from(c)))),
    ("soft breaks", |text| wrapped(text, "=\r\n")),
    ("lines", |text| wrapped(text, "\r\n\t")),
    ("escaped lines", |text| wrapped(text, "\\r\\n")),
    ("zero width", |text| wrapped(text, "\u{200b}")),
    ("percent, wrapped", |text| wrapped(&each(text, |c| format!("%{:02x}", u32::from(c))), "\n ")),
];

fn each(text: &str, escape: fn(char) -> String) -> String {
    text.chars().map(escape).collect()
}

fn wrapped(text: &str, by: &str) -> String {
    let parts: Vec<String> =
        text.chars().collect::<Vec<_>>().chunks(7).map(|part| part.iter().collect()).collect();
    parts.join(by)
}

#[test]
fn a_piece_is_found_however_it_is_escaped() {
    let secret = "pretend/Secret+of/Forty8characters==";
    for (name, escape) in ESCAPES {
        for piece in [secret, &secret[..10], &secret[5..17], &secret[24..34]] {
            let text = format!("before {} after", escape(piece));
            assert!(leak(&text, &[secret]).is_some(), "{name}: {text}");
        }
        assert_eq!(leak(&escape("another text of a length like that"), &[secret]), None, "{name}");
        assert_eq!(leak(&format!("é {} -", escape(&secret[3..12])), &[secret]), None, "{name}");
    }
}
