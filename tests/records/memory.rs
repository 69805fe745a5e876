//! Memory does not grow with the organization.

use std::time::Duration;

use serde_json::json;
use simulator::Simulator;

use crate::support::{polite, tap};

/// The most memory ever resident, in KiB.
fn peak(users: u64) -> u64 {
    let sim = Simulator::start(polite().users(users));
    let tap = tap(&sim).set("streams", json!(["users"])).limit(Duration::from_secs(120));
    let (run, peak) = tap.spawn().finish_measured();
    assert_eq!(run.expect_code(0).records("users").len() as u64, users);
    peak
}

#[test]
fn a_hundred_thousand_users_need_no_more_memory_than_a_thousand() {
    let few = peak(1_000);
    let many = peak(100_000);
    println!("{few} KiB for 1,000 users, {many} KiB for 100,000");
    assert!(many * 10 <= few * 13, "{few} KiB for 1,000 users, {many} KiB for 100,000");
}
