//! The binary from outside: it is run, and what it prints, asks for and ends with is judged.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so and fails"
)]

/// Files written by the binary and checked in: catalogs, the README's tables.
mod golden;

/// Who may import whom in `src/`.
mod layers;
