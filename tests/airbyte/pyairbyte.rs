//! PyAirbyte runs the binary as a local executable and loads what it says into DuckDB.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value, json};
use simulator::{Scenario, Simulator};
use tap_confluent_cloud::streams::find;
use tempfile::TempDir;

use crate::support::runtimes::{BINARY, Process, script};
use crate::support::{EVERY, HISTORY, STREAMS, every, id_column, key_of, polite, rude, small};

fn settings(sim: &Simulator) -> Value {
    json!({
        "base_url": sim.base_url(), "api_key": sim.api_key(), "api_secret": sim.api_secret(),
        "retry_base_seconds": 0.001, "page_size": 50,
    })
}

fn runs_it_as_its_users_do(scenario: Scenario) {
    let sim = Simulator::start(scenario.clone());
    let mut fewer = Simulator::start(scenario.clone().seed(sim.seed()));
    fewer.delete("users", 3);
    fewer.delete("role_bindings", 2);
    let refusing = Simulator::start(scenario.refuse("users"));
    let slow = Simulator::start(polite().users(5_000).latency(Duration::from_millis(50)));
    let folder = TempDir::new().unwrap();
    let counts = |sim: &Simulator| -> Map<String, Value> {
        STREAMS.iter().map(|stream| ((*stream).to_owned(), json!(sim.truth().count(stream)))).collect()
    };
    let given = json!({
        "binary": BINARY, "folder": folder.path(), "config": settings(&sim),
        "refused": settings(&refusing), "slow": settings(&slow), "truth": counts(&sim),
        "fewer": settings(&fewer), "fewer_truth": counts(&fewer),
        "organization_id": sim.organization_id(),
    });
    let file = folder.path().join("given.json");
    std::fs::write(&file, given.to_string()).unwrap();
    let mut python = script("airbyte", "airbyte_source.py");
    python.arg(&file).env("HOME", folder.path()).env("TMPDIR", folder.path()).env("NO_COLOR", "1");
    let ended = Process::start(python, folder.path(), &sim, None).finish().expect_code(0);
    assert!(ended.stdout.contains("all is well"));
    // Of 100 pages, twice.
    let asked = slow.requests().len();
    assert!((2..100).contains(&asked), "{asked} requests: it was not stopped early");
    assert!(!ended.stderr.contains("AirbyteSubprocessFailedError"), "it ended early by no signal");
    assert!(!ended.stderr.contains("Traceback"), "PyAirbyte says more than it should");
}

#[test]
fn pyairbyte_checks_reads_stops_early_and_raises_on_a_refused_stream() {
    runs_it_as_its_users_do(polite());
}

#[test]
fn pyairbyte_gets_everything_from_a_rude_service() {
    runs_it_as_its_users_do(rude());
}

/// Each record once in its table, with its key and the columns of what it is in.
#[test]
fn pyairbyte_loads_every_stream_whole_with_its_columns() {
    let sim = Simulator::start(small());
    let said = every(&sim).run().expect_code(0);
    let columns = |stream: &str| -> Vec<String> {
        let own = find(stream).unwrap().derived.iter().map(|(column, _)| (*column).to_owned());
        let mut all =
            vec![id_column(stream).to_owned(), key_of(stream).to_owned(), "organization_id".to_owned()];
        all.extend(own);
        all
    };
    let folder = TempDir::new().unwrap();
    let mut config = settings(&sim);
    config["streams"] = json!([&EVERY[..], &[HISTORY]].concat());
    let mut all: Map<String, Value> =
        EVERY.iter().map(|stream| ((*stream).to_owned(), json!(columns(stream)))).collect();
    all.insert(HISTORY.to_owned(), json!(["run_id", "stream", "outcome", "pass_records"]));
    let given = json!({"binary": BINARY, "folder": folder.path(), "config": config, "columns": all});
    let file = folder.path().join("given.json");
    std::fs::write(&file, given.to_string()).unwrap();
    let mut python = script("airbyte", "airbyte_streams.py");
    python.arg(&file).env("TMPDIR", folder.path()).env("NO_COLOR", "1");
    Process::start(python, folder.path(), &sim, None).finish().expect_code(0);
    let rows = std::fs::read_to_string(folder.path().join("rows.json")).unwrap();
    let rows: Value = serde_json::from_str(&rows).unwrap();
    let sorted = |rows: Vec<String>| rows.into_iter().collect::<BTreeSet<String>>();
    // Each of the two runs has added to the history, and it is right in both.
    let history = rows[HISTORY].as_array().unwrap();
    assert_eq!(history.len(), 2 * EVERY.len());
    let runs: BTreeSet<&str> = history.iter().map(|row| row[0].as_str().unwrap()).collect();
    assert_eq!(runs.len(), 2);
    for stream in EVERY.into_iter().filter(|stream| *stream != "billing_costs") {
        let told = |row: &&Value| row[1] == stream && row[2] == "complete";
        let told: Vec<&Value> = history.iter().filter(told).map(|row| &row[3]).collect();
        assert_eq!(told, [&json!(sim.truth().count(stream)); 2], "{stream}");
    }
    for stream in EVERY {
        let (columns, loaded) = (columns(stream), rows[stream].as_array().unwrap());
        assert_eq!(loaded.len() as u64, sim.truth().count(stream), "{stream}");
        let keys = loaded.iter().map(|row| row[1].as_str().expect("a key").to_owned());
        assert_eq!(sorted(keys.collect()).len(), loaded.len(), "{stream}: a key comes twice");
        // What the binary says is held against the truth elsewhere; this is what has become of it.
        let expected = said.records(stream).into_iter();
        let expected =
            expected.map(|record| json!(columns.iter().map(|name| &record[name]).collect::<Vec<_>>()));
        let (expected, loaded) = (expected.map(|row| row.to_string()), loaded.iter().map(Value::to_string));
        assert_eq!(sorted(loaded.collect()), sorted(expected.collect()), "{stream}");
    }
}
