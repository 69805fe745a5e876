//! Real Singer targets at the other end of the pipe: target-jsonl, which keeps what it gets, and
//! target-duckdb, in whose file one can ask what a user would ask.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use chrono::DateTime;
use serde_json::{Value, json};
use simulator::{At, Fault, Scenario, Simulator};
use tempfile::TempDir;

use crate::support::runtimes::{BINARY, DuckDb, Ended, Process, command, program};
use crate::support::{STREAMS, assert_record, polite, rude, same_ids, seed, small, tap};

/// A folder in which the tap is piped into a target.
struct Pipe<'s> {
    sim: &'s Simulator,
    folder: TempDir,
    target: &'static str,
    settings: Value,
}

impl<'s> Pipe<'s> {
    fn into_jsonl(sim: &'s Simulator) -> Self {
        let folder = TempDir::new().unwrap();
        let settings = json!({ "destination_path": folder.path(), "do_timestamp_file": false });
        Self { sim, folder, target: "jsonl", settings }
    }

    fn into_duckdb(sim: &'s Simulator, batch_size_rows: u32) -> Self {
        let folder = TempDir::new().unwrap();
        let settings = DuckDb(folder.path().join("out.duckdb")).target_settings(batch_size_rows);
        Self { sim, folder, target: "duckdb", settings }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn database(&self) -> DuckDb {
        DuckDb(self.path().join("out.duckdb"))
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Starts both with what the target said of its state before, if it did.
    fn start(&self, state: Option<&str>) -> (Process, Process) {
        let config = json!({
            "base_url": self.sim.base_url(), "api_key": self.sim.api_key(),
            "api_secret": self.sim.api_secret(), "retry_base_seconds": 0.001, "page_size": 20,
        });
        let mut tap = command(BINARY);
        tap.args(["--config", &self.write("tap.json", &config.to_string())]).stdin(Stdio::null());
        if let Some(state) = state {
            tap.args(["--state", &self.write("state.json", state)]);
        }
        let mut target = command(program(self.target, &format!("target-{}", self.target)));
        target.args(["--config", &self.write("target.json", &self.settings.to_string())]);
        target.env("TMPDIR", self.path());
        let (reader, writer) = std::io::pipe().unwrap();
        target.stdin(reader);
        let tap = Process::start(tap, self.path(), self.sim, Some(writer));
        (tap, Process::start(target, self.path(), self.sim, None))
    }

    /// Runs both to a good end.
    fn run(&self, state: Option<&str>) -> Ended {
        let (tap, target) = self.start(state);
        let target = target.finish();
        tap.finish().expect_code(0);
        target.expect_code(0)
    }
}

/// The last state that a target told, as it told it.
fn state_of(stdout: &str) -> &str {
    stdout.lines().next_back().expect("the target tells a state")
}

#[test]
fn target_jsonl_keeps_every_record_as_the_api_sent_it() {
    let sim = Simulator::start(rude());
    let pipe = Pipe::into_jsonl(&sim);
    let target = pipe.run(None);
    for stream in STREAMS {
        let file = fs::read_to_string(pipe.path().join(format!("{stream}.jsonl"))).unwrap();
        let records: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        same_ids(stream, &records, &sim.truth().ids(stream));
        for record in &records {
            let truth = sim.truth().records(stream).iter().find(|truth| truth["id"] == record["id"]);
            assert_record(stream, record, truth.unwrap(), &[], Some(sim.organization_id()));
        }
    }
    tap(&sim).state(&serde_json::from_str(state_of(&target.stdout)).unwrap()).run().expect_code(0);
}

#[test]
fn a_second_run_leaves_the_same_rows_in_duckdb() {
    let sim = Simulator::start(rude());
    let pipe = Pipe::into_duckdb(&sim, 50);
    let first = pipe.run(None);
    pipe.database().assert_whole(&sim);
    pipe.run(Some(state_of(&first.stdout)));
    pipe.database().assert_whole(&sim);
}

#[test]
fn a_stream_without_records_has_its_schema_and_its_table() {
    let sim = Simulator::start(small().invitations(0));
    let run = tap(&sim).run().expect_code(0);
    let schema = run.schemas()["invitations"]["properties"].as_object().unwrap().clone();
    let pipe = Pipe::into_duckdb(&sim, 7);
    pipe.run(None);
    pipe.database().assert_whole(&sim);
    let columns: Vec<String> =
        pipe.database().columns("invitations").into_iter().map(|(name, _)| name).collect();
    let mut properties: Vec<String> = schema.keys().cloned().collect();
    let mut sorted = columns.clone();
    properties.sort();
    sorted.sort();
    assert_eq!(sorted, properties);
}

#[test]
fn derived_columns_and_timestamps_can_be_queried_in_sql() {
    let sim = Simulator::start(rude());
    let pipe = Pipe::into_duckdb(&sim, 50);
    pipe.run(None);
    let database = pipe.database();
    for stream in STREAMS {
        for (name, kind) in database.columns(stream) {
            let is_moment = name.ends_with("_at");
            assert_eq!(kind == "TIMESTAMP", is_moment, "{stream}.{name} is a {kind}");
        }
        let truth = sim.truth().records(stream);
        let have = |field: &str| truth.iter().filter(|record| record["metadata"][field].is_string()).count();
        let sql = format!(
            "select count(created_at), count(updated_at), count(*) filter (organization_id = '{}') from {stream}",
            sim.organization_id()
        );
        let expected = json!([[have("created_at"), have("updated_at"), truth.len()]]);
        assert_eq!(Value::from(database.query(&sql)), expected, "{stream}");
    }
    let last_month =
        "select id from invitations where accepted_at is not null order by accepted_at desc limit 1";
    assert_eq!(database.texts(last_month).len(), 1);
}

/// What DuckDB gives back for a column, as the API would have said it.
fn column(name: &str, kind: &str) -> String {
    match kind {
        "TIMESTAMP" => format!("epoch_us(\"{name}\")"),
        _ => format!("\"{name}\"::varchar"),
    }
}

/// What a value of the API's is in a column: this target has no empty texts and no nanoseconds.
fn expected(value: &Value, kind: &str) -> Value {
    match (kind, value) {
        ("TIMESTAMP", Value::String(text)) => {
            DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros().into()
        }
        (_, Value::String(text)) if text.is_empty() => Value::Null,
        _ => value.clone(),
    }
}

#[test]
fn text_that_breaks_sql_and_nested_objects_arrive_intact() {
    let scenario = Scenario::new().users(60).invitations(60).service_accounts(400).role_bindings(150);
    let sim = Simulator::start(scenario.seed(seed()));
    let names =
        sim.truth().records("service_accounts").iter().map(|record| record["display_name"].to_string());
    let names: String = names.collect();
    for hard in ["\\\"", "\\\\", "\\n", "\\t", "🦀", "<", "&"] {
        assert!(names.contains(hard), "the simulator has no name with {hard}");
    }
    let pipe = Pipe::into_duckdb(&sim, 1000);
    pipe.run(None);
    for stream in STREAMS {
        let columns = pipe.database().columns(stream);
        let selected: Vec<String> = columns.iter().map(|(name, kind)| column(name, kind)).collect();
        let rows = pipe.database().query(&format!("select id, {} from {stream}", selected.join(", ")));
        for record in sim.truth().records(stream) {
            let row = rows.iter().find(|row| row[0] == record["id"]).expect("a row for each record");
            for ((name, kind), found) in columns.iter().zip(&row[1..]) {
                let Some(sent) = record.get(name) else { continue };
                let found = match (kind.as_str(), found) {
                    ("JSON", Value::String(text)) => serde_json::from_str(text).unwrap(),
                    _ => found.clone(),
                };
                assert_eq!(found, expected(sent, kind), "{stream} {} {name}", record["id"]);
            }
        }
    }
}

/// This target, like its many relatives, takes the first STATE it sees for stored, though rows
/// above it are still in its memory. So the first STATE must claim nothing.
#[test]
fn a_killed_target_has_told_a_state_that_loses_no_row() {
    let sim = Simulator::start(polite());
    for stream in STREAMS {
        sim.add_fault(Fault::Stall, At::stream(stream).from(2));
    }
    // Of the 20 rows of each first page 15 are stored and 5 are kept back.
    let pipe = Pipe::into_duckdb(&sim, 15);
    let (tap, mut target) = pipe.start(None);
    let stored = |target: &Process| {
        let log = target.stderr();
        STREAMS[..3]
            .iter()
            .all(|stream| log.contains(&format!("Loading 15 rows into '\"out\".\"main\".\"{stream}\"")))
    };
    target.until("each stream has stored a batch", stored);
    target.until("it tells a state", |target| target.stdout().ends_with('\n'));
    target.signal("KILL");
    let said = target.finish();
    drop(tap);
    sim.clear_faults();
    pipe.run(Some(state_of(&said.stdout)));
    pipe.database().assert_whole(&sim);
}

#[test]
fn an_interrupted_pipe_resumes_from_the_state_the_target_emitted() {
    let sim = Simulator::start(rude());
    sim.add_fault(Fault::Stall, At::any().from(45));
    let pipe = Pipe::into_duckdb(&sim, 7);
    let (tap, mut target) = pipe.start(None);
    target
        .until("it tells a state with a page token", |target| target.stdout().contains("\"page_token\": \""));
    tap.signal("TERM");
    let said = target.finish().expect_code(0);
    drop(tap);
    sim.clear_faults();
    let before = sim.requests().len();
    pipe.run(Some(state_of(&said.stdout)));
    pipe.database().assert_whole(&sim);
    let resumed = STREAMS.iter().filter(|stream| {
        let again = &sim.requests()[before..];
        let mut first = again.iter().filter(|request| request.stream.as_deref() == Some(**stream));
        first.next().is_some_and(|request| request.parameter("page_token").is_some())
    });
    assert!(resumed.count() > 0, "no stream went on where it had stopped");
}
