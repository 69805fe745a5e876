//! Whole reads in Airbyte's language: the order of the messages, the counts, the records.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use simulator::Simulator;

use crate::support::airbyte::{
    Level, Message, Status, Trace, catalog, catalog_of, is_complete, read, read_all,
};
use crate::support::{PASS_KEYS, STREAMS, assert_record, polite, rude, small, tap};

#[test]
fn four_streams_are_read_whole_from_a_rude_service() {
    for scenario in [polite(), rude()] {
        let sim = Simulator::start(scenario);
        let heard = read(tap(&sim).set("page_size", 40), &catalog());
        heard.assert_whole(&sim);
        for stream in STREAMS {
            let (states, records) = (heard.states(stream), heard.records(stream));
            assert!(states.len() >= 3, "{stream}: {} STATEs", states.len());
            let counted: f64 = states.iter().map(|(_, count)| count).sum();
            assert_eq!(counted.to_string(), records.len().to_string(), "{stream}: recordCounts together");
        }
    }
}

#[test]
fn every_record_is_what_the_api_sent_with_the_derived_columns() {
    let sim = Simulator::start(rude());
    let heard = read_all(&sim);
    for stream in STREAMS {
        let records: BTreeMap<String, Value> = heard
            .records(stream)
            .into_iter()
            .map(|record| (record["id"].as_str().unwrap().to_owned(), record))
            .collect();
        for truth in sim.truth().records(stream) {
            let mut record = records[truth["id"].as_str().unwrap()].clone();
            // An empty text where a time is declared would be dropped by the destination.
            if truth["accepted_at"] == json!("") {
                assert!(record["accepted_at"].is_null());
                record["accepted_at"] = json!("");
            }
            assert_record(stream, &record, truth, &[], Some(sim.organization_id()));
        }
    }
}

#[test]
fn singer_and_airbyte_bring_the_same_records() {
    let sim = Simulator::start(rude());
    let singer = tap(&sim).run().expect_code(0);
    let airbyte = read_all(&sim);
    for stream in STREAMS {
        let sorted = |mut records: Vec<Value>| {
            records.sort_by(|one, other| one["id"].as_str().cmp(&other["id"].as_str()));
            records
        };
        let (one, other) = (sorted(singer.records(stream)), sorted(airbyte.records(stream)));
        assert_eq!(one.len(), other.len(), "{stream}");
        for (one, other) in one.iter().zip(&other) {
            assert_eq!(one.to_string(), other.to_string(), "{stream}");
        }
    }
}

#[test]
fn an_empty_stream_starts_runs_prints_a_state_and_completes() {
    let sim = Simulator::start(polite().users(0).invitations(0).service_accounts(0).role_bindings(0));
    let heard = read(tap(&sim).set("empty_lists", "warn"), &catalog()).expect_code(0);
    for stream in STREAMS {
        assert_eq!(heard.statuses(stream), [Status::Started, Status::Running, Status::Complete], "{stream}");
        let states = heard.states(stream);
        assert!(!states.is_empty() && states.iter().all(|(_, count)| count.abs() < 0.1), "{states:?}");
        assert!(is_complete(&heard.last_state(stream)));
    }
}

#[test]
fn a_stream_starts_once_runs_and_completes_once() {
    let sim = Simulator::start(polite());
    let heard = read_all(&sim).expect_code(0);
    for stream in STREAMS {
        assert_eq!(heard.statuses(stream), [Status::Started, Status::Running, Status::Complete], "{stream}");
    }
}

#[test]
fn a_state_in_mid_read_is_one_flat_object_of_seven_keys() {
    let sim = Simulator::start(polite());
    let heard = read(tap(&sim).set("page_size", 30), &catalog());
    for stream in STREAMS {
        let mut states = heard.states(stream);
        assert!(is_complete(&Value::from(states.pop().unwrap().0)));
        let mut so_far = 0.0;
        for (state, records) in states {
            let mut keys: Vec<&str> = state.keys().map(String::as_str).collect();
            keys.sort_unstable();
            let position = keys.iter().copied().filter(|key| *key != "last_records");
            assert!(position.eq(PASS_KEYS) && keys.len() == 7, "{stream}: {keys:?}");
            assert_eq!(state["organization_id"], sim.organization_id());
            so_far += records;
            assert_eq!(state["records"].as_f64(), Some(so_far), "{stream}");
        }
    }
}

#[test]
fn streams_left_out_of_the_catalog_are_neither_read_nor_mentioned() {
    let sim = Simulator::start(polite());
    let heard = read(tap(&sim), &catalog_of(&["invitations", "role_bindings"], "full_refresh"));
    heard.assert_whole_of(&sim, &["invitations", "role_bindings"]);
    for other in ["users", "service_accounts"] {
        assert_eq!(heard.asked(other), 0, "{other} was asked for");
        let named = format!("{{\"name\":\"{other}\"}}");
        assert!(!heard.run.stdout.contains(&named), "{other} is named");
    }
    assert_eq!(heard.run.code(), Some(0), "exit code");
}

#[test]
fn incremental_is_accepted_although_only_full_refresh_is_offered() {
    let sim = Simulator::start(small());
    read(tap(&sim), &catalog_of(&STREAMS, "incremental")).assert_whole(&sim);
}

#[test]
fn timestamps_of_messages_are_distinct_and_in_order() {
    let sim = Simulator::start(polite().latency(std::time::Duration::from_millis(5)));
    let heard = read(tap(&sim).set("page_size", 20), &catalog_of(&["users"], "full_refresh"));
    let moments = heard.emitted();
    assert_eq!(moments.len(), 237);
    assert!(moments.is_sorted(), "time goes backwards");
    // Twelve pages, each a few milliseconds after the one before: one moment for all would be wrong.
    assert!(moments.last().unwrap() - moments[0] >= 20, "the moment of the start is used for all");
    for message in &heard.messages {
        let moment = match message {
            Message::Trace {
                trace: Trace::StreamStatus { emitted_at, .. } | Trace::Error { emitted_at, .. },
            } => *emitted_at,
            _ => continue,
        };
        assert!(moment.abs_diff(moments[0]) < 60_000, "{moment} is not of this minute");
    }
}

#[test]
fn the_organization_and_the_result_are_logged() {
    let sim = Simulator::start(small());
    let heard = read_all(&sim);
    heard.expect_log(Level::Info, &[sim.organization_id(), sim.organization_name()]);
    for stream in STREAMS {
        heard.expect_log(Level::Info, &[stream, "complete", &sim.truth().count(stream).to_string()]);
    }
}

#[test]
fn undeclared_fields_pass_with_one_warning_per_stream() {
    let sim = Simulator::start(rude());
    let heard = read_all(&sim);
    let strays = |stream: &str| {
        let records = sim.truth().records(stream);
        records.iter().filter(|record| record.get("x_preview_tier").is_some()).count()
    };
    for stream in STREAMS.into_iter().filter(|stream| strays(stream) > 0) {
        let passed =
            heard.records(stream).iter().filter(|record| record.get("x_preview_tier").is_some()).count();
        assert_eq!(passed, strays(stream), "{stream}: x_preview_tier");
        let told = [Level::Warn, Level::Info].into_iter().flat_map(|level| heard.logs(level));
        let told = told.filter(|log| log.contains(stream) && log.contains("x_preview_tier")).count();
        assert_eq!(told, 1, "{stream}: LOGs of x_preview_tier");
    }
}

#[test]
fn a_stdout_closed_midway_is_a_failure() {
    let sim = Simulator::start(polite().users(3_000));
    let catalog = catalog();
    let child = crate::support::airbyte::begin(tap(&sim), &catalog);
    child.read_lines(60);
    child.close_stdout();
    let run = child.finish_unread();
    assert_eq!(run.code(), Some(1), "exit code");
}
