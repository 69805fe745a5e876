//! A campaign of runs in which everything goes wrong that may pass: faults at random requests, page
//! tokens that expire, kills and stops at random moments. Each run is resumed until it ends, and
//! then nothing may be missing. `CHAOS_RUNS` says how many; `TEST_SEED` is the seed of the first.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value, json};
use simulator::{At, BindingsServer, Fault, Request, RetryAfter, Scenario, Simulator};

use crate::support::airbyte;
use crate::support::{EVERY, Message, Run, Spawned, Tap, assert_record, bare, eventually, parse, seed, tap};

/// Faults that one page may meet in a row: two hiccups of a rude service are left of `max_retries`.
const FAULTS: u64 = 6;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Language {
    Singer,
    Airbyte,
}

/// What a destination would hold, and what it would hand back.
#[derive(Default)]
struct Kept {
    records: BTreeMap<String, BTreeMap<String, (Option<u64>, Value)>>,
    /// Singer's last state, or Airbyte's last state of each stream.
    states: Map<String, Value>,
    /// It honours ACTIVATE_VERSION.
    versioned: bool,
}

#[derive(Default)]
struct Figures {
    runs: u64,
    faults: u64,
    requests: usize,
    kills: u64,
    stops: u64,
    expiries: u64,
    losses: usize,
}

/// Tells how to run this one again, if it fails.
struct Again(u64);

impl Drop for Again {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("again with: TEST_SEED={} CHAOS_RUNS=1", self.0);
        }
    }
}

fn scenario(seed: u64, dice: &mut fastrand::Rng) -> Scenario {
    let most = if dice.u8(..4) == 0 { 400 } else { 60 };
    let servers = [BindingsServer::Inclusive, BindingsServer::NestedOnly, BindingsServer::Partial];
    let scenario = Scenario::new()
        .seed(seed)
        .users(dice.u64(..most))
        .invitations(dice.u64(..most))
        .service_accounts(dice.u64(..most))
        .role_bindings(dice.u64(..most))
        .environments(dice.u64(..5))
        .kafka_clusters(dice.u64(..most / 4))
        .api_keys(dice.u64(1..most))
        .bindings(servers[dice.usize(..3)])
        .latency(Duration::from_micros(dice.u64(..1500)));
    if dice.u8(..4) == 0 { scenario.polite() } else { scenario }
}

fn fault(dice: &mut fastrand::Rng, silences: &mut u64) -> Fault {
    match dice.u8(..12) {
        kind @ 0..6 => Fault::errors([500, 502, 503, 504, 408, 429][usize::from(kind)], "try later"),
        6 => Fault::rate_limited(0),
        7 => Fault::RateLimited { retry_after: Some(RetryAfter::DateIn(Duration::ZERO)), reset: None },
        8 => Fault::Reset,
        9 => Fault::HalfBody,
        10 if *silences > 0 => {
            *silences -= 1;
            if dice.bool() { Fault::Stall } else { Fault::Drip }
        }
        _ => Fault::GzipUnlabelled,
    }
}

/// New faults for the requests to come, few enough that no page can meet too many.
fn plan(sim: &Simulator, silences: &mut u64, dice: &mut fastrand::Rng) {
    sim.clear_faults();
    let mut left = dice.u64(..=FAULTS);
    while left > 0 {
        let times = dice.u64(1..=left);
        left -= times;
        let streams = EVERY.into_iter().chain(["organizations"]).collect::<Vec<_>>();
        let at = match dice.usize(..16) {
            index @ 0..8 => At::stream(streams[index]).from(dice.u64(1..8)),
            _ => At::any().from(dice.u64(1..40)),
        };
        let fault = fault(dice, silences);
        let is_silent = matches!(fault, Fault::Stall | Fault::Drip);
        sim.add_fault(fault, at.times(if is_silent { 1 } else { times }));
    }
}

/// The catalog of everything, as the binary offers it.
fn airbyte_catalog() -> Value {
    let settings = json!({"api_key": "ABCDEFGHIJKLMNOP", "api_secret": "of no use", "streams": EVERY});
    let run = bare().config(settings).verb("discover").run().expect_code(0);
    let line = run.stdout.lines().find(|line| line.starts_with(r#"{"type":"CATALOG""#)).unwrap();
    let said: Value = serde_json::from_str(line).unwrap();
    let streams = said["catalog"]["streams"].as_array().unwrap().iter().map(|stream| {
        json!({
            "stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite",
        })
    });
    json!({"streams": streams.collect::<Vec<_>>()})
}

impl Kept {
    fn command<'s>(&self, sim: &'s Simulator, language: Language, catalog: &Value) -> Tap<'s> {
        // No organization is without environments: that none is listed fails the clusters.
        let readable = |stream: &&str| *stream != "kafka_clusters" || sim.truth().count("environments") > 0;
        let streams: Vec<&str> = EVERY.into_iter().filter(readable).collect();
        let mut catalog = catalog.clone();
        let named = |entry: &Value| streams.iter().any(|stream| entry["stream"]["name"] == *stream);
        catalog["streams"].as_array_mut().unwrap().retain(named);
        let tap = tap(sim).set("streams", json!(streams));
        let tap = tap.set("request_timeout_seconds", 0.4).set("max_retries", 8);
        match language {
            Language::Singer if self.states.is_empty() => tap.set("emit_activate_version", self.versioned),
            Language::Singer => {
                tap.set("emit_activate_version", self.versioned).state(&Value::from(self.states.clone()))
            }
            Language::Airbyte => {
                let states: Vec<Value> = self.states.values().cloned().collect();
                tap.verb("read").speaks_airbyte().catalog(&catalog).state(&Value::from(states))
            }
        }
    }

    /// A stream that no state holds in the middle is begun anew; what the last pass brought counts
    /// no more.
    fn begin(&mut self, language: Language) {
        for stream in EVERY {
            let goes_on = match language {
                Language::Singer => {
                    let bookmark = &self.states.get("bookmarks").map(|bookmarks| &bookmarks[stream]);
                    bookmark.is_some_and(|at| at["page_token"].is_string() || at["partition"].is_string())
                }
                Language::Airbyte => self.states.contains_key(stream),
            };
            if !goes_on {
                self.records.remove(stream);
            }
        }
    }

    fn keep(&mut self, stream: &str, version: Option<u64>, record: &Map<String, Value>) {
        let id = record["id"].as_str().unwrap().to_owned();
        let row = (version, Value::from(record.clone()));
        self.records.entry(stream.to_owned()).or_default().insert(id, row);
    }

    /// Takes in the whole lines of what a reader had until the end.
    fn take_in(&mut self, language: Language, heard: &str) {
        let whole = &heard[..heard.rfind('\n').map_or(0, |end| end + 1)];
        match language {
            Language::Singer => {
                for message in parse(whole).unwrap() {
                    match message {
                        Message::Record { stream, record, version, .. } => {
                            self.keep(&stream, version, &record)
                        }
                        // What a target drops that honours it.
                        Message::ActivateVersion { stream, version } => {
                            let rows = self.records.entry(stream).or_default();
                            rows.retain(|_, (of, _)| *of == Some(version));
                        }
                        Message::State { value } => {
                            self.states = Map::from_iter([("bookmarks".to_owned(), value.bookmarks.into())]);
                        }
                        Message::Schema { .. } => {}
                    }
                }
            }
            Language::Airbyte => {
                for (line, message) in whole.lines().zip(airbyte::parse(whole).unwrap()) {
                    match message {
                        airbyte::Message::Record { record } => self.keep(&record.stream, None, &record.data),
                        airbyte::Message::State { state } => {
                            let said: Value = serde_json::from_str(line).unwrap();
                            self.states.insert(state.stream.stream_descriptor.name, said["state"].clone());
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    /// How many records are missing; none may be foreign, and a sample must be as the API has them.
    fn losses(&self, sim: &Simulator, dice: &mut fastrand::Rng) -> usize {
        let mut losses = 0;
        for stream in EVERY {
            let truth: BTreeSet<String> = sim.truth().ids(stream).into_iter().collect();
            let none = BTreeMap::new();
            let held = self.records.get(stream).unwrap_or(&none);
            let foreign: Vec<&String> = held.keys().filter(|id| !truth.contains(*id)).collect();
            assert!(foreign.is_empty(), "{stream}: nobody sent {foreign:?}");
            losses += truth.iter().filter(|id| !held.contains_key(*id)).count();
            let count = sim.truth().count(stream);
            for index in (0..count.min(5)).map(|_| dice.u64(..count)) {
                let sent = sim.truth().record(stream, index);
                if let Some((_, record)) = held.get(sent["id"].as_str().unwrap()) {
                    assert_record(stream, record, &sent, Some(sim.organization_id()));
                }
            }
        }
        losses
    }
}

/// Expires all page tokens after some requests for streams, if there are so many.
fn expire(sim: &Simulator, child: &mut Spawned<'_>, dice: &mut fastrand::Rng) {
    let of_streams = |request: &&Request| EVERY.contains(&request.stream.as_deref().unwrap_or_default());
    let asked = || sim.requests().iter().filter(of_streams).count();
    let wanted = asked() + dice.usize(1..25);
    child.read_freely();
    eventually("it asks, or ends", || asked() >= wanted || !child.is_running());
    sim.expire_tokens();
}

/// Lets it run for a random while.
fn let_run(child: &Spawned<'_>, dice: &mut fastrand::Rng) {
    if dice.bool() {
        child.read_lines(dice.usize(..150));
    } else {
        child.read_freely();
        thread::sleep(Duration::from_micros(dice.u64(..60_000)));
    }
}

/// What a reader has had when the process was killed: no less than it had read then.
fn cut(run: &Run, least: usize, dice: &mut fastrand::Rng) -> String {
    let length = dice.usize(least..=run.stdout.len());
    String::from_utf8_lossy(&run.stdout.as_bytes()[..length]).into_owned()
}

/// One organization, read through everything that comes.
fn run_once(seed: u64, catalog: &Value, figures: &mut Figures) {
    let again = Again(seed);
    let mut dice = fastrand::Rng::with_seed(seed);
    let sim = Simulator::start(scenario(seed, &mut dice));
    let language = if dice.u8(..4) == 0 { Language::Airbyte } else { Language::Singer };
    let size = [1, 3, 10, 25, 99, 100]
        [if sim.truth().count("users") > 60 { dice.usize(2..6) } else { dice.usize(1..6) }];
    let mut silences = u64::from(dice.u8(..5) == 0);
    let kills = dice.u8(1..=3);
    let expires_in = (dice.u8(..4) == 0).then(|| dice.u8(..=kills));
    let mut kept = Kept { versioned: dice.bool(), ..Kept::default() };
    for leg in 0..=kills {
        plan(&sim, &mut silences, &mut dice);
        kept.begin(language);
        let mut child = kept.command(&sim, language, catalog).set("page_size", size).spawn();
        if expires_in == Some(leg) {
            expire(&sim, &mut child, &mut dice);
            figures.expiries += 1;
        }
        if leg == kills {
            let run = child.finish().expect_code(0);
            kept.take_in(language, &run.stdout);
            break;
        }
        let_run(&child, &mut dice);
        let name = if dice.u8(..4) == 0 { "TERM" } else { "KILL" };
        if child.is_running() {
            child.signal(name);
        }
        let least = child.text().len();
        let run = child.finish();
        match run.signal() {
            Some(9) => figures.kills += 1,
            Some(15) => figures.stops += 1,
            _ => assert_eq!(run.code(), Some(0), "exit code"),
        }
        let heard = if run.signal() == Some(9) { cut(&run, least, &mut dice) } else { run.stdout.clone() };
        kept.take_in(language, &heard);
    }
    let losses = kept.losses(&sim, &mut dice);
    figures.runs += 1;
    figures.faults += sim.faults_met();
    figures.requests += sim.requests().len();
    figures.losses += losses;
    assert_eq!(losses, 0, "records are missing ({language:?}, pages of {size}, {sim:?})");
    drop(again);
}

#[test]
fn whatever_goes_wrong_on_the_way_nothing_is_missing_in_the_end() {
    let runs = std::env::var("CHAOS_RUNS").map_or(25, |runs| runs.parse().unwrap());
    let first = seed();
    let catalog = airbyte_catalog();
    let mut figures = Figures::default();
    for seed in first..first + runs {
        run_once(seed, &catalog, &mut figures);
    }
    let Figures { runs, faults, requests, kills, stops, expiries, losses } = figures;
    println!(
        "chaos from TEST_SEED={first}: {runs} runs, {faults} faults, {requests} requests, {kills} kills, \
         {stops} stops, {expiries} expiries of tokens, {losses} losses"
    );
    assert!(runs < 25 || faults > runs && kills + stops > runs / 2, "too little went wrong");
}
