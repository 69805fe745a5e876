//! What must never be shown.

use std::fmt;

use serde::Deserialize;

/// A text that never shows itself: no Display, no Serialize, and a Debug of stars.
#[derive(Clone, Deserialize)]
pub struct Secret(String);

impl Secret {
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

/// Whether a text that may have been pasted by mistake, such as the name of a setting, is too short and plain to be
/// a secret, and may be quoted. Secrets of Confluent Cloud are 64 characters of base64.
pub fn is_name(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}
