//! Lists that more than one run has read are whole, too.

use serde_json::{Value, json};
use simulator::{At, Fault, Scenario, Simulator};

use super::truth::{by_key, grants};
use super::warehouse::{Warehouse, sync};
use crate::support::small;

const DAYS: [&str; 2] = ["2026-01-08", "2026-01-09"];

fn organization() -> Scenario {
    small().role_bindings(60).seed(12)
}

/// An organization that has been loaded and built once, and has lost some grants since.
fn a_day_later(warehouse: &Warehouse) -> Simulator {
    let mut sim = Simulator::start(organization());
    warehouse.load(&sim, &sync(&sim, DAYS[0]).run().expect_code(0));
    warehouse.build(&sim);
    sim.delete("role_bindings", 4);
    sim
}

#[track_caller]
fn assert_accepted(warehouse: &Warehouse, sim: &Simulator) {
    warehouse.build(sim);
    assert_eq!(warehouse.problems(), [""; 0]);
    assert_eq!(by_key(&warehouse.rows("access_grants")), grants(sim));
    assert!(warehouse.rows("access_changes").iter().all(|row| row["change"] == "revoked"));
}

#[test]
fn a_resumed_pass_counts_from_where_it_began() {
    let warehouse = Warehouse::duckdb();
    let sim = a_day_later(&warehouse);
    sim.add_fault(Fault::errors(503, "try later"), At::stream("users").from(3));
    let first = sync(&sim, DAYS[1]).set("max_retries", 0).run().expect_code(4);
    assert!(!first.records("users").is_empty(), "it broke off too early");
    warehouse.load(&sim, &first);
    sim.clear_faults();
    let later = format!("@{} 13:00:00", DAYS[1]);
    let resumed =
        sync(&sim, DAYS[1]).env("FAKETIME", later).state(&first.last_state().unwrap()).run().expect_code(0);
    assert!(resumed.records("users").len() < sim.truth().ids("users").len(), "users started over");
    warehouse.load(&sim, &resumed);
    assert_accepted(&warehouse, &sim);
}

/// Airbyte's second attempt skips what the first one has read.
#[test]
fn a_skipped_stream_counts_as_an_earlier_attempt_has_read_it() {
    let warehouse = Warehouse::duckdb();
    let sim = a_day_later(&warehouse);
    sim.add_fault(Fault::errors(503, "try later"), At::stream("role_bindings").from(3));
    warehouse.load(&sim, &sync(&sim, DAYS[1]).set("max_retries", 0).run().expect_code(4));
    sim.clear_faults();
    let later = format!("@{} 13:00:00", DAYS[1]);
    let second = sync(&sim, DAYS[1]).env("FAKETIME", later).run().expect_code(0);
    let mut messages = String::new();
    for line in second.whole_lines().lines() {
        let mut message: Value = serde_json::from_str(line).unwrap();
        let of_users = message["stream"] == "users" && message["type"] != "SCHEMA";
        if message["record"]["stream"] == "users" {
            let skipped =
                json!({"outcome": "skipped", "pass_started_at": null, "pass_records": null, "records": 0});
            message["record"].as_object_mut().unwrap().extend(skipped.as_object().unwrap().clone());
        }
        if !of_users {
            messages.push_str(&format!("{message}\n"));
        }
    }
    warehouse.load_messages(&sim, &messages);
    assert_accepted(&warehouse, &sim);
}
