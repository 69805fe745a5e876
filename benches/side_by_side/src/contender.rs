//! What is measured: the floor, or the connector with some settings.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use simulator::{Scenario, Simulator};
use tempfile::TempDir;

/// What `make wheel` puts into the wheel; or the binary that `BENCH_TAP` names.
pub fn tap() -> PathBuf {
    std::env::var_os("BENCH_TAP").map_or_else(|| built("wheels/tap-confluent-cloud"), PathBuf::from)
}

fn built(path: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target").join(path);
    assert!(path.exists(), "{} is missing: run `make wheel floor`", path.display());
    path
}

pub struct Contender {
    pub name: &'static str,
    /// None: the floor.
    settings: Option<Value>,
    /// The subcommand that comes before the settings, and the catalog.
    read: bool,
    catalog: Option<Value>,
}

impl Contender {
    pub fn floor() -> Self {
        Self { name: "the least", settings: None, read: false, catalog: None }
    }

    pub fn singer(name: &'static str, settings: Value) -> Self {
        Self { name, settings: Some(settings), read: false, catalog: None }
    }

    /// With a catalog, which Airbyte's `read` is given or Singer's run.
    #[must_use]
    pub fn catalog(mut self, catalog: Value) -> Self {
        self.catalog = Some(catalog);
        self
    }

    pub fn airbyte(name: &'static str, catalog: Value) -> Self {
        Self { read: true, ..Self::singer(name, json!({})).catalog(catalog) }
    }

    /// Makes it ready to read from a simulator, or from another address that leads to it.
    pub fn at(&self, sim: &Simulator, base_url: &str) -> Ready {
        let folder = tempfile::tempdir().expect("a folder");
        let Some(settings) = &self.settings else {
            let mut command = Command::new(built("release/floor"));
            let scope = format!("crn://confluent.cloud/organization={}/*", sim.organization_id());
            command.args([base_url, sim.api_key(), sim.api_secret(), &scope]);
            return Ready { command, _folder: folder };
        };
        let write = |name: &str, content: &Value| {
            let path = folder.path().join(name);
            std::fs::write(&path, content.to_string()).expect("the file can be written");
            path
        };
        let mut all = json!({"base_url": base_url, "api_key": sim.api_key(), "api_secret": sim.api_secret()});
        for (name, value) in settings.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        let mut command = Command::new(tap());
        command.args(self.read.then_some("read")).arg("--config").arg(write("config.json", &all));
        if let Some(catalog) = &self.catalog {
            command.arg("--catalog").arg(write("catalog.json", catalog));
        }
        Ready { command, _folder: folder }
    }

    pub fn ready(&self, sim: &Simulator) -> Ready {
        self.at(sim, &sim.base_url())
    }
}

/// A command, and the files that it reads.
pub struct Ready {
    pub command: Command,
    _folder: TempDir,
}

/// Role bindings of the organization itself, as many as administrators grant by hand: the connector keeps their ids.
const OF_ORGANIZATION: u64 = 100;

/// An organization of four streams of equal size, served without rudeness.
pub fn polite(records: u64) -> Scenario {
    let each = records / 4;
    let polite = Scenario::new().seed(1).polite().organization_bindings(OF_ORGANIZATION.min(each));
    polite.users(each).invitations(each).service_accounts(each).role_bindings(each)
}
