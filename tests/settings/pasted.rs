//! Settings pasted where a path or a word belongs: whatever stands there may be a secret, and is not
//! quoted, in either language.

use serde_json::json;
use simulator::Simulator;

use crate::support::airbyte::check;
use crate::support::{Run, Tap, bare, small, tap};

/// A piece of every pasted text; no line that the binary says may hold it.
const PIECE: &str = "s3cr3tPIECE";

/// What people paste for a path.
fn pasted() -> Vec<String> {
    let object = json!({"api_key": "PASTEDKEY", "api_secret": PIECE});
    let lines = format!("api_key=PASTEDKEY\napi_secret={PIECE}\n");
    let mut all = vec![
        object.to_string(),
        format!("{object:#}"),
        format!(" \t{object}"),
        format!("\u{feff}{object}"),
        format!("'{object}'"),
        format!("[{object}]"),
        format!("\"{PIECE}\""),
        format!("\"{PIECE}.json"),
        format!("{{{PIECE}.json"),
        format!("api_key=PASTEDKEY api_secret={PIECE}"),
        format!("api_secret={PIECE}"),
        format!("api_secret: {PIECE}"),
        format!("PASTEDKEY:{PIECE}/with+slashes=="),
        format!("eyJhcGlfa2V5{PIECE}Ijoi/eyJhcGlfa2V5Ijoi"),
        format!("{}{PIECE}.json", "x".repeat(200)),
        PIECE.to_owned(),
    ];
    all.push(lines);
    all
}

#[track_caller]
fn says_nothing_of_it(run: &Run) {
    assert!(!run.stderr.contains(PIECE), "stderr quotes what was pasted");
    assert!(!run.stdout.contains(PIECE), "stdout quotes what was pasted");
}

#[test]
fn what_is_pasted_for_a_path_is_not_quoted() {
    let sim = Simulator::start(small());
    for text in pasted() {
        for (what, start) in [("config", bare()), ("catalog", tap(&sim)), ("state", tap(&sim))] {
            let run = start.arg(format!("--{what}={text}")).run().expect_code(2);
            says_nothing_of_it(&run);
            drop(run.expect_refusal(2, [what, "path of a file"]));
        }
        for start in [bare().arg("--discover"), bare().arg("--test")] {
            says_nothing_of_it(&start.arg(format!("--config={text}")).run().expect_code(2));
        }
    }
    assert!(sim.requests().is_empty());
}

#[test]
fn under_airbyte_what_is_pasted_for_a_path_is_not_quoted() {
    let catalog = r#"{"streams": []}"#;
    for text in pasted() {
        let heard = check(bare().arg(format!("--config={text}")));
        says_nothing_of_it(&heard.run);
        assert!(heard.failed(&["config", "path of a file", "environment"]).len() < 500);
        let config = || bare().speaks_airbyte().arg(format!("--config={text}"));
        let valid = || bare().speaks_airbyte().config(json!({"api_key": "K", "api_secret": "S"}));
        for tap in [
            config().verb("discover"),
            config().verb("read").file("--catalog", "catalog.json", catalog),
            valid().verb("read").arg(format!("--catalog={text}")),
            valid().verb("read").file("--catalog", "catalog.json", catalog).arg(format!("--state={text}")),
        ] {
            let run = tap.run().expect_code(1);
            says_nothing_of_it(&run);
            assert!(run.stdout.contains("path of a file"));
        }
    }
}

#[test]
fn plausible_paths_and_existing_files_are_named() {
    for path in ["/nowhere/config.json", "nowhere.json", "./no where/my_config-2.JSON", r"C:\no\where.json"] {
        drop(bare().args(["--config", path]).run().expect_refusal(2, [path]));
    }
    for name in ["config", "PASTEDKEY+abc="] {
        drop(bare().file("--config", name, "{").run().expect_refusal(2, [name, "not JSON"]));
        drop(bare().file("--config", name, "[]").run().expect_refusal(2, [name, "object"]));
    }
    // It is there, and reads like settings all the same.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("{}{PIECE}.json", "x".repeat(200)));
    std::fs::write(&path, "{").unwrap();
    let run = bare().arg("--config").arg(path).run().expect_refusal(2, ["config", "not JSON"]);
    says_nothing_of_it(&run);
}

#[test]
fn a_file_that_holds_a_path_or_a_secret_is_not_quoted() {
    for text in [format!("/run/secrets/{PIECE}.json"), PIECE.to_owned(), format!("\"{PIECE}\"")] {
        for flag in ["--config", "--catalog", "--state"] {
            let run = bare().config(json!({"api_key": "K", "api_secret": "S"}));
            says_nothing_of_it(&run.file(flag, "file.json", &text).run().expect_code(2));
        }
    }
}

/// Command lines that hold a pasted text where no value belongs.
fn misplaced(text: &str) -> Vec<Tap<'static>> {
    vec![
        bare().arg(text),
        bare().args(["help", text]),
        bare().verb("check").arg(text),
        bare().arg(format!("--{text}")),
        bare().arg(format!("-{text}")),
        bare().arg(format!("--bogus={text}")),
        bare().arg(format!("--discover={text}")),
        bare().arg(format!("--log-level={text}")),
        bare().arg(format!("--protocol={text}")),
        bare().args(["--about", "--format", text]),
        bare().arg("--bogus").arg(format!("--config={text}")),
        bare().args(["--config", "config.json", text]),
        bare().args(["--", text]),
        bare().arg(format!("--catalog={text}")).arg(format!("--catalog={text}")),
    ]
}

#[test]
fn a_wrong_command_line_does_not_quote_what_may_be_a_secret() {
    for text in pasted().into_iter().step_by(3) {
        for tap in misplaced(&text) {
            let run = tap.run().expect_code(2);
            says_nothing_of_it(&run);
            assert_eq!(run.stdout, "");
            assert!(run.stderr.contains("--help"), "it says what to do");
        }
    }
    let run = bare().arg(json!({"api_secret": PIECE}).to_string()).run().expect_code(2);
    assert!(run.stderr.contains("--config"), "it says where settings belong");
}

#[test]
fn setting_names_and_streams_that_may_be_secrets_are_not_quoted() {
    let sim = Simulator::start(small());
    let secret = format!("{PIECE}/k4hGf7+Jd92kslq0Yhdb5Nw3xXz8Vc1LmQpR6tUyIoAs");
    says_nothing_of_it(
        &tap(&sim).set(&secret, "api_secret").run().expect_code(0).expect_line("WARN", ["setting"]),
    );
    for streams in [json!(secret), json!([secret]), json!(format!("{{\"api_secret\": \"{secret}\"}}"))] {
        let run = tap(&sim).set("streams", streams).run().expect_refusal(2, ["streams", "role_bindings"]);
        says_nothing_of_it(&run);
    }
}
