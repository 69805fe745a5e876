//! A place that a target writes to: how it is run there, and which rows are found afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};
use simulator::Simulator;
use tempfile::TempDir;

use super::{Keeps, Target};
use crate::support::EVERY;
use crate::support::clock::showing;
use crate::support::postgres::Postgres;
use crate::support::runtimes::{BINARY, Ended, Process, command, program, script};

pub type Rows = BTreeMap<String, Vec<Value>>;

pub struct Place<'a> {
    target: &'a Target,
    folder: TempDir,
    schema: String,
}

impl<'a> Place<'a> {
    pub fn new(target: &'a Target, name: &str) -> Self {
        let schema = format!("{}_{name}", target.environment);
        Self { target, folder: TempDir::new().unwrap(), schema }
    }

    fn write(&self, name: &str, value: &Value) {
        fs::write(self.folder.path().join(name), value.to_string()).unwrap();
    }

    /// The settings of the page, except where the PostgreSQL of the tests is.
    fn settings(&self) -> Value {
        let mut settings: Value = serde_json::from_str(self.target.settings).unwrap();
        let ours = match self.target.keeps {
            Keeps::Postgres(ours) => ours(&Postgres::url()),
            _ => return settings,
        };
        let settings_map = settings.as_object_mut().unwrap();
        for (name, value) in ours.as_object().unwrap() {
            assert!(settings_map.insert(name.clone(), value.clone()).is_some(), "the page sets no {name}");
        }
        settings_map["default_target_schema"] = json!(self.schema);
        settings
    }

    /// Pipes the tap into the target. Says how the tap ended, and the last state that the target told.
    pub fn run(&self, sim: &Simulator, more: Value, state: Option<&Value>) -> (Ended, Value) {
        let mut config = json!({
            "base_url": sim.base_url(), "api_key": sim.api_key(), "api_secret": sim.api_secret(),
            "retry_base_seconds": 0.001, "page_size": 10, "streams": EVERY, "emit_activate_version": true,
        });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.write("tap.json", &config);
        self.write("target.json", &self.settings());
        let folder = self.folder.path();
        let mut tap = command(BINARY);
        tap.args(["--config", "tap.json"]).stdin(Stdio::null()).current_dir(folder);
        tap.envs(showing(&sim.today()));
        if let Some(state) = state {
            self.write("state.json", state);
            tap.args(["--state", "state.json"]);
            // A later run, for a target that drops what an earlier one has brought.
            tap.env("FAKETIME", format!("@{} 13:00:00", sim.today()));
        }
        let (words, (reader, writer)) = (self.target.words(), std::io::pipe().unwrap());
        let mut target = command(program(self.target.environment, words[0]));
        target.args(&words[1..]).args(["--config", "target.json"]);
        target.stdin(reader).current_dir(folder).env("TMPDIR", folder);
        let tap = Process::start(tap, folder, sim, Some(writer));
        let target = Process::start(target, folder, sim, None).finish().expect_code(0);
        let told = target.stdout.lines().next_back().expect("the target tells a state");
        let state = serde_json::from_str(told).expect("a state is JSON");
        (tap.finish(), state)
    }

    pub fn rows(&self) -> Rows {
        let path = self.folder.path();
        let (kind, path) = match self.target.keeps {
            Keeps::Jsonl => ("jsonl", path.to_owned()),
            Keeps::Csv => ("csv", path.to_owned()),
            Keeps::Sqlite => ("sqlite", path.join("confluent_cloud.db")),
            Keeps::DuckDb => ("duckdb", path.join("confluent_cloud.duckdb")),
            Keeps::Postgres(_) => return self.postgres_rows(),
        };
        let mut python = script(self.target.environment, "target_rows.py");
        let output = python.arg(kind).arg(path).args(EVERY).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn postgres_rows(&self) -> Rows {
        let of = |stream: &str| {
            let sql = format!("select to_jsonb(row) from {}.{stream} row", self.schema);
            Postgres::query(&sql).into_iter().map(|mut columns| columns.swap_remove(0)).collect()
        };
        EVERY.iter().map(|stream| ((*stream).to_owned(), of(stream))).collect()
    }

    /// Runs Python of the target's environment in its folder, and says what it prints.
    pub fn python(&self, code: &str, arguments: &[&str]) -> String {
        let mut python = command(program(self.target.environment, "python"));
        python.args(["-c", code]).args(arguments).current_dir(self.folder.path());
        let output = python.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}
