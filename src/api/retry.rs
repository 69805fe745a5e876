//! Whether and when to try again: exponential with full jitter, bounded in tries and in wall-clock,
//! 429 included. Pure: the time and a random number are arguments, and it never sleeps.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::config::Retry;

/// No wait of our own choosing is longer, however many tries there have been.
const CAP: Duration = Duration::from_secs(30);

impl Retry {
    /// How long to wait before the next try; none to give up.
    ///
    /// `failures`: tries of this page that failed, at least 1. `spent`: time since the first of them.
    /// `asked`: the wait that the service asked for, which is a lower bound; if it is more than what is
    /// left of the budget, waiting is pointless. `random`: a random number in [0, 1).
    pub fn wait(
        &self,
        failures: u32,
        spent: Duration,
        asked: Option<Duration>,
        random: f64,
    ) -> Option<Duration> {
        let doubled = self.base.saturating_mul(2u32.saturating_pow(failures.saturating_sub(1)));
        let wait = doubled.min(CAP).mul_f64(random).max(asked.unwrap_or_default());
        let is_worth_it = failures <= self.max_retries && spent.saturating_add(wait) <= self.budget;
        is_worth_it.then_some(wait)
    }
}

/// Whether the same request may succeed later: timeouts, rate limits and failures of the service, but
/// not 501, which is for good.
pub fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429) || (status >= 500 && status != 501)
}

/// The wait that an answer asks for: `Retry-After` in seconds or as a date, else, with status 429,
/// `X-RateLimit-Reset`, which is seconds from now and not an epoch (Confluent's API reference). With any other
/// status the latter only describes the rate limit.
pub fn asked_wait(
    status: u16,
    retry_after: Option<&str>,
    reset: Option<&str>,
    now: DateTime<Utc>,
) -> Option<Duration> {
    let seconds =
        |text: &str| text.trim().parse().ok().and_then(|s: f64| Duration::try_from_secs_f64(s).ok());
    let date = |text: &str| {
        let until = DateTime::parse_from_rfc2822(text.trim()).ok()?.to_utc();
        Some((until - now).to_std().unwrap_or_default())
    };
    let reset = reset.filter(|_| status == 429);
    retry_after.and_then(|text| seconds(text).or_else(|| date(text))).or_else(|| reset.and_then(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn waits() {
        let retry = Retry { max_retries: 8, base: S(1), budget: S(300) };
        // failures, spent, asked, random, expected
        let table = [
            (1, S(0), None, 0.0, Some(S(0))),
            (1, S(0), None, 0.5, Some(Duration::from_millis(500))),
            (2, S(0), None, 0.5, Some(S(1))),
            (5, S(0), None, 0.5, Some(S(8))),
            (8, S(0), None, 0.5, Some(S(15))),
            (9, S(0), None, 0.5, None),
            (u32::MAX, S(0), None, 0.5, None),
            (1, S(0), Some(S(7)), 0.5, Some(S(7))),
            (6, S(0), Some(S(7)), 0.5, Some(S(15))),
            (1, S(0), Some(S(300)), 0.5, Some(S(300))),
            (1, S(0), Some(S(301)), 0.5, None),
            (2, S(200), Some(S(100)), 0.5, Some(S(100))),
            (2, S(200), Some(S(101)), 0.5, None),
            (3, S(299), None, 0.5, None),
            (1, S(0), Some(Duration::MAX), 0.5, None),
        ];
        for (failures, spent, asked, random, expected) in table {
            assert_eq!(
                retry.wait(failures, spent, asked, random),
                expected,
                "{failures} {spent:?} {asked:?} {random}"
            );
        }
        let none = Retry { max_retries: 0, ..retry };
        assert_eq!(none.wait(1, S(0), None, 0.0), None);
        let patient = Retry { max_retries: u32::MAX, base: S(1), budget: S(300) };
        assert_eq!(patient.wait(1000, S(0), None, 0.5), Some(S(15)), "no overflow, capped");
    }

    #[test]
    fn what_passes() {
        let passing = [408, 429, 500, 502, 503, 504, 520, 599];
        let lasting = [200, 301, 400, 401, 402, 403, 404, 409, 410, 422, 501];
        assert!(passing.into_iter().all(is_passing));
        assert!(!lasting.into_iter().any(is_passing));
    }

    #[test]
    fn what_the_service_asks_for() {
        let now = "2026-03-02T12:00:00Z".parse().unwrap();
        let table = [
            (None, None, None),
            (Some("3"), None, Some(S(3))),
            (Some(" 3 "), Some("9"), Some(S(3))),
            (None, Some("9"), Some(S(9))),
            (Some("0"), Some("0"), Some(S(0))),
            (Some("Mon, 02 Mar 2026 12:00:05 GMT"), None, Some(S(5))),
            (Some("Mon, 02 Mar 2026 11:59:05 GMT"), None, Some(S(0))),
            (Some("soon"), Some("2"), Some(S(2))),
            (Some("-1"), None, None),
            (Some("NaN"), None, None),
            (Some("1e999"), Some("x"), None),
        ];
        for (retry_after, reset, expected) in table {
            assert_eq!(asked_wait(429, retry_after, reset, now), expected, "{retry_after:?} {reset:?}");
            for status in [200, 408, 502, 503] {
                let expected = asked_wait(429, retry_after, None, now);
                assert_eq!(asked_wait(status, retry_after, reset, now), expected, "{status} {retry_after:?}");
            }
        }
    }
}
