//! States from elsewhere and from long ago: what is gone on with, what is started over, and what is
//! carried along.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};
use simulator::{At, Fault, Simulator};

use crate::support::{STREAMS, assert_whole, first_tokens, in_the_middle, middling, small, stopped, tap};

/// As Meltano merges a partial state over a completed one.
fn deep_merge(under: &Value, over: &Value) -> Value {
    let (Some(below), Some(above)) = (under.as_object(), over.as_object()) else { return over.clone() };
    let mut merged = below.clone();
    for (key, value) in above {
        let together = merged.get(key).map_or_else(|| value.clone(), |under| deep_merge(under, value));
        merged.insert(key.clone(), together);
    }
    merged.into()
}

#[test]
fn every_interrupted_stream_resumes_from_its_token() {
    let sim = middling();
    let state = in_the_middle(&sim);
    let run = tap(&sim).set("page_size", 10).state(&state).run().expect_code(0);
    assert_eq!(first_tokens(&run), [true; 4]);
    assert_eq!(run.records("users").len(), 227);
}

#[test]
fn a_finished_stream_starts_afresh_even_if_others_were_interrupted() {
    let sim = middling();
    let run = stopped(tap(&sim).set("page_size", 10), &sim, &["users"], 2);
    let run = tap(&sim).set("page_size", 10).state(&run.last_state().unwrap()).run().expect_code(0);
    assert_eq!(first_tokens(&run), [true, false, false, false]);
    assert_eq!(run.records("invitations").len(), 205);
}

#[test]
fn a_full_refresh_merged_over_an_interrupted_run_leaves_no_token() {
    let sim = middling();
    let old = in_the_middle(&sim);
    let full = tap(&sim).run();
    assert_whole(&full, &sim);
    let merged = deep_merge(&old, &full.last_state().unwrap());
    let run = tap(&sim).state(&merged).run();
    assert_eq!(first_tokens(&run), [false; 4]);
    assert_whole(&run, &sim);
}

fn with_all(state: &Value, key: &str, value: &Value) -> Value {
    let mut state = state.clone();
    for stream in STREAMS {
        state["bookmarks"][stream][key] = value.clone();
    }
    state
}

#[track_caller]
fn assert_starts_over(sim: &Simulator, state: &Value) {
    let run = tap(sim).state(state).run();
    assert_eq!(first_tokens(&run), [false; 4]);
    for stream in STREAMS {
        assert!(run.says("WARN", &[stream]), "no warning names {stream}");
    }
    assert_whole(&run, sim);
}

#[test]
fn a_pass_that_began_more_than_a_day_ago_is_started_over() {
    let sim = middling();
    let state = in_the_middle(&sim);
    let started = state["bookmarks"]["users"]["started_at"].as_str().unwrap();
    let started = DateTime::parse_from_rfc3339(started).unwrap();
    assert!((Utc::now() - started.to_utc()).abs() < TimeDelta::minutes(5), "{started}");
    let ago = |hours: i64| json!((started - TimeDelta::hours(hours)).to_rfc3339());
    assert_starts_over(&sim, &with_all(&state, "started_at", &ago(25)));
    let run = tap(&sim).state(&with_all(&state, "started_at", &ago(23))).run().expect_code(0);
    assert_eq!(first_tokens(&run), [true; 4]);
}

#[test]
fn a_resumed_pass_keeps_its_start_time() {
    let sim = middling();
    let state = in_the_middle(&sim);
    let began = json!((Utc::now() - TimeDelta::hours(23)).to_rfc3339());
    let state = with_all(&state, "started_at", &began);
    for stream in STREAMS {
        sim.add_fault(Fault::errors(503, "try later"), At::stream(stream).from(2));
    }
    let run = tap(&sim).set("page_size", 10).set("max_retries", 0).state(&state).run().expect_code(4);
    for stream in STREAMS {
        let kept = run.bookmark(stream)["started_at"].as_str().map(DateTime::parse_from_rfc3339);
        let began = DateTime::parse_from_rfc3339(began.as_str().unwrap());
        let apart = kept.unwrap().unwrap() - began.unwrap();
        assert!(apart.abs() < TimeDelta::seconds(2), "{stream}: {apart}");
    }
}

#[test]
fn a_position_in_another_organization_is_started_over() {
    let sim = middling();
    let other = json!("00000000-1111-2222-3333-444444444444");
    assert_starts_over(&sim, &with_all(&in_the_middle(&sim), "organization_id", &other));
}

#[test]
fn a_state_of_another_tap_or_an_older_sdk_is_carried_along() {
    let sim = Simulator::start(small());
    let state = json!({
        "bookmarks": {
            "orders": {"replication_key": "updated_at", "replication_key_value": "2024-01-01T00:00:00Z"},
            "users": {"replication_key": "x", "replication_key_value": 7, "partitions": [{"context": {"a": 1}}]},
            "invitations": {},
        },
        "currently_syncing": "orders",
        "of_another": {"kind": [1, 2]},
    });
    let run = tap(&sim).state(&state).run();
    assert_whole(&run, &sim);
    let last = run.last_state().unwrap();
    assert_eq!(last["bookmarks"]["orders"], state["bookmarks"]["orders"]);
    assert_eq!(last["of_another"], state["of_another"]);
    assert!(last["currently_syncing"].is_null(), "at the end nothing is being synced");
    assert_eq!(last["bookmarks"]["users"]["replication_key"], "x");
    let run = run.expect_line("WARN", ["orders"]);
    for value in run.states() {
        assert_eq!(value["bookmarks"]["orders"], state["bookmarks"]["orders"], "in every STATE");
    }
}

#[test]
fn bookmarks_of_unselected_streams_are_carried_along() {
    let sim = middling();
    let state = in_the_middle(&sim);
    let run = tap(&sim).set("streams", json!(["invitations"])).state(&state).run().expect_code(0);
    let last = run.last_state().unwrap();
    for stream in ["users", "service_accounts", "role_bindings"] {
        assert_eq!(last["bookmarks"][stream], state["bookmarks"][stream], "{stream}");
    }
    assert!(last["bookmarks"]["invitations"]["page_token"].is_null());
}

#[test]
fn empty_states_read_everything() {
    let sim = Simulator::start(small());
    let nothing = [
        json!({}),
        json!({"bookmarks": {}}),
        json!({"bookmarks": null}),
        json!({"users": "2024-01-01"}),
        json!({"bookmarks": {"users": null, "invitations": null}}),
    ];
    for state in nothing {
        assert_whole(&tap(&sim).state(&state).run(), &sim);
    }
}

#[test]
fn a_bookmark_that_is_not_an_object_is_replaced_in_the_first_state() {
    // Every STATE of every run is searched for such; the last stream's turn comes late here.
    let sim = Simulator::start(small());
    for odd in [json!(null), json!(false), json!("2024-01-01"), json!(["x"])] {
        let bookmarks: Map<String, Value> =
            STREAMS.iter().map(|stream| ((*stream).to_owned(), odd.clone())).collect();
        assert_whole(&tap(&sim).set("concurrency", 1).state(&json!({"bookmarks": bookmarks})).run(), &sim);
    }
}

#[test]
fn a_bad_state_is_named_before_any_request() {
    let sim = Simulator::start(small());
    for text in ["{", "[]", "null", "7", "\"x\"", "{} {}"] {
        drop(tap(&sim).file("--state", "kept.json", text).run().expect_refusal(2, ["state", "kept.json"]));
    }
    drop(tap(&sim).args(["--state", "/nowhere/s.json"]).run().expect_refusal(2, ["/nowhere/s.json"]));
    assert!(sim.requests().is_empty());
}

fn odd_value() -> impl Strategy<Value = Value> {
    let moment = Utc::now().to_rfc3339();
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!(moment)),
        Just(json!("2999-01-01T00:00:00Z")),
        Just(json!([1, {"a": null}])),
        Just(json!({"a": {"b": 1}})),
    ]
}

#[test]
fn no_state_of_any_content_loses_a_record() {
    let sim = Simulator::start(small());
    let names = ["organization_id", "partition", "page_token", "started_at"];
    let bookmark = proptest::collection::vec(odd_value(), 4).prop_map(move |values| {
        names.iter().map(|name| (*name).to_owned()).zip(values).collect::<Map<_, _>>()
    });
    let any_bookmark = prop_oneof![4 => bookmark.prop_map(Value::from), 1 => odd_value()];
    let states = proptest::collection::vec(any_bookmark, 4).prop_map(|bookmarks| {
        let bookmarks: Map<String, Value> =
            STREAMS.iter().map(|name| (*name).to_owned()).zip(bookmarks).collect();
        json!({"bookmarks": bookmarks})
    });
    let config = Config { cases: 60, max_shrink_iters: 30, failure_persistence: None, ..Config::default() };
    let own = json!(sim.organization_id());
    TestRunner::new(config)
        .run(&(states, any::<bool>()), |(state, ours)| {
            let mut state = state;
            for stream in STREAMS {
                if ours && state["bookmarks"][stream].is_object() {
                    state["bookmarks"][stream]["organization_id"] = own.clone();
                }
            }
            // Any text may name an environment, and those before it count as read.
            if state["bookmarks"]["role_bindings"]["partition"].is_string() {
                state["bookmarks"]["role_bindings"]["partition"] = Value::Null;
            }
            assert_whole(&tap(&sim).state(&state).run(), &sim);
            Ok(())
        })
        .unwrap();
}
