//! Billing costs, the one stream that is read by days: windows, bookmarks, late and corrected lines, and keys
//! that may see nothing else. The days are those that a test names, for the binary and for the simulator.

mod bookmarks;
mod clock;
mod digits;
mod duckdb;
mod interrupted;
mod keys;
mod languages;
mod late;
mod states;
mod windows;

use std::collections::BTreeSet;

use chrono::{Datelike as _, Days, Months, NaiveDate};
use serde_json::{Value, json};
use simulator::{Scenario, Simulator};

use crate::support::{Run, Tap, assert_record, id_of, seed, tap};

const COSTS: &str = "billing_costs";

/// The day that it is unless a test says otherwise: in the middle of a month, and of no leap year.
const TODAY: &str = "2026-05-10";

/// An organization that has been billed for ninety days on that day, rude.
fn billed_rudely() -> Scenario {
    Scenario::new().seed(seed()).today(TODAY).past_days(90)
}

/// The same, polite.
fn billed() -> Scenario {
    billed_rudely().polite()
}

/// A run that reads costs alone, on the simulator's day.
fn costs(sim: &Simulator) -> Tap<'_> {
    tap(sim).set("streams", json!([COSTS])).on(&sim.today())
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// So many days before a day.
fn before(day: &str, days: u64) -> String {
    (date(day) - Days::new(days)).to_string()
}

/// So many days after a day.
fn after(day: &str, days: u64) -> String {
    (date(day) + Days::new(days)).to_string()
}

/// First days and ends of the calendar months between two days, the second excluded.
fn months(from: &str, until: &str) -> Vec<(String, String)> {
    let (mut first, until) = (date(from), date(until));
    let mut months = Vec::new();
    while first < until {
        let next = (first + Months::new(1)).with_day(1).unwrap().min(until);
        months.push((first.to_string(), next.to_string()));
        first = next;
    }
    months
}

/// The windows that a run has asked for, each once in a row.
fn windows(run: &Run) -> Vec<(String, String)> {
    let asked = run.asked(COSTS).into_iter();
    let day = |name: &str, request: &simulator::Request| request.parameter(name).unwrap().to_owned();
    let mut asked: Vec<_> =
        asked.map(|request| (day("start_date", request), day("end_date", request))).collect();
    asked.dedup();
    asked
}

/// What the service has of the days from one on, as of its day.
fn truth(sim: &Simulator, from: &str) -> Vec<Value> {
    let all = sim.truth().records(COSTS).iter();
    all.filter(|record| record["start_date"].as_str().unwrap() >= from).cloned().collect()
}

/// The same lines, each as the service sent it and with the columns that are derived from it, whatever their
/// order; no key twice.
#[track_caller]
fn same_lines(sim: &Simulator, records: &[Value], truth: &[Value]) {
    let sorted = |records: &[Value]| {
        let mut records = records.to_vec();
        records.sort_by(|one, other| id_of(one).cmp(id_of(other)));
        records
    };
    let ids = |records: &[Value]| records.iter().map(|record| id_of(record).to_owned()).collect::<Vec<_>>();
    let (records, truth) = (sorted(records), sorted(truth));
    assert_eq!(ids(&records), ids(&truth), "lines of costs");
    for (record, truth) in records.iter().zip(&truth) {
        assert_record(COSTS, record, truth, &[], Some(sim.organization_id()));
    }
    assert_eq!(keys(&records).len(), records.len(), "a cost_id comes twice");
}

fn keys(records: &[Value]) -> BTreeSet<&str> {
    records.iter().map(|record| record["cost_id"].as_str().unwrap()).collect()
}
