//! Killed or told to stop in the middle of a read: nothing is lost, and nothing is cut off that
//! could have been said.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use simulator::Simulator;

use crate::support::airbyte::{Message, Status, begin, catalog, ended, read};
use crate::support::{STREAMS, Tap, eventually, ids_of, most_repeated, polite, rude, seed, starts_over, tap};

const SIZE: u64 = 10;

fn resume<'s>(sim: &'s Simulator, states: &Map<String, Value>) -> Tap<'s> {
    let file: Vec<Value> = states.values().cloned().collect();
    tap(sim).set("page_size", SIZE).state(&Value::from(file))
}

/// The last STATE of each stream replaces the one before.
fn take_states(states: &mut Map<String, Value>, said: &Value) {
    for state in said.as_array().unwrap() {
        let name = state["stream"]["stream_descriptor"]["name"].as_str().unwrap();
        states.insert(name.to_owned(), state.clone());
    }
}

fn is_complete(states: &Map<String, Value>, stream: &str) -> bool {
    let state = states.get(stream).map(|state| &state["stream"]["stream_state"]);
    state.is_some_and(|state| state["__ab_full_refresh_sync_complete"] == true)
}

#[test]
fn a_read_killed_at_twenty_random_moments_and_resumed_loses_nothing() {
    let seed = seed();
    println!("TEST_SEED={seed}");
    let mut dice = fastrand::Rng::with_seed(seed);
    let (mut kills, mut resumed) = (0, 0);
    for chain in 0..5 {
        let scenario = if chain % 2 == 0 { polite() } else { rude() };
        let sim = Simulator::start(scenario.latency(Duration::from_micros(dice.u64(500..3000))));
        let mut states = Map::new();
        let mut seen = BTreeMap::<&str, BTreeSet<String>>::new();
        for _ in 0..4 {
            let catalog = catalog();
            let child = begin(resume(&sim, &states), &catalog);
            if dice.bool() {
                child.read_lines(dice.usize(..250));
            } else {
                child.read_freely();
                thread::sleep(Duration::from_micros(dice.u64(..90_000)));
            }
            child.signal("KILL");
            let heard = ended(child.finish(), &catalog);
            kills += usize::from(heard.run.signal() == Some(9));
            for stream in STREAMS {
                let ids = ids_of(&heard.records(stream));
                let so_far = seen.entry(stream).or_default();
                if starts_over(&heard.run, stream) {
                    so_far.clear();
                }
                let repeated = so_far.intersection(&ids).count();
                let most = most_repeated(stream, SIZE);
                assert!(repeated as u64 <= most, "{stream}: {repeated} records repeated after a kill");
                assert!(ids.is_empty() || !is_complete(&states, stream), "{stream} was complete before");
                so_far.extend(ids);
            }
            take_states(&mut states, &heard.state_file());
        }
        resumed += STREAMS
            .iter()
            .filter(|stream| states.contains_key(**stream) && !is_complete(&states, stream))
            .count();
        let heard = read(resume(&sim, &states), &catalog()).expect_code(0);
        for stream in STREAMS {
            let so_far = seen.entry(stream).or_default();
            so_far.extend(ids_of(&heard.records(stream)));
            let truth: BTreeSet<String> = sim.truth().ids(stream).into_iter().collect();
            assert_eq!(*so_far, truth, "{stream} after four kills (TEST_SEED={seed})");
            assert_eq!(heard.statuses(stream).last(), Some(&Status::Complete));
        }
    }
    assert!(kills >= 10, "only {kills} kills hit a process that still ran (TEST_SEED={seed})");
    assert!(resumed > 0, "no kill interrupted anything (TEST_SEED={seed})");
}

#[test]
fn sigterm_ends_the_run_by_that_signal_after_a_whole_line() {
    for (name, number) in [("TERM", 15), ("INT", 2)] {
        let sim = Simulator::start(polite());
        let catalog = catalog();
        let child = begin(tap(&sim).set("page_size", SIZE), &catalog);
        child.read_lines(100);
        let sent = Instant::now();
        child.signal(name);
        let heard = ended(child.finish(), &catalog);
        assert!(sent.elapsed() < Duration::from_secs(4), "it took {:?} to stop", sent.elapsed());
        assert_eq!(heard.run.signal(), Some(number), "the signal it died of");
        for stream in STREAMS {
            let counted: f64 = heard.states(stream).iter().map(|(_, count)| count).sum();
            let records = heard.records(stream).len();
            assert_eq!(counted.to_string(), records.to_string(), "{stream}: a STATE covers every record");
        }
        let states = heard.state_file();
        let rest = read(tap(&sim).set("page_size", SIZE).state(&states), &catalog).expect_code(0);
        for stream in STREAMS {
            let together = [heard.records(stream), rest.records(stream)].concat();
            let all = sim.truth().count(stream);
            assert_eq!(ids_of(&together).len() as u64, all, "{stream}: records together");
            let most = all + most_repeated(stream, 0);
            let is_over = starts_over(&rest.run, stream);
            assert!(is_over || together.len() as u64 <= most, "{stream}: a record came twice");
        }
    }
}

#[test]
fn sigterm_before_the_first_answer_ends_the_run_by_that_signal() {
    let sim = Simulator::start(polite());
    sim.hold();
    let catalog = catalog();
    let child = begin(tap(&sim), &catalog);
    eventually("it asks", || !sim.requests().is_empty());
    let sent = Instant::now();
    child.signal("TERM");
    let run = child.finish();
    sim.release();
    assert!(sent.elapsed() < Duration::from_secs(4), "it took {:?} to stop", sent.elapsed());
    assert_eq!(run.signal(), Some(15), "the signal it died of");
    assert!(run.stdout.is_empty() || run.stdout.ends_with('\n'));
    assert_eq!(run.stderr, "");
}

#[test]
fn sigterm_ends_the_run_within_two_seconds_if_nobody_reads() {
    let sim = Simulator::start(polite().users(5_000));
    let users = crate::support::airbyte::catalog_of(&["users"], "full_refresh");
    let child = begin(tap(&sim), &users);
    eventually("stdout is full", || sim.requests().len() >= 4);
    let sent = Instant::now();
    child.signal("TERM");
    let run = child.finish_unread();
    assert!(sent.elapsed() < Duration::from_secs(4), "it took {:?} to stop", sent.elapsed());
    assert_eq!(run.signal(), Some(15), "the signal it died of");
}

#[test]
fn no_state_covers_a_record_that_is_not_above_it() {
    let sim = Simulator::start(polite());
    let heard = read(tap(&sim).set("page_size", 25), &catalog());
    let mut written = BTreeMap::<String, usize>::new();
    let mut states = 0;
    for message in &heard.messages {
        match message {
            Message::Record { record } => *written.entry(record.stream.clone()).or_default() += 1,
            Message::State { state } => {
                states += 1;
                let stream = &state.stream.stream_descriptor.name;
                let Some(Value::String(_)) = state.stream.stream_state.get("page_token") else { continue };
                let of = json!({
                    "stream_descriptor": {"name": stream}, "stream_state": state.stream.stream_state,
                });
                let file = json!([{"type": "STREAM", "stream": of}]);
                let only = crate::support::airbyte::catalog_of(&[stream], "full_refresh");
                let rest = read(tap(&sim).state(&file), &only).expect_code(0);
                let mut together = heard.records(stream)[..written[stream]].to_vec();
                together.extend(rest.records(stream));
                let truth: BTreeSet<String> = sim.truth().ids(stream).into_iter().collect();
                assert_eq!(ids_of(&together), truth, "{stream} after {} records", written[stream]);
            }
            _ => {}
        }
    }
    assert!(states >= 30, "only {states} STATEs");
}
