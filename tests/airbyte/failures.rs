//! Streams that fail in Airbyte's language: named, the others whole, the exit code 1; and what is
//! told while the service makes us wait.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use simulator::{At, Fault, RetryAfter, Simulator};

use crate::support::airbyte::{
    FailureType, Heard, Level, Message, Reason, Status, Trace, catalog, catalog_of, has_words, read, read_all,
};
use crate::support::pretend::{Pretend, ordinary};
use crate::support::{OTHERS, STREAMS, Tap, eventually, polite, small, tap};

/// The stream is INCOMPLETE, and a LOG and a TRACE ERROR say so, in this order.
#[track_caller]
fn assert_failed(heard: &Heard, stream: &str, kind: FailureType, words: &[&str]) {
    assert_eq!(heard.statuses(stream).last(), Some(&Status::Incomplete), "last status of {stream}");
    let error = heard.error_of(stream);
    assert_eq!(error.failure_type, kind, "{stream}: {}", error.message);
    has_words(&error.message, words);
    assert!(!error.internal_message.is_empty());
    let place = |is: &dyn Fn(&Trace) -> bool| {
        let found = heard.messages.iter().position(|m| matches!(m, Message::Trace { trace } if is(trace)));
        found.unwrap()
    };
    let incomplete = place(&|trace| match trace {
        Trace::StreamStatus { stream_status, .. } => {
            stream_status.stream_descriptor.name == stream && stream_status.status == Status::Incomplete
        }
        Trace::Error { .. } => false,
    });
    let told = place(&|trace| match trace {
        Trace::Error { error, .. } => error.stream_descriptor.as_ref().is_some_and(|of| of.name == stream),
        Trace::StreamStatus { .. } => false,
    });
    assert!(incomplete < told, "{stream}: the TRACE ERROR precedes INCOMPLETE");
    heard.expect_log(Level::Error, &[stream]);
}

#[test]
fn two_refused_streams_of_four_are_incomplete_and_the_others_whole() {
    let sim = Simulator::start(polite().refuse("invitations").refuse("role_bindings"));
    let heard = read(tap(&sim).set("page_size", 50), &catalog()).expect_code(1);
    heard.assert_whole_of(&sim, &["users", "service_accounts"]);
    for refused in ["invitations", "role_bindings"] {
        assert_failed(&heard, refused, FailureType::Config, &["role"]);
        assert!(heard.records(refused).is_empty());
    }
    let summary = heard.summary();
    assert_eq!(summary.failure_type, FailureType::Config);
    has_words(&summary.message, &["invitations", "role_bindings"]);
    assert!(!summary.message.contains("users"), "{}", summary.message);
    assert_eq!(heard.errors().len(), 3, "TRACE ERRORs");
}

#[test]
fn the_state_of_a_refused_stream_never_says_complete() {
    for refused in STREAMS {
        let sim = Simulator::start(small().refuse(refused));
        let heard = read_all(&sim).expect_code(1);
        assert_failed(&heard, refused, FailureType::Config, &["role"]);
        assert!(
            !heard
                .states(refused)
                .iter()
                .any(|(state, _)| state.contains_key("__ab_full_refresh_sync_complete"))
        );
    }
}

#[test]
fn a_stream_that_fails_midway_resumes_from_its_last_state() {
    let sim = Simulator::start(polite());
    sim.add_fault(Fault::errors(503, "try later"), At::stream("users").from(3));
    let settings = || tap(&sim).set("page_size", 50).set("max_retries", 2);
    let first = read(settings(), &catalog()).expect_code(1);
    assert_failed(&first, "users", FailureType::Transient, &["service is failing"]);
    assert!(first.error_of("users").internal_message.contains("503"));
    assert_eq!(first.records("users").len(), 100);
    assert!(first.last_state("users")["page_token"].is_string());
    assert_eq!(first.summary().failure_type, FailureType::Transient);
    sim.clear_faults();
    let second = read(settings().state(&first.state_file()), &catalog()).expect_code(0);
    assert_eq!(second.records("users").len(), 137);
    for other in OTHERS {
        assert!(second.records(other).is_empty(), "{other} was read to its end before");
    }
}

#[test]
fn the_summary_is_transient_only_if_every_cause_is() {
    let fail = |two: Fault| {
        let sim = Simulator::start(small());
        sim.add_fault(Fault::errors(503, "try later"), At::stream("users"));
        sim.add_fault(two, At::stream("invitations"));
        let heard = read(tap(&sim).set("max_retries", 1), &catalog()).expect_code(1);
        assert_eq!(heard.error_of("users").failure_type, FailureType::Transient);
        heard.summary().failure_type
    };
    assert_eq!(fail(Fault::errors(502, "bad gateway")), FailureType::Transient);
    assert_ne!(fail(Fault::errors(403, "Forbidden Access")), FailureType::Transient);
    assert_ne!(fail(Fault::Html200), FailureType::Transient);
}

#[test]
fn an_answer_that_is_not_a_list_is_a_system_error() {
    for fault in [Fault::Html200, Fault::NextWithoutToken, Fault::DeepJson] {
        let sim = Simulator::start(small());
        sim.add_fault(fault, At::stream("users"));
        let heard = read(tap(&sim).set("max_retries", 1), &catalog()).expect_code(1);
        assert_failed(&heard, "users", FailureType::System, &[]);
        heard.assert_whole_of(&sim, &OTHERS);
    }
}

#[test]
fn a_wrong_key_is_one_config_error_and_completes_nothing() {
    let sim = Simulator::start(small());
    let heard = read(tap(&sim).set("api_secret", "not-the-secret"), &catalog()).expect_code(1);
    let errors = heard.errors();
    assert!(errors.iter().all(|error| error.failure_type == FailureType::Config), "{errors:?}");
    has_words(&errors[0].message, &["api_key", "api_secret"]);
    assert!(heard.emitted().is_empty());
}

#[test]
fn wrong_settings_are_one_config_error() {
    let sim = Simulator::start(small());
    let heard = read(tap(&sim).set("concurrency", 0), &catalog()).expect_code(1);
    heard.only_error(FailureType::Config, &["concurrency"]);
    assert!(sim.requests().is_empty());
}

/// Milliseconds since 1970.
fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// The moments at which a stream's rate limits were said to end, none where nothing is known.
fn resets(heard: &Heard, stream: &str) -> Vec<Option<u64>> {
    let mut resets = Vec::new();
    for status in heard.stream_statuses(stream) {
        for Reason::RateLimited { rate_limited } in status.reasons {
            assert_eq!(status.status, Status::Running);
            resets.push(rate_limited.map(|limit| limit.quota_reset));
        }
    }
    resets
}

#[test]
fn a_rate_limit_is_reported_with_the_time_it_ends() {
    let sim = Simulator::start(small());
    sim.add_fault(Fault::rate_limited(1), At::stream("users").nth(1));
    let before = now();
    let heard = read(tap(&sim), &catalog_of(&["users"], "full_refresh"));
    heard.assert_whole_of(&sim, &["users"]);
    let resets = resets(&heard, "users");
    assert_eq!(resets.len(), 1, "statuses with RATE_LIMITED");
    let reset = resets[0].expect("the service said when");
    assert!((before + 900..=now() + 2_000).contains(&reset), "{reset} is not a second after {before}");
    assert_eq!(heard.statuses("users")[0], Status::Started);
}

#[test]
fn a_wait_until_a_date_is_a_rate_limit_and_a_503_is_not() {
    let sim = Simulator::start(small());
    let date = RetryAfter::DateIn(Duration::from_secs(1));
    let limited = Fault::RateLimited { retry_after: Some(date), reset: None };
    sim.add_fault(limited, At::stream("users").nth(1));
    sim.add_fault(Fault::errors(503, "try later"), At::stream("invitations").nth(1));
    let heard = read_all(&sim);
    heard.assert_whole(&sim);
    assert_eq!(resets(&heard, "users").len(), 1);
    assert_eq!(resets(&heard, "invitations"), []);
}

/// Statuses of users with a reason, once a wait has been told; the run is given up then.
fn reasons_of_a_wait(tap: Tap<'_>, words: &str) -> usize {
    let tap = tap.verb("read").speaks_airbyte().catalog(&catalog_of(&["users"], "full_refresh"));
    let child = tap.set("streams", json!(["users"])).spawn();
    child.read_freely();
    eventually("the wait is told", || child.text().contains(words));
    std::thread::sleep(Duration::from_millis(100));
    child.text().lines().filter(|line| line.contains("RATE_LIMITED")).count()
}

#[test]
fn a_spread_quota_is_a_rate_limit_and_our_own_pace_is_not() {
    let nothing_left = Pretend::start(|asked| {
        let reply = ordinary(asked);
        let limit = [("Limit", "10"), ("Remaining", "0"), ("Reset", "20")];
        limit
            .iter()
            .fold(reply, |reply, (name, value)| reply.with_header(&format!("X-RateLimit-{name}"), value))
    });
    assert_eq!(reasons_of_a_wait(nothing_left.tap(), "users: "), 1);
    let own = Pretend::start(ordinary);
    let tap = own.tap().set("max_requests_per_second", 0.02);
    assert_eq!(reasons_of_a_wait(tap, "max_requests_per_second"), 0);
}

#[test]
fn a_rate_limit_longer_than_the_budget_fails_the_stream_as_transient() {
    let sim = Simulator::start(small());
    sim.add_fault(Fault::rate_limited(4_000), At::stream("users"));
    let heard = read_all(&sim).expect_code(1);
    assert_failed(&heard, "users", FailureType::Transient, &["rate of requests", "4000 s"]);
    assert!(heard.run.seconds < 10.0, "it waited {} s", heard.run.seconds);
}

#[test]
fn a_rate_limit_before_any_stream_started_names_no_stream() {
    let sim = Simulator::start(small());
    sim.add_fault(Fault::rate_limited(0), At::stream("organizations").times(2));
    // The order of messages is checked of every read: no status precedes STARTED.
    read_all(&sim).assert_whole(&sim);
}

#[test]
fn a_catalog_whose_sync_mode_is_invalid_is_refused() {
    let sim = Simulator::start(small());
    let heard = read(tap(&sim), &catalog_of(&STREAMS, "INVALID")).expect_code(1);
    assert!(heard.errors().iter().all(|error| error.failure_type == FailureType::Config));
    assert!(heard.emitted().is_empty());
    assert!(STREAMS.iter().all(|stream| heard.statuses(stream).is_empty()));
}

#[test]
fn what_is_not_a_catalog_is_refused_with_a_message() {
    let sim = Simulator::start(small());
    for wrong in
        [json!([]), json!({"streams": 5}), json!({"streams": [{"sync_mode": "full_refresh"}]}), Value::Null]
    {
        let heard =
            crate::support::airbyte::verb(tap(&sim).arg("--protocol").arg("airbyte").catalog(&wrong), "read");
        heard.expect_code(1).only_error(FailureType::Config, &["catalog"]);
    }
}

#[test]
fn a_stream_not_offered_fails_and_the_others_are_read() {
    let sim = Simulator::start(small());
    let mut catalog = catalog();
    let mut unknown = catalog["streams"][0].clone();
    unknown["stream"]["name"] = json!("ksql_clusters");
    catalog["streams"].as_array_mut().unwrap().insert(1, unknown);
    let heard = read(tap(&sim), &catalog).expect_code(1);
    heard.assert_whole_of(&sim, &STREAMS);
    assert_not_offered(&heard, "ksql_clusters", "catalog");
}

#[test]
fn a_stream_left_out_of_the_settings_is_not_offered() {
    let sim = Simulator::start(small());
    let narrowed = tap(&sim).set("streams", json!(["users", "role_bindings"]));
    let heard = read(narrowed, &catalog_of(&["users", "invitations", "role_bindings"], "full_refresh"));
    heard.assert_whole_of(&sim, &["users", "role_bindings"]);
    assert_not_offered(&heard, "invitations", "the setting streams");
    let heard = heard.expect_code(1);
    assert_eq!(heard.asked("invitations") + heard.asked("service_accounts"), 0);
}

/// One TRACE ERROR names it, and nothing else is said of it.
#[track_caller]
fn assert_not_offered(heard: &Heard, stream: &str, remedy: &str) {
    let error = heard.error_of(stream);
    assert_eq!(error.failure_type, FailureType::Config);
    has_words(&error.message, &[stream, remedy]);
    assert!(heard.records(stream).is_empty() && heard.states(stream).is_empty());
    assert!(heard.statuses(stream).is_empty(), "a status of a stream that is not offered");
    has_words(&heard.summary().message, &[stream]);
}
