//! The binary from outside: it is run, and what it prints, asks for and ends with is judged against
//! the simulator's ground truth. Each folder is a subject, and `support` is what all of them stand on.
//! Nothing here knows the sources.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on says so and fails"
)]

mod airbyte;
mod bindings;
mod commands;
mod costs;
mod dbt;
mod extractions;
mod golden;
mod hostile;
mod kills;
mod layers;
mod log;
mod oauth;
mod on_demand;
mod packages;
mod pages;
mod partitions;
mod records;
mod requests;
mod runtimes;
mod secrets;
mod settings;
mod speed;
mod states;
mod support;
