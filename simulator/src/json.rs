//! Writes JSON text straight into a string: a page of a big organization is made of text, not of
//! trees. Escapes as Go's encoder does (`&`, `<`, `>` as `\u00XX`), since the service is written in Go.

use std::fmt::Write;

/// An object under construction; keys keep their order.
pub struct Object(String);

impl Object {
    pub fn new() -> Self {
        Self(String::from("{"))
    }

    /// Adds a string.
    pub fn text(self, key: &str, value: &str) -> Self {
        let mut this = self.key(key);
        push_text(&mut this.0, value);
        this
    }

    /// Adds a string, if there is one.
    pub fn maybe(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(key, value),
            None => self,
        }
    }

    /// Adds what is JSON already.
    pub fn raw(self, key: &str, json: &str) -> Self {
        let mut this = self.key(key);
        this.0.push_str(json);
        this
    }

    pub fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn key(mut self, key: &str) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        push_text(&mut self.0, key);
        self.0.push(':');
        self
    }
}

/// A JSON string literal.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_text(&mut out, text);
    out
}

/// A JSON array of strings.
pub fn list(texts: impl Iterator<Item = String>) -> String {
    format!("[{}]", texts.map(|text| quoted(&text)).collect::<Vec<_>>().join(","))
}

fn push_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '&' | '<' | '>' | '\0'..='\x1f' | '\u{2028}' | '\u{2029}' => {
                // Writing to a String does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let odd = "a\"b\\c\n\t\u{1}&<>\u{2028} é 日本 🦀";
        let json = Object::new().text("k", odd).maybe("no", None).raw("n", "1").finish();
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read, serde_json::json!({"k": odd, "n": 1}));
        assert!(json.contains("\\u0026"));
    }
}
