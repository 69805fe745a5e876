//! What good answers say of the rate limit: a count that runs down within a window and starts again
//! with the next. Nothing is refused because of it.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::log::lock;
use crate::scenario::Quota;

/// Where a rate limit's window stands.
#[derive(Default)]
pub struct Window(Mutex<Option<Standing>>);

#[derive(Clone, Copy)]
struct Standing {
    began: Instant,
    remaining: u64,
}

impl Window {
    /// The headers of one good answer, which counts.
    pub fn quota(&self, quota: Option<Quota>) -> [(String, u64); 3] {
        let [limit, remaining, reset] =
            ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"].map(str::to_owned);
        let Some(quota) = quota else {
            return [(limit, 100_000), (remaining, 99_999), (reset, 60)];
        };
        let mut kept = lock(&self.0);
        let length = Duration::from_secs(quota.reset);
        let mut now = match *kept {
            None => Standing { began: Instant::now(), remaining: quota.remaining },
            Some(standing) if standing.began.elapsed() < length => standing,
            Some(_) => Standing { began: Instant::now(), remaining: quota.limit },
        };
        now.remaining = now.remaining.saturating_sub(1);
        *kept = Some(now);
        let left = length.saturating_sub(now.began.elapsed()).as_secs_f64().ceil();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole seconds from zero up"
        )]
        let left = left as u64;
        [(limit, quota.limit), (remaining, now.remaining), (reset, left)]
    }
}
