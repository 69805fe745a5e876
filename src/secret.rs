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
