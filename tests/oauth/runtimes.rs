//! Runtimes take the settings of a pool as they take a key.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::sim;
use crate::support::airbyte::{catalog, check, read};
use crate::support::meltano::{Project, TAP};
use crate::support::repository::root;
use crate::support::runtimes::{BINARY, Process, script};
use crate::support::{STREAMS, as_pool, pool_settings};

#[test]
fn airbyte_checks_and_reads_as_a_pool() {
    let sim = sim();
    check(as_pool(&sim)).succeeded();
    read(as_pool(&sim), &catalog()).expect_code(0).assert_whole(&sim);
}

#[test]
fn pyairbyte_loads_everything_as_a_pool() {
    let (sim, folder) = (sim(), TempDir::new().unwrap());
    let mut config = pool_settings(&sim);
    config["base_url"] = json!(sim.base_url());
    let columns: Value = STREAMS.iter().map(|stream| ((*stream).to_owned(), json!(["id"]))).collect();
    let given = json!({"binary": BINARY, "folder": folder.path(), "config": config, "columns": columns});
    let file = folder.path().join("given.json");
    std::fs::write(&file, given.to_string()).unwrap();
    let mut python = script("airbyte", "airbyte_streams.py");
    python.arg(&file).env("TMPDIR", folder.path()).env("NO_COLOR", "1");
    let ended = Process::start(python, folder.path(), &sim, None).finish().expect_code(0);
    let rows: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("rows.json")).unwrap()).unwrap();
    for stream in STREAMS {
        assert_eq!(rows[stream].as_array().unwrap().len() as u64, sim.truth().count(stream), "{stream}");
    }
    assert!(!sim.tokens().iter().any(|token| (ended.stdout.clone() + &ended.stderr).contains(token)));
}

/// Our definition of the plugin, and the settings in the environment.
#[test]
fn meltano_tests_and_runs_it_as_a_pool() {
    let sim = sim();
    let definition = root().join("integrations/meltano/tap-confluent-cloud.yml");
    let mut project =
        Project::defined_by(&sim, &definition).env("TAP_CONFLUENT_CLOUD_BASE_URL", &sim.base_url());
    for (name, value) in pool_settings(&sim).as_object().unwrap() {
        let variable = format!("TAP_CONFLUENT_CLOUD_{}", name.to_uppercase());
        project = project.env(&variable, value.as_str().unwrap());
    }
    let tested = project.call(["config", "test", TAP]).expect_code(0);
    assert!(tested.stdout.contains("Plugin configuration is valid"));
    let run = project.call(["invoke", TAP]).expect_code(0);
    assert!(run.stdout.matches(r#"{"type":"RECORD""#).count() >= 91, "not everything is read");
    assert!(!sim.tokens().iter().any(|token| (run.stdout.clone() + &run.stderr).contains(token)));
    let dumped = project.call(["invoke", "--dump=config", TAP]).expect_code(0);
    let dumped: Value = serde_json::from_str(&dumped.stdout).unwrap();
    for name in ["identity_pool_id", "oauth_token_url", "oauth_client_id", "oauth_client_secret"] {
        assert!(dumped[name].is_string(), "{name} is not handed on");
    }
    assert!(dumped["api_key"].is_null());
}
