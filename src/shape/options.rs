//! What the settings say of all records. Imports nothing of ours.

use ring::hmac;
use serde::Deserialize;

/// What becomes of names and e-mail addresses of persons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Personal {
    Keep,
    Hash,
    Omit,
}

/// What becomes of fields that the schema does not know, and of values that do not fit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Drift {
    /// Passed on without a look.
    Pass,
    /// Passed on and told once a stream.
    Warn,
    /// The stream fails.
    Fail,
}

/// What the settings say of all records, and the organization that they belong to.
#[derive(Clone)]
pub struct RecordOptions {
    /// None if it is not known.
    pub organization_id: Option<String>,
    pub drift: Drift,
    pub personal: Personal,
    key: Option<hmac::Key>,
}

impl RecordOptions {
    /// `key`: of the hashes of personal data, if there are any.
    pub fn new(
        organization_id: Option<String>,
        drift: Drift,
        personal: Personal,
        key: Option<&str>,
    ) -> RecordOptions {
        let key = key.map(|key| hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()));
        RecordOptions { organization_id, drift, personal, key }
    }

    /// A keyed hash in hexadecimal, the same for one person however written, in every stream and run.
    pub fn hash(&self, text: &str) -> String {
        let Some(key) = &self.key else { return String::new() };
        let hash = hmac::sign(key, text.trim().to_lowercase().as_bytes());
        let digit = |four: u8| char::from(b"0123456789abcdef"[usize::from(four)]);
        hash.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect()
    }
}
