//! Told to stop, or left without a reader: it ends soon, by the signal it was sent, and leaves a
//! state that the next run can go on from.

use std::time::{Duration, Instant};

use serde_json::json;
use simulator::{At, Fault, Simulator};

use crate::support::{Run, STREAMS, Spawned, eventually, ids_of, polite, small, tap};

/// Two seconds for the reader and as much again for a busy machine.
const SOON: Duration = Duration::from_secs(4);

fn assert_soon(since: Instant) {
    assert!(since.elapsed() < SOON, "it took {:.1} s to stop", since.elapsed().as_secs_f64());
}

/// Sends a signal and expects an end by it, with whole lines and a STATE as the last of them.
fn stop(child: Spawned<'_>, name: &str, number: i32) -> Run {
    let sent = Instant::now();
    child.signal(name);
    let run = child.finish();
    assert_soon(sent);
    assert_eq!(run.signal(), Some(number), "the signal it died of");
    assert!(run.stdout.is_empty() || run.stdout.ends_with('\n'), "the last line is cut off");
    run
}

/// What a stopped run and the one that goes on from it bring together is everything.
fn assert_goes_on(sim: &Simulator, stopped: &Run) {
    let run = match stopped.last_state() {
        Some(state) => tap(sim).state(&state).run(),
        None => tap(sim).run(),
    };
    let run = run.expect_code(0);
    for stream in STREAMS {
        let mut records = stopped.records(stream);
        records.extend(run.records(stream));
        assert_eq!(ids_of(&records).len() as u64, sim.truth().count(stream), "{stream} after going on");
    }
}

fn last_line_is_state(run: &Run) -> bool {
    run.stdout.lines().last().is_some_and(|line| line.contains(r#""type":"STATE""#))
}

#[test]
fn sigterm_during_a_wait_ends_the_run() {
    let sim = Simulator::start(polite());
    sim.add_fault(Fault::rate_limited(100), At::stream("users").from(3));
    let child = tap(&sim).set("page_size", 10).spawn();
    child.read_freely();
    eventually("it waits", || {
        let asked = sim.requests();
        asked.iter().any(|request| request.status == Some(429))
            && asked.iter().all(|request| request.ended.is_some())
    });
    let run = stop(child, "TERM", 15);
    assert!(last_line_is_state(&run), "the last line is no STATE");
    assert!(run.bookmark("users")["page_token"].is_string());
    sim.clear_faults();
    assert_goes_on(&sim, &run);
}

#[test]
fn sigterm_during_a_request_ends_the_run() {
    let sim = Simulator::start(polite());
    let child = tap(&sim).set("page_size", 10).spawn();
    child.read_lines(150);
    sim.hold();
    child.read_freely();
    eventually("a page is held back", || sim.requests().iter().any(|request| request.ended.is_none()));
    let run = stop(child, "TERM", 15);
    assert!(last_line_is_state(&run), "the last line is no STATE");
    sim.release();
    assert_goes_on(&sim, &run);
}

#[test]
fn sigterm_during_a_page_finishes_the_page_and_its_state() {
    for lines in [1, 5, 37, 120, 300] {
        let sim = Simulator::start(polite());
        let child = tap(&sim).set("page_size", 50).spawn();
        child.read_lines(lines);
        let run = stop(child, "TERM", 15);
        assert!(last_line_is_state(&run) || !run.stdout.contains("RECORD"), "the last line is no STATE");
        assert_goes_on(&sim, &run);
    }
}

#[test]
fn sigterm_within_a_write_waits_for_its_reader() {
    let sim = Simulator::start(polite().users(5_000));
    let child = tap(&sim).set("streams", json!(["users"])).set("page_size", 500).spawn();
    // A page is several times what a pipe holds, so that one is stuck in it.
    eventually("stdout is full", || sim.requests().len() >= 3);
    child.signal("TERM");
    eventually("it says so", || child.stderr().contains("stopped by a signal"));
    let run = child.finish();
    assert_eq!(run.signal(), Some(15), "the signal it died of");
    assert!(run.stdout.ends_with('\n') && last_line_is_state(&run), "the last page is cut off");
    assert_goes_on(&sim, &run);
}

#[test]
fn sigterm_before_the_organization_is_known_ends_the_run() {
    let sim = Simulator::start(small());
    sim.hold();
    let child = tap(&sim).spawn();
    eventually("something is asked", || !sim.requests().is_empty());
    let run = stop(child, "TERM", 15);
    assert_eq!(run.stdout, "");
}

#[test]
fn sigint_ends_the_run_as_sigterm_does() {
    let sim = Simulator::start(polite());
    let child = tap(&sim).set("page_size", 10).spawn();
    child.read_lines(100);
    let run = stop(child, "INT", 2);
    assert!(last_line_is_state(&run), "the last line is no STATE");
    assert_goes_on(&sim, &run);
}

#[test]
fn sigterm_ends_the_run_within_two_seconds_if_stdout_is_not_read() {
    for signal in [("TERM", 15), ("INT", 2)] {
        let sim = Simulator::start(polite().users(5_000));
        let child = tap(&sim).set("streams", json!(["users"])).spawn();
        // A page is more than half of what a pipe holds: the second is stuck in it.
        eventually("stdout is full", || sim.requests().len() >= 4);
        let sent = Instant::now();
        child.signal(signal.0);
        let run = child.finish_unread();
        assert_soon(sent);
        assert_eq!(run.signal(), Some(signal.1), "the signal it died of");
    }
}

#[test]
fn a_stdout_closed_midway_is_a_failure_and_not_a_panic() {
    for lines in [0, 1, 60] {
        let sim = Simulator::start(polite().users(3_000));
        let child = tap(&sim).set("page_size", 100).spawn();
        child.read_lines(lines);
        child.close_stdout();
        let run = child.finish_unread().expect_code(6).expect_line("ERROR", ["stdout"]);
        assert!(run.asked("users").len() < 30, "it went on reading for nobody");
    }
}

#[test]
fn verbs_for_people_do_not_panic_on_a_closed_stdout() {
    for verb in ["--discover", "--about", "--version", "--help"] {
        let child = crate::support::bare().arg(verb).spawn();
        child.close_stdout();
        let run = child.finish_unread();
        // It may have been done before.
        assert!(matches!(run.code(), Some(0 | 6)), "exit code {:?}", run.code());
    }
}
