//! Memory does not grow with the organization.

use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::json;
use simulator::Simulator;

use crate::support::{polite, tap};

/// The most memory ever resident, in KiB.
fn peak(users: u64) -> u64 {
    let sim = Simulator::start(polite().users(users));
    let mut child = tap(&sim).set("streams", json!(["users"])).limit(Duration::from_secs(120)).spawn();
    child.read_freely();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.is_running() {
        let status = fs::read_to_string(&status).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
        peak = now.map_or(peak, |now: u64| peak.max(now));
        thread::sleep(Duration::from_millis(1));
    }
    let run = child.finish().expect_code(0);
    assert_eq!(run.records("users").len() as u64, users);
    peak
}

#[test]
fn a_hundred_thousand_users_take_no_more_memory_than_a_thousand() {
    let few = peak(1_000);
    let many = peak(100_000);
    println!("{few} KiB for 1,000 users, {many} KiB for 100,000");
    assert!(many * 10 <= few * 13, "{few} KiB for 1,000 users, {many} KiB for 100,000");
}
