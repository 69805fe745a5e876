//! A defect of the connector itself ends the run at once, with words and with the exit code of a defect.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};
use simulator::Simulator;
use tempfile::TempDir;

use crate::support::runtimes::command;
use crate::support::small;

const WORDS: &str = "this is a bug in tap-confluent-cloud, please report it";

/// The tap with so many KiB of address space.
fn confined(folder: &Path, kib: u32) -> PathBuf {
    let path = folder.join(format!("confined-{kib}"));
    let tap = env!("CARGO_BIN_EXE_tap-confluent-cloud");
    fs::write(&path, format!("#!/bin/sh\nulimit -v {kib}\nexec {tap} \"$@\"\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// A run that lacks the memory for one of its threads, which is the one panic that can be had from outside.
fn panicked(verb: &[&str]) -> Output {
    let sim = Simulator::start(small());
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("config.json");
    let settings =
        json!({"base_url": sim.base_url(), "api_key": sim.api_key(), "api_secret": sim.api_secret()});
    fs::write(&config, settings.to_string()).unwrap();
    for kib in (16_000..400_000).step_by(1_000) {
        let mut tap = command(confined(folder.path(), kib));
        let run = tap.args(verb).arg("--config").arg(&config).output().unwrap();
        let [stdout, stderr] = [&run.stdout, &run.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        if stdout.contains(WORDS) || stderr.contains(WORDS) {
            return run;
        }
        let whole = run.status.success() && !stdout.contains("FAILED");
        assert!(!whole, "it never lacked a thread: {stdout}{stderr}");
    }
    panic!("it never had enough memory")
}

#[test]
fn a_panic_is_told_and_ends_with_its_own_exit_code() {
    let run = panicked(&[]);
    let stderr = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(5), "{stderr}");
    let last = stderr.lines().last().unwrap();
    assert!(last.contains(&format!("ERROR {WORDS}")), "{stderr}");
}

#[test]
fn a_panic_is_told_to_airbyte_as_a_trace() {
    let run = panicked(&["check"]);
    assert_eq!(run.status.code(), Some(1));
    let stdout = String::from_utf8(run.stdout).unwrap();
    let trace: Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    let error = &trace["trace"]["error"];
    assert_eq!(error["failure_type"], "system_error", "{stdout}");
    assert!(error["message"].as_str().unwrap().contains(WORDS), "{stdout}");
}
