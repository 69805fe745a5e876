//! Real programs beside the binary, from PyPI: where they are, how they are run, and what a DuckDB
//! file holds in the end. Their output goes to files, which a test may look into while they run.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::PipeWriter;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use simulator::Simulator;

use super::repository::root;
use crate::support::{STREAMS, id_column, secrets_of};

pub const BINARY: &str = env!("CARGO_BIN_EXE_tap-confluent-cloud");

/// A program of one of the virtual environments of `tests/python`.
pub fn program(environment: &str, name: &str) -> PathBuf {
    let folder = root().join("target/venv").join(environment);
    let path = folder.join("bin").join(name);
    let there = path.exists() && folder.join(".installed").exists();
    assert!(there, "{} is missing: run `make test`, which installs it", path.display());
    path
}

/// A command that knows nothing of the settings and proxies of whoever runs the tests.
pub fn command(program: impl AsRef<Path>) -> Command {
    const OTHERS: [&str; 6] = ["CONFLUENT_", "TAP_", "TARGET_", "MELTANO_", "SINGER_", "SSL_CERT_"];
    let mut command = Command::new(program.as_ref());
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_uppercase();
        if OTHERS.iter().any(|start| upper.starts_with(start)) || upper.ends_with("_PROXY") {
            command.env_remove(name);
        }
    }
    command
}

/// A script of `tests/python`, run by the Python of one of these environments.
pub fn script(environment: &str, name: &str) -> Command {
    let mut python = command(program(environment, "python"));
    python.arg(root().join("tests/python").join(name));
    python
}

/// A running program, the first of a process group of its own.
pub struct Process {
    child: Child,
    said: String,
    out: PathBuf,
    err: PathBuf,
    seed: u64,
    secrets: Vec<String>,
    started: Instant,
    ended: bool,
}

impl Process {
    /// Starts it with stdout and stderr in files of this folder, or stdout in a pipe.
    pub fn start(mut command: Command, folder: &Path, sim: &Simulator, pipe: Option<PipeWriter>) -> Self {
        let said = format!("{command:?}");
        let name = Path::new(command.get_program()).file_name().unwrap().to_string_lossy().into_owned();
        let file = |ending: &str| folder.join(format!("{name}.{ending}"));
        let (out, err) = (file("out"), file("err"));
        let stdout = File::create(&out).unwrap();
        command.stdout(pipe.map_or_else(|| Stdio::from(stdout), Stdio::from));
        command.stderr(File::create(&err).unwrap());
        let child = command.process_group(0).spawn().unwrap_or_else(|error| panic!("{said}: {error}"));
        let (seed, secrets) = (sim.seed(), secrets_of(sim));
        Self { child, said, out, err, seed, secrets, started: Instant::now(), ended: false }
    }

    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.out).unwrap()).into_owned()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.err).unwrap()).into_owned()
    }

    /// Waits until something is so while this runs.
    pub fn until(&mut self, what: &str, mut so: impl FnMut(&Self) -> bool) {
        while !so(self) {
            assert!(self.child.try_wait().unwrap().is_none(), "it ended before {what}");
            assert!(self.started.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, such as `TERM`, to this process alone.
    pub fn signal(&self, name: &str) {
        assert!(kill(name, &self.child.id().to_string()), "no such process: {}", self.said);
    }

    /// Kills it and whatever it has started.
    pub fn kill_all(&self) {
        assert!(kill("KILL", &format!("-{}", self.child.id())), "no such group: {}", self.said);
    }

    /// Waits for the end. Whatever it was, no secret has been said.
    pub fn finish(mut self) -> Ended {
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(self.started.elapsed() < Duration::from_secs(180), "it does not end");
            thread::sleep(Duration::from_millis(5));
        };
        self.ended = true;
        let (stdout, stderr) = (self.stdout(), self.stderr());
        for secret in &self.secrets {
            assert!(
                !stdout.contains(secret) && !stderr.contains(secret),
                "the secret was said: {}",
                self.said
            );
        }
        let seconds = self.started.elapsed().as_secs_f64();
        Ended { said: self.said.clone(), status, stdout, stderr, seed: self.seed, seconds }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if thread::panicking() {
            eprintln!(
                "\nstill running: {}\nstdout:\n{}\nstderr:\n{}",
                self.said,
                self.stdout(),
                self.stderr()
            );
        }
        // It may be gone already; its children may not.
        let _ = self.child.kill();
        let _ = kill("KILL", &format!("-{}", self.child.id()));
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process, or to a group if a minus stands before its number.
pub fn kill(signal: &str, id: &str) -> bool {
    let command = format!("kill -s {signal} -- {id}");
    Command::new("sh").args(["-c", &command]).stderr(Stdio::null()).status().unwrap().success()
}

/// A program that has ended. If the test fails while this lives, it tells its whole story.
pub struct Ended {
    said: String,
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
    seed: u64,
    seconds: f64,
}

impl Ended {
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "exit code of {} ({:?})", self.said, self.status.signal());
        self
    }

    /// Stderr holds all of these.
    #[track_caller]
    pub fn expect_words<const N: usize>(self, words: [&str; N]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "stderr says nothing of `{word}`");
        }
        self
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        if thread::panicking() {
            let Self { said, status, stdout, stderr, seed, seconds } = self;
            eprintln!("\nran: {said}\nended: {status} after {seconds:.2} s\nagain with: TEST_SEED={seed}");
            eprintln!("stdout:\n{stdout}\nstderr:\n{stderr}");
        }
    }
}

/// A file that target-duckdb has written.
pub struct DuckDb(pub PathBuf);

impl DuckDb {
    /// What to tell the target so that it writes this file. It tells a state after each batch of
    /// so many rows of a stream; a number that divides no stream's rows, or its last state is old.
    pub fn target_settings(&self, batch_size_rows: u32) -> Value {
        serde_json::json!({
            "path": self.0, "default_target_schema": "main", "batch_size_rows": batch_size_rows,
        })
    }

    /// The rows that a query gives.
    pub fn query(&self, sql: &str) -> Vec<Vec<Value>> {
        const ASK: &str = "import duckdb, json, sys\n\
            rows = duckdb.connect(sys.argv[1], read_only=True).execute(sys.argv[2]).fetchall()\n\
            print(json.dumps(rows))";
        let mut python = command(program("duckdb", "python"));
        let output = python.args(["-c", ASK]).arg(&self.0).arg(sql).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{sql}: {error}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The first column of what a query gives, as texts.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        let text = |row: &Vec<Value>| row[0].as_str().expect("a text").to_owned();
        self.query(sql).iter().map(text).collect()
    }

    pub fn tables(&self) -> BTreeSet<String> {
        self.texts("select table_name from information_schema.tables").into_iter().collect()
    }

    /// Name and type of each column of a table.
    pub fn columns(&self, table: &str) -> Vec<(String, String)> {
        let sql = format!(
            "select column_name, data_type from information_schema.columns where table_name = '{table}' \
             order by ordinal_position"
        );
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        self.query(&sql).iter().map(|row| (text(&row[0]), text(&row[1]))).collect()
    }

    /// One row for each id of the truth, and no other, in each of these streams.
    #[track_caller]
    pub fn assert_whole_of(&self, sim: &Simulator, streams: &[&str]) {
        let parts: Vec<String> = streams
            .iter()
            .map(|stream| format!("select '{stream}', {} from main.{stream}", id_column(stream)))
            .collect();
        let rows = self.query(&parts.join(" union all "));
        for stream in streams {
            let mut seen: Vec<&str> =
                rows.iter().filter(|row| row[0] == *stream).map(|row| row[1].as_str().unwrap()).collect();
            let mut truth = sim.truth().ids(stream);
            seen.sort_unstable();
            truth.sort_unstable();
            let missing: Vec<&String> =
                truth.iter().filter(|id| seen.binary_search(&id.as_str()).is_err()).collect();
            assert!(missing.is_empty(), "{stream}: {} ids are missing: {missing:?}", missing.len());
            assert_eq!(seen.len(), truth.len(), "{stream}: rows");
        }
    }

    /// The same of all four streams.
    #[track_caller]
    pub fn assert_whole(&self, sim: &Simulator) {
        self.assert_whole_of(sim, &STREAMS);
    }
}
