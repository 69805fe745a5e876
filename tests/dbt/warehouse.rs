//! A database that a target loads and dbt builds in, and what is found in it.

use std::fs::{self, File};

use serde_json::{Value, json};
use simulator::Simulator;
use tempfile::TempDir;

use crate::support::postgres::Postgres;
use crate::support::repository::root;
use crate::support::runtimes::{BINARY, DuckDb, Ended, Process, command, program, script};
use crate::support::{Run, Tap, tap};

/// What the package reads.
const STREAMS: [&str; 14] = [
    "extractions",
    "role_bindings",
    "users",
    "service_accounts",
    "invitations",
    "api_keys",
    "group_mappings",
    "identity_pools",
    "certificate_pools",
    "environments",
    "kafka_clusters",
    "schema_registry_clusters",
    "flink_compute_pools",
    "identity_providers",
];

pub struct Warehouse {
    folder: TempDir,
    /// The schema in PostgreSQL; none is DuckDB.
    schema: Option<&'static str>,
}

/// The package's streams on a day, with versions for targets that take them.
pub fn sync<'s>(sim: &'s Simulator, day: &str) -> Tap<'s> {
    let settings = json!({
        "streams": STREAMS, "emit_activate_version": true, "page_size": 10,
    });
    tap(sim).config(settings).on(day)
}

impl Warehouse {
    pub fn duckdb() -> Self {
        Self { folder: TempDir::new().unwrap(), schema: None }
    }

    /// PostgreSQL, in a schema of this name.
    pub fn postgres(schema: &'static str) -> Self {
        Self { schema: Some(schema), ..Self::duckdb() }
    }

    fn database(&self) -> DuckDb {
        DuckDb(self.folder.path().join("warehouse.duckdb"))
    }

    /// Loads what a run has printed.
    pub fn load(&self, sim: &Simulator, run: &Run) {
        self.load_messages(sim, run.whole_lines());
    }

    /// Loads these messages.
    pub fn load_messages(&self, sim: &Simulator, messages: &str) {
        let folder = self.folder.path();
        let (target, settings) = match self.schema {
            Some(schema) => {
                let url = Postgres::url();
                let settings =
                    json!({"sqlalchemy_url": url, "default_target_schema": schema, "hard_delete": true});
                (program("postgres", "target-postgres"), settings)
            }
            None => {
                let mut settings = self.database().target_settings(1000);
                settings["add_metadata_columns"] = true.into();
                (program("duckdb", "target-duckdb"), settings)
            }
        };
        fs::write(folder.join("messages"), messages).unwrap();
        fs::write(folder.join("target.json"), settings.to_string()).unwrap();
        let mut target = command(target);
        target.arg("--config").arg(folder.join("target.json")).env("TMPDIR", folder);
        target.stdin(File::open(folder.join("messages")).unwrap());
        Process::start(target, folder, sim, None).finish().expect_code(0);
    }

    /// Lets PyAirbyte read everything into DuckDB.
    pub fn load_by_pyairbyte(&self, sim: &Simulator) {
        let folder = self.folder.path();
        let config = json!({
            "base_url": sim.base_url(), "api_key": sim.api_key(), "api_secret": sim.api_secret(),
            "retry_base_seconds": 0.001, "streams": STREAMS,
        });
        let given = json!({"binary": BINARY, "folder": folder, "config": config, "columns": {}});
        fs::write(folder.join("given.json"), given.to_string()).unwrap();
        let mut python = script("airbyte", "airbyte_streams.py");
        python.arg(folder.join("given.json")).env("TMPDIR", folder).env("NO_COLOR", "1");
        Process::start(python, folder, sim, None).finish().expect_code(0);
        fs::rename(folder.join("all.duckdb"), self.database().0).unwrap();
    }

    /// Runs dbt, which may ask nothing of the network.
    pub fn dbt<const N: usize>(&self, sim: &Simulator, arguments: [&str; N]) -> Ended {
        let (folder, package) = (self.folder.path(), root().join("integrations/dbt"));
        let mut dbt = command(program("dbt", "dbt"));
        dbt.args(arguments).arg("--project-dir").arg(&package).arg("--profiles-dir").arg(&package);
        dbt.arg("--target-path").arg(folder.join("target")).arg("--log-path").arg(folder.join("logs"));
        dbt.env("CONFLUENT_DUCKDB", &self.database().0).env("HTTPS_PROXY", "http://127.0.0.1:9");
        if let Some(schema) = self.schema {
            let (url, host) = (Postgres::url(), "host=");
            let host = &url[url.find(host).expect("the server listens on a socket") + host.len()..];
            dbt.args(["--target", "postgres"]).env("CONFLUENT_SCHEMA", schema).env("PGHOST", host);
            dbt.env("PGUSER", "postgres").env("PGDATABASE", "postgres").env("PGTZ", "America/New_York");
        }
        Process::start(dbt, folder, sim, None).finish()
    }

    pub fn build(&self, sim: &Simulator) {
        self.dbt(sim, ["build"]).expect_code(0);
    }

    /// Why the last run is not accepted, in order.
    pub fn problems(&self) -> Vec<String> {
        let rows = self.rows("access_evidence");
        let problems = rows
            .iter()
            .filter_map(|row| Some(format!("{}: {}", row["stream"].as_str()?, row["problem"].as_str()?)));
        let mut problems: Vec<String> = problems.collect();
        problems.sort();
        problems
    }

    pub fn rows(&self, table: &str) -> Vec<Value> {
        match self.schema {
            Some(schema) => {
                let rows = Postgres::query(&format!("select to_jsonb(row) from {schema}.{table} row"));
                rows.into_iter().map(|mut columns| columns.swap_remove(0)).collect()
            }
            None => {
                let rows = self.database().texts(&format!("select to_json(row)::varchar from {table} row"));
                rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
            }
        }
    }
}
