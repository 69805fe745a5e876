//! How costs are offered and told in both languages: by a cursor, and never as a whole to replace another.

use serde_json::{Value, json};
use simulator::{At, Fault, Simulator};

use super::{COSTS, TODAY, after, before, billed, costs, months, same_lines, truth, windows};
use crate::support::airbyte::{self, Status};
use crate::support::{Message, discovered, offering, tap};

#[test]
fn singer_s_catalog_offers_costs_by_their_first_day() {
    let catalog = discovered(offering(&["users", COSTS]));
    let of = |name: &str| {
        let streams = catalog["streams"].as_array().unwrap();
        streams.iter().find(|stream| stream["tap_stream_id"] == name).unwrap().clone()
    };
    let entry = of(COSTS);
    let metadata = entry["metadata"].as_array().unwrap();
    let top = metadata.iter().find(|entry| entry["breadcrumb"] == json!([])).unwrap()["metadata"].clone();
    assert_eq!(entry["key_properties"], json!(["cost_id"]));
    assert_eq!(entry["replication_method"], "INCREMENTAL");
    assert_eq!(entry["replication_key"], "start_date");
    assert_eq!(top["valid-replication-keys"], json!(["start_date"]));
    assert_eq!(top["forced-replication-method"], "INCREMENTAL");
    let users = of("users").to_string();
    assert!(!users.contains("start_date") && !users.contains("INCREMENTAL"), "{users}");
}

#[test]
fn singer_is_told_a_bookmark_and_no_version() {
    let sim = Simulator::start(billed());
    let run =
        tap(&sim).on(TODAY).set("streams", json!(["users", COSTS])).set("emit_activate_version", true).run();
    let run = run.expect_code(0);
    let mut versions = 0;
    for message in &run.messages {
        match message {
            Message::Schema { stream, bookmark_properties, .. } if stream == COSTS => {
                assert_eq!(bookmark_properties.as_deref(), Some(&["start_date".to_owned()][..]));
            }
            Message::Record { stream, version, .. } if stream == COSTS => assert_eq!(*version, None),
            Message::ActivateVersion { stream, .. } => {
                assert_eq!(stream, "users");
                versions += 1;
            }
            _ => {}
        }
    }
    assert!(versions > 0);
    same_lines(&sim, &run.records(COSTS), &truth(&sim, ""));
}

#[test]
fn a_catalog_that_says_full_table_still_gets_what_it_selects() {
    let sim = Simulator::start(billed());
    let mut catalog = discovered(offering(&[COSTS]));
    catalog["streams"][0]["replication_method"] = json!("FULL_TABLE");
    for entry in catalog["streams"][0]["metadata"].as_array_mut().unwrap() {
        if entry["breadcrumb"] == json!([]) {
            entry["metadata"]["selected"] = json!(true);
        }
    }
    let run = costs(&sim).catalog(&catalog).run().expect_code(0);
    same_lines(&sim, &run.records(COSTS), &truth(&sim, ""));
}

#[test]
fn without_a_state_singer_starts_at_the_start() {
    let mut sim = Simulator::start(billed());
    drop(costs(&sim).run().expect_code(0));
    sim.set_today(&after(TODAY, 1));
    let run = costs(&sim).run().expect_code(0);
    assert_eq!(windows(&run), months(&before(TODAY, 89), &after(TODAY, 1)));
}

#[test]
fn airbyte_is_offered_costs_both_ways() {
    let heard = airbyte::verb(offering(&["users", COSTS]), "discover").expect_code(0);
    let streams = heard.catalog().streams;
    let of = |name: &str| streams.iter().find(|stream| stream.name == name).unwrap();
    assert_eq!(of(COSTS).supported_sync_modes, ["full_refresh", "incremental"]);
    assert_eq!(of(COSTS).source_defined_cursor, Some(true));
    assert_eq!(of(COSTS).default_cursor_field.as_deref(), Some(&["start_date".to_owned()][..]));
    assert_eq!(of(COSTS).source_defined_primary_key, [["cost_id"]]);
    assert!(of(COSTS).is_resumable);
    assert!(of(COSTS).json_schema["properties"]["start_date"].is_object());
    assert_eq!(of("users").supported_sync_modes, ["full_refresh"]);
    assert_eq!(of("users").default_cursor_field, None);
}

fn bookmark(heard: &airbyte::Heard) -> Value {
    heard.last_state(COSTS)
}

#[test]
fn airbyte_s_incremental_sync_goes_on_from_its_state() {
    let mut sim = Simulator::start(billed());
    let catalog = airbyte::catalog_of(&[COSTS], "incremental");
    let first = airbyte::read(costs(&sim), &catalog);
    same_lines(&sim, &first.records(COSTS), &truth(&sim, ""));
    assert_eq!(bookmark(&first)["partition"], "2026-05-07");
    assert_eq!(bookmark(&first)["organization_id"], sim.organization_id());
    assert_eq!(bookmark(&first)["page_token"], Value::Null);
    assert_eq!(first.statuses(COSTS).last(), Some(&Status::Complete));
    sim.set_today(&after(TODAY, 1));
    let second = airbyte::read(costs(&sim).state(&first.state_file()), &catalog);
    assert_eq!(windows(&second.run), months("2026-05-07", "2026-05-11"));
    same_lines(&sim, &second.records(COSTS), &truth(&sim, "2026-05-07"));
    assert_eq!(bookmark(&second)["partition"], "2026-05-08");
    let future = json!([airbyte::state_of(COSTS, {
        let mut at = bookmark(&second);
        at["partition"] = json!("2026-06-01");
        at
    })]);
    let none = airbyte::read(costs(&sim).state(&future), &catalog);
    assert_eq!((none.asked(COSTS), none.records(COSTS).len()), (0, 0));
    assert_eq!(bookmark(&none)["partition"], "2026-06-01");
}

#[test]
fn airbyte_s_full_refresh_reads_from_the_start() {
    let sim = Simulator::start(billed());
    let catalog = airbyte::catalog_of(&[COSTS], "full_refresh");
    for state in [json!([]), json!([airbyte::state_of(COSTS, json!({}))])] {
        let heard = airbyte::read(costs(&sim).state(&state), &catalog);
        assert_eq!(windows(&heard.run), months(&before(TODAY, 90), TODAY));
        same_lines(&sim, &heard.records(COSTS), &truth(&sim, ""));
        assert_eq!(heard.statuses(COSTS).last(), Some(&Status::Complete));
    }
}

#[test]
fn airbyte_s_full_refresh_reads_from_the_start_also_after_an_incremental_sync() {
    let sim = Simulator::start(billed());
    let incremental = airbyte::read(costs(&sim), &airbyte::catalog_of(&[COSTS], "incremental"));
    let catalog = airbyte::catalog_of(&[COSTS], "full_refresh");
    let heard = airbyte::read(costs(&sim).state(&incremental.state_file()), &catalog);
    assert_eq!(windows(&heard.run), months(&before(TODAY, 90), TODAY));
    same_lines(&sim, &heard.records(COSTS), &truth(&sim, ""));
}

#[test]
fn a_full_refresh_and_an_incremental_sync_do_not_go_on_with_what_is_left_of_each_other() {
    let sim = Simulator::start(billed());
    for modes in [["incremental", "full_refresh"], ["full_refresh", "incremental"]] {
        let [first, second] = modes.map(|mode| airbyte::catalog_of(&[COSTS], mode));
        let from_third = At::stream(COSTS).from(3);
        sim.add_fault(Fault::errors(503, "try later"), from_third);
        let broken = airbyte::read(costs(&sim).set("max_retries", 0), &first).expect_code(1);
        assert_eq!(bookmark(&broken)["partition"], "2026-04-01");
        sim.clear_faults();
        let heard = airbyte::read(costs(&sim).state(&broken.state_file()), &second);
        assert_eq!(windows(&heard.run), months(&before(TODAY, 90), TODAY), "{modes:?}");
        same_lines(&sim, &heard.records(COSTS), &truth(&sim, ""));
        let again = airbyte::read(costs(&sim).state(&broken.state_file()), &first);
        assert_eq!(windows(&again.run), months("2026-04-01", TODAY), "{modes:?} does not go on with its own");
    }
}

#[test]
fn an_incremental_sync_goes_on_after_a_full_refresh() {
    let sim = Simulator::start(billed());
    let full = airbyte::read(costs(&sim), &airbyte::catalog_of(&[COSTS], "full_refresh"));
    let catalog = airbyte::catalog_of(&[COSTS], "incremental");
    let heard = airbyte::read(costs(&sim).state(&full.state_file()), &catalog);
    let last = windows(&heard.run).last().cloned();
    assert_eq!(last.map(|window| window.1).as_deref(), Some(TODAY), "days are left out");
    assert_eq!(bookmark(&heard)["partition"], "2026-05-07");
}
