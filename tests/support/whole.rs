//! What a run printed, beside what the organization holds.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use simulator::Simulator;

use super::run::Run;

pub const STREAMS: [&str; 4] = ["users", "invitations", "service_accounts", "role_bindings"];

/// Columns of ours that a record has beside the API's own.
pub const DERIVED: [&str; 3] = ["organization_id", "created_at", "updated_at"];

pub fn ids_of(records: &[Value]) -> BTreeSet<String> {
    records.iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

/// Each id of the truth exactly once, each record as the API sent it, in all four streams; and a
/// last state in which all are finished.
#[track_caller]
pub fn assert_whole(run: &Run, sim: &Simulator) {
    assert_whole_of(run, sim, &STREAMS);
    assert_eq!(run.code(), Some(0), "exit code");
}

/// The same of some streams, whatever became of the others and of the run.
#[track_caller]
pub fn assert_whole_of(run: &Run, sim: &Simulator, streams: &[&str]) {
    for stream in streams {
        assert_stream_whole(run, sim, stream, Some(sim.organization_id()));
        let bookmark = run.bookmark(stream);
        let token = bookmark.get("page_token").expect("the bookmark names a page_token");
        assert!(token.is_null(), "{stream} is not finished in the last STATE: {bookmark}");
    }
}

/// Each id of one stream exactly once, each record as the API sent it.
#[track_caller]
pub fn assert_stream_whole(run: &Run, sim: &Simulator, stream: &str, organization: Option<&str>) {
    let records = run.records(stream);
    same_ids(stream, &records, &sim.truth().ids(stream));
    let mut truth: Vec<&Value> = sim.truth().records(stream).iter().collect();
    truth.sort_by_key(|record| record["id"].as_str());
    let mut records: Vec<&Value> = records.iter().collect();
    records.sort_by_key(|record| record["id"].as_str());
    for (record, truth) in records.iter().zip(truth) {
        assert_record(stream, record, truth, organization);
    }
    assert!(run.schemas().contains_key(stream), "no SCHEMA of {stream}");
}

/// The same ids, each once.
#[track_caller]
pub fn same_ids(stream: &str, records: &[Value], truth: &[String]) {
    let seen = ids_of(records);
    let truth: BTreeSet<String> = truth.iter().cloned().collect();
    let missing: Vec<&String> = truth.difference(&seen).take(5).collect();
    let extra: Vec<&String> = seen.difference(&truth).take(5).collect();
    assert!(
        missing.is_empty() && extra.is_empty() && records.len() == truth.len(),
        "{stream}: {} records of {} there are; missing {missing:?}…, not there {extra:?}…, {} repeated",
        records.len(),
        truth.len(),
        records.len() - seen.len(),
    );
}

/// The API's fields with its values and in its order, then the derived ones.
#[track_caller]
pub fn assert_record(stream: &str, record: &Value, truth: &Value, organization: Option<&str>) {
    let (record, truth) = (record.as_object().unwrap(), truth.as_object().unwrap());
    let id = &truth["id"];
    for (name, value) in truth {
        assert_eq!(record.get(name), Some(value), "{stream} {id}: field {name}");
    }
    let order: Vec<&String> = record.keys().filter(|name| truth.contains_key(*name)).collect();
    assert_eq!(order, truth.keys().collect::<Vec<_>>(), "{stream} {id}: order of fields");
    let derived = derived(truth, organization);
    for name in record.keys().filter(|name| !truth.contains_key(*name)) {
        assert!(DERIVED.contains(&name.as_str()), "{stream} {id}: nobody sent the field {name}");
    }
    for (name, value) in derived {
        assert_eq!(record.get(&name), Some(&value), "{stream} {id}: derived column {name}");
    }
}

fn derived(truth: &Map<String, Value>, organization: Option<&str>) -> Map<String, Value> {
    let metadata = |name: &str| truth.get("metadata").and_then(|metadata| metadata.get(name)).cloned();
    let values = [organization.map(Value::from), metadata("created_at"), metadata("updated_at")];
    DERIVED.iter().map(|name| (*name).to_owned()).zip(values.map(Option::unwrap_or_default)).collect()
}
