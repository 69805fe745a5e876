//! When the next request may go: one pace for all streams, because Confluent's limits are per key and
//! per organization. Pure: the time is an argument, and it never sleeps.

use std::time::{Duration, Instant};

use super::{Reason, Wait};

/// Maximum wait that is not requested by the service. If it was too short, the service responds with 429.
const LONGEST_SPREAD: Duration = Duration::from_secs(30);

/// The rate limit headers of a response: `X-RateLimit-Limit`, `-Remaining` and `-Reset`, the last of which
/// is seconds from now (Confluent's API reference).
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    pub limit: u64,
    pub remaining: u64,
    pub reset: Duration,
}

#[derive(Debug)]
pub struct Pace {
    /// Least time between two requests.
    gap: Duration,
    /// No request before this instant, so that the gap is kept.
    next: Option<Instant>,
    /// No request before this instant, because the service limits them.
    held: Option<Instant>,
}

impl Pace {
    /// `max_requests_per_second`: none is no limit of our own.
    pub fn new(max_requests_per_second: Option<f64>) -> Pace {
        let gap = max_requests_per_second.map_or(Duration::ZERO, |most| Duration::from_secs_f64(1.0 / most));
        Pace { gap, next: None, held: None }
    }

    /// None: the request may go now, and its turn is taken. Else: ask again after that wait.
    pub fn turn(&mut self, now: Instant) -> Option<Wait> {
        let (until, reason) =
            if self.held >= self.next { (self.held, Reason::Held) } else { (self.next, Reason::Paced) };
        match until {
            Some(until) if until > now => Some(Wait { reason, duration: until - now }),
            _ => {
                self.next = Some(now + self.gap);
                None
            }
        }
    }

    /// The service asked for a pause: no stream sends a request for that long.
    pub fn hold(&mut self, now: Instant, silence: Duration) {
        self.held = self.held.max(Some(now + silence));
    }

    /// Slows down before the limit is reached: if less than a tenth of the quota remains, or less than one request
    /// for each of `concurrency` streams, the remaining requests are spread over the rest of the window.
    pub fn spread(&mut self, now: Instant, quota: &Quota, concurrency: u64) {
        if quota.remaining >= (quota.limit / 10).max(concurrency) {
            return;
        }
        let parts = u32::try_from(quota.remaining + 1).unwrap_or(u32::MAX);
        self.hold(now, (quota.reset / parts).min(LONGEST_SPREAD));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn without_a_limit_every_turn_is_now() {
        let (mut pace, now) = (Pace::new(None), Instant::now());
        assert_eq!((pace.turn(now), pace.turn(now), pace.turn(now)), (None, None, None));
    }

    fn paced(milliseconds: u64) -> Option<Wait> {
        Some(Wait { reason: Reason::Paced, duration: MS(milliseconds) })
    }

    fn held(milliseconds: u64) -> Option<Wait> {
        Some(Wait { reason: Reason::Held, duration: MS(milliseconds) })
    }

    #[test]
    fn four_a_second_are_250_ms_apart() {
        let (mut pace, start) = (Pace::new(Some(4.0)), Instant::now());
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
        let (mut pace, start) = (Pace::new(None), Instant::now());
        pace.hold(start, MS(500));
        pace.hold(start, MS(100));
        assert_eq!(pace.turn(start + MS(1)), held(499));
        assert_eq!(pace.turn(start + MS(500)), None);
    }

    #[test]
    fn the_later_of_hold_and_gap_is_the_reason() {
        let (mut pace, start) = (Pace::new(Some(4.0)), Instant::now());
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
            let mut pace = Pace::new(None);
            let quota = Quota { limit, remaining, reset: Duration::from_secs(reset) };
            pace.spread(start, &quota, concurrency);
            let waits = pace.turn(start).map(|wait| wait.duration.as_millis());
            assert_eq!(waits.unwrap_or_default(), wait.unwrap_or_default(), "{quota:?}");
        }
    }
}
