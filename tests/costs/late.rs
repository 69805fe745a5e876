//! Day after day: lines that arrive late and corrections replace what was there, and only a group that shrinks
//! leaves a row behind, which the documented query finds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use simulator::{Scenario, Simulator};

use super::{COSTS, TODAY, after, billed, billed_rudely, costs, same_lines, truth};
use crate::support::{Tap, airbyte, id_of};

/// A target keyed on `cost_id`: its rows, and on which day each was written last.
type Target = BTreeMap<String, (String, Value)>;

fn write(target: &mut Target, day: &str, records: Vec<Value>) {
    for record in records {
        target.insert(record["cost_id"].as_str().unwrap().to_owned(), (day.to_owned(), record));
    }
}

/// The rows that were not written when a row of the same day was written last.
fn leftovers(target: &Target) -> BTreeSet<String> {
    let mut last: BTreeMap<&str, &str> = BTreeMap::new();
    for (written, record) in target.values() {
        let newest = last.entry(record["start_date"].as_str().unwrap()).or_default();
        *newest = (*newest).max(written);
    }
    let left = |(_, (written, record)): &(&String, &(String, Value))| {
        written.as_str() < last[record["start_date"].as_str().unwrap()]
    };
    target.iter().filter(left).map(|(id, _)| id.clone()).collect()
}

/// Each of these days, costs are read and written; says the target and whether something was late, corrected
/// and taken back.
fn days(
    scenario: Scenario,
    count: u64,
    read: impl Fn(&Simulator, Option<&Value>) -> (Vec<Value>, Value),
) -> (Simulator, Target, [bool; 3]) {
    let mut sim = Simulator::start(scenario);
    let (mut target, mut state, mut seen) = (Target::new(), None, [false; 3]);
    for day in 0..count {
        let today = after(TODAY, day);
        let before = sim.truth().records(COSTS).to_vec();
        sim.set_today(&today);
        let now: BTreeSet<String> = sim.truth().ids(COSTS).into_iter().collect();
        let known: BTreeSet<&str> = before.iter().map(id_of).collect();
        let corrected = |id: &String| {
            id.ends_with("corrected")
                && known.contains(id.trim_end_matches("corrected").trim_end_matches(" – "))
        };
        let late = |id: &String| {
            !known.contains(id.as_str()) && !id.contains("corrected") && {
                let first = before.iter().filter_map(|record| record["start_date"].as_str()).max();
                first.is_some_and(|first| id.contains(" · ") && id.split(" · ").nth(1).unwrap() <= first)
            }
        };
        let gone = |id: &&str| !now.iter().any(|kept| kept.starts_with(*id));
        let these = [now.iter().any(late), now.iter().any(corrected), known.iter().any(gone)];
        seen = [0, 1, 2].map(|which| seen[which] || day > 0 && these[which]);
        let (records, next) = read(&sim, state.as_ref());
        write(&mut target, &today, records);
        state = Some(next);
    }
    (sim, target, seen)
}

fn with<'s>(tap: Tap<'s>, state: Option<&Value>) -> Tap<'s> {
    match state {
        Some(state) => tap.state(state),
        None => tap,
    }
}

fn by_singer(
    tap: impl Fn(&Simulator) -> Tap<'_>,
) -> impl Fn(&Simulator, Option<&Value>) -> (Vec<Value>, Value) {
    move |sim, state| {
        let tap = tap(sim);
        let run = with(tap, state).run().expect_code(0);
        (run.records(COSTS), run.last_state().unwrap())
    }
}

fn by_airbyte(sim: &Simulator, state: Option<&Value>) -> (Vec<Value>, Value) {
    let tap = costs(sim).set("page_size", 40);
    let tap = with(tap, state);
    let heard = airbyte::read(tap, &airbyte::catalog_of(&[COSTS], "incremental"));
    (heard.records(COSTS), heard.state_file())
}

/// What is in the target equals what the service has, but for what the query finds: the last rows of groups
/// that have shrunk. Says how many.
#[track_caller]
fn assert_settled(sim: &Simulator, target: &Target) -> usize {
    let left = leftovers(target);
    let (gone, rows): (Vec<_>, Vec<_>) = target.iter().partition(|(id, _)| left.contains(*id));
    let records: Vec<Value> = rows.iter().map(|(_, (_, record))| record.clone()).collect();
    same_lines(sim, &records, &truth(sim, ""));
    for (id, _) in gone {
        let (digest, number) = id.rsplit_once('-').unwrap();
        let of_group = |(id, _): &&(&String, &(String, Value))| id.rsplit_once('-').unwrap().0 == digest;
        let size = rows.iter().filter(of_group).count();
        assert!(size > 0 && number.parse::<usize>().unwrap() >= size, "{id} is of a group of {size}");
    }
    left.len()
}

#[test]
fn three_days_in_a_row_bring_what_is_late_and_what_is_corrected() {
    let mut left = 0;
    for seed in 0..4 {
        for scenario in [billed_rudely(), billed()] {
            let scenario = scenario.seed(seed).past_days(30).billing_costs(26);
            let read = by_singer(|sim| costs(sim).set("page_size", 40));
            let (sim, target, seen) = days(scenario, 3, read);
            left += assert_settled(&sim, &target);
            assert!(seen[0] && seen[1], "seed {seed}: nothing was late, or nothing corrected: {seen:?}");
        }
    }
    assert!(left > 0, "no group shrank");
}

#[test]
fn three_days_in_a_row_bring_the_same_to_airbyte() {
    let (sim, target, seen) = days(billed().seed(2).past_days(30).billing_costs(26), 4, by_airbyte);
    assert!(assert_settled(&sim, &target) > 0, "no group shrank");
    assert_eq!(seen, [true; 3]);
}

#[test]
fn a_pause_of_a_week_misses_nothing() {
    let mut sim = Simulator::start(billed().past_days(30).billing_costs(26));
    let mut target = Target::new();
    let first = costs(&sim).run().expect_code(0);
    write(&mut target, TODAY, first.records(COSTS));
    let later = after(TODAY, 7);
    sim.set_today(&later);
    let second = costs(&sim).state(&first.last_state().unwrap()).run().expect_code(0);
    write(&mut target, &later, second.records(COSTS));
    assert_settled(&sim, &target);
}

#[test]
fn without_late_days_what_is_late_is_missed() {
    let read = by_singer(|sim| costs(sim).set("cost_days_late", 0));
    let (sim, target, _) = days(billed().seed(2).past_days(30).billing_costs(26), 4, read);
    let held: BTreeSet<&str> = target.values().map(|(_, record)| id_of(record)).collect();
    let missing = sim.truth().ids(COSTS).into_iter().filter(|id| !held.contains(id.as_str())).count();
    assert!(missing > 0, "this test cannot see what is missed");
}
