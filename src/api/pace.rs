//! When the next request may go: one pace for all streams, because Confluent's limits are per key and
//! per organization. Pure: it is told the time and never sleeps.

use std::time::{Duration, Instant};

#[derive(Debug)]
pub struct Pace {
    /// Least time between two requests.
    gap: Duration,
    /// No request before this instant.
    next: Option<Instant>,
}

impl Pace {
    /// `max_requests_per_second`: none is no limit of our own.
    pub fn new(max_requests_per_second: Option<f64>) -> Pace {
        let gap = max_requests_per_second.map_or(Duration::ZERO, |most| Duration::from_secs_f64(1.0 / most));
        Pace { gap, next: None }
    }

    /// None: the request may go now, and its turn is taken. Else: ask again after that long.
    pub fn turn(&mut self, now: Instant) -> Option<Duration> {
        match self.next {
            Some(next) if next > now => Some(next - now),
            _ => {
                self.next = Some(now + self.gap);
                None
            }
        }
    }

    /// The service asked for silence: no request of any stream for that long.
    pub fn hold(&mut self, now: Instant, silence: Duration) {
        self.next = self.next.max(Some(now + silence));
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

    #[test]
    fn four_a_second_are_250_ms_apart() {
        let (mut pace, start) = (Pace::new(Some(4.0)), Instant::now());
        assert_eq!(pace.turn(start), None);
        assert_eq!(pace.turn(start), Some(MS(250)));
        assert_eq!(pace.turn(start + MS(100)), Some(MS(150)), "asking takes no turn");
        assert_eq!(pace.turn(start + MS(250)), None);
        assert_eq!(pace.turn(start + MS(251)), Some(MS(249)));
        assert_eq!(pace.turn(start + MS(2000)), None, "silence is not saved up");
        assert_eq!(pace.turn(start + MS(2000)), Some(MS(250)));
    }

    #[test]
    fn a_hold_silences_all_and_the_longest_counts() {
        let (mut pace, start) = (Pace::new(None), Instant::now());
        pace.hold(start, MS(500));
        pace.hold(start, MS(100));
        assert_eq!(pace.turn(start + MS(1)), Some(MS(499)));
        assert_eq!(pace.turn(start + MS(500)), None);
    }
}
