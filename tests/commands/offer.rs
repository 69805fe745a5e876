//! A Singer catalog that selects what the settings do not offer: exit 0 means that every selected stream
//! was read.

use serde_json::{Value, json};
use simulator::Simulator;

use crate::support::{EVERY, assert_whole_of, bare, discovered, small, tap};

/// The catalog of every stream, in which these are selected.
fn selecting(chosen: &[&str]) -> Value {
    let mut catalog = discovered(bare().set("streams", json!(EVERY)));
    for entry in catalog["streams"].as_array_mut().unwrap() {
        let selected = chosen.iter().any(|name| entry["tap_stream_id"] == *name);
        entry["metadata"][0]["metadata"]["selected"] = selected.into();
    }
    catalog
}

#[test]
fn a_selected_stream_not_offered_is_an_error_before_any_request() {
    let sim = Simulator::start(small());
    let catalog = selecting(&["users", "environments", "api_keys"]);
    for start in [tap(&sim), tap(&sim).arg("--test"), tap(&sim).verb("read")] {
        let run = start.catalog(&catalog).run();
        let run = run.expect_refusal(2, ["environments", "api_keys", "setting streams"]);
        assert!(!run.says("", &["kafka_clusters"]), "a stream that is not selected is named");
    }
    // By default, by the legacy key, and twice in one catalog.
    let mut twice =
        json!({"streams": [{"tap_stream_id": "api_keys"}, {"stream": "api_keys", "selected": true}]});
    let run = tap(&sim).catalog(&twice).run().expect_refusal(2, ["api_keys", "setting streams"]);
    assert_eq!(run.stderr.matches("api_keys").count(), 1, "it is named twice");
    twice["streams"][1]["tap_stream_id"] = json!("invitations");
    let users_only = tap(&sim).set("streams", json!(["users"]));
    drop(users_only.catalog(&twice).run().expect_refusal(2, ["api_keys", "invitations"]));
    assert!(sim.requests().is_empty(), "something was asked");
    let named = tap(&sim).set("streams", json!(["users", "environments", "api_keys"]));
    let run = named.catalog(&catalog).run().expect_code(0);
    assert_whole_of(&run, &sim, &["users", "environments", "api_keys"]);
}

#[test]
fn a_deselected_stream_not_offered_is_ignored_silently() {
    let sim = Simulator::start(small());
    let run = tap(&sim).catalog(&selecting(&["users"])).run().expect_code(0);
    assert_whole_of(&run, &sim, &["users"]);
    assert!(!run.says("WARN", &[""]), "a warning about what is normal");
}
