//! From an empty folder: `meltano init`, our definition, the wheel, a loader, `run`; and the example
//! project, as it stands.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use simulator::Simulator;

use crate::support::meltano::{Project, TAP, assert_goes_on, hang_in_the_middle};
use crate::support::repository::{root, text, wheel};
use crate::support::runtimes::program;
use crate::support::{STREAMS, rude, small};

fn integrations() -> PathBuf {
    root().join("integrations/meltano")
}

/// What stands in `.env`, and nowhere else.
fn settings(project: &Project<'_>, more: &[&str]) {
    let sim = project.sim();
    let lines = [
        format!("TAP_CONFLUENT_CLOUD_BASE_URL={}", sim.base_url()),
        "TAP_CONFLUENT_CLOUD_RETRY_BASE_SECONDS=0.001".to_owned(),
    ];
    let lines = lines.into_iter().chain(more.iter().map(|line| (*line).to_owned()));
    let text: String = lines.map(|line| line + "\n").collect();
    fs::write(project.path().join(".env"), text).unwrap();
}

/// A project that `meltano init` made, with our definition and the wheel, and a loader.
fn from_nothing<'s>(sim: &'s Simulator, more: &[&str]) -> Project<'s> {
    let project = Project::initialized(sim);
    // The credentials by the names that Confluent's tools use.
    let given = [
        format!("TAP_CONFLUENT_CLOUD_WHEEL={}", wheel().display()),
        format!("CONFLUENT_CLOUD_API_KEY={}", sim.api_key()),
        format!("CONFLUENT_CLOUD_API_SECRET={}", sim.api_secret()),
    ];
    let given = given.iter().map(String::as_str).chain(more.iter().copied()).collect::<Vec<_>>();
    settings(&project, &given);
    let definition = integrations().join("tap-confluent-cloud.yml");
    let add = |kind: &str, name: &str, definition: &Path| {
        let definition = definition.to_str().unwrap();
        project.call(["add", "--plugin-type", kind, name, "--from-ref", definition]).expect_code(0);
    };
    add("extractor", TAP, &definition);
    let loader = project.path().join("target-duckdb.yml");
    fs::write(&loader, project.loader().to_string()).unwrap();
    add("loader", "target-duckdb", &loader);
    project
}

#[test]
fn a_new_project_reads_everything_even_after_a_kill() {
    let sim = Simulator::start(rude());
    let project = from_nothing(&sim, &["TAP_CONFLUENT_CLOUD_PAGE_SIZE=20"]);
    hang_in_the_middle(&sim);
    let run = project.start_and_wait_for_a_stored_state();
    run.kill_all();
    run.finish();
    // Meltano itself was killed, and for five minutes takes its run for one that goes on.
    let again = ["run", "--force", TAP, "target-duckdb"];
    assert_goes_on(&sim, &project, again);
    project.call(again).expect_code(0).expect_words(["Run completed"]);
    project.database().assert_whole(&sim);
}

#[test]
fn personal_data_omitted_by_an_env_file_is_not_in_the_target() {
    let sim = Simulator::start(rude());
    let project = from_nothing(&sim, &["TAP_CONFLUENT_CLOUD_PERSONAL_DATA=omit"]);
    project.run().expect_code(0);
    let database = project.database();
    database.assert_whole(&sim);
    for table in STREAMS {
        for (column, _) in database.columns(table) {
            let sql = format!("select count(*) from {table} where \"{column}\"::varchar like '%@%'");
            assert_eq!(database.query(&sql), [[Value::from(0)]], "an address in {table}.{column}");
        }
        let columns: Vec<String> = database.columns(table).into_iter().map(|(name, _)| name).collect();
        let personal = |name: &String| name == "email" || name == "full_name";
        assert!(!columns.iter().any(personal), "{table}: {columns:?}");
    }
}

/// Each setting as Meltano hands it on: what stands in `.env` arrives, as what it is.
#[test]
fn every_setting_of_the_definition_reaches_the_config_with_its_type() {
    let sim = Simulator::start(small());
    let given = [
        ("api_key", "KEYKEYKEYKEYKEYK", json!("KEYKEYKEYKEYKEYK")),
        ("api_secret", "another-secret", json!("another-secret")),
        ("identity_pool_id", "pool-1", json!("pool-1")),
        ("oauth_token_url", "https://example.com/token", json!("https://example.com/token")),
        ("oauth_client_id", "an-application", json!("an-application")),
        ("oauth_client_secret", "its-secret", json!("its-secret")),
        ("oauth_scope", "a b", json!("a b")),
        ("oauth_audience", "confluent", json!("confluent")),
        ("oauth_subject_token_file", "/nowhere/token", json!("/nowhere/token")),
        ("organization_id", "an-id", json!("an-id")),
        ("streams", r#"["users", "environments"]"#, json!(["users", "environments"])),
        ("start_date", "2026-01-31", json!("2026-01-31")),
        ("cost_days_late", "5", json!(5)),
        ("base_url", "https://example.com", json!("https://example.com")),
        ("concurrency", "2", json!(2)),
        ("page_size", "17", json!(17)),
        ("max_requests_per_second", "0.5", json!("0.5")),
        ("request_timeout_seconds", "7", json!("7")),
        ("max_retries", "3", json!(3)),
        ("retry_base_seconds", "0.25", json!("0.25")),
        ("max_retry_seconds", "30", json!("30")),
        ("user_agent", "audit/1.0", json!("audit/1.0")),
        ("ca_certificate", "/etc/ca.pem", json!("/etc/ca.pem")),
        ("personal_data", "hash", json!("hash")),
        ("personal_data_key", "a-long-random-text", json!("a-long-random-text")),
        ("schema_drift", "fail", json!("fail")),
        ("emit_activate_version", "true", json!(true)),
        ("empty_lists", "warn", json!("warn")),
        ("shortened_lists", "fail", json!("fail")),
        ("shrink_percent", "30", json!(30)),
        ("shrunk_lists", "fail", json!("fail")),
    ];
    let mut project = Project::defined_by(&sim, &integrations().join("tap-confluent-cloud.yml"));
    for (name, text, _) in &given {
        project = project.env(&format!("TAP_CONFLUENT_CLOUD_{}", name.to_uppercase()), text);
    }
    let expected: serde_json::Map<String, Value> =
        given.into_iter().map(|(name, _, value)| (name.to_owned(), value)).collect();
    let dumped = project.call(["invoke", "--dump=config", TAP]).expect_code(0);
    assert_eq!(serde_json::from_str::<Value>(&dumped.stdout).unwrap(), Value::from(expected));

    let schema = fs::read_to_string(integrations().join("../../schemas/config.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let all = schema["properties"].as_object().unwrap();
    let dumped: Value = serde_json::from_str(&dumped.stdout).unwrap();
    assert!(all.keys().eq(dumped.as_object().unwrap().keys()), "a setting is not tried above");
}

/// The environment that Meltano would make for the loader, from that of the tests: it needs no network.
fn put_loader_in_place(project: &Project<'_>, pip_url: &str) {
    let venv = project.path().join(".meltano/loaders/target-duckdb/venv");
    fs::create_dir_all(&venv).unwrap();
    let ready = program("duckdb", "target-duckdb").parent().unwrap().parent().unwrap().to_owned();
    for name in ["bin", "lib", "pyvenv.cfg"] {
        symlink(ready.join(name), venv.join(name)).unwrap();
    }
    let pinned = text("tests/python/duckdb.txt");
    let mut parts: Vec<&str> = pip_url.split(' ').collect();
    for part in &parts {
        assert!(pinned.lines().any(|line| line == *part), "{part} is not what the tests use");
    }
    // How Meltano knows what is installed.
    parts.sort_unstable();
    let digest = ring::digest::digest(&ring::digest::SHA256, parts.join(" ").as_bytes());
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(venv.join(".meltano_plugin_fingerprint"), digest).unwrap();
}

#[test]
fn the_example_runs_as_it_stands() {
    let sim = Simulator::start(rude());
    let project = Project::copied(&sim, &integrations().join("example"));
    // As a person fills it in.
    let names = fs::read_to_string(project.path().join(".env.example")).unwrap();
    let filled = names
        .replace("_WHEEL=", &format!("_WHEEL={}", wheel().display()))
        .replace("_API_KEY=", &format!("_API_KEY={}", sim.api_key()))
        .replace("_API_SECRET=", &format!("_API_SECRET={}", sim.api_secret()))
        .replace("_ORGANIZATION_ID=", &format!("_ORGANIZATION_ID={}", sim.organization_id()));
    settings(&project, &[&filled]);
    put_loader_in_place(&project, "target-duckdb==0.8.0 duckdb==1.1.3");
    project.call(["schedule", "run", "nightly"]).expect_code(0).expect_words(["Run completed"]);
    let database = project.database_named("access.duckdb");
    database.assert_whole(&sim);
    let columns: Vec<String> = database.columns("users").into_iter().map(|(name, _)| name).collect();
    assert!(!columns.iter().any(|name| name == "api_version" || name == "email"), "{columns:?}");
}
