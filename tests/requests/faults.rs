//! What can go wrong on the way: what is tried again, for how long, and what is not taken for an
//! answer.

use std::time::Duration;

use serde_json::json;
use simulator::{At, Fault, RetryAfter, Simulator};

use crate::support::{OTHERS, Run, assert_whole, assert_whole_of, polite, small, tap};

/// A run in which only users meet this.
fn with_fault(fault: Fault, at: At) -> (Simulator, Run) {
    let sim = Simulator::start(polite());
    sim.add_fault(fault, at);
    let run = tap(&sim).set("page_size", 50).set("request_timeout_seconds", 0.4).set("max_retries", 3).run();
    (sim, run)
}

/// The second page of users is tried again and comes.
fn assert_tried_again(fault: Fault) {
    let (sim, run) = with_fault(fault, At::stream("users").nth(2));
    assert_whole(&run, &sim);
    let asked = run.asked("users");
    assert_eq!(asked.len(), 6, "requests for users");
    assert_eq!(asked[1].parameter("page_token"), asked[2].parameter("page_token"), "the same page again");
}

/// Users fail by name with this code from the second page on; the others are whole.
fn assert_given_up(fault: Fault, code: i32, words: &[&str]) -> Run {
    let (sim, run) = with_fault(fault, At::stream("users").from(2));
    let run = run.expect_code(code);
    assert!(run.says("ERROR", &["users"]), "users are not named");
    assert!(run.says("ERROR", words), "no ERROR line has all of {words:?}");
    assert_whole_of(&run, &sim, &OTHERS);
    assert!(run.records("users").len() < 237);
    run
}

#[test]
fn transient_statuses_are_retried() {
    for status in [429, 500, 502, 503, 504] {
        assert_tried_again(Fault::errors(status, "try later"));
    }
    assert_tried_again(Fault::rate_limited(0));
    assert_tried_again(Fault::RateLimited { retry_after: None, reset: Some(0) });
    assert_tried_again(Fault::RateLimited { retry_after: None, reset: None });
    assert_tried_again(Fault::RateLimited {
        retry_after: Some(RetryAfter::DateIn(Duration::ZERO)),
        reset: None,
    });
}

#[test]
fn a_reset_connection_is_retried() {
    assert_tried_again(Fault::Reset);
}

#[test]
fn half_a_body_is_retried() {
    assert_tried_again(Fault::HalfBody);
}

#[test]
fn silence_and_a_trickle_time_out_and_are_retried() {
    assert_tried_again(Fault::Stall);
    assert_tried_again(Fault::Drip);
}

#[test]
fn a_rate_limit_is_waited_for_as_long_as_the_service_asks() {
    let sim = Simulator::start(small());
    let second = Fault::RateLimited { retry_after: Some(RetryAfter::Seconds(1)), reset: None };
    sim.add_fault(second, At::stream("users").nth(1));
    let reset = Fault::RateLimited { retry_after: None, reset: Some(1) };
    sim.add_fault(reset, At::stream("invitations").nth(1));
    let run = tap(&sim).run();
    assert_whole(&run, &sim);
    for stream in ["users", "invitations"] {
        let asked = run.asked(stream);
        let waited = asked[1].started.duration_since(asked[0].ended.unwrap()).as_secs_f64();
        assert!((0.99..4.0).contains(&waited), "{stream}: tried again after {waited:.2} s");
    }
}

#[test]
fn a_wait_beyond_the_budget_fails_at_once() {
    for fault in [
        Fault::rate_limited(3600),
        Fault::RateLimited { retry_after: None, reset: Some(3600) },
        Fault::RateLimited { retry_after: Some(RetryAfter::DateIn(Duration::from_secs(3600))), reset: None },
    ] {
        let sim = Simulator::start(polite());
        sim.add_fault(fault, At::stream("users").from(2));
        let run = tap(&sim).set("page_size", 50).set("max_retry_seconds", 5).run().expect_code(4);
        assert!(run.seconds < 4.0, "it took {:.1} s", run.seconds);
        assert!(run.says("ERROR", &["users", "max_retry_seconds"]), "the wait is not told");
        assert_whole_of(&run, &sim, &OTHERS);
        assert!(run.asked("users").len() <= 2, "it was asked again");
        assert!(run.bookmark("users")["page_token"].is_string());
    }
}

#[test]
fn the_number_of_tries_is_bounded() {
    for tries in [0, 1, 5] {
        for fault in [Fault::errors(503, "try later"), Fault::rate_limited(0), Fault::Reset] {
            let sim = Simulator::start(polite());
            sim.add_fault(fault, At::stream("users"));
            let run = tap(&sim).set("max_retries", tries).run().expect_code(4);
            assert_eq!(run.asked("users").len(), tries + 1, "requests for users");
            assert_whole_of(&run, &sim, &OTHERS);
            assert!(run.says("ERROR", &["users"]), "users are not named");
        }
    }
}

#[test]
fn a_success_resets_the_count_of_retries() {
    let sim = Simulator::start(polite());
    for page in [1, 4, 7, 10] {
        sim.add_fault(Fault::errors(503, "try later"), At::stream("users").from(page).times(2));
    }
    assert_whole(&tap(&sim).set("page_size", 50).set("max_retries", 2).run(), &sim);
}

#[test]
fn a_stream_given_up_is_resumed_from_its_state() {
    let sim = Simulator::start(polite());
    sim.add_fault(Fault::errors(503, "try later"), At::stream("users").from(3));
    let run = tap(&sim).set("page_size", 50).set("max_retries", 1).run().expect_code(4);
    sim.clear_faults();
    let next = tap(&sim).set("page_size", 50).state(&run.last_state().unwrap()).run().expect_code(0);
    assert_eq!(run.records("users").len() + next.records("users").len(), 237);
    assert_eq!(next.asked("users").len(), 3);
}

#[test]
fn the_whole_service_down_ends_as_unavailable() {
    let sim = Simulator::start(small());
    sim.add_fault(Fault::errors(503, "try later"), At::any());
    drop(tap(&sim).set("max_retries", 2).run().expect_code(4).expect_line("ERROR", ["503"]));
    let address = sim.base_url();
    drop(sim);
    let gone = Simulator::start(small());
    drop(tap(&gone).set("base_url", address).set("max_retries", 1).run().expect_code(4));
}

#[test]
fn an_html_page_breaks_the_stream() {
    let run = assert_given_up(Fault::Html200, 5, &["users"]);
    assert!(run.bookmark("users")["page_token"].is_string(), "the position is lost");
    assert_given_up(Fault::PlainText("ok".to_owned()), 5, &["users"]);
}

#[test]
fn json_that_is_not_a_page_breaks_the_stream() {
    for body in [
        "{}",
        "[]",
        "null",
        "\"x\"",
        r#"{"data":{}}"#,
        r#"{"data":[1]}"#,
        r#"{"data":[{"x":1}]}"#,
        r#"{"data":[{"id":null}]}"#,
        r#"{"data":[],"metadata":{"next":7}}"#,
        "",
    ] {
        let run = assert_given_up(Fault::Body(body.into(), Vec::new()), 5, &["users"]);
        assert_eq!(run.records("users").len(), 50, "after {body}");
        assert!(run.bookmark("users")["page_token"].is_string(), "the position is lost");
    }
}

#[test]
fn a_page_that_is_always_cut_off_is_retried_and_then_given_up() {
    let body = r#"{"data":[{"id":"u-1"}"#;
    let run = assert_given_up(Fault::Body(body.into(), Vec::new()), 4, &["users", "truncated"]);
    assert_eq!(run.records("users").len(), 50);
}

#[test]
fn a_secret_that_the_service_echoes_is_hidden_wherever_it_stands() {
    for filler in [0, 260, 290] {
        let sim = Simulator::start(small());
        let secret = sim.api_secret().to_owned();
        let escaped = secret.replace('/', "\\/");
        for body in [
            format!("{}{secret}", "x".repeat(filler)),
            format!(r#"{{"data":"{}{secret}"}}"#, "x".repeat(filler)),
            format!(r#"{{"seen":"{}{escaped}"}}"#, "x".repeat(filler)),
            format!(r#"{{"seen":"{escaped}","rest":"{}"}}"#, "x".repeat(5000)),
            format!(r#"{{"seen":"{escaped}" cut"#),
            format!("{}{secret}", " ".repeat(4096 - 20)),
        ] {
            for status in [200, 400] {
                sim.clear_faults();
                let fault = if status == 200 {
                    Fault::Body(body.clone().into(), Vec::new())
                } else {
                    Fault::Status { status, body: body.clone(), headers: Vec::new() }
                };
                sim.add_fault(fault, At::stream("users"));
                let run = tap(&sim).arg("--log-level=debug").run().expect_code(5);
                let start = &secret[..12];
                assert!(!run.stderr.contains(start), "a part of the secret is shown: {}", run.stderr);
            }
        }
    }
}

#[test]
fn a_key_that_is_not_a_string_breaks_the_stream() {
    let body = r#"{"data":[{"id":7}]}"#;
    assert_given_up(Fault::Body(body.into(), Vec::new()), 5, &["users", "id"]);
}

#[test]
fn odd_rate_limit_headers_do_not_stop_a_run() {
    for (name, value) in [
        ("Retry-After", ""),
        ("Retry-After", "soon"),
        ("Retry-After", "-5"),
        ("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"),
        ("X-RateLimit-Reset", "nan"),
        ("X-RateLimit-Reset", "-1"),
    ] {
        assert_tried_again(Fault::status(429).with_header(name, value));
    }
    // As if it were a moment: it is seconds from now, and too many.
    let run =
        assert_given_up(Fault::status(429).with_header("X-RateLimit-Reset", "1761000000"), 4, &["users"]);
    assert!(run.asked("users").len() == 2, "it was asked again");
}

#[test]
fn a_next_link_without_a_token_is_an_error() {
    assert_given_up(Fault::NextWithoutToken, 5, &["token"]);
}

#[test]
fn a_repeated_page_token_is_an_error() {
    let (sim, run) = with_fault(Fault::RepeatToken, At::stream("users").from(2));
    let run = run.expect_code(5).expect_line("ERROR", ["users", "token"]);
    assert_whole_of(&run, &sim, &OTHERS);
    assert!(run.asked("users").len() <= 4, "it went in circles");
}

#[test]
fn permanent_statuses_are_not_retried() {
    for status in [401, 402, 403, 405, 409, 422] {
        let (sim, run) = with_fault(Fault::errors(status, "no way"), At::stream("users").nth(2));
        assert!(run.says("ERROR", &["users", &status.to_string(), "no way"]), "status {status} is not told");
        assert_eq!(
            run.code(),
            Some(if matches!(status, 401 | 403) { 3 } else { 5 }),
            "exit code of {status}"
        );
        assert_eq!(run.asked("users").len(), 2, "requests after {status}");
        assert_whole_of(&run, &sim, &OTHERS);
    }
}

#[test]
fn an_error_message_of_any_shape_is_quoted() {
    let said = "no rows for you today";
    for fault in [
        Fault::errors(409, said),
        Fault::errors_title(409, said),
        Fault::error_code(409, 40901, said),
        Fault::error_object(409, said),
        Fault::message(409, said),
        Fault::status_code(409, said, "CONFLICT"),
        Fault::plain(409, said),
    ] {
        let (_sim, run) = with_fault(fault, At::stream("users"));
        drop(run.expect_line("ERROR", ["users", "409", "/iam/v2/users", said]));
    }
}

#[test]
fn an_error_body_is_quoted_short_and_printable() {
    let noise = format!("\u{1b}[31mred\u{7}\nERROR forged line\r{}", "x".repeat(100_000));
    for fault in [Fault::plain(409, &noise), Fault::errors(409, &noise), Fault::html(409)] {
        let (_sim, run) = with_fault(fault, At::stream("users"));
        assert!(!run.stderr.contains(['\u{1b}', '\u{7}', '\r']), "control characters on stderr");
        assert!(!run.stderr.lines().any(|line| line.starts_with("ERROR forged")), "a forged line on stderr");
        assert!(run.stderr.len() < 10_000, "{} bytes on stderr", run.stderr.len());
    }
}

#[test]
fn a_secret_repeated_by_the_service_is_not_printed() {
    // Every run is searched for the secret and for the header made of it.
    let sim = Simulator::start(small());
    let said = format!("bad credentials {}:{}", sim.api_key(), sim.api_secret());
    for fault in [Fault::errors(403, &said), Fault::plain(409, &said), Fault::PlainText(said.clone())] {
        sim.clear_faults();
        sim.add_fault(fault, At::stream("users"));
        assert_ne!(tap(&sim).run().code(), Some(0));
    }
}

#[test]
fn an_endless_body_is_refused() {
    let sim = Simulator::start(small());
    sim.add_fault(Fault::Endless, At::stream("users"));
    let run = tap(&sim).set("max_retries", 1).run().expect_line("ERROR", ["users"]);
    assert_eq!(run.code(), Some(5), "exit code");
    assert_whole_of(&run, &sim, &OTHERS);
}

#[test]
fn endlessly_nested_json_is_refused() {
    assert_given_up(Fault::DeepJson, 5, &["users"]);
}

#[test]
fn digits_are_kept_and_line_breaks_between_fields_are_not() {
    let body = "{\"data\":[\n{\"id\":\"u-1\",\n \"price\": 1.10, \"big\":123456789012345678901234567890, \"odd\":\"a\\u2028b\\/\\u00e9\"}\n]}";
    let sim = Simulator::start(small());
    sim.add_fault(Fault::Body(body.into(), Vec::new()), At::stream("users"));
    let run = tap(&sim).set("streams", json!(["users"])).run().expect_code(0);
    let line = run.stdout.lines().find(|line| line.contains("RECORD")).unwrap();
    for digits in ["1.10", "123456789012345678901234567890"] {
        assert!(line.contains(digits), "{digits} is not in {line}");
    }
    assert_eq!(run.records("users")[0]["odd"], "a\u{2028}b/é");
}
