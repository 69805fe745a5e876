//! Lines for people as objects of the Singer SDK's form, and the file by which a runtime wishes them.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use simulator::Simulator;

use crate::support::{Run, Tap, bare, polite, small, tap};

/// The fields that Meltano's parser asks for, and those that the SDK's formatter writes besides.
const FIELDS: [&str; 9] =
    ["level", "pid", "logger_name", "ts", "thread_name", "app_name", "stream_name", "message", "extra"];

/// The file as Meltano writes it.
fn wishes(formatter: Value, level: &str) -> String {
    json!({
        "version": 1,
        "disable_existing_loggers": false,
        "formatters": {"singer_formatter": formatter},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "singer_formatter", "stream": "ext://sys.stderr"}},
        "root": {"handlers": ["console"], "level": level},
    })
    .to_string()
}

fn structured(level: &str) -> String {
    wishes(json!({"()": "singer_sdk.logging.StructuredFormatter"}), level)
}

fn wishing<'s>(sim: &'s Simulator, file: &str) -> Tap<'s> {
    tap(sim).env_file("SINGER_SDK_LOG_CONFIG", file)
}

/// All of stderr as such objects.
#[track_caller]
fn objects(run: &Run) -> Vec<Value> {
    assert!(!run.stderr.is_empty());
    let objects: Vec<Value> = run.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    for object in &objects {
        let fields: Vec<&String> = object.as_object().unwrap().keys().collect();
        assert_eq!(fields, FIELDS, "{object}");
        assert!(object["ts"].as_f64().is_some_and(|time| (now - time).abs() < 600.0), "{object}");
        assert!(object["extra"] == json!({}) && object["pid"].is_u64(), "{object}");
        assert!(
            ["error", "warning", "info", "debug"].contains(&object["level"].as_str().unwrap()),
            "{object}"
        );
        for field in ["logger_name", "app_name"] {
            assert_eq!(object[field], "tap-confluent-cloud");
        }
    }
    objects
}

fn has(objects: &[Value], level: &str, stream: Value, words: &str) -> bool {
    objects.iter().any(|object| {
        object["level"] == level
            && object["stream_name"] == stream
            && object["message"].as_str().unwrap().contains(words)
    })
}

#[test]
fn a_structured_line_says_what_the_text_line_says() {
    let sim = Simulator::start(small().refuse("invitations"));
    let child = tap(&sim).args(["--log-format", "json", "--log-level", "debug"]).spawn();
    let id = child.id();
    let run = child.finish().expect_code(3);
    let objects = objects(&run);
    assert!(objects.iter().all(|object| object["pid"] == id));
    assert!(has(&objects, "info", Value::Null, sim.organization_id()));
    assert!(has(&objects, "info", "users".into(), "users: complete, records 25"));
    assert!(has(&objects, "error", "invitations".into(), "403"));
    assert!(has(&objects, "debug", "users".into(), "page 1"));
    let text = tap(&sim).arg("--log-level=debug").run().expect_code(3);
    assert_eq!(text.stderr.lines().count(), objects.len());
    let wrong =
        bare().args(["--log-format", "json", "--config", "no\n\u{1b}where.json"]).run().expect_code(2);
    assert!(has(&self::objects(&wrong), "error", Value::Null, "config"));
}

#[test]
fn a_runtime_chooses_structured_lines_and_their_level_by_a_file() {
    let sim = Simulator::start(small().refuse("invitations"));
    for (level, lowest) in [
        ("DEBUG", "debug"),
        ("INFO", "info"),
        ("WARNING", "error"),
        ("ERROR", "error"),
        ("CRITICAL", "error"),
        // Python has no name for these.
        ("Level 5", "info"),
    ] {
        let run = wishing(&sim, &structured(level)).run().expect_code(3);
        let objects = objects(&run);
        let is = |object: &Value, level: &str| object["level"] == level;
        assert!(objects.iter().any(|object| is(object, "error")), "{level}");
        let lowest_told = ["debug", "info", "error"]
            .into_iter()
            .find(|level| objects.iter().any(|object| is(object, level)));
        assert_eq!(lowest_told, Some(lowest), "{level}");
    }
}

#[test]
fn flags_override_the_log_config() {
    let sim = Simulator::start(small());
    let run = wishing(&sim, &structured("ERROR")).args(["--log-level", "info"]).run().expect_code(0);
    assert!(has(&objects(&run), "info", Value::Null, "reading users"));
    drop(
        wishing(&sim, &structured("INFO"))
            .args(["--log-format", "text"])
            .run()
            .expect_line("INFO", ["reading users"]),
    );
    let plain = wishes(json!({"format": "%(message)s"}), "DEBUG");
    drop(wishing(&sim, &plain).run().expect_line("DEBUG", ["users", "page 1"]));
    assert!(!objects(&wishing(&sim, &plain).args(["--log-format", "json"]).run()).is_empty());
    let airbyte = tap(&sim).env_file("SINGER_SDK_LOG_CONFIG", &structured("ERROR")).verb("check").run();
    assert_eq!(airbyte.stderr, "");
    assert!(airbyte.stdout.contains(r#""level":"INFO""#), "Airbyte's runtimes wish nothing by this file");
}

#[test]
fn an_unusable_log_config_is_one_warning_and_text_is_logged() {
    let sim = Simulator::start(polite());
    let secret = format!(r#"{{"api_secret": "{}"}}"#, sim.api_secret());
    for (file, words) in [
        ("version: 1", "not JSON"),
        ("", "not JSON"),
        ("[]", "formatters"),
        ("5", "formatters"),
        (r#"{"formatters": null}"#, "formatters"),
        (secret.as_str(), "formatters"),
    ] {
        let run = wishing(&sim, file).run().expect_code(0);
        assert!(run.says("WARN", &["SINGER_SDK_LOG_CONFIG", words]), "{file}");
        assert_eq!(run.stderr.lines().filter(|line| line.starts_with("WARN")).count(), 1, "{file}");
    }
    for path in ["/no/such/file.json", secret.as_str()] {
        let run = tap(&sim).env("SINGER_SDK_LOG_CONFIG", path).run().expect_code(0);
        drop(run.expect_line("WARN", ["SINGER_SDK_LOG_CONFIG", "cannot be read"]));
    }
}

#[test]
fn the_capability_is_advertised() {
    let about: Value =
        serde_json::from_str(&bare().args(["--about", "--format", "json"]).run().stdout).unwrap();
    assert!(about["capabilities"].as_array().unwrap().contains(&json!("structured-logging")), "{about}");
}
