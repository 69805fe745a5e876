//! Measures the released connector beside the least that could do its work (`benches/floor`), and beside itself with
//! other settings. Knows both programs from outside only.
//!
//! The simulator runs in the process that measures, so that what it costs is not counted.

#![allow(clippy::expect_used, clippy::panic, reason = "a measurement that cannot be taken fails, loudly")]

pub mod contender;
pub mod instructions;
pub mod process;
