//! Where the records of the history stand, and how the stream is selected.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use simulator::Simulator;

use super::{recorded, told};
use crate::support::airbyte::{self, Status};
use crate::support::{
    HISTORY, Message, STREAMS, assert_whole, assert_whole_of, bare, discovered, polite, rude, small, tap,
};

#[test]
fn a_record_stands_right_before_the_version_of_its_stream_is_activated() {
    let sim = Simulator::start(rude());
    let run = recorded(&sim, &STREAMS).set("emit_activate_version", true).run();
    assert_whole(&run, &sim);
    assert!(matches!(&run.messages[0], Message::Schema { stream, .. } if stream == HISTORY));
    let mut activated = BTreeSet::new();
    for (place, message) in run.messages.iter().enumerate() {
        let Message::ActivateVersion { stream, .. } = message else { continue };
        let [Message::Record { stream: of, record, version, .. }, Message::State { .. }] =
            &run.messages[place - 2..place]
        else {
            panic!("{stream}: {:?}", &run.messages[place - 2..place]);
        };
        assert_eq!((of.as_str(), &record["stream"], version), (HISTORY, &json!(stream), &None));
        activated.insert(stream.clone());
    }
    assert_eq!(activated, BTreeSet::from(STREAMS.map(str::to_owned)));
    assert_eq!(run.records(HISTORY).len(), STREAMS.len());
}

#[test]
fn a_record_stands_right_before_the_status_of_its_stream_in_airbyte() {
    let sim = Simulator::start(small().refuse("users"));
    let streams = [HISTORY, "users", "invitations"];
    let catalog = airbyte::catalog_of(&streams, "incremental");
    let heard = airbyte::read(recorded(&sim, &["users", "invitations"]), &catalog).expect_code(1);
    let lines: Vec<Value> =
        heard.run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let lines: Vec<&Value> = lines.iter().filter(|line| line["type"] != "LOG").collect();
    for (stream, status) in [("users", "INCOMPLETE"), ("invitations", "COMPLETE")] {
        let ends = |line: &&&Value| {
            let said = &line["trace"]["stream_status"];
            said["status"] == status && said["stream_descriptor"]["name"] == stream
        };
        let place = lines.iter().position(|line| ends(&line)).unwrap();
        let record = &lines[place - 2]["record"];
        assert_eq!((&record["stream"], &record["data"]["stream"]), (&json!(HISTORY), &json!(stream)));
        assert_eq!(lines[place - 1]["state"]["sourceStats"]["recordCount"], 1.0);
    }
    assert_eq!(heard.statuses(HISTORY), [Status::Started, Status::Running, Status::Complete]);
    let is_of_history =
        |line: &&&Value| line["trace"]["stream_status"]["stream_descriptor"]["name"] == HISTORY;
    let last = lines.iter().rposition(|line| is_of_history(&line)).unwrap();
    assert_eq!(last, lines.len() - 2, "only the summary of the run follows");
}

#[test]
fn it_is_offered_on_demand_and_in_airbyte_as_incremental_only() {
    let names = |catalog: &Value| catalog["streams"].as_array().unwrap().len();
    assert_eq!(names(&discovered(bare())), STREAMS.len());
    let offered = || bare().set("streams", json!([HISTORY]));
    let entry = &discovered(offered())["streams"][0];
    assert_eq!(
        (&entry["replication_method"], &entry["replication_key"]),
        (&json!("INCREMENTAL"), &json!("ended_at"))
    );
    let entry = airbyte::discovered(offered()).remove(0);
    assert_eq!(entry["supported_sync_modes"], json!(["incremental"]));
    assert_eq!(entry["source_defined_primary_key"], json!([["extraction_id"]]));
    assert_eq!(entry["default_cursor_field"], json!(["ended_at"]));
}

#[test]
fn each_run_adds_to_it_whatever_the_state_and_the_mode() {
    let sim = Simulator::start(small());
    let mut ids = BTreeSet::new();
    let mut state = json!({});
    for _ in 0..3 {
        let run = recorded(&sim, &["users"]).state(&state).run().expect_code(0);
        state = run.last_state().unwrap();
        let told = told(&run, "users");
        assert_eq!(state["bookmarks"][HISTORY]["replication_key_value"], told["ended_at"]);
        ids.insert(told["extraction_id"].as_str().unwrap().to_owned());
    }
    let mut state = json!([]);
    for mode in ["incremental", "full_refresh", "incremental"] {
        let catalog = airbyte::catalog_of(&["users", HISTORY], mode);
        let heard = airbyte::read(recorded(&sim, &["users"]).state(&state), &catalog).expect_code(0);
        state = heard.state_file();
        ids.insert(super::of(&heard.records(HISTORY), "users")["extraction_id"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 6);
}

#[test]
fn columns_that_the_catalog_leaves_out_stay_out() {
    let sim = Simulator::start(small());
    let mut catalog = discovered(recorded(&sim, &["users"]));
    for entry in catalog["streams"].as_array_mut().unwrap() {
        for item in entry["metadata"].as_array_mut().unwrap() {
            if item["breadcrumb"] == json!(["properties", "owner_id"]) {
                item["metadata"]["selected"] = false.into();
            }
        }
    }
    let run = recorded(&sim, &["users"]).catalog(&catalog).run().expect_code(0);
    assert!(
        told(&run, "users").get("owner_id").is_none()
            && run.schemas()[HISTORY]["properties"]["owner_id"].is_null()
    );
    let mut catalog = airbyte::catalog_of(&["users", HISTORY], "incremental");
    let properties = &mut catalog["streams"][1]["stream"]["json_schema"]["properties"];
    properties.as_object_mut().unwrap().shift_remove("owner_id");
    let heard = airbyte::read(recorded(&sim, &["users"]), &catalog).expect_code(0);
    let told = super::of(&heard.records(HISTORY), "users");
    assert!(told.get("owner_id").is_none() && told["organization_id"] == sim.organization_id());
}

#[test]
fn alone_it_is_empty_and_asks_for_no_stream() {
    let sim = Simulator::start(polite());
    let run = tap(&sim).set("streams", json!([HISTORY])).run().expect_code(0);
    assert!(run.records(HISTORY).is_empty() && run.schemas().contains_key(HISTORY));
    assert!(run.last_state().is_some() && run.asked("users").is_empty());
    let catalog = airbyte::catalog_of(&[HISTORY], "incremental");
    let heard = airbyte::read(tap(&sim).set("streams", json!([HISTORY])), &catalog).expect_code(0);
    assert_eq!((heard.records(HISTORY).len(), heard.states(HISTORY).len()), (0, 1));
    // Its key is looked up nevertheless.
    let wrong = tap(&sim).set("streams", json!([HISTORY])).set("api_secret", "wrong");
    drop(wrong.run().expect_code(3).expect_line("ERROR", ["or its secret is wrong"]));
}

#[test]
fn a_sample_is_not_recorded() {
    let sim = Simulator::start(polite());
    let run = recorded(&sim, &["users"]).arg("--test").run().expect_code(0);
    assert_eq!((run.records("users").len(), run.records(HISTORY).len()), (1, 0));
    airbyte::check(recorded(&sim, &["users"])).succeeded();
}

#[test]
fn a_key_that_reads_costs_only_may_record_them() {
    let sim = Simulator::start(small().refuse("organizations").refuse("environments"));
    let run = tap(&sim).set("streams", json!(["billing_costs", HISTORY])).run().expect_code(0);
    assert_whole_of(&run, &sim, &[]);
    let told = told(&run, "billing_costs");
    assert_eq!((&told["outcome"], &told["resumed"]), (&json!("complete"), &json!(false)));
    assert_eq!(told["records"], run.records("billing_costs").len());
}
