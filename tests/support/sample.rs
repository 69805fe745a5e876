//! The sample organization: loaded into DuckDB by the real binary and target-duckdb, and asked the queries
//! of `docs/queries`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};
use simulator::{Scenario, Simulator};
use tempfile::TempDir;

use super::clock::showing;
use super::repository::root;
use super::runtimes::{BINARY, DuckDb, Process, command, program};
use super::whole::EVERY;

/// The sample organization, as the page tells its reader to start it.
pub const SAMPLE_FLAGS: &str =
    "--polite --seed 12 --users 40 --invitations 12 --service-accounts 24 --role-bindings 120";

/// The day on which it is loaded, for the second time: what days have cost is of the days before. The day
/// before that, a line was taken back.
pub const SAMPLE_DAYS: [&str; 2] = ["2026-01-08", "2026-01-09"];

/// The same.
pub fn sample_scenario() -> Scenario {
    Scenario::new().polite().seed(12).users(40).invitations(12).service_accounts(24).role_bindings(120)
}

/// Asks every query of a folder of DuckDB, then of SQLite: with the same rows, times as texts, and
/// the empty texts that target-duckdb makes nulls of and other targets do not. Where the day is marked
/// that a user puts in, each is asked with today's as well. One function has another name in SQLite. Then SQLite once more with
/// two rows that the simulator does not make: an admin of less than the organization, who is of no
/// known kind, and a user whose invitation is still said to be open.
const ASK: &str = "
import duckdb, json, pathlib, sqlite3, sys
duck, lite = duckdb.connect(sys.argv[1], read_only=True), sqlite3.connect(':memory:')
for table in sys.argv[3:]:
    found = duck.execute(f'select * from {table}')
    names = ', '.join(f'\"{column[0]}\"' for column in found.description)
    kept = lambda value: value if value is None or isinstance(value, float) else str(value)
    rows = [[kept(value) for value in row] for row in found.fetchall()]
    lite.execute(f'create table {table} ({names})')
    lite.executemany(f'insert into {table} values ({\", \".join(\"?\" * len(rows[0]))})', rows)
lite.execute(\"update role_bindings set resource_name = coalesce(resource_name, '') where pattern_type <> ''\")
def ask(database, sql):
    found = database.execute(sql.replace('epoch(', 'unixepoch(') if database is lite else sql)
    return {'columns': [column[0] for column in found.description], 'rows': found.fetchall()}
answers = {}
for path in sorted(pathlib.Path(sys.argv[2]).glob('*.sql')):
    sql = path.read_text('utf-8')
    try:
        today = lambda day: sql.replace(\"'2025-10-10' as day -- <-\", f'{day} as day --')
        days = [(duck, 'current_date - 90'), (lite, \"date('now', '-90 day')\")] if today('') != sql else []
        answers[path.stem] = {'sql': sql, 'duckdb': ask(duck, sql), 'sqlite': ask(lite, sql),
                              'today': [ask(database, today(day)) for database, day in days]}
    except Exception as error:
        sys.exit(f'{path.name}: {error}')
lite.execute(\"insert into role_bindings (id, principal_type, principal_id, role_name, scope_type, resource_type) \
    values ('odd', 'unknown', 'x-1', 'KeyAdmin', 'organization', 'identity-provider')\")
lite.execute(\"insert into invitations (id, user_id, status) select 'odd', min(id), 'INVITE_STATUS_SENT' from users\")
for answer in answers.values():
    answer['odd'] = ask(lite, answer['sql'])
print(json.dumps(answers))
";

#[derive(Debug, Deserialize, PartialEq)]
pub struct Answer {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
}

#[derive(Deserialize)]
pub struct Query {
    pub sql: String,
    pub duckdb: Answer,
    pub sqlite: Answer,
    pub odd: Answer,
    /// DuckDB's and SQLite's answer if it is asked of the day on which the test runs.
    pub today: Vec<Answer>,
}

impl Query {
    /// The comment that it begins with, a line each.
    pub fn words(&self) -> Vec<&str> {
        self.sql.lines().map_while(|line| line.strip_prefix("-- ")).collect()
    }

    /// Some columns of the answer, a text each row, sorted; nulls are empty.
    pub fn sorted<const N: usize>(&self, columns: [&str; N]) -> Vec<String> {
        self.duckdb.sorted(columns)
    }
}

impl Answer {
    pub fn sorted<const N: usize>(&self, columns: [&str; N]) -> Vec<String> {
        let place = |name: &str| self.columns.iter().position(|column| column == name).unwrap();
        let places = columns.map(place);
        let row = |row: &Vec<Value>| places.map(|place| cell(&row[place])).join(" ");
        sorted(self.rows.iter().map(row))
    }
}

/// The queries by the names of their files, and what the organization holds.
pub struct Sample {
    pub queries: BTreeMap<String, Query>,
    pub sim: Simulator,
}

impl Sample {
    pub fn query(&self, name: &str) -> &Query {
        self.queries.get(name).unwrap_or_else(|| panic!("there is no {name}.sql"))
    }

    pub fn ids(&self, stream: &str) -> BTreeSet<String> {
        self.sim.truth().ids(stream).into_iter().collect()
    }

    pub fn keys(&self) -> impl Iterator<Item = &Value> {
        self.sim.truth().records("api_keys").iter()
    }

    /// Invitations in some of the states.
    pub fn invited(&self, states: &[&str]) -> impl Iterator<Item = &Value> {
        let state = |record: &Value| record["status"].as_str().unwrap()["INVITE_STATUS_".len()..].to_owned();
        let all = self.sim.truth().records("invitations").iter();
        all.filter(move |record| states.contains(&state(record).as_str()))
    }
}

pub static SAMPLE: LazyLock<Sample> = LazyLock::new(|| {
    let mut sim = Simulator::start(sample_scenario().today(SAMPLE_DAYS[0]));
    let folder = TempDir::new().unwrap();
    let database = DuckDb(folder.path().join("sample.duckdb"));
    load(&sim, folder.path(), &database, &["billing_costs"]);
    sim.set_today(SAMPLE_DAYS[1]);
    load(&sim, folder.path(), &database, &EVERY);
    let others = EVERY.into_iter().filter(|stream| *stream != "billing_costs");
    database.assert_whole_of(&sim, &others.collect::<Vec<_>>());
    let mut python = command(program("duckdb", "python"));
    python.args(["-c", ASK]).arg(&database.0).arg(root().join("docs/queries")).args(EVERY);
    let output = python.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Sample { queries: serde_json::from_slice(&output.stdout).unwrap(), sim }
});

/// The real binary, piped into the real target.
fn load(sim: &Simulator, folder: &Path, database: &DuckDb, streams: &[&str]) {
    let write = |name: &str, settings: Value| {
        let path = folder.join(name);
        fs::write(&path, settings.to_string()).unwrap();
        path
    };
    let config = json!({ "base_url": sim.base_url(), "api_key": sim.api_key(), "api_secret": sim.api_secret(),
                "streams": streams });
    let mut settings = database.target_settings(1000);
    settings["add_metadata_columns"] = true.into();
    let (mut tap, mut target) = (command(BINARY), command(program("duckdb", "target-duckdb")));
    tap.arg("--config").arg(write("tap.json", config)).stdin(Stdio::null());
    tap.envs(showing(&sim.today()));
    target.arg("--config").arg(write("target.json", settings));
    let (reader, writer) = std::io::pipe().unwrap();
    target.stdin(reader).env("TMPDIR", folder);
    let tap = Process::start(tap, folder, sim, Some(writer));
    let target = Process::start(target, folder, sim, None).finish();
    tap.finish().expect_code(0);
    target.expect_code(0);
}

pub fn sorted(texts: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    let mut texts: Vec<String> = texts.into_iter().map(Into::into).collect();
    texts.sort();
    texts
}

pub fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
