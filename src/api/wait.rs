//! Waits before a request, and the words for them. Pure.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// A wait before a request, told as it begins. Its Display is for people.
#[derive(Debug, PartialEq, Eq)]
pub struct Wait {
    /// Why the request waits.
    pub why: Cow<'static, str>,
    /// Whether it has been sent before.
    pub is_retry: bool,
    /// Whether it is the service's limit on the rate of requests that is waited for.
    pub is_rate_limit: bool,
    pub duration: Duration,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let next = if self.is_retry { "the next try" } else { "the next request" };
        write!(f, "{}, waiting {:.1} s before {next}", self.why, self.duration.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_each_wait() {
        let words = |is_retry| {
            let duration = Duration::from_millis(7500);
            Wait { why: "rate limited".into(), is_retry, is_rate_limit: true, duration }.to_string()
        };
        assert_eq!(words(true), "rate limited, waiting 7.5 s before the next try");
        assert_eq!(words(false), "rate limited, waiting 7.5 s before the next request");
    }
}
