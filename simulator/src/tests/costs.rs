//! What is billed: which days may be asked for, and how lines arrive, change and go.

use std::collections::{BTreeMap, BTreeSet};

use super::{get, json, read};
use crate::{Scenario, Simulator, Value};

const TODAY: &str = "2026-03-05";

fn costs(from: &str, until: &str) -> String {
    format!("/billing/v1/costs?start_date={from}&end_date={until}")
}

fn text<'a>(record: &'a Value, name: &str) -> &'a str {
    record[name].as_str().unwrap_or_default()
}

fn sorted(mut records: Vec<Value>) -> Vec<Value> {
    records.sort_by(|one, other| text(one, "description").cmp(text(other, "description")));
    records
}

#[test]
fn windows_bring_the_truth_in_pages_of_any_size_however_rude() {
    for seed in 0..12 {
        let scenario = Scenario::new().seed(seed).today(TODAY).past_days(50).billing_costs(5);
        let sim = Simulator::start(if seed < 6 { scenario } else { scenario.polite() });
        let windows = [("2026-01-14", "2026-02-01"), ("2026-02-01", "2026-03-01"), ("2026-03-01", TODAY)];
        let all = windows.map(|(from, until)| read(&sim, &format!("{}&page_size=9", costs(from, until))));
        assert_eq!(sorted(all.concat()), sorted(sim.truth().records("billing_costs").to_vec()), "{seed}");
        assert_eq!(sim.truth().count("billing_costs"), all.concat().len() as u64);
        let ids: Vec<String> =
            all.concat().iter().map(|record| text(record, "description").to_owned()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>(), sim.truth().ids("billing_costs").iter().collect());
        assert_eq!(read(&sim, &costs("2025-12-15", "2026-01-14")), [] as [Value; 0]);
    }
}

#[test]
fn only_a_month_of_days_within_a_year_may_be_asked_for() {
    let sim = Simulator::start(Scenario::new().today(TODAY).polite());
    for (from, until, refused) in [
        ("2026-02-01", "2026-03-01", ""),
        ("2026-01-31", "2026-02-28", ""),
        ("2025-03-05", "2025-04-05", ""),
        ("2026-03-04", "2026-03-20", ""),
        ("2025-03-04", "2025-03-10", "start_date"),
        ("2026-02-01", "2026-03-02", "end_date"),
        ("2025-12-20", "2026-01-21", "end_date"),
        ("2026-02-01", "2026-02-01", "end_date"),
        ("2026-02-02", "2026-02-01", "end_date"),
        ("2026-02-30", "2026-03-01", "start_date"),
        ("0001-01-01", "0001-01-02", "start_date"),
        ("2026-02-01", "2026-2-4", "end_date"),
    ] {
        let answer = get(&sim, &costs(from, until));
        let parameter = json(&answer)["errors"][0]["source"]["parameter"].clone();
        let expected = if refused.is_empty() { (200, Value::Null) } else { (400, refused.into()) };
        assert_eq!((answer.status, parameter), expected, "{from} {until}");
    }
    for target in
        ["/billing/v1/costs", "/billing/v1/costs?start_date=2026-02-01", "/billing/v1/costs?end_date=x"]
    {
        assert_eq!(get(&sim, target).status, 400, "{target}");
    }
    let leap = Simulator::start(Scenario::new().today("2028-02-29").polite());
    assert_eq!(get(&leap, &costs("2027-02-28", "2027-03-01")).status, 200);
}

#[test]
fn pages_hold_five_thousand_lines_or_as_many_as_asked_for_up_to_ten_thousand() {
    let sim = Simulator::start(Scenario::new().today(TODAY).past_days(2).billing_costs(12_000).polite());
    let count = |size: &str| {
        let page = json(&get(&sim, &format!("{}{size}", costs("2026-03-01", TODAY))));
        page["data"].as_array().unwrap().len()
    };
    assert_eq!((count(""), count("&page_size=20000"), count("&page_size=7")), (5000, 10_000, 7));
}

/// What stays as it is, whatever is corrected.
fn what(record: &Value) -> String {
    let named =
        ["start_date", "end_date", "granularity", "product", "line_type", "unit", "network_access_type"];
    let named = named.map(|name| record[name].to_string()).join(" ");
    format!("{named} {} {}", record["resource"]["id"], record["resource"]["environment"]["id"])
}

/// The lines of the first of March, as they are listed from that day on.
fn march_the_first(seed: u64) -> [Vec<Value>; 7] {
    let scenario = Scenario::new().seed(seed).today("2026-03-01").billing_costs(24).polite();
    let mut sim = Simulator::start(scenario);
    [1, 2, 3, 4, 5, 6, 20].map(|day| {
        sim.set_today(&format!("2026-03-{day:02}"));
        let all = sim.truth().records("billing_costs").iter();
        all.filter(|line| line["start_date"] == "2026-03-01").cloned().collect()
    })
}

#[test]
fn lines_arrive_late_and_are_corrected_within_three_days() {
    let (mut arrived, mut corrected) = (0, 0);
    for seed in 0..6 {
        let [same_day, next, _, _, third, later, last] = march_the_first(seed);
        assert!(same_day.is_empty() && !next.is_empty(), "billed once it is over");
        assert!(third == later && third == last, "it changes no more");
        arrived += last.iter().filter(|line| !next.iter().any(|known| what(known) == what(line))).count();
        corrected += last.iter().filter(|line| text(line, "description").contains("corrected")).count();
    }
    assert!(arrived > 5 && corrected > 5, "{arrived} {corrected}");
}

#[test]
fn of_every_third_day_a_tier_is_taken_back_after_a_day() {
    let scenario = Scenario::new().seed(5).today("2026-03-01").billing_costs(12).polite();
    let mut sim = Simulator::start(scenario);
    let mut back = 0;
    for day in 2..8 {
        let lines = |sim: &Simulator| sim.truth().ids("billing_costs").into_iter().collect::<BTreeSet<_>>();
        let before = lines(&sim);
        sim.set_today(&format!("2026-03-{day:02}"));
        let after = lines(&sim);
        let named = |id: &&String| !after.iter().any(|line| line.starts_with(id.as_str()));
        back += before.iter().filter(|id| !id.contains("corrected")).filter(named).count();
    }
    assert_eq!(back, 2);
}

#[test]
fn a_day_is_the_same_whenever_the_organization_began() {
    let lines = |days| {
        let sim = Simulator::start(Scenario::new().seed(7).today(TODAY).past_days(days).polite());
        let mut lines = sim.truth().records("billing_costs").to_vec();
        lines.retain(|line| text(line, "start_date") > "2026-02-25");
        lines
    };
    assert!(!lines(20).is_empty());
    assert_eq!(lines(20), lines(300));
}

#[test]
fn some_lines_are_told_apart_by_nothing_but_tier_and_money() {
    let sim = Simulator::start(Scenario::new().today(TODAY).billing_costs(12).polite());
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    for record in sim.truth().records("billing_costs") {
        *alike.entry(what(record)).or_default() += 1;
        let without = ["SUPPORT", "PROMO_CREDIT", "AUDIT_LOG_READ"].contains(&text(record, "line_type"));
        assert_eq!(record.get("resource").is_none(), without, "{record}");
        assert!(record.get("id").is_none() && record.get("metadata").is_none());
    }
    assert!(alike.values().any(|count| *count == 3) && alike.values().any(|count| *count == 2));
}

#[test]
fn amounts_are_exact_and_written_in_many_forms() {
    let sim = Simulator::start(Scenario::new().seed(4).today(TODAY).past_days(60).billing_costs(24).polite());
    let body = String::from_utf8(get(&sim, &costs("2026-02-01", "2026-03-01")).body).unwrap();
    let amounts: Vec<&str> =
        body.split("\"amount\":").skip(1).map(|rest| rest.split([',', '}']).next().unwrap()).collect();
    let has = |form: fn(&str) -> bool| amounts.iter().any(|amount| form(amount));
    assert!(has(|amount| amount == "0") && has(|amount| amount.starts_with('-') && amount.ends_with(".50")));
    assert!(has(|amount| amount.contains("E-")) && has(|amount| amount.ends_with(".00")));
    assert!(has(|amount| amount.split_once('.').is_some_and(|(_, digits)| digits.len() == 12)));
    for record in sim.truth().records("billing_costs") {
        let of = |name: &str| record[name].as_f64().unwrap();
        assert!((of("original_amount") - of("discount_amount") - of("amount")).abs() < 1e-9, "{record}");
    }
}
