//! The command line to be: settings, flags, environment, and the files they need.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};
use simulator::Simulator;
use tempfile::TempDir;

use super::child::Spawned;
use super::clock;
use super::run::Run;
use super::runtimes::BINARY;
use super::watch;

/// Verbs that print something else than Singer messages.
const OTHER_VERBS: [&str; 10] =
    ["--discover", "--about", "--help", "-h", "--version", "-V", "spec", "check", "discover", "help"];

pub struct Tap<'s> {
    program: PathBuf,
    pub(super) sim: Option<&'s Simulator>,
    pub(super) files: Rc<TempDir>,
    settings: Option<Map<String, Value>>,
    config_text: Option<String>,
    verb: Option<String>,
    arguments: Vec<OsString>,
    environment: Vec<(String, String)>,
    date: Option<String>,
    limit: Duration,
    speaks_airbyte: bool,
}

/// The binary with a configuration that fits the simulator and waits for nothing.
pub fn tap(sim: &Simulator) -> Tap<'_> {
    let settings = json!({
        "base_url": sim.base_url(), "api_key": sim.api_key(), "api_secret": sim.api_secret(),
        "retry_base_seconds": 0.001,
    });
    Tap { sim: Some(sim), settings: settings.as_object().cloned(), ..bare() }
}

/// The same as an identity pool, whose token a client of the identity provider gets.
pub fn as_pool(sim: &Simulator) -> Tap<'_> {
    tap(sim).unset("api_key").unset("api_secret").config(pool_settings(sim))
}

/// Streams that no token reads.
pub const KEY_ONLY: [&str; 2] = ["schema_registry_clusters", "custom_connector_plugins"];

/// What makes it so.
pub fn pool_settings(sim: &Simulator) -> Value {
    json!({
        "oauth_token_url": sim.oauth_token_url(), "oauth_client_id": sim.oauth_client_id(),
        "oauth_client_secret": sim.oauth_client_secret(), "identity_pool_id": sim.identity_pool_id(),
    })
}

/// The binary without any settings.
pub fn bare() -> Tap<'static> {
    Tap {
        program: PathBuf::from(BINARY),
        sim: None,
        files: Rc::new(TempDir::new().unwrap()),
        settings: None,
        config_text: None,
        verb: None,
        arguments: Vec::new(),
        environment: Vec::new(),
        date: None,
        limit: Duration::from_secs(60),
        speaks_airbyte: false,
    }
}

impl<'s> Tap<'s> {
    /// Another program than the one that was built for the tests.
    pub fn program(mut self, path: &Path) -> Self {
        path.clone_into(&mut self.program);
        self
    }

    /// Gives one setting.
    pub fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.settings.get_or_insert_default().insert(name.to_owned(), value.into());
        self
    }

    /// Takes one setting away.
    pub fn unset(mut self, name: &str) -> Self {
        self.settings.get_or_insert_default().shift_remove(name);
        self
    }

    /// Gives the settings of a JSON object; the others stay.
    pub fn config(mut self, settings: Value) -> Self {
        self.settings.get_or_insert_default().extend(settings.as_object().unwrap().clone());
        self
    }

    /// A configuration file of exactly these bytes.
    pub fn config_text(mut self, text: &str) -> Self {
        self.config_text = Some(text.to_owned());
        self
    }

    /// No `--config` at all.
    pub fn without_config(mut self) -> Self {
        self.settings = None;
        self
    }

    /// A sub-command.
    pub fn verb(mut self, verb: &str) -> Self {
        self.verb = Some(verb.to_owned());
        self
    }

    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub fn args<const N: usize>(mut self, arguments: [&str; N]) -> Self {
        self.arguments.extend(arguments.map(OsString::from));
        self
    }

    /// `flag` with a file of these bytes.
    pub fn file(self, flag: &str, name: &str, text: &str) -> Self {
        let path = self.files.path().join(name);
        fs::write(&path, text).unwrap();
        self.arg(flag).arg(path)
    }

    pub fn state(self, state: &Value) -> Self {
        self.file("--state", "state.json", &state.to_string())
    }

    pub fn catalog(self, catalog: &Value) -> Self {
        self.file("--catalog", "catalog.json", &catalog.to_string())
    }

    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Whether a variable is given.
    pub(super) fn gives(&self, name: &str) -> bool {
        self.environment.iter().any(|(given, _)| given == name)
    }

    /// A variable that names a file of these bytes.
    pub fn env_file(self, name: &str, text: &str) -> Self {
        let path = self.files.path().join(name);
        fs::write(&path, text).unwrap();
        let path = path.to_str().unwrap().to_owned();
        self.env(name, path)
    }

    /// Runs it at noon of this day, `yyyy-mm-dd`, UTC.
    pub fn on(mut self, date: &str) -> Self {
        self.date = Some(date.to_owned());
        clock::showing(date).into_iter().fold(self, |tap, (name, value)| tap.env(name, value))
    }

    /// The longest this may take; a minute unless said. Then it is killed and the test fails.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// What it prints is not Singer's, though the arguments do not say so.
    pub fn speaks_airbyte(mut self) -> Self {
        self.speaks_airbyte = true;
        self
    }

    /// Runs to the end and reads everything.
    pub fn run(self) -> Run {
        self.spawn().finish()
    }

    /// Starts it; nothing of its stdout is read until asked for.
    pub fn spawn(self) -> Spawned<'s> {
        let (mut command, text) = self.command();
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let said = format!("{} {}\n  with {:?}", self.program.display(), text.join(" "), self.environment);
        let speaks_singer = !self.speaks_airbyte
            && !text.iter().any(|word| OTHER_VERBS.contains(&word.as_str()))
            && !text.windows(2).any(|pair| pair == ["--protocol", "airbyte"]);
        let secrets = self.secrets();
        Spawned::start(command, said, speaks_singer, secrets, self.sim, self.files, self.limit).on(self.date)
    }

    /// The command, but for where it writes to, and its arguments as text.
    pub(super) fn command(&self) -> (Command, Vec<String>) {
        let arguments = self.command_line();
        let mut command = Command::new(&self.program);
        command.args(&arguments).stdin(Stdio::null());
        command.current_dir(self.files.path());
        for (name, _) in std::env::vars_os() {
            if is_ours(&name.to_string_lossy()) {
                command.env_remove(name);
            }
        }
        if !self.environment.iter().any(|(name, _)| name.to_uppercase().ends_with("_PROXY")) {
            command.env("HTTPS_PROXY", watch::proxy()).env("HTTP_PROXY", watch::proxy());
        }
        command.envs(self.environment.iter().cloned());
        let text: Vec<String> = arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        (command, text)
    }

    fn command_line(&self) -> Vec<OsString> {
        let mut line: Vec<OsString> = self.verb.iter().map(OsString::from).collect();
        let settings = self.settings.as_ref().map(|settings| Value::from(settings.clone()).to_string());
        if let Some(text) = self.config_text.clone().or(settings) {
            let path = self.files.path().join("config.json");
            fs::write(&path, text).unwrap();
            line.extend([OsString::from("--config"), path.into()]);
        }
        line.extend(self.arguments.iter().cloned());
        line
    }

    /// What must appear nowhere: every secret given, alone and in the header made of it, and those that
    /// users have written into their connectors.
    pub(super) fn secrets(&self) -> Vec<String> {
        let setting = |name: &str| {
            let given = self.settings.as_ref().and_then(|settings| settings.get(name)?.as_str());
            given.map(str::to_owned)
        };
        let variable = |suffix: &str| {
            let given = self.environment.iter().find(|(name, _)| name.ends_with(suffix));
            given.map(|(_, value)| value.clone())
        };
        let mut pairs = vec![
            (setting("api_key"), setting("api_secret")),
            (variable("CLOUD_API_KEY"), variable("CLOUD_API_SECRET")),
        ];
        if let Some(sim) = self.sim {
            pairs.push((Some(sim.api_key().to_owned()), Some(sim.api_secret().to_owned())));
        }
        let mut secrets = self.sim.map(Simulator::connector_secrets).unwrap_or_default();
        secrets.extend([setting("personal_data_key"), setting("oauth_client_secret")].into_iter().flatten());
        for (key, secret) in pairs {
            let Some(secret) = secret.filter(|secret| secret.len() >= 6) else { continue };
            let header = BASE64_STANDARD.encode(format!("{}:{secret}", key.unwrap_or_default()));
            secrets.extend([secret, header.trim_end_matches('=').to_owned()]);
        }
        secrets
    }
}

fn is_ours(name: &str) -> bool {
    let name = name.to_uppercase();
    name.starts_with("CONFLUENT_CLOUD_")
        || name.starts_with("TAP_CONFLUENT_CLOUD_")
        || name.ends_with("_PROXY")
        || name == "SINGER_SDK_LOG_CONFIG"
        || name == "SSL_CERT_FILE"
        || name == "SSL_CERT_DIR"
}
