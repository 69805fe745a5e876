//! Waits before a request, and the words for them. Pure.

use std::fmt;
use std::time::Duration;

/// Why a request waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It was answered with a rate limit.
    RateLimited,
    /// It failed, in these words.
    Failed(String),
    /// The service limits the rate of requests, as the answer to another one said.
    Held,
    /// The setting `max_requests_per_second`.
    Paced,
}

/// A wait before a page is asked for, told as it begins. Its Display is for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    pub reason: Reason,
    pub duration: Duration,
}

impl Wait {
    /// Whether the page has been asked for before.
    pub fn is_retry(&self) -> bool {
        matches!(self.reason, Reason::RateLimited | Reason::Failed(_))
    }

    /// Whether it is the service's limit on the rate of requests that is waited for.
    pub fn is_rate_limit(&self) -> bool {
        matches!(self.reason, Reason::RateLimited | Reason::Held)
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match &self.reason {
            Reason::RateLimited => "rate limited",
            Reason::Failed(why) => why,
            Reason::Held => "the service limits the rate of requests",
            Reason::Paced => "limited by max_requests_per_second",
        };
        let next = if self.is_retry() { "the next try" } else { "the next request" };
        write!(f, "{why}, waiting {:.1} s before {next}", self.duration.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_each_wait() {
        let table = [
            (Reason::RateLimited, true, true, "rate limited, waiting 7.5 s before the next try"),
            (
                Reason::Failed("the host cannot be reached".to_owned()),
                true,
                false,
                "the host cannot be reached, waiting 7.5 s before the next try",
            ),
            (
                Reason::Held,
                false,
                true,
                "the service limits the rate of requests, waiting 7.5 s before the next request",
            ),
            (
                Reason::Paced,
                false,
                false,
                "limited by max_requests_per_second, waiting 7.5 s before the next request",
            ),
        ];
        for (reason, is_retry, is_rate_limit, words) in table {
            let wait = Wait { reason, duration: Duration::from_millis(7500) };
            assert_eq!((wait.is_retry(), wait.is_rate_limit()), (is_retry, is_rate_limit), "{wait:?}");
            assert_eq!(wait.to_string(), words);
        }
    }
}
