//! Three days in a real database: what it holds in the end is what the service has, but for the rows that the
//! documented query finds.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use simulator::Simulator;
use tempfile::TempDir;

use super::{COSTS, TODAY, after, billed};
use crate::support::clock::showing;
use crate::support::id_of;
use crate::support::repository::text;
use crate::support::runtimes::{BINARY, DuckDb, Process, command, program};

const NUMBERS: [&str; 5] = ["price", "quantity", "original_amount", "discount_amount", "amount"];

/// Pipes one run into the target, and says the state that the target printed last.
fn load(sim: &Simulator, folder: &Path, database: &DuckDb, state: Option<&Value>) -> Value {
    let write = |name: &str, text: &Value| {
        let path = folder.join(name);
        fs::write(&path, text.to_string()).unwrap();
        path
    };
    let config = json!({ "base_url": sim.base_url(), "api_key": sim.api_key(), "api_secret": sim.api_secret(),
                "streams": [COSTS], "page_size": 40 });
    let mut settings = database.target_settings(997);
    settings["add_metadata_columns"] = true.into();
    let (mut tap, mut target) = (command(BINARY), command(program("duckdb", "target-duckdb")));
    tap.arg("--config").arg(write("tap.json", &config)).stdin(Stdio::null()).envs(showing(&sim.today()));
    if let Some(state) = state {
        tap.arg("--state").arg(write("state.json", state));
    }
    target.arg("--config").arg(write("target.json", &settings));
    let (reader, writer) = std::io::pipe().unwrap();
    target.stdin(reader).env("TMPDIR", folder);
    let tap = Process::start(tap, folder, sim, Some(writer));
    let target = Process::start(target, folder, sim, None).finish();
    tap.finish().expect_code(0);
    serde_json::from_str(target.stdout.lines().last().unwrap()).unwrap()
}

#[test]
fn three_days_in_duckdb_equal_the_service_but_for_what_the_query_finds() {
    let mut sim = Simulator::start(billed().seed(3).past_days(30).billing_costs(36));
    let folder = TempDir::new().unwrap();
    let database = DuckDb(folder.path().join("costs.duckdb"));
    let mut state = None;
    for day in 0..4 {
        sim.set_today(&after(TODAY, day));
        state = Some(load(&sim, folder.path(), &database, state.as_ref()));
    }
    assert_eq!(state.unwrap()["bookmarks"][COSTS]["partition"], TODAY);
    let back: BTreeSet<String> =
        database.texts(&text("docs/queries/costs_taken_back.sql")).into_iter().collect();
    assert!(!back.is_empty());
    let columns = NUMBERS.map(|name| format!("\"{name}\"")).join(", ");
    let rows = database.query(&format!(
        "select description, cost_id, resource_id, environment_id, {columns} from {COSTS} order by description"
    ));
    let all: BTreeSet<&str> = rows.iter().map(|row| row[1].as_str().unwrap()).collect();
    assert_eq!(all.len(), rows.len(), "a key comes twice");
    let rows: Vec<&Vec<Value>> = rows.iter().filter(|row| !back.contains(row[1].as_str().unwrap())).collect();
    let mut truth: Vec<&Value> = sim.truth().records(COSTS).iter().collect();
    truth.sort_by_key(|record| id_of(record));
    assert_eq!(rows.len(), truth.len());
    for (row, record) in rows.iter().zip(truth) {
        let resource = &record["resource"];
        assert_eq!(row[0], id_of(record));
        assert_eq!((&row[2], &row[3]), (&resource["id"], &resource["environment"]["id"]));
        for (value, name) in row[4..].iter().zip(NUMBERS) {
            assert_eq!(value.as_f64(), record[name].as_f64(), "{name} of {record}");
        }
    }
}
