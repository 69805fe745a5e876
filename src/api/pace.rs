//! When the next request may go: one pace for all streams, because Confluent's limits are per key and
//! per organization; and the words for a wait. Pure: the time is an argument, and it never sleeps.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, Instant};

/// Maximum wait that is not requested by the service. If it was too short, the service responds with 429.
const LONGEST_SPREAD: Duration = Duration::from_secs(30);

/// Why requests wait: the service asked for it, or the setting.
const HELD: &str = "the service limits the rate of requests";
const PACED: &str = "limited by max_requests_per_second";

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

pub struct Pace {
    /// Streams that send requests side by side.
    concurrency: u64,
    /// Least time between two requests.
    gap: Duration,
    /// No request before this instant, so that the gap is kept.
    next: Option<Instant>,
    /// No request before this instant, because the service limits them.
    held: Option<Instant>,
}

impl Pace {
    /// `max_requests_per_second`: none is no limit of our own.
    pub fn new(concurrency: u64, max_requests_per_second: Option<f64>) -> Pace {
        let gap = max_requests_per_second.map_or(Duration::ZERO, |most| Duration::from_secs_f64(1.0 / most));
        Pace { concurrency, gap, next: None, held: None }
    }

    /// None: the request may go now, and its turn is taken. Else: ask again after that wait.
    pub fn turn(&mut self, now: Instant) -> Option<Wait> {
        let is_rate_limit = self.held >= self.next;
        let Some(until) = self.held.max(self.next).filter(|until| *until > now) else {
            self.next = Some(now + self.gap);
            return None;
        };
        let why = if is_rate_limit { HELD } else { PACED }.into();
        Some(Wait { why, is_retry: false, is_rate_limit, duration: until - now })
    }

    /// The service asked for a pause: no stream sends a request for that long.
    pub fn hold(&mut self, now: Instant, silence: Duration) {
        self.held = self.held.max(Some(now + silence));
    }

    /// Slows down before the limit is reached: if less than a tenth of it remains, or less than one request for each
    /// stream, the remaining requests are spread over the rest of the window.
    ///
    /// The numbers are those of the headers `X-RateLimit-Limit`, `-Remaining` and `-Reset`, the last of which is seconds
    /// from now (Confluent's API reference).
    pub fn spread(&mut self, now: Instant, limit: u64, remaining: u64, reset: u64) {
        if remaining < (limit / 10).max(self.concurrency) {
            let parts = u32::try_from(remaining + 1).unwrap_or(u32::MAX);
            self.hold(now, (Duration::from_secs(reset) / parts).min(LONGEST_SPREAD));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn without_a_limit_every_turn_is_now() {
        let (mut pace, now) = (Pace::new(4, None), Instant::now());
        assert_eq!((pace.turn(now), pace.turn(now), pace.turn(now)), (None, None, None));
    }

    fn paced(milliseconds: u64) -> Option<Wait> {
        Some(Wait { why: PACED.into(), is_retry: false, is_rate_limit: false, duration: MS(milliseconds) })
    }

    fn held(milliseconds: u64) -> Option<Wait> {
        Some(Wait { why: HELD.into(), is_retry: false, is_rate_limit: true, duration: MS(milliseconds) })
    }

    #[test]
    fn four_a_second_are_250_ms_apart() {
        let (mut pace, start) = (Pace::new(4, Some(4.0)), Instant::now());
        assert_eq!(pace.turn(start), None);
        assert_eq!(pace.turn(start), paced(250));
        assert_eq!(pace.turn(start + MS(100)), paced(150), "asking takes no turn");
        assert_eq!(pace.turn(start + MS(250)), None);
        assert_eq!(pace.turn(start + MS(251)), paced(249));
        assert_eq!(pace.turn(start + MS(2000)), None, "silence is not saved up");
        assert_eq!(pace.turn(start + MS(2000)), paced(250));
    }

    #[test]
    fn a_hold_silences_all_and_the_longest_counts() {
        let (mut pace, start) = (Pace::new(4, None), Instant::now());
        pace.hold(start, MS(500));
        pace.hold(start, MS(100));
        assert_eq!(pace.turn(start + MS(1)), held(499));
        assert_eq!(pace.turn(start + MS(500)), None);
    }

    #[test]
    fn the_later_of_hold_and_gap_is_the_reason() {
        let (mut pace, start) = (Pace::new(4, Some(4.0)), Instant::now());
        assert_eq!(pace.turn(start), None);
        pace.hold(start, MS(200));
        assert_eq!(pace.turn(start), paced(250));
        pace.hold(start, MS(300));
        assert_eq!(pace.turn(start), held(300));
        assert_eq!(pace.turn(start + MS(300)), None);
        assert_eq!(pace.turn(start + MS(300)), paced(250));
    }

    #[test]
    fn what_remains_is_spread_over_what_is_left_of_the_window() {
        let start = Instant::now();
        // limit, remaining, reset in seconds, concurrency, wait in milliseconds
        let table = [
            (1000, 999, 60, 4, None),
            (1000, 100, 60, 4, None),
            (1000, 99, 60, 4, Some(600)),
            (1000, 9, 60, 4, Some(6000)),
            (1000, 0, 20, 4, Some(20_000)),
            (1000, 0, 3600, 4, Some(30_000)),
            (1000, 0, u64::MAX, 4, Some(30_000)),
            (u64::MAX, u64::MAX, u64::MAX, 4, None),
            (u64::MAX, 0, u64::MAX, 4, Some(30_000)),
            (10, 4, 60, 4, None),
            (10, 3, 60, 4, Some(15_000)),
            (0, 0, 0, 4, None),
            (u64::MAX, 5_000_000_000, 4, 1, Some(0)),
        ];
        for (limit, remaining, reset, concurrency, wait) in table {
            let mut pace = Pace::new(concurrency, None);
            pace.spread(start, limit, remaining, reset);
            let waits = pace.turn(start).map(|wait| wait.duration.as_millis());
            assert_eq!(waits.unwrap_or_default(), wait.unwrap_or_default(), "{limit} {remaining} {reset}");
        }
    }

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
