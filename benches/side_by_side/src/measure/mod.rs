//! The figures, a function each or a group of them.

mod idle;

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use side_by_side::contender::{Contender, polite, tap};
use side_by_side::instructions as count;
use side_by_side::process::{ROUNDS, median, peak, race, run};
use simulator::Simulator;

use crate::report::{Limit, Report};

/// Records of what is compared with the floor.
const RECORDS: u64 = 100_000;

/// Records of what is compared with larger runs.
const FEW: u64 = 1_000;

/// How long an answer takes where waiting is measured.
const LATENCY: Duration = Duration::from_millis(50);

fn plain() -> Contender {
    Contender::singer("tap-confluent-cloud", json!({}))
}

/// The catalog that the connector offers, with some fields of each stream taken out of the selection.
fn deselecting(fields: &[&str]) -> Value {
    let mut catalog: Value =
        serde_json::from_str(include_str!("../../../../catalogs/singer.json")).expect("JSON");
    for stream in catalog["streams"].as_array_mut().into_iter().flatten() {
        for entry in stream["metadata"].as_array_mut().into_iter().flatten() {
            let name = entry["breadcrumb"][1].as_str().unwrap_or_default();
            if fields.contains(&name) {
                entry["metadata"]["selected"] = json!(false);
            }
        }
    }
    catalog
}

/// CPU ÷ the floor's. Gives seconds of CPU of a record.
pub fn throughput(report: &mut Report) -> f64 {
    let sim = Simulator::start(polite(RECORDS));
    let offered = include_str!("../../../../catalogs/airbyte.json");
    let contenders = [
        Contender::floor(),
        plain(),
        Contender::airbyte("Airbyte", serde_json::from_str(offered).expect("JSON")),
        plain().catalog(deselecting(&["api_version", "kind", "metadata"])),
        Contender::singer(
            "personal_data: hash",
            json!({"personal_data": "hash", "personal_data_key": "0123456789abcdef"}),
        ),
        Contender::singer("schema_drift: pass", json!({"schema_drift": "pass"})),
        Contender::singer("schema_drift: fail", json!({"schema_drift": "fail"})),
        Contender::singer("emit_activate_version", json!({"emit_activate_version": true})),
    ];
    let took = race(&sim, &contenders, RECORDS, ROUNDS);
    let cpu = |one: usize, other: usize| (took[one].cpu / took[other].cpu, "");
    report.table(&format!("{RECORDS} records without latency, medians of {ROUNDS} rounds"));
    report.figure("CPU ÷ floor", cpu(1, 0), Some(Limit(1.7, Some(1.25))));
    report.figure("wall ÷ floor", (took[1].wall / took[0].wall, ""), None);
    report.figure("Airbyte ÷ Singer, CPU", cpu(2, 1), Some(Limit(1.05, None)));
    report.figure("three fields deselected ÷ plain, CPU", cpu(3, 1), Some(Limit(1.5, None)));
    report.figure("`personal_data: hash` ÷ plain, CPU", cpu(4, 1), Some(Limit(1.5, None)));
    report.figure("`schema_drift: warn` ÷ `pass`, CPU", cpu(1, 5), None);
    report.figure("`schema_drift: fail` ÷ `warn`, CPU", cpu(6, 1), None);
    report.figure("`emit_activate_version` ÷ plain, CPU", cpu(7, 1), None);
    for (contender, took) in contenders.iter().zip(&took).take(2) {
        let micros = took.cpu * 1e6 / RECORDS as f64;
        report.figure(&format!("CPU of a record, {}", contender.name), (micros, " µs"), None);
    }
    took[1].cpu / RECORDS as f64
}

/// Instructions ÷ the floor's.
pub fn instructions(report: &mut Report) {
    report.table("Instructions, counted by callgrind");
    if !count::can_count() {
        report.figure("not counted, because valgrind is not installed", (0.0, ""), None);
        return;
    }
    let [ours, floors] = count::of_both(RECORDS);
    let limit = Limit(2.2, Some(1.6));
    report.figure(
        &format!("whole run of {RECORDS} records ÷ floor"),
        (ours as f64 / floors as f64, ""),
        Some(limit),
    );
    let [ours, floors] = count::a_record();
    report.figure("a record ÷ floor (the difference of two runs)", (ours / floors, ""), Some(limit));
    report.figure("a record", (ours, ""), None);
    report.figure("a record, floor", (floors, ""), None);
    report.figure(
        "start, `--about`",
        (count::of(Command::new(tap()).arg("--about")) as f64 / 1e6, " million"),
        None,
    );
}

pub fn start_and_size(report: &mut Report) {
    report.table("Start and size");
    for argument in ["spec", "--about", "--version"] {
        let took = (0..50).map(|_| run(Command::new(tap()).arg(argument)).cpu * 1e3).collect();
        report.figure(&format!("CPU of `{argument}`"), (median(took), " ms"), Some(Limit(2.0, None)));
    }
    let size = std::fs::metadata(tap()).expect("the binary is built").len() as f64 / 1e6;
    report.figure("the stripped binary", (size, " MB"), Some(Limit(6.0, Some(4.0))));
}

/// How much of the time is spent waiting for answers.
pub fn waiting(report: &mut Report) {
    let records = 10_000;
    let sim = Simulator::start(polite(records).latency(LATENCY));
    let took = race(&sim, &[plain()], records, ROUNDS);
    // The organization is looked up first; then each stream asks for one page after the other, role bindings
    // for the bare name of the organization before all that is in it.
    let asked = sim.requests();
    let of_bindings = |pattern: &str| {
        let of_stream = |one: &&simulator::Request| {
            // A look-up of the key's owner asks for one principal, beside the sync.
            one.parameter("crn_pattern") == Some(pattern) && one.parameter("principal").is_none()
        };
        asked.iter().filter(of_stream).count() / ROUNDS
    };
    let top = format!("crn://confluent.cloud/organization={}", sim.organization_id());
    let longest = of_bindings(&top) + of_bindings(&format!("{top}/*")) + 1;
    let least = LATENCY.as_secs_f64() * longest as f64;
    report.table(&format!("{records} records at {} ms a request", LATENCY.as_millis()));
    let what = format!("wall ÷ {longest} round trips (pages of the longest stream, and a look-up)");
    report.figure(&what, (took[0].wall / least, ""), Some(Limit(1.03, None)));
    let sim = Simulator::start(polite(records).latency(LATENCY));
    let took = race(&sim, &[Contender::floor()], records, ROUNDS);
    let asked = sim.requests();
    let longest = |stream: &str| asked.iter().filter(|one| one.stream.as_deref() == Some(stream)).count();
    // Its pages are the smallest.
    let longest = longest("invitations") / ROUNDS;
    let least = LATENCY.as_secs_f64() * longest as f64;
    report.figure(&format!("the least: wall ÷ {longest} round trips"), (took[0].wall / least, ""), None);
}

/// Peak memory of a small run, in MiB.
pub fn few(report: &mut Report) -> f64 {
    let sim = Simulator::start(polite(FEW));
    let (mib, records) = peak(&mut plain().ready(&sim).command, None);
    assert_eq!(records, FEW);
    report.table("Memory and size of the organization");
    report.figure(&format!("peak memory at {FEW} records"), (mib, " MiB"), Some(Limit(7.0, Some(6.0))));
    mib
}

/// Memory and CPU where there is much to read. `few`: the peak memory of a small run; `cpu`: of a record of a large one.
pub fn many(report: &mut Report, records: u64, few: f64, cpu: f64) {
    let sim = Simulator::start(polite(records));
    let (mib, came) = peak(&mut plain().ready(&sim).command, None);
    assert_eq!(came, records);
    let took = race(&sim, &[Contender::floor(), plain()], records, 3);
    let a_record = took[1].cpu / records as f64;
    report.figure(&format!("peak memory at {records} records"), (mib, " MiB"), Some(Limit(7.0, Some(6.0))));
    report.figure(&format!("the same ÷ at {FEW}"), (mib / few, ""), Some(Limit(1.1, None)));
    let what = format!("CPU of a record at {records} ÷ at {RECORDS}");
    report.figure(&what, (a_record / cpu, ""), Some(Limit(1.05, None)));
    report.figure(
        &format!("CPU ÷ floor at {records}"),
        (took[1].cpu / took[0].cpu, ""),
        Some(Limit(1.7, Some(1.25))),
    );
}

/// A reader that takes a megabyte a second, and connections that are closed meanwhile, because nothing is asked on them.
pub fn slow_reader(report: &mut Report, few: f64) {
    let records = 20_000;
    let sim = Simulator::start(polite(records));
    let proxy = idle::Proxy::start(&sim.base_url());
    let (mib, came) = peak(&mut plain().at(&sim, &proxy.base_url()).command, Some(1_000_000));
    assert!(proxy.closed() > 0, "no connection was ever idle");
    let lost = records.abs_diff(came);
    report.figure(
        &format!("records lost or repeated of {records}, reader of 1 MB/s, idle connections closed"),
        (lost as f64, ""),
        Some(Limit(0.0, None)),
    );
    report.figure(
        &format!("peak memory of that run ÷ at {FEW} records"),
        (mib / few, ""),
        Some(Limit(1.1, None)),
    );
}
