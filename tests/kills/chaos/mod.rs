//! A campaign of runs in which everything goes wrong that may pass: faults at random requests, page tokens that expire,
//! role bindings granted meanwhile, API keys rotated between two runs, tokens of identity pools that end after a few
//! requests and exchanges that fail, kills and stops at random moments. Each run is resumed until it ends, and then nothing may be missing.
//! `CHAOS_RUNS` says how many; `TEST_SEED` is the seed of the first.

mod kept;

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::{At, BindingsServer, Fault, Grant, OAuth, OldKey, Request, RetryAfter, Scenario, Simulator};

use crate::support::partitions::children;
use crate::support::{EVERY, HISTORY, KEY_ONLY, Run, Spawned, as_pool, bare, eventually, seed, tap};
use kept::{Kept, Language};

/// Faults that one page may meet in a row: two hiccups of a rude service are left of `max_retries`.
const FAULTS: u64 = 6;

#[derive(Default)]
struct Figures {
    runs: u64,
    faults: u64,
    requests: usize,
    kills: u64,
    stops: u64,
    /// Runs of the binary that ended well, the last ones and others.
    ends: u64,
    expiries: u64,
    emptied: u64,
    granted: usize,
    rotations: u64,
    exchanges: usize,
    failed_exchanges: usize,
    far_resets: u64,
    errors_pages: u64,
    losses: usize,
    /// Records of the history that told the truth.
    told: usize,
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
        .identity_providers(dice.u64(..4))
        .identity_pools(dice.u64(..most / 4))
        .connectors(dice.u64(..6))
        .bindings(servers[dice.usize(..3)])
        .latency(Duration::from_micros(dice.u64(..1500)));
    let scenario = match dice.u8(..3) {
        0 => scenario.oauth(OAuth::default().requests(dice.u64(12..40))),
        _ => scenario,
    };
    if dice.u8(..4) == 0 { scenario.polite() } else { scenario }
}

fn fault(dice: &mut fastrand::Rng, silences: &mut u64) -> Fault {
    match dice.u8(..15) {
        kind @ 0..6 => Fault::errors([500, 502, 503, 504, 408, 429][usize::from(kind)], "try later"),
        6 => Fault::rate_limited(0),
        7 => Fault::RateLimited { retry_after: Some(RetryAfter::DateIn(Duration::ZERO)), reset: None },
        8 => Fault::Reset,
        9 => Fault::HalfBody,
        10 if *silences > 0 => {
            *silences -= 1;
            if dice.bool() { Fault::Stall } else { Fault::Drip }
        }
        11 => Fault::far_reset(),
        12 => Fault::errors_page(503),
        13 => Fault::RowsAndErrors(503),
        _ => Fault::GzipUnlabelled,
    }
}

/// New faults for the requests to come, few enough that no page can meet too many; says whether one of
/// them may end a run early, although it passes: an answer with `errors` in it.
fn plan(sim: &Simulator, silences: &mut u64, dice: &mut fastrand::Rng, figures: &mut Figures) -> bool {
    let mut left = dice.u64(..=FAULTS);
    let mut errors_pages = 0;
    while left > 0 {
        let times = dice.u64(1..=left);
        left -= times;
        let at = if sim.has_oauth() && dice.u8(..3) == 0 {
            let at = if dice.bool() { At::provider() } else { At::exchange() };
            at.from(dice.u64(1..3))
        } else if dice.bool() {
            At::stream(EVERY[dice.usize(..EVERY.len())]).from(dice.u64(1..8))
        } else {
            At::any().from(dice.u64(1..40))
        };
        let fault = fault(dice, silences);
        let times = match &fault {
            Fault::Stall | Fault::Drip => 1,
            _ => times,
        };
        match &fault {
            Fault::Status { headers, .. } if headers.iter().any(|(name, _)| name == "X-RateLimit-Reset") => {
                figures.far_resets += 1;
            }
            Fault::Status { status: 200, .. } | Fault::RowsAndErrors(_) => errors_pages += 1,
            _ => {}
        }
        sim.add_fault(fault, at.times(times));
    }
    figures.errors_pages += errors_pages;
    errors_pages > 0
}

/// Role bindings that are granted at once, between the listings or in the middle of one.
fn grant(dice: &mut fastrand::Rng) -> Grant {
    let count = dice.u64(1..5);
    let grant = if dice.u8(..3) == 0 { Grant::in_environments(count) } else { Grant::of_organization(count) };
    let grant = if dice.bool() { grant.in_front() } else { grant };
    match dice.u8(..4) {
        0 => grant,
        1 => grant.after(dice.u64(..12)),
        _ => grant.between_listings(),
    }
}

/// These streams, and the history of the run.
fn offered(streams: &[&'static str]) -> Vec<&'static str> {
    [streams, &[HISTORY]].concat()
}

/// The catalog of everything, as the binary offers it.
fn airbyte_catalog() -> Value {
    let settings =
        json!({"api_key": "ABCDEFGHIJKLMNOP", "api_secret": "of no use", "streams": offered(&EVERY)});
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

/// What happens to the page tokens, and before or in which leg.
#[derive(Clone, Copy, PartialEq)]
enum Expiry {
    Never,
    /// Refused, from the middle of this leg.
    Refused(u8),
    /// Answered by an empty last page, from before this leg. In the middle of a pass nobody could tell
    /// such a page from the end of the list.
    Emptied(u8),
}

/// One organization, and how it is read.
struct Case {
    sim: Simulator,
    kept: Kept,
    catalog: Value,
    streams: Vec<&'static str>,
    page_size: u64,
    is_pool: bool,
    empty_lists: &'static str,
    /// The exit code of a run that nothing hinders.
    expected: i32,
    dice: fastrand::Rng,
}

impl Case {
    fn new(seed: u64, catalog: &Value) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        let sim = Simulator::start(scenario(seed, &mut dice));
        let language = if dice.u8(..4) == 0 { Language::Airbyte } else { Language::Singer };
        let page_size = [1, 3, 10, 25, 99, 100]
            [if sim.truth().count("users") > 60 { dice.usize(2..6) } else { dice.usize(1..6) }];
        // No organization is without environments: that none is listed fails whatever is in one.
        let in_environments = children("environments");
        let has_environments = sim.truth().count("environments") > 0;
        let is_pool = sim.has_oauth();
        let readable = |stream: &&str| {
            (has_environments || !in_environments.contains(stream)) && !(is_pool && KEY_ONLY.contains(stream))
        };
        let streams: Vec<&'static str> = EVERY.into_iter().filter(readable).collect();
        let mut catalog = catalog.clone();
        let named = |entry: &Value| offered(&streams).iter().any(|stream| entry["stream"]["name"] == *stream);
        let entries = catalog["streams"].as_array_mut().unwrap();
        entries.retain(named);
        if dice.bool() {
            let costs = entries.iter_mut().find(|entry| entry["stream"]["name"] == "billing_costs");
            costs.expect("the catalog has costs")["sync_mode"] = json!("incremental");
        }
        // Nor is one without a user or a role binding: where none is listed, the key sees too little.
        let empty_lists = if dice.bool() { "fail" } else { "warn" };
        let never_empty = ["users", "role_bindings", "environments"];
        let fails = empty_lists == "fail" && never_empty.iter().any(|stream| sim.truth().count(stream) == 0);
        let expected = match (fails, language) {
            (false, _) => 0,
            (true, Language::Singer) => 3,
            (true, Language::Airbyte) => 1,
        };
        let kept = Kept::new(language, dice.bool());
        Self { is_pool, sim, kept, catalog, streams, page_size, empty_lists, expected, dice }
    }

    fn spawn(&self) -> Spawned<'_> {
        let tap = if self.is_pool { as_pool(&self.sim) } else { tap(&self.sim) };
        let tap = tap
            .set("streams", json!(offered(&self.streams)))
            .set("page_size", self.page_size)
            .set("empty_lists", self.empty_lists)
            .set("request_timeout_seconds", 0.4)
            .set("max_retries", 8);
        let states = &self.kept.states;
        let tap = match self.kept.language {
            Language::Singer => {
                let tap = tap.set("emit_activate_version", self.kept.versioned);
                if states.is_empty() { tap } else { tap.state(&Value::from(states.clone())) }
            }
            Language::Airbyte => {
                let states: Vec<Value> = states.values().cloned().collect();
                tap.verb("read").speaks_airbyte().catalog(&self.catalog).state(&Value::from(states))
            }
        };
        tap.spawn()
    }

    /// Whether a run ended as if nothing had hindered it. `errors`: an answer may have told of errors;
    /// `refused`: page tokens were, and a pass is started over for that only once a run.
    fn ended_well(&self, code: Option<i32>, errors: bool, refused: bool) -> bool {
        let hindered = match code {
            Some(1) => errors || refused,
            Some(4) => errors,
            // Of an endpoint too an answer may have told of errors.
            Some(5) => refused || errors && self.is_pool,
            _ => false,
        };
        assert!(hindered || code == Some(self.expected), "exit code {code:?}, {} expected", self.expected);
        !hindered
    }

    /// Nothing may be missing after a run that ended well.
    fn check(&mut self, figures: &mut Figures) {
        let losses = self.kept.losses(&self.sim, &self.streams, &mut self.dice);
        figures.ends += 1;
        figures.losses += losses;
        let Self { sim, kept, page_size, .. } = self;
        assert_eq!(losses, 0, "records are missing ({:?}, pages of {page_size}, {sim:?})", kept.language);
    }
}

/// One organization, read through everything that comes.
fn run_once(seed: u64, catalog: &Value, figures: &mut Figures) {
    let again = Again(seed);
    let mut case = Case::new(seed, catalog);
    let mut silences = u64::from(case.dice.u8(..5) == 0);
    let kills = case.dice.u8(1..=3);
    let expiry = match case.dice.u8(..5) {
        0 => Expiry::Refused(case.dice.u8(..=kills)),
        1 => Expiry::Emptied(case.dice.u8(1..=kills)),
        _ => Expiry::Never,
    };
    let rotated = (case.dice.u8(..4) == 0).then(|| case.dice.u8(1..=kills));
    // One more than need be: after a run that was hindered comes one that nothing hinders.
    for leg in 0..=kills + 1 {
        let Case { sim, kept, dice, is_pool, .. } = &mut case;
        sim.clear_faults();
        let errors = leg <= kills && plan(sim, &mut silences, dice, figures);
        // An organization without any role binding is one whose list must stay empty.
        if sim.truth().count("role_bindings") > 0 && dice.bool() {
            sim.grant(grant(dice));
        }
        if expiry == Expiry::Emptied(leg) {
            sim.expire_tokens_to_empty();
            figures.emptied += 1;
        }
        if rotated == Some(leg) && !*is_pool {
            sim.rotate_key(if dice.bool() { OldKey::Revoked } else { OldKey::Works });
            figures.rotations += 1;
        }
        kept.begin(sim);
        let refused = expiry == Expiry::Refused(leg);
        let mut dice = case.dice.fork();
        let run = run_leg(&case, refused, leg < kills, &mut dice);
        figures.expiries += u64::from(refused);
        case.kept.take_in(&case.sim, &run.stdout);
        figures.told += case.kept.check_history(&case.sim, &run, &case.streams, &mut dice);
        match run.signal() {
            Some(9) if leg < kills => figures.kills += 1,
            Some(15) if leg < kills => figures.stops += 1,
            _ if case.ended_well(run.code(), errors, refused) => {
                case.check(figures);
                if leg >= kills {
                    break;
                }
            }
            _ => {}
        }
    }
    figures.runs += 1;
    figures.faults += case.sim.faults_met();
    let requests = case.sim.requests();
    figures.requests += requests.len();
    let exchanges: Vec<_> = requests.iter().filter(|request| request.endpoint.is_some()).collect();
    figures.exchanges += exchanges.len();
    figures.failed_exchanges += exchanges.iter().filter(|request| request.status != Some(200)).count();
    figures.granted += case.sim.granted().len();
    drop(again);
}

/// One run of the binary, to its end or for a random while.
fn run_leg(case: &Case, refused: bool, killed: bool, dice: &mut fastrand::Rng) -> Run {
    let mut child = case.spawn();
    if refused {
        expire(&case.sim, &mut child, dice);
    }
    if !killed {
        return child.finish();
    }
    let_run(&child, dice);
    let name = if dice.u8(..4) == 0 { "TERM" } else { "KILL" };
    if child.is_running() {
        child.signal(name);
    }
    let least = child.text().len();
    let mut run = child.finish();
    if run.signal() == Some(9) {
        run.stdout = cut(&run, least, dice);
    }
    run
}

#[test]
fn nothing_is_missing_in_the_end_whatever_goes_wrong() {
    let runs = std::env::var("CHAOS_RUNS").map_or(25, |runs| runs.parse().unwrap());
    let first = seed();
    let catalog = airbyte_catalog();
    let mut figures = Figures::default();
    for seed in first..first + runs {
        run_once(seed, &catalog, &mut figures);
    }
    let Figures { runs, faults, requests, kills, stops, ends, losses, told, .. } = figures;
    let Figures { expiries, emptied, granted, rotations, far_resets, errors_pages, .. } = figures;
    let Figures { exchanges, failed_exchanges, .. } = figures;
    println!(
        "chaos from TEST_SEED={first}: {runs} runs, {faults} faults, {requests} requests, {kills} kills, \
         {stops} stops, {expiries} expiries of tokens, {emptied} into empty pages, {granted} role bindings \
         granted meanwhile, {rotations} rotations of keys, {exchanges} requests for tokens of which \
         {failed_exchanges} failed, {far_resets} far resets and {errors_pages} \
         answers with errors planned, {ends} ends without hindrance, {told} records of the history \
         in agreement, {losses} losses"
    );
    let rare =
        [failed_exchanges as u64, expiries + emptied, rotations, far_resets, errors_pages, granted as u64];
    let enough = faults > runs && kills + stops > runs / 2 && rare.iter().all(|count| *count > 0);
    assert!(runs < 25 || enough, "too little went wrong");
}
