//! How fast it asks, how long it keeps asking, and what it says when it gives up.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use simulator::{At, Fault, RetryAfter, Scenario, Simulator};

use crate::support::pretend::{Pretend, Reply, ordinary};
use crate::support::{OTHERS, Run, Spawned, assert_whole, assert_whole_of, eventually, polite, small, tap};

/// A thousand users on twenty pages, read alone while the service says this of its rate limit.
fn users_under(scenario: Scenario, concurrency: u64) -> Run {
    let sim = Simulator::start(scenario.users(1_000));
    let run = tap(&sim)
        .set("streams", json!(["users"]))
        .set("page_size", 50)
        .set("concurrency", concurrency)
        .run()
        .expect_code(0);
    assert_whole_of(&run, &sim, &["users"]);
    run
}

/// Requests that began within this time of the first.
fn begun_within(run: &Run, time: Duration) -> usize {
    let first = run.requests[0].started;
    run.requests.iter().filter(|request| request.started.duration_since(first) < time).count()
}

#[test]
fn the_last_tenth_of_a_rate_limit_is_spread_over_its_window() {
    let run = users_under(polite().quota(100, 6, 1), 1);
    let begun = begun_within(&run, Duration::from_millis(950));
    assert!(begun <= 6, "{begun} requests where six were left");
    assert!(begun >= 3, "only {begun} requests where six were left");
    assert!(run.seconds < 8.0, "it took {:.1} s", run.seconds);
}

#[test]
fn fewer_requests_left_than_concurrent_streams_are_spread_too() {
    // A tenth of the limit is nothing here.
    let run = users_under(polite().quota(9, 7, 1), 5);
    let begun = begun_within(&run, Duration::from_millis(950));
    assert!((3..=7).contains(&begun), "{begun} requests where every were left");
}

#[test]
fn a_rate_limit_with_plenty_left_slows_nothing() {
    let run = users_under(polite().quota(100, 100, 60), 1);
    assert!(run.seconds < 5.0, "it took {:.1} s", run.seconds);
}

#[test]
fn odd_headers_about_what_remains_slow_and_stop_nothing() {
    for (name, value) in [
        ("X-RateLimit-Limit", "many"),
        ("X-RateLimit-Remaining", "-1"),
        ("X-RateLimit-Reset", "1e999"),
        ("X-RateLimit-Reset", ""),
    ] {
        let sim = Simulator::start(small());
        let page = Fault::Body(br#"{"data":[{"id":"u-odd000"}]}"#.to_vec(), Vec::new());
        sim.add_fault(page.with_header(name, value), At::stream("users"));
        let run = tap(&sim).run().expect_code(0);
        assert!(run.seconds < 5.0, "it took {:.1} s", run.seconds);
        assert_whole_of(&run, &sim, &OTHERS);
    }
}

#[test]
fn a_rate_limit_met_by_one_stream_holds_all_of_them_back() {
    let sim = Simulator::start(polite().latency(Duration::from_millis(8)));
    sim.add_fault(Fault::rate_limited(1), At::stream("users").nth(2));
    let run = tap(&sim).set("page_size", 5).run();
    assert_whole(&run, &sim);
    let told = run.asked("users")[1].ended.unwrap();
    let after = |moment: Instant| moment.checked_duration_since(told).unwrap_or_default().as_secs_f64();
    // What was on its way already may arrive.
    let meanwhile = run.requests.iter().filter(|request| (0.05..0.99).contains(&after(request.started)));
    let meanwhile: Vec<_> = meanwhile.map(|request| (&request.stream, after(request.started))).collect();
    assert!(meanwhile.is_empty(), "asked while it should have waited: {meanwhile:?}");
    for stream in OTHERS {
        assert!(
            run.asked(stream).iter().any(|request| after(request.started) > 0.99),
            "{stream} was done before"
        );
    }
}

#[test]
fn a_retry_after_date_is_waited_for() {
    let sim = Simulator::start(small());
    let date = Some(RetryAfter::DateIn(Duration::from_secs(2)));
    sim.add_fault(Fault::RateLimited { retry_after: date, reset: None }, At::stream("users").nth(1));
    let run = tap(&sim).run();
    assert_whole(&run, &sim);
    let asked = run.asked("users");
    let waited = asked[1].started.duration_since(asked[0].ended.unwrap()).as_secs_f64();
    // A date has whole seconds.
    assert!((0.9..5.0).contains(&waited), "tried again after {waited:.2} s");
}

#[test]
fn a_failing_service_may_say_when_to_retry() {
    let sim = Simulator::start(small());
    let busy = Fault::errors(503, "try later").with_header("Retry-After", "1");
    sim.add_fault(busy, At::stream("users").nth(1));
    let run = tap(&sim).run();
    assert_whole(&run, &sim);
    let asked = run.asked("users");
    let waited = asked[1].started.duration_since(asked[0].ended.unwrap()).as_secs_f64();
    assert!((0.99..4.0).contains(&waited), "tried again after {waited:.2} s");
}

#[test]
fn the_rate_limit_headers_of_a_failure_ask_for_no_wait() {
    // The limit's headers come with every answer: the reset of an hourly one says nothing of a failure.
    for status in [408, 500, 502, 503, 504] {
        let sim = Simulator::start(small());
        let failing = Fault::errors(status, "try later").with_header("X-RateLimit-Reset", "3600");
        sim.add_fault(failing, At::stream("users").nth(1));
        let run = tap(&sim).run();
        assert_whole(&run, &sim);
        assert_eq!(run.asked("users").len(), 2);
        assert!(run.seconds < 5.0, "it took {:.1} s", run.seconds);
    }
}

#[test]
fn a_key_refused_in_mid_run_is_distinguished_from_a_wrong_key() {
    let said = "accepted at first";
    let sim = Simulator::start(polite());
    sim.add_fault(Fault::errors(401, "Unauthorized"), At::stream("users").from(3));
    let run =
        tap(&sim).set("page_size", 50).run().expect_code(3).expect_line("ERROR", ["users", "401", said]);
    assert_eq!(run.records("users").len(), 100);
    assert!(run.bookmark("users")["page_token"].is_string(), "the position is lost");
    assert_whole_of(&run, &sim, &OTHERS);
    let run = tap(&sim).set("api_secret", "a-wrong-secret-altogether").run().expect_code(3);
    assert!(!run.stderr.contains(said), "a wrong key was accepted at first?");
}

#[test]
fn a_service_that_fails_forever_is_given_up_with_its_last_words() {
    let sim = Simulator::start(polite());
    sim.add_fault(Fault::errors(500, "the first words"), At::stream("users").nth(2));
    sim.add_fault(Fault::errors(503, "the last words"), At::stream("users").from(2));
    let run = tap(&sim).set("page_size", 50).set("max_retries", 3).run().expect_code(4);
    let run = run.expect_line("ERROR", ["users", "503", "the last words", "request id"]);
    assert!(!run.says("ERROR", &["the first words"]), "old words");
    assert_eq!(run.asked("users").len(), 1 + 4, "requests for users");
    assert_whole_of(&run, &sim, &OTHERS);
}

#[test]
fn retrying_is_bounded_in_time_too() {
    let sim = Simulator::start(polite());
    sim.add_fault(Fault::errors(503, "try later"), At::stream("users"));
    let run = tap(&sim)
        .set("max_retries", 100)
        .set("retry_base_seconds", 0.05)
        .set("max_retry_seconds", 0.6)
        .run()
        .expect_code(4)
        .expect_line("ERROR", ["users", "max_retry_seconds"]);
    assert!(run.seconds < 5.0, "it took {:.1} s", run.seconds);
    assert!((2..60).contains(&run.asked("users").len()), "{} requests for users", run.asked("users").len());
    assert_whole_of(&run, &sim, &OTHERS);
}

#[test]
fn a_long_outage_on_page_seven_is_sat_out() {
    let sim = Simulator::start(polite());
    let users = || At::stream("users");
    sim.add_fault(Fault::errors(503, "try later"), users().from(7).times(3));
    sim.add_fault(Fault::Reset, users().from(7 + 3).times(2));
    sim.add_fault(Fault::HalfBody, users().from(7 + 5).times(2));
    sim.add_fault(Fault::errors(502, "try later"), users().from(7 + 7).times(1));
    let run = tap(&sim).set("page_size", 10).set("max_retries", 8).run();
    assert_whole(&run, &sim);
    let asked = run.asked("users");
    assert_eq!(asked.len(), 24 + 8, "requests for users");
    let same = asked[6..=14].iter().all(|request| request.query == asked[6].query);
    assert!(same, "another page was asked for in between");
}

#[test]
fn a_408_is_retried_and_a_501_is_not() {
    let sim = Simulator::start(polite());
    sim.add_fault(Fault::errors(408, "too slow"), At::stream("users").nth(1));
    sim.add_fault(Fault::errors(501, "no such thing"), At::stream("invitations").nth(1));
    let run = tap(&sim).run().expect_line("ERROR", ["invitations", "501", "no such thing"]);
    assert_eq!(run.code(), Some(5), "exit code");
    assert_eq!(run.asked("invitations").len(), 1, "requests for invitations");
    assert_whole_of(&run, &sim, &["users", "service_accounts", "role_bindings"]);
}

/// INFO lines of a run that still goes on, with these words.
fn told(child: &Spawned<'_>, words: &str) -> usize {
    child.stderr().lines().filter(|line| line.starts_with("INFO") && line.contains(words)).count()
}

#[test]
fn a_long_wait_for_our_own_pace_is_logged_once() {
    let service = Pretend::start(ordinary);
    let tap = service.tap().set("streams", json!(["users"])).set("max_requests_per_second", 0.02);
    let child = tap.spawn();
    child.read_freely();
    let words = "max_requests_per_second";
    eventually("the wait is told", || told(&child, words) > 0);
    thread::sleep(Duration::from_millis(50));
    assert_eq!(told(&child, words), 1, "{}", child.stderr());
    assert!(child.stderr().contains("users: "), "the stream is not named: {}", child.stderr());
    assert!(service.asked("/iam/v2/users").is_empty(), "it did not wait");
}

#[test]
fn a_long_rate_limit_is_logged_by_each_waiting_stream() {
    // Users are limited while the others have a page to go.
    let service = Pretend::start(|asked| match (asked.path.as_str(), asked.parameter("page_token")) {
        ("/iam/v2/users", _) => {
            thread::sleep(Duration::from_millis(100));
            Reply::new(429, "").with_header("Retry-After", "60")
        }
        ("/iam/v2/invitations" | "/iam/v2/service-accounts", None) => {
            thread::sleep(Duration::from_millis(300));
            Reply::page([], Some("second"))
        }
        _ => ordinary(asked),
    });
    let streams = json!(["users", "invitations", "service_accounts"]);
    let child = service.tap().set("streams", streams).spawn();
    child.read_freely();
    for stream in ["users", "invitations", "service_accounts"] {
        let name = format!("{stream}: ");
        let waits = || {
            let lines = child.stderr();
            lines.lines().filter(|line| line.contains(&name) && line.contains("waiting")).count()
        };
        eventually("the wait is told", || waits() > 0);
        thread::sleep(Duration::from_millis(30));
        assert_eq!(waits(), 1, "{}", child.stderr());
    }
}

#[test]
fn short_waits_for_our_own_pace_are_neither_logged_nor_retries() {
    let service = Pretend::start(ordinary);
    let tap = service.tap().set("streams", json!(["users"])).set("max_requests_per_second", 20);
    let run = tap.run().expect_code(0).expect_line("INFO", ["users", "requests 1, retries 0"]);
    assert!(!run.stderr.contains("waiting"), "{}", run.stderr);
}

#[test]
fn a_check_is_not_slowed_below_one_request_a_second() {
    for verb in ["check", "--test"] {
        let service = Pretend::start(ordinary);
        let tap = service.tap().set("streams", json!(["users"])).set("max_requests_per_second", 0.001);
        let tap = if verb == "check" { tap.verb(verb).speaks_airbyte() } else { tap.arg(verb) };
        let child = tap.spawn();
        child.read_freely();
        eventually("users are asked for", || !service.asked("/iam/v2/users").is_empty());
    }
}
