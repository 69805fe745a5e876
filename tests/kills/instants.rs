//! Killed at any instant: what was printed so far and what the next run brings are together
//! everything, and the position never runs ahead of the records.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::{BindingsServer, Simulator};

use crate::support::{
    Message, PASS_KEYS, Run, STREAMS, Spawned, Tap, eventually, most_repeated, parse, polite, rude, seed,
    starts_over, tap,
};

type Seen = BTreeMap<String, BTreeSet<String>>;

/// Ids by stream, and the state said last, in whole lines of stdout.
fn heard(stdout: &str) -> (Seen, Option<Value>) {
    let whole = &stdout[..stdout.rfind('\n').map_or(0, |end| end + 1)];
    let mut seen = Seen::new();
    for message in parse(whole).unwrap() {
        if let Message::Record { stream, record, .. } = message {
            seen.entry(stream).or_default().insert(record["id"].as_str().unwrap().to_owned());
        }
    }
    let state = whole.lines().rev().find(|line| line.starts_with(r#"{"type":"STATE""#));
    (seen, state.map(|line| serde_json::from_str::<Value>(line).unwrap()["value"].clone()))
}

/// In the middle of a listing, or between two of the same stream.
fn is_interrupted(state: Option<&Value>, stream: &str) -> bool {
    state.is_some_and(|state| {
        let bookmark = &state["bookmarks"][stream];
        bookmark["page_token"].is_string() || bookmark["partition"].is_string()
    })
}

fn resume<'s>(sim: &'s Simulator, state: Option<&Value>, size: u64) -> Tap<'s> {
    let tap = tap(sim).set("page_size", size);
    match state {
        Some(state) => tap.state(state),
        None => tap,
    }
}

/// A run that is killed somewhere, and what a reader has of it: all, or what had come so far, or
/// something in between.
fn killed(sim: &Simulator, state: Option<&Value>, size: u64, dice: &mut fastrand::Rng) -> (String, Run) {
    let child = resume(sim, state, size).spawn();
    if dice.bool() {
        child.read_lines(dice.usize(..700));
    } else {
        child.read_freely();
        thread::sleep(Duration::from_micros(dice.u64(..90_000)));
    }
    child.signal("KILL");
    let least = child.text().len();
    let run = child.finish();
    let length = dice.usize(least..=run.stdout.len());
    (String::from_utf8_lossy(&run.stdout.as_bytes()[..length]).into_owned(), run)
}

/// Records of a page.
const SIZE: u64 = 10;

/// What one pass of each stream has brought so far; a stream that was not interrupted, or
/// is started over, starts a new pass.
fn take_in(pass: &mut Seen, state: Option<&Value>, seen: Seen, run: &Run) {
    for stream in STREAMS {
        if !is_interrupted(state, stream) || starts_over(run, stream) {
            pass.remove(stream);
        }
    }
    for (stream, ids) in seen {
        let so_far = pass.entry(stream.clone()).or_default();
        let repeated = so_far.intersection(&ids).count();
        assert!(
            repeated as u64 <= most_repeated(&stream, SIZE),
            "{stream}: {repeated} records repeated after a kill"
        );
        so_far.extend(ids);
    }
}

#[test]
fn a_run_killed_at_fifty_random_moments_and_resumed_loses_nothing() {
    let seed = seed();
    println!("TEST_SEED={seed}");
    let mut dice = fastrand::Rng::with_seed(seed);
    let servers = [BindingsServer::Inclusive, BindingsServer::NestedOnly, BindingsServer::Partial];
    let mut resumed = 0;
    for chain in 0..10 {
        let scenario = if chain % 2 == 0 { polite() } else { rude() };
        let scenario = scenario.bindings(servers[chain % 3]).latency(Duration::from_micros(dice.u64(..2000)));
        let sim = Simulator::start(scenario);
        let mut pass = Seen::new();
        let mut state: Option<Value> = None;
        for _ in 0..5 {
            let (text, run) = killed(&sim, state.as_ref(), SIZE, &mut dice);
            let (seen, last) = heard(&text);
            take_in(&mut pass, state.as_ref(), seen, &run);
            state = last.or(state);
        }
        resumed += STREAMS.iter().filter(|stream| is_interrupted(state.as_ref(), stream)).count();
        let run = resume(&sim, state.as_ref(), SIZE).run().expect_code(0);
        take_in(&mut pass, state.as_ref(), heard(&run.stdout).0, &run);
        for stream in STREAMS {
            let truth: BTreeSet<String> = sim.truth().ids(stream).into_iter().collect();
            assert_eq!(pass[stream], truth, "{stream} after five kills (TEST_SEED={seed})");
        }
    }
    assert!(resumed > 0, "no kill interrupted anything: the test is too slow or the product too fast");
}

#[test]
fn a_resumed_stream_goes_on_where_it_stopped() {
    let sim = Simulator::start(polite());
    let only = || tap(&sim).set("streams", json!(["users"])).set("page_size", 10);
    let child = only().spawn();
    child.read_lines(100);
    child.signal("KILL");
    let (seen, state) = heard(&child.text());
    drop(child.finish());
    let state = state.expect("a STATE within 100 lines");
    let run = only().state(&state).run().expect_code(0);
    assert_eq!(
        run.asked("users")[0].parameter("page_token"),
        state["bookmarks"]["users"]["page_token"].as_str(),
    );
    let whole = sim.truth().count("users") as usize;
    let again = run.ids("users").iter().filter(|id| seen["users"].contains(*id)).count();
    assert!(again <= 10 && run.ids("users").len() < whole, "{again} repeated");
    assert_eq!(seen["users"].iter().cloned().chain(run.ids("users")).collect::<BTreeSet<_>>().len(), whole);
}

/// A process, a stream and a state each, as an orchestrator fans them out. All run at once.
fn side_by_side<'s>(sim: &'s Simulator, states: [Option<&Value>; 4]) -> Vec<Spawned<'s>> {
    let tap = |(stream, state)| resume(sim, state, SIZE).set("streams", json!([stream])).spawn();
    STREAMS.into_iter().zip(states).map(tap).collect()
}

#[test]
fn four_processes_with_one_stream_each_give_exactly_the_union() {
    let sim = Simulator::start(rude());
    for (child, stream) in side_by_side(&sim, [None; 4]).into_iter().zip(STREAMS) {
        let run = child.finish().expect_code(0);
        let (mut ids, mut truth) = (run.ids(stream), sim.truth().ids(stream));
        ids.sort_unstable();
        truth.sort_unstable();
        assert_eq!(ids, truth, "{stream}");
        assert!(run.schemas().keys().eq([stream]), "{stream}: another stream was offered");
    }

    let running = side_by_side(&sim, [None; 4]);
    for child in &running {
        child.read_lines(40);
    }
    let mut first = Vec::new();
    for child in running {
        child.signal("KILL");
        first.push(heard(&child.text()));
        drop(child.finish());
    }
    let states: Vec<Option<&Value>> = first.iter().map(|(_, state)| state.as_ref()).collect();
    let second = side_by_side(&sim, states.clone().try_into().unwrap());
    for (index, (child, stream)) in second.into_iter().zip(STREAMS).enumerate() {
        let run = child.finish().expect_code(0);
        let (seen, state) = &first[index];
        assert!(is_interrupted(states[index], stream), "{stream} was not interrupted: {state:?}");
        assert!(seen.keys().chain(heard(&run.stdout).0.keys()).all(|heard| heard == stream), "{stream}");
        let again = run.ids(stream).iter().filter(|id| seen[stream].contains(*id)).count() as u64;
        assert!(again <= most_repeated(stream, SIZE), "{stream}: {again} records repeated");
        let together: BTreeSet<String> = seen[stream].iter().cloned().chain(run.ids(stream)).collect();
        let truth: BTreeSet<String> = sim.truth().ids(stream).into_iter().collect();
        assert_eq!(together, truth, "{stream}");
        let bookmarks = run.last_state().unwrap()["bookmarks"].take();
        assert!(bookmarks.as_object().unwrap().keys().eq([stream]), "{stream}: {bookmarks}");
    }
}

#[test]
fn no_state_covers_a_record_that_is_not_above_it() {
    for server in [BindingsServer::Inclusive, BindingsServer::Partial] {
        let scenario = polite().users(700).invitations(40).service_accounts(120).role_bindings(260);
        let sim = Simulator::start(scenario.bindings(server));
        let child = tap(&sim).set("page_size", 20).spawn();
        // Nobody reads, so that whatever can run ahead of the output has done so.
        let mut before = 0;
        eventually("nothing more is asked for", || {
            let so_far = sim.requests().len();
            thread::sleep(Duration::from_millis(20));
            so_far > 4 && so_far == std::mem::replace(&mut before, so_far)
        });
        let run = child.finish().expect_code(0);
        let mut above = String::new();
        let mut states = 0;
        for line in run.stdout.split_inclusive('\n') {
            above.push_str(line);
            if !line.starts_with(r#"{"type":"STATE""#) {
                continue;
            }
            states += 1;
            if states % 4 != 1 {
                continue;
            }
            let (mut seen, state) = heard(&above);
            let rest = resume(&sim, state.as_ref(), 100).run().expect_code(0);
            for stream in STREAMS {
                let mut together = seen.remove(stream).unwrap_or_default();
                together.extend(rest.ids(stream));
                let truth: BTreeSet<String> = sim.truth().ids(stream).into_iter().collect();
                assert_eq!(together, truth, "{stream}: STATE number {states} and what is above it");
            }
        }
        assert!(states >= 50, "only {states} STATE lines");
    }
}

#[test]
fn every_page_is_followed_by_a_full_state() {
    let sim = Simulator::start(polite());
    let run = tap(&sim).set("page_size", 20).run().expect_code(0);
    let mut since = BTreeMap::<String, usize>::new();
    for message in &run.messages {
        match message {
            Message::Record { stream, .. } => *since.entry(stream.clone()).or_default() += 1,
            Message::State { value } => {
                assert!(since.len() <= 1, "records of several streams and no STATE between: {since:?}");
                since.clear();
                for (stream, bookmark) in &value.bookmarks {
                    let mut keys: Vec<&String> = bookmark.as_object().unwrap().keys().collect();
                    keys.sort();
                    let position = keys.iter().copied().filter(|key| *key != "last_records");
                    assert!(position.eq(PASS_KEYS.iter()) && keys.len() == 7, "{stream}: {keys:?}");
                    let flat = |value: &Value| !value.is_object() && !value.is_array();
                    assert!(bookmark.as_object().unwrap().values().all(flat), "{stream}: {bookmark}");
                }
            }
            Message::Schema { .. } | Message::ActivateVersion { .. } => {}
        }
        assert!(since.values().all(|count| *count <= 20), "more than a page without a STATE: {since:?}");
    }
    assert!(since.is_empty(), "records after the last STATE: {since:?}");
    let begun: Vec<Vec<String>> = run
        .states()
        .iter()
        .map(|state| state["bookmarks"].as_object().unwrap().keys().cloned().collect())
        .collect();
    for pair in begun.windows(2) {
        assert!(pair[0].iter().all(|stream| pair[1].contains(stream)), "a bookmark vanished: {pair:?}");
    }
}
