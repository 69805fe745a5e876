//! What a first-time user gets wrong, and the words that help.

use serde_json::json;
use simulator::{At, Fault, Simulator};

use crate::support::airbyte::check;
use crate::support::{Run, bare, small, tap};

const SECRET: &str = "s3cr3tPIECEs3cr3tPIECE";

/// A settings file of these bytes.
fn given(text: &[u8]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    std::fs::write(&path, text).unwrap();
    let run = bare().arg("--test").arg("--config").arg(&path).run();
    assert!(!run.stderr.contains("PIECE"), "the file is quoted");
    run
}

#[test]
fn a_file_that_is_not_json_is_reported_with_the_place_and_likely_form() {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let table: [(&str, &[&str]); 11] = [
        ("api_key: K\napi_secret: s3cr3tPIECEs3cr3tPIECE\n", &["line 1, column 1", "looks like YAML"]),
        ("# mine\n\n---\napi_secret: s3cr3tPIECEs3cr3tPIECE\n", &["looks like YAML"]),
        (
            "{\"api_key\": \"K\",\n \"api_secret\": \"s3cr3tPIECE\",\n}",
            &["trailing comma", "line 3, column 1"],
        ),
        (
            "{\"api_secret\": \"s3cr3tPIECE\"\n \"api_key\": \"K\"}",
            &["line 2, column 2", "expected `,` or `}`"],
        ),
        ("// mine\n{\"api_secret\": \"s3cr3tPIECE\"}", &["line 1", "comment"]),
        ("{\"api_secret\": \"s3cr3tPIECE\", # mine\n \"api_key\": \"K\"}", &["line 1", "comment"]),
        ("{'api_secret': 's3cr3tPIECE'}", &["line 1, column 2", "single quotes"]),
        ("export CONFLUENT_CLOUD_API_SECRET=s3cr3tPIECE\n", &["line 1", "NAME=value"]),
        ("{\"api_secret\": \"s3cr3tPIECE", &["line 1, column 27", "EOF"]),
        ("", &["is empty"]),
        (" \n", &["is empty"]),
    ];
    for (text, words) in table {
        let run = given(text.as_bytes()).expect_refusal(2, ["config.json", "correct or omit the file"]);
        assert!(run.says("ERROR", words), "{text:?}: {words:?}");
    }
    for text in
        [utf16("{\"api_secret\": \"s3cr3tPIECE\"}"), utf16("\u{feff}{\"api_secret\": \"s3cr3tPIECE\"}")]
    {
        drop(given(&text).expect_refusal(2, ["config.json", "UTF-16", "UTF-8"]));
    }
    drop(given(b"{\"api_secret\": \"s3cr3tPIECE\xff\"}").expect_refusal(2, ["config.json", "line 1"]));
}

#[test]
fn an_unreadable_file_is_reported_with_a_remedy() {
    let sim = Simulator::start(small());
    for path in ["/nowhere/f.json", "/tmp"] {
        let remedy = "Give the path of a file, or the settings in the environment";
        drop(bare().args(["--config", path]).run().expect_refusal(2, ["config", path, remedy]));
        for flag in ["--catalog", "--state"] {
            drop(tap(&sim).args([flag, path]).run().expect_refusal(2, [path, "Give the path of a file"]));
        }
    }
    assert!(sim.requests().is_empty());
}

#[test]
fn a_base_url_without_a_scheme_is_reported_as_such() {
    let sim = Simulator::start(small());
    let run = tap(&sim).set("base_url", "api.confluent.cloud").run();
    drop(run.expect_refusal(2, ["base_url", "add https://", "https://api.confluent.cloud"]));
    for pasted in [SECRET, "s3cr3t.PIECE", "localhost"] {
        let run = tap(&sim).set("base_url", pasted).run().expect_refusal(2, ["base_url", "add https://"]);
        assert!(!run.stderr.contains(pasted), "it is quoted");
    }
    check(tap(&sim).set("base_url", "api.confluent.cloud"))
        .failed(&["base_url", "https://api.confluent.cloud"]);
}

#[test]
fn a_wrong_value_is_quoted_unless_it_may_be_a_secret() {
    let sim = Simulator::start(small());
    for (name, value, words) in [
        (
            "personal_data",
            json!("OMIT"),
            ["not \"OMIT\"", "must be one of keep, hash, omit", "omit?). Give settings"],
        ),
        ("schema_drift", json!("ignore"), ["not \"ignore\"", "pass, warn, fail", "schema_drift"]),
        ("streams", json!("user,invitations"), ["not \"user\"", "kafka_clusters", "did you mean users?"]),
        ("page_size", json!("many"), ["type integer", "not \"many\"", "page_size"]),
        ("page_size", json!(true), ["type integer", "not true", "page_size"]),
        ("page_size", json!(20_000), ["at most 10000", "not 20000", "page_size"]),
        ("max_requests_per_second", json!([1]), ["type number", "not a list", "max_requests_per_second"]),
        ("user_agent", json!({"a": 1}), ["type string", "not an object", "user_agent"]),
        ("emit_activate_version", json!("yes"), ["type boolean", "not \"yes\"", "emit_activate_version"]),
    ] {
        drop(tap(&sim).set(name, value).run().expect_refusal(2, words));
    }
    let secret = sim.api_secret();
    for (name, value) in
        [("personal_data", json!(secret)), ("page_size", json!(secret)), ("page_size", json!(secret[..30]))]
    {
        let run = tap(&sim).set(name, value).run().expect_refusal(2, [name, "a string"]);
        assert!(!run.stderr.contains(&secret[..10]), "it is quoted");
    }
    let run = tap(&sim).set("api_secret", 9_182_736_455_u64).run();
    drop(run.expect_refusal(2, ["api_secret must be of type string, not a number"]));
    assert!(sim.requests().is_empty());
}

#[test]
fn swapped_key_and_secret_are_reported_and_neither_is_shown() {
    let sim = Simulator::start(small());
    let swapped = || tap(&sim).set("api_key", sim.api_secret()).set("api_secret", sim.api_key());
    let run = swapped().run().expect_refusal(3, ["seems to be swapped with its secret", "check api_key"]);
    for piece in [&sim.api_secret()[..4], &sim.api_key()[..4]] {
        assert!(!run.stderr.contains(piece), "{piece} is shown");
    }
    check(swapped()).failed(&["seems to be swapped"]);
    let run = tap(&sim).set("api_secret", "not-the-secret").run().expect_refusal(3, [&sim.api_key()[..4]]);
    assert!(!run.stderr.contains("swapped"));
}

#[test]
fn the_first_line_about_a_retry_gives_the_reason() {
    let sim = Simulator::start(small());
    let nothing = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let run = tap(&sim).set("base_url", format!("http://{nothing}")).set("max_retries", 1).run();
    drop(
        run.expect_code(4)
            .expect_line("INFO", ["cannot be reached", "Connection refused", "before the next try"]),
    );
    sim.add_fault(Fault::errors(503, "try later"), At::stream("users").nth(1));
    sim.add_fault(Fault::Stall, At::stream("invitations").nth(1));
    let run = tap(&sim).set("request_timeout_seconds", 0.5).run().expect_code(0);
    let run =
        run.expect_line("INFO", ["users: the service is failing", "503", "try later", "before the next try"]);
    drop(run.expect_line("INFO", ["invitations: the service did not answer within", "before the next try"]));
}

#[test]
fn help_names_the_variables_and_examples() {
    let help = bare().arg("--help").run().expect_code(0).stdout.clone();
    for words in [
        "CONFLUENT_CLOUD_API_KEY",
        "CONFLUENT_CLOUD_API_SECRET",
        "TAP_CONFLUENT_CLOUD_PAGE_SIZE",
        "Exit codes",
    ] {
        assert!(help.contains(words), "{words}");
    }
    let (_, examples) = help.split_once("Examples:\n").unwrap();
    assert_eq!(
        examples.lines().take_while(|line| line.starts_with("  tap-confluent-cloud ")).count(),
        3,
        "{help}"
    );
    assert!(help.lines().all(|line| line.chars().count() <= 100));
}
