//! States handed back to `read`: resumed, skipped, started over, or refused with words.

use serde_json::{Value, json};
use simulator::{At, Fault, Simulator};

use crate::support::airbyte::{
    FailureType, Heard, Level, Status, bare_complete, catalog, catalog_of, interrupted, is_complete, read,
    read_all, state_of,
};
use crate::support::{STREAMS, ids_of, polite, small, tap};

/// The same, as PyAirbyte hands it back.
fn with_nulls(stream: &str, state: Value) -> Value {
    json!({
        "type": "STREAM",
        "stream": {"stream_descriptor": {"name": stream, "namespace": null}, "stream_state": state},
        "global_": null, "data": null,
        "sourceStats": {"recordCount": 1.0, "rejectedRecordCount": null}, "destinationStats": null,
    })
}

fn read_from(sim: &Simulator, state: &Value, sync_mode: &str) -> Heard {
    read(tap(sim).set("page_size", 50).state(state), &catalog_of(&["users"], sync_mode))
}

#[test]
fn every_form_of_state_is_resumed_from() {
    let (sim, state) = interrupted();
    let token = state["page_token"].clone();
    let unknown = state_of("ksql_clusters", json!({"x": 1}));
    let spread = |shared: Value| {
        let mut global = json!({"stream_states": [state_of("users", state.clone())["stream"]]});
        if !shared.is_null() {
            global["shared_state"] = shared;
        }
        json!([{"type": "GLOBAL", "global": global}])
    };
    let forms = [
        ("an array", json!([state_of("users", state.clone())])),
        ("PyAirbyte's nulls", json!([with_nulls("users", state.clone())])),
        ("beside an unknown stream", json!([unknown, state_of("users", state.clone())])),
        (
            "the last of several",
            json!([state_of("users", bare_complete()), state_of("users", state.clone())]),
        ),
        ("GLOBAL", spread(Value::Null)),
        ("GLOBAL with an empty shared state", spread(json!({}))),
        ("LEGACY", json!([{"type": "LEGACY", "data": {"users": state}}])),
        ("an object of streams", json!({"users": state})),
        ("without its type", json!([{"stream": state_of("users", state.clone())["stream"]}])),
    ];
    for (form, file) in forms {
        for sync_mode in ["full_refresh", "incremental"] {
            let heard = read_from(&sim, &file, sync_mode).expect_code(0);
            let asked = heard.run.asked("users");
            assert_eq!(asked[0].parameter("page_token"), token.as_str(), "{form}, {sync_mode}");
            assert!(heard.records("users").len() < 237, "{form}");
        }
    }
}

#[test]
fn a_global_state_with_explicit_nulls_is_read() {
    let (sim, state) = interrupted();
    let entry = with_nulls("users", state.clone())["stream"].clone();
    for key in ["global", "global_"] {
        let mut message = json!({"type": "GLOBAL", "stream": null, "data": null});
        message[key] = json!({"shared_state": null, "stream_states": [entry]});
        let heard = read_from(&sim, &json!([message]), "full_refresh").expect_code(0);
        assert_eq!(
            heard.run.asked("users")[0].parameter("page_token"),
            state["page_token"].as_str(),
            "{key}"
        );
    }
}

#[test]
fn empty_states_start_at_the_beginning() {
    let sim = Simulator::start(small());
    for file in [
        json!([]),
        json!({}),
        json!([state_of("users", json!({}))]),
        json!([state_of("users", Value::Null)]),
        json!([{"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"}}}]),
        json!([state_of("users", json!({"__ab_no_cursor_state_message": true}))]),
        json!([state_of("ksql_clusters", json!({"x": 1}))]),
        json!([{"type": "LEGACY", "data": {}}]),
        // An object without a type is an old connection's, whatever its keys are.
        json!({"global_": {"stream_states": [state_of("users", bare_complete())["stream"]]}}),
    ] {
        read(tap(&sim).state(&file), &catalog()).assert_whole(&sim);
    }
}

#[test]
fn what_is_not_a_state_is_refused_with_a_message() {
    let sim = Simulator::start(small());
    for file in [
        json!(5),
        json!("state"),
        json!([5]),
        json!([{"type": "STREAMS"}]),
        json!([{"type": "STREAM", "stream": 5}]),
        json!([{"type": "STREAM", "stream": {"stream_descriptor": {}, "stream_state": {}}}]),
    ] {
        let heard = read(tap(&sim).state(&file), &catalog()).expect_code(1);
        heard.only_error(FailureType::Config, &["state"]);
        assert!(heard.emitted().is_empty(), "{file}");
    }
    let heard = read(tap(&sim).file("--state", "state.json", "[{\"type\":"), &catalog()).expect_code(1);
    heard.only_error(FailureType::Config, &["state"]);
}

#[test]
fn a_global_state_without_a_list_of_streams_is_refused() {
    let sim = Simulator::start(small());
    let file = json!([{"type": "GLOBAL", "global": {"stream_states": 5}}]);
    let heard = read(tap(&sim).state(&file), &catalog()).expect_code(1);
    heard.only_error(FailureType::Config, &["state"]);
}

#[test]
fn a_foreign_state_is_started_over_with_a_warning() {
    let sim = Simulator::start(small());
    for state in [json!("a word"), json!({"page_token": 5}), json!([1])] {
        let heard = read(tap(&sim).state(&json!([state_of("users", state)])), &catalog());
        heard.assert_whole(&sim);
        heard.expect_log(Level::Warn, &["users", "state"]);
    }
}

#[test]
fn a_complete_stream_is_skipped_on_a_retry_of_the_same_full_refresh() {
    let sim = Simulator::start(small());
    let first = read_all(&sim);
    let heard = read(tap(&sim).state(&first.state_file()), &catalog()).expect_code(0);
    for stream in STREAMS {
        assert!(heard.records(stream).is_empty(), "{stream}: records again");
        assert_eq!(heard.asked(stream), 0, "{stream} was asked for");
        assert_eq!(heard.statuses(stream), [Status::Started, Status::Running, Status::Complete], "{stream}");
        let states = heard.states(stream);
        assert_eq!(states.len(), 1);
        assert!(is_complete(&Value::from(states[0].0.clone())));
        assert!(states[0].1.abs() < 0.1);
    }
}

#[test]
fn a_complete_stream_is_read_again_if_incremental_is_asked_for() {
    let sim = Simulator::start(small());
    let first = read_all(&sim);
    let nulls: Vec<Value> = STREAMS.iter().map(|stream| with_nulls(stream, bare_complete())).collect();
    for file in [first.state_file(), Value::from(nulls)] {
        read(tap(&sim).state(&file), &catalog_of(&STREAMS, "incremental")).assert_whole(&sim);
    }
}

#[test]
fn a_token_that_is_refused_starts_the_stream_over_with_a_warning() {
    for status in [400, 404, 410] {
        let (sim, state) = interrupted();
        sim.add_fault(Fault::errors(status, "the page token has expired"), At::stream("users").nth(1));
        let heard = read_from(&sim, &json!([state_of("users", state)]), "full_refresh");
        heard.assert_whole_of(&sim, &["users"]);
        heard.expect_log(Level::Warn, &["users", "page token"]);
    }
}

#[test]
fn a_token_that_is_refused_again_fails_the_stream() {
    let (sim, state) = interrupted();
    sim.refuse_tokens(true);
    let heard = read_from(&sim, &json!([state_of("users", state)]), "full_refresh").expect_code(1);
    assert_eq!(heard.statuses("users").last(), Some(&Status::Incomplete));
    assert!(heard.states("users").iter().all(|(state, _)| !is_complete(&Value::from(state.clone()))));
    drop(heard.error_of("users"));
}

#[test]
fn a_position_of_another_organization_is_started_over_with_a_warning() {
    let (sim, mut state) = interrupted();
    state["organization_id"] = json!("00000000-1111-2222-3333-444444444444");
    let heard = read_from(&sim, &json!([state_of("users", state)]), "full_refresh");
    heard.assert_whole_of(&sim, &["users"]);
    heard.expect_log(Level::Warn, &["users", "organization"]);
}

#[test]
fn a_position_of_days_ago_is_started_over_with_a_warning() {
    let (sim, mut state) = interrupted();
    state["started_at"] = json!("2024-01-01T00:00:00Z");
    let heard = read_from(&sim, &json!([state_of("users", state)]), "full_refresh");
    heard.assert_whole_of(&sim, &["users"]);
    heard.expect_log(Level::Warn, &["users"]);
}

#[test]
fn resuming_from_any_state_brings_what_is_missing() {
    let sim = Simulator::start(polite());
    let streams = ["role_bindings"];
    let whole = read(tap(&sim).set("page_size", 40), &catalog_of(&streams, "full_refresh"));
    let truth = sim.truth().count("role_bindings") as usize;
    let (mut above, mut records) = (0, whole.records("role_bindings"));
    let all = std::mem::take(&mut records);
    for (state, count) in whole.states("role_bindings") {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
        let count = count as usize;
        above += count;
        let file = json!([state_of("role_bindings", Value::from(state))]);
        let rest = read(tap(&sim).set("page_size", 40).state(&file), &catalog_of(&streams, "full_refresh"));
        let mut together = all[..above].to_vec();
        together.extend(rest.records("role_bindings"));
        // A later run does not know which of the organization's own bindings an earlier one has said.
        let twice = together.len() - truth;
        assert!(twice == 0 || twice <= 44 && above > 0, "after {above} records: {twice} came twice");
        assert_eq!(ids_of(&together).len(), truth, "after {above} records");
    }
}
