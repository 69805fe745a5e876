//! Settings: where they come from, what is made of them, and what is said of wrong ones.

use serde_json::json;
use simulator::Simulator;

use crate::support::{assert_whole, assert_whole_of, bare, small, tap};

#[test]
fn without_any_settings_the_required_ones_are_named() {
    drop(bare().run().expect_refusal(2, ["api_key", "api_secret", "--config", "CONFLUENT_CLOUD_API_KEY"]));
    drop(bare().verb("read").run().expect_refusal(2, ["api_key", "--config"]));
}

#[test]
fn a_config_that_is_missing_or_not_a_json_object_is_named() {
    for text in ["api_key: x", "", "{\"api_key\": \"x\"", "[]", "\"x\"", "null", "\u{0}\u{1}"] {
        drop(bare().config_text(text).run().expect_refusal(2, ["config"]));
    }
    drop(bare().args(["--config", "/nowhere/config.json"]).run().expect_refusal(2, ["/nowhere/config.json"]));
}

#[test]
fn a_broken_config_is_not_quoted() {
    let secret = "s3cr3t-that-nobody-may-see";
    let text = format!("{{\"api_key\": \"K\", \"api_secret\": \"{secret}\" oops");
    let run = bare().config_text(&text).run().expect_code(2);
    assert!(!run.stderr.contains(secret), "the secret is on stderr");
}

#[test]
fn a_missing_or_empty_secret_is_named() {
    let sim = Simulator::start(small());
    drop(tap(&sim).unset("api_secret").run().expect_refusal(2, ["api_secret", "CONFLUENT_CLOUD_API_SECRET"]));
    drop(tap(&sim).set("api_secret", "").run().expect_refusal(2, ["api_secret"]));
    drop(tap(&sim).set("api_secret", json!(null)).run().expect_refusal(2, ["api_secret"]));
    drop(tap(&sim).unset("api_key").run().expect_refusal(2, ["api_key"]));
    assert!(sim.requests().is_empty());
}

#[test]
fn wrong_settings_are_named_with_their_rule_before_any_request() {
    let sim = Simulator::start(small());
    for (name, value, words) in [
        ("streams", json!(["users", "orders"]), ["streams", "role_bindings"]),
        ("streams", json!([]), ["streams", "streams"]),
        ("streams", json!("orders"), ["streams", "streams"]),
        ("page_size", json!(0), ["page_size", "1"]),
        ("page_size", json!(10_001), ["page_size", "10000"]),
        ("page_size", json!("many"), ["page_size", "integer"]),
        ("page_size", json!(1.5), ["page_size", "integer"]),
        ("concurrency", json!(0), ["concurrency", "1"]),
        ("request_timeout_seconds", json!(-1), ["request_timeout_seconds", "0.001"]),
        ("max_retries", json!(1000), ["max_retries", "100"]),
        ("base_url", json!("not a url"), ["base_url", "http"]),
        ("base_url", json!("ftp://example.com"), ["base_url", "http"]),
        ("base_url", json!("http://api.confluent.cloud"), ["base_url", "https"]),
        ("base_url", json!("http://127.0.0.1.example.com"), ["base_url", "https"]),
        ("base_url", json!("http://10.0.0.1:8080"), ["base_url", "https"]),
        ("base_url", json!("http://localhost@example.com"), ["base_url", "base_url"]),
        ("base_url", json!("https://user:password@api.confluent.cloud"), ["base_url", "base_url"]),
        ("user_agent", json!("two\r\nlines: x"), ["user_agent", "user_agent"]),
    ] {
        drop(tap(&sim).set(name, value).run().expect_refusal(2, words));
    }
    assert!(sim.requests().is_empty(), "something was asked");
}

#[test]
fn several_wrong_settings_are_all_named_at_once() {
    let sim = Simulator::start(small());
    let run = tap(&sim).set("page_size", 0).set("concurrency", 99).run();
    drop(run.expect_refusal(2, ["page_size", "concurrency"]));
}

#[test]
fn a_secret_of_the_wrong_kind_is_not_quoted() {
    let sim = Simulator::start(small());
    let run = tap(&sim).set("api_secret", json!({"secret": "s3cr3t-in-an-object"})).run();
    let run = run.expect_refusal(2, ["api_secret"]);
    assert!(!run.stderr.contains("s3cr3t-in-an-object"), "the secret is on stderr");
    let run = tap(&sim).set("api_secret", json!(9_182_736_455_u64)).run();
    assert!(!run.stderr.contains("9182736455"), "the secret is on stderr");
}

#[test]
fn an_unknown_setting_is_a_warning_that_names_it() {
    let sim = Simulator::start(small());
    let run = tap(&sim).set("end_date", "2020-01-01").set("api_token", "s3cr3t-misspelt").run();
    assert_whole(&run, &sim);
    let run = run.expect_line("WARN", ["end_date"]).expect_line("WARN", ["api_token"]);
    assert!(!run.stderr.contains("s3cr3t-misspelt"), "the value of an unknown setting is told");
}

#[test]
fn strings_are_coerced_to_the_type_of_the_setting() {
    let sim = Simulator::start(small());
    let run = tap(&sim)
        .config(json!({
            "page_size": "5", "streams": "[\"users\", \"invitations\"]", "concurrency": "1",
            "request_timeout_seconds": "20.5", "max_retries": "2", "retry_base_seconds": "0.001",
        }))
        .run()
        .expect_code(0);
    assert_whole_of(&run, &sim, &["users", "invitations"]);
    assert_eq!(run.schemas().len(), 2);
    assert_eq!(run.asked("users").len(), 5);
    assert!(run.asked("users").iter().all(|request| request.parameter("page_size") == Some("5")));
    assert!(!run.says("WARN", &["page_size"]));
}

#[test]
fn a_null_or_empty_setting_counts_as_unset() {
    let sim = Simulator::start(small());
    let run = tap(&sim)
        .config(json!({"organization_id": null, "page_size": null, "streams": null, "user_agent": ""}))
        .run();
    assert_whole(&run, &sim);
    assert_whole(&tap(&sim).set("organization_id", "").run(), &sim);
}

#[test]
fn only_the_streams_of_the_settings_are_read() {
    let sim = Simulator::start(small());
    let run = tap(&sim).set("streams", json!(["service_accounts"])).run().expect_code(0);
    assert_whole_of(&run, &sim, &["service_accounts"]);
    for stream in ["users", "invitations", "role_bindings"] {
        assert!(run.asked(stream).is_empty(), "{stream} was asked for");
    }
    assert_eq!(run.schemas().len(), 1);
}

#[test]
fn the_environment_fills_in_what_the_file_leaves_out() {
    let sim = Simulator::start(small());
    let run = tap(&sim)
        .unset("api_key")
        .unset("api_secret")
        .env("CONFLUENT_CLOUD_API_KEY", sim.api_key())
        .env("CONFLUENT_CLOUD_API_SECRET", sim.api_secret())
        .run();
    assert_whole(&run, &sim);
    let run = tap(&sim)
        .env("CONFLUENT_CLOUD_API_KEY", "WRONG")
        .env("CONFLUENT_CLOUD_API_SECRET", "wrong-secret")
        .run();
    assert_whole(&run, &sim);
}

#[test]
fn the_variables_of_the_tap_suffice() {
    let sim = Simulator::start(small());
    let environment = || {
        tap(&sim)
            .without_config()
            .env("TAP_CONFLUENT_CLOUD_BASE_URL", sim.base_url())
            .env("TAP_CONFLUENT_CLOUD_API_KEY", sim.api_key())
            .env("TAP_CONFLUENT_CLOUD_API_SECRET", sim.api_secret())
            .env("TAP_CONFLUENT_CLOUD_PAGE_SIZE", "7")
            .env("TAP_CONFLUENT_CLOUD_STREAMS", "[\"users\"]")
    };
    for tap in [environment(), environment().args(["--config", "ENV"])] {
        let run = tap.run().expect_code(0);
        assert_whole_of(&run, &sim, &["users"]);
        assert_eq!(run.schemas().len(), 1);
        assert_eq!(run.asked("users")[0].parameter("page_size"), Some("7"));
    }
}

#[test]
fn later_configs_win() {
    let sim = Simulator::start(small());
    let run = tap(&sim)
        .set("page_size", 5)
        .set("streams", json!(["users"]))
        .file("--config", "second.json", r#"{"page_size": 7}"#)
        .env("TAP_CONFLUENT_CLOUD_USER_AGENT", "third")
        .args(["--config", "ENV"])
        .run()
        .expect_code(0);
    assert_whole_of(&run, &sim, &["users"]);
    let request = run.asked("users")[0];
    assert_eq!(request.parameter("page_size"), Some("7"));
    assert!(request.user_agent.as_deref().unwrap().contains("third"));
}

#[test]
fn a_config_with_a_byte_order_mark_is_read() {
    let sim = Simulator::start(small());
    let settings =
        json!({"base_url": sim.base_url(), "api_key": sim.api_key(), "api_secret": sim.api_secret()});
    assert_whole(&tap(&sim).config_text(&format!("\u{feff}{settings}")).run(), &sim);
}
