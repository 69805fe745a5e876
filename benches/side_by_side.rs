//! The connector beside the least that could do its work, and beside itself with other settings: ratios taken in
//! one run, of CPU time first, which a busy machine disturbs least. `make bench`; `BENCH_RECORDS` says how many.
//!
//! The simulator runs in this process, so that what it costs is not counted.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that cannot run fails, and prints"
)]

mod floor;

use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use serde_json::{Value, json};
use simulator::{Scenario, Simulator};

const TAP: &str = env!("CARGO_BIN_EXE_tap-confluent-cloud");

/// Runs of each contender; the median counts.
const ROUNDS: usize = 7;

/// How long an answer takes where waiting is measured.
const LATENCY: Duration = Duration::from_millis(50);

/// What a run took.
#[derive(Clone, Copy)]
struct Took {
    cpu: f64,
    wall: f64,
    lines: u64,
}

struct Contender {
    name: &'static str,
    /// None: the floor.
    settings: Option<Value>,
    arguments: &'static [&'static str],
}

fn singer(name: &'static str, settings: Value) -> Contender {
    Contender { name, settings: Some(settings), arguments: &[] }
}

fn cpu_of_children() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel counts CPU time");
    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    seconds(usage.user_time()) + seconds(usage.system_time())
}

/// Runs a command to its end, its output thrown away as fast as it comes.
fn run(mut command: Command) -> Took {
    let (cpu, begun) = (cpu_of_children(), Instant::now());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let mut lines = Lines(0);
    io::copy(&mut child.stdout.take().expect("its stdout is piped"), &mut lines).expect("it can be read");
    let status = child.wait().expect("it ends");
    assert!(status.success(), "{command:?} ended with {status}");
    Took { cpu: cpu_of_children() - cpu, wall: begun.elapsed().as_secs_f64(), lines: lines.0 }
}

/// Counts lines and forgets them.
struct Lines(u64);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += memchr::memchr_iter(b'\n', bytes).count() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn command(sim: &Simulator, contender: &Contender, folder: &std::path::Path) -> Command {
    let Some(settings) = &contender.settings else {
        let mut floor = Command::new(std::env::current_exe().expect("this program has a path"));
        let scope = format!("crn://confluent.cloud/organization={}/*", sim.organization_id());
        floor.args(["floor", &sim.base_url(), sim.api_key(), sim.api_secret(), &scope]);
        return floor;
    };
    let mut all =
        json!({"base_url": sim.base_url(), "api_key": sim.api_key(), "api_secret": sim.api_secret()});
    for (name, value) in settings.as_object().into_iter().flatten() {
        all[name] = value.clone();
    }
    let config = folder.join("config.json");
    std::fs::write(&config, all.to_string()).expect("the settings can be written");
    let mut tap = Command::new(TAP);
    tap.args(contender.arguments).arg("--config").arg(config);
    tap
}

fn polite(records: u64) -> Scenario {
    let each = records / 4;
    Scenario::new().seed(1).polite().users(each).invitations(each).service_accounts(each).role_bindings(each)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Runs all contenders in turn, round after round, so that a busy minute hits all of them.
fn race(sim: &Simulator, contenders: &[Contender]) -> Vec<Took> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut rounds: Vec<Vec<Took>> = contenders.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for (contender, took) in contenders.iter().zip(&mut rounds) {
            took.push(run(command(sim, contender, folder.path())));
        }
    }
    let middle = |took: &Vec<Took>| Took {
        cpu: median(took.iter().map(|one| one.cpu).collect()),
        wall: median(took.iter().map(|one| one.wall).collect()),
        lines: took[0].lines,
    };
    rounds.iter().map(middle).collect()
}

fn throughput(records: u64) {
    let sim = Simulator::start(polite(records));
    let folder = tempfile::tempdir().expect("a folder");
    let catalog = folder.path().join("catalog.json");
    let offered = include_str!("../catalogs/airbyte.json");
    std::fs::write(&catalog, offered).expect("the catalog can be written");
    let airbyte = ["read", "--catalog", catalog.to_str().expect("a path of text").to_owned().leak()];
    let contenders = [
        Contender { name: "the least", settings: None, arguments: &[] },
        singer("tap-confluent-cloud", json!({})),
        singer("schema_drift: pass", json!({"schema_drift": "pass"})),
        singer("schema_drift: fail", json!({"schema_drift": "fail"})),
        singer(
            "personal_data: hash",
            json!({"personal_data": "hash", "personal_data_key": "0123456789abcdef"}),
        ),
        singer("emit_activate_version", json!({"emit_activate_version": true})),
        Contender { name: "Airbyte", settings: Some(json!({})), arguments: airbyte.to_vec().leak() },
    ];
    println!("\n{records} records, no latency, medians of {ROUNDS} rounds\n");
    println!("{:24} {:>12} {:>12} {:>12}", "", "CPU ÷ least", "µs a record", "wall ÷ least");
    let took = race(&sim, &contenders);
    for (contender, one) in contenders.iter().zip(&took) {
        assert!(one.lines >= records, "{} brought {} lines", contender.name, one.lines);
        let (cpu, wall) = (one.cpu / took[0].cpu, one.wall / took[0].wall);
        println!("{:24} {cpu:12.2} {:12.2} {wall:12.2}", contender.name, one.cpu * 1e6 / records as f64);
    }
    let cpu = |number: usize| took[number].cpu;
    println!(
        "\nschema_drift, warn ÷ pass: {:.2}   Airbyte ÷ Singer: {:.2}",
        cpu(1) / cpu(2),
        cpu(6) / cpu(1)
    );
}

fn waiting() {
    let records = 10_000;
    let sim = Simulator::start(polite(records).latency(LATENCY));
    let took = race(&sim, &[singer("tap-confluent-cloud", json!({}))]);
    // The organization is looked up first; then each stream asks for one page after the other, role bindings
    // for the bare name of the organization before all that is in it.
    let of_bindings = |pattern: &str| {
        let asked = sim.requests();
        let of_stream = |one: &&simulator::Request| {
            // A look-up of the key's owner asks for one principal, beside the sync.
            one.parameter("crn_pattern") == Some(pattern) && one.parameter("principal").is_none()
        };
        let asked = asked.iter().filter(of_stream).count();
        asked / ROUNDS
    };
    let top = format!("crn://confluent.cloud/organization={}", sim.organization_id());
    let longest = of_bindings(&top) + of_bindings(&format!("{top}/*")) + 1;
    let least = LATENCY.as_secs_f64() * longest as f64;
    println!(
        "\n{records} records at {} ms a request: wall ÷ ({longest} round trips) {:.3}",
        LATENCY.as_millis(),
        took[0].wall / least
    );
}

fn start() {
    let took: Vec<f64> = (0..50)
        .map(|_| {
            let mut about = Command::new(TAP);
            about.arg("--about");
            run(about).cpu
        })
        .collect();
    println!("start: {:.2} ms CPU", median(took) * 1e3);
}

/// The most memory ever resident, in MiB, of a run over so many records.
fn memory(records: u64) -> f64 {
    let sim = Simulator::start(polite(records));
    let folder = tempfile::tempdir().expect("a folder");
    let mut tap = command(&sim, &singer("", json!({})), folder.path());
    let mut child = tap.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let status = format!("/proc/{}/status", child.id());
    let mut stdout = child.stdout.take().expect("its stdout is piped");
    let reading = std::thread::spawn(move || io::copy(&mut stdout, &mut io::sink()));
    let mut peak = 0;
    while child.try_wait().expect("it can be waited for").is_none() {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
        peak = now.map_or(peak, |now: u64| peak.max(now));
        std::thread::sleep(Duration::from_millis(1));
    }
    let _ = reading.join();
    assert!(child.wait().expect("it has ended").success(), "the run whose memory is measured failed");
    peak as f64 / 1024.0
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|first| first == "floor") {
        return floor::read(&arguments[2..]);
    }
    let records: u64 = std::env::var("BENCH_RECORDS").map_or(100_000, |text| text.parse().expect("a number"));
    // Four streams of equal size.
    let records = records / 4 * 4;
    let size = std::fs::metadata(TAP).expect("the binary is built").len() as f64 / 1e6;
    println!("binary: {size:.1} MB");
    start();
    let (few, many) = (memory(1_000), memory(records));
    println!("peak memory: {few:.1} MiB for 1000 records, {many:.1} MiB for {records}");
    waiting();
    throughput(records);
}
