//! A token that something else writes to a file.

use std::fs;
use std::path::Path;

use serde_json::json;
use simulator::{EXCHANGE, OAuth, PROVIDER, Simulator};
use tempfile::TempDir;

use super::{asked, sim};
use crate::support::{Tap, assert_whole, eventually, polite, tap};

/// The pool, by way of this file.
fn by_file<'s>(sim: &'s Simulator, path: &Path) -> Tap<'s> {
    tap(sim).unset("api_key").unset("api_secret").config(json!({
        "identity_pool_id": sim.identity_pool_id(), "oauth_subject_token_file": path,
    }))
}

#[test]
fn a_token_in_a_file_is_exchanged() {
    let (sim, folder) = (sim(), TempDir::new().unwrap());
    let path = folder.path().join("token");
    let token = sim.subject_token();
    for text in [token.clone(), format!("\n  {token}\r\n"), format!("\u{feff}{token}\n")] {
        fs::write(&path, text).unwrap();
        let run = by_file(&sim, &path).run();
        assert_whole(&run, &sim);
        assert_eq!((asked(&run, PROVIDER).len(), asked(&run, EXCHANGE).len()), (0, 1));
    }
}

/// As Kubernetes does it: the name is a link, which is moved.
#[test]
fn a_token_that_rotates_in_mid_sync_is_read_anew() {
    let sim = Simulator::start(polite().users(900).oauth(OAuth::default()));
    let folder = TempDir::new().unwrap();
    let (path, next) = (folder.path().join("token"), folder.path().join("next"));
    fs::write(&path, sim.subject_token()).unwrap();
    let child = by_file(&sim, &path).set("page_size", 10).spawn();
    child.read_lines(300);
    eventually("it has asked for users", || sim.requests().len() > 10);
    sim.end_subject_tokens();
    sim.end_access_tokens();
    fs::write(&next, sim.subject_token()).unwrap();
    fs::rename(&next, &path).unwrap();
    let run = child.finish();
    assert_whole(&run, &sim);
    assert_eq!(asked(&run, EXCHANGE).len(), 2);
}

#[test]
fn a_file_without_a_token_is_a_settings_error_that_quotes_nothing_of_it() {
    let (sim, folder) = (sim(), TempDir::new().unwrap());
    let path = folder.path().join("token");
    let token = sim.subject_token();
    for content in [
        Vec::new(),
        b" \n".to_vec(),
        b"\x00\xff\xfe binary".to_vec(),
        format!("{{\"value\":\"{token}\"}}").into_bytes(),
        format!("{token}\n{token}").into_bytes(),
        format!("Bearer {token}").into_bytes(),
        vec![b'a'; (16 << 10) + 1],
        vec![b'a'; 50 << 20],
    ] {
        fs::write(&path, &content).unwrap();
        let run = by_file(&sim, &path).run();
        drop(
            run.expect_refusal(2, ["oauth_subject_token_file", "contains no token", path.to_str().unwrap()]),
        );
    }
    // Where no end of a read is in sight, none is begun.
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [Path::new("/dev/zero"), &pipe] {
        drop(by_file(&sim, path).run().expect_refusal(2, ["cannot be read: it is not a regular file"]));
    }
    drop(by_file(&sim, folder.path()).run().expect_refusal(2, ["cannot be read"]));
    let missing = Path::new("/var/run/secrets/nowhere/token");
    drop(by_file(&sim, missing).run().expect_refusal(2, [missing.to_str().unwrap(), "cannot be read"]));
    // The token itself, in place of the path.
    let run = by_file(&sim, Path::new(&token)).run();
    drop(run.expect_refusal(2, ["oauth_subject_token_file", "does not look like a path"]));
    assert!(sim.requests().is_empty(), "something was asked");
}
