//! A Meltano project in a folder of its own, with a home of its own: two runs at once in one project
//! take each other's files away.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use simulator::{At, Fault, Request, Simulator};
use tempfile::TempDir;

use crate::support::STREAMS;
use crate::support::runtimes::{BINARY, DuckDb, Ended, Process, command, program};

/// Rows of a stream after which the target tells a state; no stream of the tests has a multiple.
const BATCH: u32 = 50;

/// The same in a run that is to be interrupted.
const SMALL_BATCH: &str = "7";

pub const TAP: &str = "tap-confluent-cloud";

/// From this request on the simulator answers none, so that a run hangs in the middle.
const MIDDLE: u64 = 45;

pub struct Project<'s> {
    sim: &'s Simulator,
    folder: TempDir,
    /// Where the project is below the folder, which holds Meltano's home too.
    place: &'static str,
    environment: Vec<(String, String)>,
}

impl<'s> Project<'s> {
    pub fn new(sim: &'s Simulator) -> Self {
        Self::selecting(sim, &[])
    }

    /// With rules of selection.
    pub fn selecting(sim: &'s Simulator, rules: &[&str]) -> Self {
        Self::with(sim, Path::new(BINARY), rules)
    }

    /// With a script that notes its process id and becomes the tap.
    pub fn noting_the_process_id(sim: &'s Simulator) -> Self {
        let project = Self::new(sim);
        let script = project.path().join("tap.sh");
        let note = project.process_id_file();
        fs::write(&script, format!("#!/bin/sh\necho $$ > '{}'\nexec '{BINARY}' \"$@\"\n", note.display()))
            .unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        project.write_project(&script, &[]);
        project
    }

    /// As `meltano init` makes it.
    pub fn initialized(sim: &'s Simulator) -> Self {
        let mut project = Self::empty(sim);
        project.call(["init", "project"]).expect_code(0);
        project.place = "project";
        project
    }

    /// A copy of a folder.
    pub fn copied(sim: &'s Simulator, from: &Path) -> Self {
        let mut project = Self::empty(sim);
        project.place = "project";
        let copied = Command::new("cp").arg("-R").arg(from).arg(project.path()).status().unwrap();
        assert!(copied.success(), "{} can be copied", from.display());
        project
    }

    /// The settings and capabilities of a definition, but the binary instead of what it would install.
    pub fn defined_by(sim: &'s Simulator, definition: &Path) -> Self {
        let project = Self::empty(sim);
        let text = fs::read_to_string(definition).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with("pip_url:") && !line.starts_with('#'));
        let indented: String = lines.map(|line| format!("      {line}\n")).collect();
        let indented = indented.replace("executable: tap-confluent-cloud", &format!("executable: {BINARY}"));
        let text = format!("project_id: defined\nplugins:\n  extractors:\n    -\n{indented}");
        fs::write(project.path().join("meltano.yml"), text).unwrap();
        project
    }

    fn empty(sim: &'s Simulator) -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        Self { sim, folder, place: "", environment: Vec::new() }
    }

    fn with(sim: &'s Simulator, executable: &Path, rules: &[&str]) -> Self {
        let mut project = Self::empty(sim);
        for (name, value) in
            [("API_SECRET", sim.api_secret()), ("PAGE_SIZE", "20"), ("RETRY_BASE_SECONDS", "0.001")]
        {
            project = project.env(&format!("TAP_CONFLUENT_CLOUD_{name}"), value);
        }
        project.write_project(executable, rules);
        project
    }

    /// One more variable of the environment; a later one wins.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// JSON is YAML. `retry_base_seconds` has no kind, so that it comes as text; a number that
    /// comes from the environment as `decimal` is more than Meltano can hand on.
    fn write_project(&self, executable: &Path, rules: &[&str]) {
        let project = json!({
            "default_environment": "dev",
            "environments": [{ "name": "dev" }],
            "project_id": "00000000-0000-0000-0000-000000000001",
            "plugins": {
                "extractors": [{
                    "name": "tap-confluent-cloud",
                    "namespace": "tap_confluent_cloud",
                    "executable": executable,
                    "capabilities": ["catalog", "discover", "state", "about", "structured-logging"],
                    "settings": [
                        { "name": "api_key" },
                        { "name": "api_secret", "kind": "password", "sensitive": true },
                        { "name": "base_url" },
                        { "name": "organization_id" },
                        { "name": "streams", "kind": "array" },
                        { "name": "page_size", "kind": "integer" },
                        { "name": "retry_base_seconds" },
                    ],
                    "config": { "api_key": self.sim.api_key(), "base_url": self.sim.base_url() },
                    "select": if rules.is_empty() { &["*.*"] } else { rules },
                }],
                "loaders": [self.loader()],
            },
        });
        fs::write(self.path().join("meltano.yml"), project.to_string()).unwrap();
    }

    /// The loader's definition, its settings as defaults.
    pub fn loader(&self) -> Value {
        let given = self.database().target_settings(BATCH);
        let setting = |(name, value): (&String, &Value)| {
            let kind = if value.is_number() { "integer" } else { "string" };
            json!({ "name": name, "kind": kind, "value": value })
        };
        json!({
            "name": "target-duckdb",
            "namespace": "target_duckdb",
            "executable": program("duckdb", "target-duckdb"),
            "settings": given.as_object().unwrap().iter().map(setting).collect::<Value>(),
        })
    }

    pub fn sim(&self) -> &'s Simulator {
        self.sim
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join(self.place)
    }

    pub fn process_id_file(&self) -> PathBuf {
        self.path().join("tap.pid")
    }

    pub fn database(&self) -> DuckDb {
        self.database_named("out.duckdb")
    }

    pub fn database_named(&self, name: &str) -> DuckDb {
        DuckDb(self.path().join(name))
    }

    /// Meltano and all it runs see a proxy that nobody listens on: nothing here needs a network.
    fn meltano(&self) -> Command {
        let mut meltano = command(program("meltano", "meltano"));
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
            meltano.env(name, "http://127.0.0.1:9");
        }
        meltano
            .env("MELTANO_SEND_ANONYMOUS_USAGE_STATS", "false")
            .env("MELTANO_CLI_DISABLE_VERSION_CHECK", "true");
        meltano
            .env("HOME", self.folder.path().join("home"))
            .env("TMPDIR", self.folder.path())
            .env("NO_COLOR", "1");
        meltano.env_remove("XDG_STATE_HOME").envs(self.environment.iter().cloned());
        meltano.current_dir(self.path()).stdin(Stdio::null());
        meltano
    }

    /// Runs `meltano` with these arguments to its end.
    pub fn call<const N: usize>(&self, arguments: [&str; N]) -> Ended {
        let mut meltano = self.meltano();
        meltano.args(arguments);
        Process::start(meltano, &self.path(), self.sim, None).finish()
    }

    /// Starts `meltano run`, and waits until Meltano has stored what the target told of its state a
    /// few times. It goes no further if the simulator answers no more by then.
    pub fn start_and_wait_for_a_stored_state(&self) -> Process {
        let mut meltano = self.meltano();
        meltano.args(["run", "tap-confluent-cloud", "target-duckdb"]);
        meltano.env("TARGET_DUCKDB_BATCH_SIZE_ROWS", SMALL_BATCH);
        let mut run = Process::start(meltano, &self.path(), self.sim, None);
        // Meltano's own database: what it logs of a state does not tell what is in it. The state is
        // written there twice, to the run and then to what the next run reads, and logged after that.
        let database = self.path().join(".meltano/meltano.db");
        let logged = |run: &Process| run.stderr().matches("Incremental state has been updated").count();
        let mut written = None;
        run.until("a state with a page token is stored", |run| {
            let stored = || fs::read(&database).unwrap_or_default();
            if written.is_none() && String::from_utf8_lossy(&stored()).contains("\"page_token\": \"") {
                written = Some(logged(run));
            }
            written.is_some_and(|before| logged(run) > before)
        });
        run
    }

    pub fn run(&self) -> Ended {
        self.call(["run", "tap-confluent-cloud", "target-duckdb"])
    }

    /// The bookmarks that the next run would be given.
    pub fn bookmarks(&self) -> Value {
        let state = self.call(["state", "get", "dev:tap-confluent-cloud-to-target-duckdb"]).expect_code(0);
        let state: Value = serde_json::from_str(&state.stdout).unwrap();
        state["singer_state"]["bookmarks"].clone()
    }

    /// The first request for each stream's listing since this many, but for the look-up of the
    /// key's owner.
    pub fn first_requests(&self, since: usize, streams: &[&str]) -> Vec<Request> {
        let requests = &self.sim.requests()[since..];
        let first = |stream: &&str| {
            let mut asked = requests.iter().filter(|request| {
                request.stream.as_deref() == Some(*stream) && request.parameter("principal").is_none()
            });
            asked.next().unwrap_or_else(|| panic!("{stream} was not asked for")).clone()
        };
        streams.iter().map(first).collect()
    }
}

pub fn hang_in_the_middle(sim: &Simulator) {
    sim.add_fault(Fault::Stall, At::any().from(MIDDLE));
}

/// Runs once more, after an interruption: some stream goes on where it was, and all is there.
pub fn assert_goes_on<const N: usize>(sim: &Simulator, project: &Project<'_>, run: [&str; N]) {
    sim.clear_faults();
    let before = sim.requests().len();
    project.call(run).expect_code(0).expect_words(["resuming where the last run stopped"]);
    project.database().assert_whole(sim);
    let first = project.first_requests(before, &STREAMS);
    assert!(first.iter().any(|request| request.parameter("page_token").is_some()), "every stream began anew");
}
