//! The stream that tells what each run read of each stream.

mod outcomes;
mod places;

use serde_json::{Value, json};
use simulator::Simulator;

use crate::support::{HISTORY, Run, Tap, tap};

/// These streams, and the history of the run.
fn recorded<'s>(sim: &'s Simulator, streams: &[&str]) -> Tap<'s> {
    tap(sim).set("streams", json!([streams, &[HISTORY]].concat())).set("page_size", 10)
}

/// What the history says of a stream, once.
#[track_caller]
fn of(records: &[Value], stream: &str) -> Value {
    let mut found = records.iter().filter(|record| record["stream"] == stream);
    let record = found.next().unwrap_or_else(|| panic!("nothing is said of {stream}")).clone();
    assert!(found.next().is_none(), "{stream} is told twice");
    record
}

#[track_caller]
fn told(run: &Run, stream: &str) -> Value {
    of(&run.records(HISTORY), stream)
}
