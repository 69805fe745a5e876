//! `docs/targets.md`: each target that the page names is installed from its pins, configured as the page
//! says, and run against the simulator; what its rows are afterwards is what the table says. With BLESS
//! set, the page is written.

mod place;

use std::collections::BTreeSet;
use std::thread;

use chrono::{DateTime, NaiveDateTime};
use serde_json::{Value, json};
use simulator::{At, Fault, Simulator};

use crate::support::golden::between_marks;
use crate::support::runtimes::{command, program};
use crate::support::{EVERY, STREAMS, id_column, small};
use place::{Place, Rows};

/// How rows are found that a target has written.
#[derive(Clone, Copy)]
enum Keeps {
    Jsonl,
    Csv,
    DuckDb,
    Sqlite,
    /// The settings that say where the server is, made from the server's URL.
    Postgres(fn(&str) -> Value),
}

struct Target {
    /// Its name on PyPI; a section of the page.
    package: &'static str,
    /// The pins, `tests/python/NAME.txt`, and the virtual environment made from them.
    environment: &'static str,
    program: &'static str,
    /// Python that starts it where its program does not.
    start: Option<&'static str>,
    /// Packages that have to be pinned beside it, the one that decides first.
    beside: &'static [&'static str],
    /// Whether those are others than it asks for.
    overruled: bool,
    settings: &'static str,
    keeps: Keeps,
    /// Whether the commands of the page need nothing but the target, so that they can be run as written.
    as_written: bool,
}

const TARGET: Target = Target {
    package: "",
    environment: "",
    program: "",
    start: None,
    beside: &[],
    overruled: false,
    settings: "",
    keeps: Keeps::Jsonl,
    as_written: false,
};

const TARGETS: [Target; 6] = [
    Target {
        package: "target-jsonl",
        environment: "jsonl",
        program: "target-jsonl",
        settings: r#"{"destination_path": ".", "do_timestamp_file": false}"#,
        as_written: true,
        ..TARGET
    },
    Target {
        package: "meltanolabs-target-csv",
        environment: "postgres",
        program: "target-csv",
        settings: r#"{"output_path": "."}"#,
        keeps: Keeps::Csv,
        as_written: true,
        ..TARGET
    },
    Target {
        package: "target-duckdb",
        environment: "duckdb",
        program: "target-duckdb",
        beside: &["duckdb"],
        settings: r#"{"path": "confluent_cloud.duckdb", "default_target_schema": "main"}"#,
        keeps: Keeps::DuckDb,
        as_written: true,
        ..TARGET
    },
    Target {
        package: "meltanolabs-target-postgres",
        environment: "postgres",
        program: "target-postgres",
        settings: r#"{
  "sqlalchemy_url": "postgresql+psycopg://loader:PASSWORD@localhost:5432/warehouse",
  "default_target_schema": "confluent_cloud",
  "hard_delete": true
}"#,
        keeps: Keeps::Postgres(|url| json!({ "sqlalchemy_url": url })),
        ..TARGET
    },
    Target {
        package: "pipelinewise-target-postgres",
        environment: "pipelinewise",
        program: "target-postgres",
        beside: &["psycopg2-binary", "pipelinewise-singer-python", "inflection", "joblib"],
        overruled: true,
        settings: r#"{
  "host": "localhost", "port": 5432, "user": "loader", "password": "PASSWORD", "dbname": "warehouse",
  "default_target_schema": "confluent_cloud"
}"#,
        keeps: Keeps::Postgres(socket_of),
        ..TARGET
    },
    Target {
        package: "target-sqlite",
        environment: "sqlite",
        program: "target-sqlite",
        start: Some(
            "import collections, collections.abc; collections.MutableMapping = collections.abc.MutableMapping; \
             import target_sqlite; target_sqlite.main()",
        ),
        beside: &["SQLAlchemy", "singer-python", "jsonschema", "inflection"],
        overruled: true,
        settings: r#"{"database": "confluent_cloud.db"}"#,
        keeps: Keeps::Sqlite,
        ..TARGET
    },
];

/// The server of the tests, which listens on a Unix socket, said in single settings.
fn socket_of(url: &str) -> Value {
    let (_, folder) = url.split_once("host=").expect("a URL of a socket");
    json!({ "host": folder, "user": "postgres", "password": "none", "dbname": "postgres" })
}

impl Target {
    /// What starts it, without its settings.
    fn words(&self) -> Vec<&'static str> {
        self.start.map_or_else(|| vec![self.program], |python| vec!["python", "-c", python])
    }

    /// Version of an installed package, and the versions of Python that it says it runs on.
    fn installed(&self, package: &str) -> (String, String) {
        const ASK: &str = "import sys; from importlib.metadata import metadata\n\
            found = metadata(sys.argv[1]); print(found['Version'], found.get('Requires-Python'))";
        let mut python = command(program(self.environment, "python"));
        let output = python.args(["-c", ASK, package]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let (version, python) = text.trim().split_once(' ').unwrap();
        (version.to_owned(), python.replace("None", "not said"))
    }

    fn pin(&self, package: &str) -> String {
        format!("{package}=={}", self.installed(package).0)
    }

    /// How to install it, its settings, and the pipe, in Markdown.
    fn instructions(&self) -> String {
        let beside: Vec<String> = self.beside.iter().map(|package| self.pin(package)).collect();
        let install = match (self.overruled, beside.join(" ")) {
            (true, beside) => {
                format!("pip install {beside}\npip install --no-deps {}", self.pin(self.package))
            }
            (false, beside) => {
                format!("pip install {} {beside}", self.pin(self.package)).trim_end().to_owned()
            }
        };
        let file = format!("{}.json", self.package);
        let start = self.start.map_or_else(|| self.program.to_owned(), |code| format!("python -c '{code}'"));
        let not_run = if self.as_written {
            ""
        } else {
            "<!-- not run: the test run pipes into it with its own server or interpreter -->\n"
        };
        format!(
            "\n<!-- not run: the test run installs the same versions from tests/python/{}.txt -->\n\
             ```sh\n{install}\n```\n\nThe settings, as `{file}`:\n\n\
             <!-- file: {file} -->\n```json\n{}\n```\n\n{not_run}\
             ```sh\nset -o pipefail\ntap-confluent-cloud | {start} --config {file} > state.jsonl\n```\n\n",
            self.environment, self.settings
        )
    }

    /// Its row of the table: everything that is found out about it.
    fn row(&self) -> String {
        let mut sim = Simulator::start(small().seed(12).today(DAY));
        let whole = Place::new(self, "whole");
        let (tap, state) = whole.run(&sim, json!({}), None);
        tap.expect_code(0);
        let rows = whole.rows();
        let first = Tally::of(&rows, &sim);
        first.assert_whole(self.package);
        holds_addresses(&rows, &sim, true);
        let (nested, time) = forms(&rows, &sim);

        let deleted = sim.delete("users", 3).len() + sim.delete("role_bindings", 2).len();
        let (tap, _) = whole.run(&sim, json!({}), Some(&state));
        tap.expect_code(0);
        let second = Tally::of(&whole.rows(), &sim);
        let gone = match second.extra {
            0 => "gone".to_owned(),
            left if left == deleted => "still there".to_owned(),
            left => format!("{left} of {deleted} still there"),
        };

        let interrupted = Place::new(self, "interrupted");
        for stream in STREAMS {
            sim.add_fault(Fault::errors(503, "try later"), At::stream(stream).from(2));
        }
        let settings = json!({ "personal_data": "omit", "max_retries": 0 });
        let (tap, state) = interrupted.run(&sim, settings.clone(), None);
        tap.expect_code(4);
        sim.clear_faults();
        let (tap, _) = interrupted.run(&sim, settings, Some(&state));
        tap.expect_code(0);
        let rows = interrupted.rows();
        let resumed = Tally::of(&rows, &sim);
        holds_addresses(&rows, &sim, false);

        let (version, python) = self.installed(self.package);
        let beside = self.beside.first().map(|package| format!(", {package} {}", self.installed(package).0));
        format!(
            "| [{name}](#{name}) | {version}{} | {python} | {first} | {second} | {gone} | {resumed} | {nested} | {time} |\n",
            beside.unwrap_or_default(),
            name = self.package,
        )
    }
}

/// Rows of all streams beside the ids that the simulator holds.
struct Tally {
    rows: usize,
    truth: usize,
    found: usize,
    /// Ids that the simulator does not hold, or no more.
    extra: usize,
}

impl Tally {
    fn of(rows: &Rows, sim: &Simulator) -> Self {
        let mut tally = Self { rows: 0, truth: 0, found: 0, extra: 0 };
        for stream in EVERY {
            let truth: BTreeSet<String> = sim.truth().ids(stream).into_iter().collect();
            let ids =
                rows[stream].iter().map(|row| row[id_column(stream)].as_str().expect("an id").to_owned());
            let ids: BTreeSet<String> = ids.collect();
            tally.rows += rows[stream].len();
            tally.truth += truth.len();
            tally.found += truth.intersection(&ids).count();
            tally.extra += ids.difference(&truth).count();
        }
        tally
    }

    #[track_caller]
    fn assert_whole(&self, package: &str) {
        assert!(
            self.truth > 100 && self.to_string() == format!("{0} of {0}", self.truth),
            "{package}: {self}"
        );
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rows, truth, found, extra } = self;
        let whole =
            if found == truth { format!("{found} of {truth}") } else { format!("**{found} of {truth}**") };
        if *rows == found + extra {
            write!(formatter, "{whole}")
        } else {
            write!(formatter, "{whole}, in {rows} rows")
        }
    }
}

/// Whether each e-mail address of the simulator's persons, or none of them, is in any column.
#[track_caller]
fn holds_addresses(rows: &Rows, sim: &Simulator, expected: bool) {
    let text = json!(rows).to_string();
    for stream in ["users", "invitations"] {
        for record in sim.truth().records(stream).iter() {
            let address = record["email"].as_str().expect("an address");
            assert_eq!(text.contains(address), expected, "{stream} {}: {address}", record["id"]);
        }
    }
}

/// What becomes of an object in a record and of a time. Whatever it is, the values are those of the API.
fn forms(rows: &Rows, sim: &Simulator) -> (String, String) {
    let truth = sim.truth().records("invitations").iter().next().expect("an invitation").clone();
    let row = rows["invitations"].iter().find(|row| row["id"] == truth["id"]).expect("its row");
    let (user, nested) = match &row["user"] {
        Value::Object(_) => (row["user"]["id"].clone(), "JSON"),
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(user) => (user["id"].clone(), "JSON in a text"),
            Err(_) => {
                let id = text.split("'id': '").nth(1).and_then(|rest| rest.split('\'').next());
                (id.expect("an id").into(), "Python's notation in a text")
            }
        },
        _ => (row["user__id"].clone(), "a column each: `user__id`"),
    };
    assert_eq!(user, truth["user"]["id"]);
    let (time, sent) = (row["created_at"].as_str(), truth["metadata"]["created_at"].as_str());
    assert_eq!(moment(time.expect("a time")), moment(sent.expect("a time")));
    (nested.to_owned(), format!("`{}`", time.expect("a time")))
}

/// Microseconds since 1970; in UTC where no zone is said.
fn moment(text: &str) -> i64 {
    let zoned = DateTime::parse_from_rfc3339(&text.replacen(' ', "T", 1));
    let naive = || NaiveDateTime::parse_from_str(&text.replacen(' ', "T", 1), "%Y-%m-%dT%H:%M:%S%.f");
    let utc = zoned.map_or_else(|_| naive().expect("a time").and_utc(), |zoned| zoned.to_utc());
    utc.timestamp_micros()
}

const PAGE: &str = "docs/targets.md";

/// The day that the runs are made on: each day has other costs, and the page has one number.
const DAY: &str = "2026-05-10";

#[test]
fn the_page_on_targets_shows_what_each_target_did() {
    // Two at a time: each has a tap and an interpreter of its own.
    let rows: String = thread::scope(|scope| {
        let rows = |targets: &'static [Target]| targets.iter().map(Target::row).collect::<String>();
        let halves = TARGETS.chunks(TARGETS.len().div_ceil(2));
        let running: Vec<_> = halves.map(|half| scope.spawn(move || rows(half))).collect();
        running.into_iter().map(|half| half.join().expect("what its thread has said above")).collect()
    });
    let head = "| target | version | Python | first run | second run | deleted records | interrupted, then \
                resumed | `user`, an object | `created_at`, a time |\n|---|---|---|---|---|---|---|---|---|\n";
    between_marks(PAGE, "targets", &format!("{head}{rows}"));
}

#[test]
fn the_page_on_targets_shows_tested_settings_and_versions() {
    for target in &TARGETS {
        between_marks(PAGE, target.package, &target.instructions());
    }
}

/// Where the table has no target for Parquet, the page has this.
#[test]
fn what_target_duckdb_wrote_can_become_parquet() {
    const EXPORT: &str = "import duckdb\n\
        database = duckdb.connect(\"confluent_cloud.duckdb\")\n\
        database.execute(\"export database 'parquet' (format parquet)\")\n";
    const COUNT: &str = "import duckdb, sys\n\
        for name, column in (pair.split('.') for pair in sys.argv[1:]):\n\
        \x20   sql = f'select distinct {column} from read_parquet(?)'\n\
        \x20   print(len(duckdb.execute(sql, [f'parquet/{name}.parquet']).fetchall()))";
    let sim = Simulator::start(small().seed(12).today(DAY));
    let duckdb = TARGETS.iter().find(|target| target.package == "target-duckdb").unwrap();
    let place = Place::new(duckdb, "parquet");
    let (tap, _) = place.run(&sim, json!({}), None);
    tap.expect_code(0);
    place.python(EXPORT, &[]);
    let expected: String =
        EVERY.iter().map(|stream| format!("{}\n", sim.truth().ids(stream).len())).collect();
    let columns = EVERY.map(|stream| format!("{stream}.{}", id_column(stream)));
    assert_eq!(place.python(COUNT, &columns.each_ref().map(String::as_str)), expected);
    between_marks(PAGE, "parquet", &format!("\n```python\n{EXPORT}```\n\n"));
}
