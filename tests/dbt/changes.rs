//! `access_changes` says what was granted, revoked and changed between runs that read everything, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use simulator::{At, Fault, Grant, Scenario, Simulator};

use super::truth::{Grants, by_key, differing, grants, key};
use super::warehouse::{Warehouse, sync};
use crate::support::{Run, rude};

const DAYS: [&str; 4] = ["2026-01-08", "2026-01-09", "2026-01-10", "2026-01-11"];

fn organization() -> Scenario {
    rude().users(40).invitations(20).service_accounts(24).role_bindings(120).seed(12)
}

/// What happened to each grant, with the columns that differ.
type Changes = BTreeMap<String, (&'static str, BTreeSet<String>)>;

fn between(before: &Grants, after: &Grants) -> Changes {
    let mut changes = Changes::new();
    for key in before.keys().chain(after.keys()) {
        let change = match (before.get(key), after.get(key)) {
            (Some(old), Some(new)) if old == new => continue,
            (Some(old), Some(new)) => ("changed", differing(old, new).into_iter().collect()),
            (None, _) => ("granted", BTreeSet::new()),
            (_, None) => ("revoked", BTreeSet::new()),
        };
        changes.insert(key.clone(), change);
    }
    changes
}

/// Changes that were seen by the run of a day, whose earlier one was that of another day.
fn found(warehouse: &Warehouse, day: &str, earlier: &str) -> Changes {
    let mut changes = Changes::new();
    for row in warehouse.rows("access_changes") {
        if !row["seen_at"].as_str().unwrap().starts_with(day) {
            continue;
        }
        assert!(row["not_yet_at"].as_str().unwrap().starts_with(earlier), "{row}");
        assert!(
            ["same_streams", "same_api_key", "same_settings"].iter().all(|same| row[same] == true),
            "{row}"
        );
        let change = ["granted", "revoked", "changed"].into_iter().find(|change| row["change"] == *change);
        let differences = row["what_changed"].as_str().into_iter().flat_map(|text| text.split("; "));
        let columns = differences.map(|difference| difference.split(": ").next().unwrap().to_owned());
        let twice = changes.insert(key(&row), (change.expect("a known change"), columns.collect()));
        assert_eq!(twice, None, "it is told twice: {row}");
    }
    changes
}

fn count(changes: &Changes, of: &str) -> usize {
    changes.values().filter(|(change, _)| *change == of).count()
}

/// Three days, and a fourth on which nothing happens. On the second, the run fails in one of two ways.
fn three_days(warehouse: &Warehouse, fail: impl FnOnce(&Simulator) -> Run) {
    let mut sim = Simulator::start(organization());
    let day = |sim: &Simulator, run: &Run| {
        warehouse.load(sim, run);
        warehouse.build(sim);
    };
    day(&sim, &sync(&sim, DAYS[0]).run().expect_code(0));
    let first = grants(&sim);
    assert_eq!(by_key(&warehouse.rows("access_grants")), first);
    assert_eq!(warehouse.rows("access_changes").len(), 0, "what the first run found was not granted then");

    sim.delete("role_bindings", 3);
    sim.grant(Grant::of_organization(2));
    sim.grant(Grant::in_environments(1));
    day(&sim, &fail(&sim));
    assert_eq!(warehouse.rows("access_changes").len(), 0, "the run failed");
    assert_eq!(by_key(&warehouse.rows("access_grants")), first, "the run failed");

    sim.clear_faults();
    sim.delete("role_bindings", 2);
    sim.delete("users", 4);
    sim.delete("api_keys", 5);
    day(&sim, &sync(&sim, DAYS[2]).run().expect_code(0));
    let third = grants(&sim);
    let expected = between(&first, &third);
    for change in ["granted", "revoked", "changed"] {
        assert!(count(&expected, change) > 0, "nothing was {change}");
    }
    assert_eq!(found(warehouse, DAYS[2], DAYS[0]), expected);
    assert_eq!(warehouse.rows("access_changes").len(), expected.len());
    assert_eq!(by_key(&warehouse.rows("access_grants")), third);

    day(&sim, &sync(&sim, DAYS[3]).run().expect_code(0));
    assert_eq!(warehouse.rows("access_changes").len(), expected.len(), "nothing happened on the last day");
    let as_of = &warehouse.rows("access_grants")[0]["as_of"];
    assert!(as_of.as_str().unwrap().starts_with(DAYS[3]), "{as_of}");
}

#[test]
fn duckdb_shows_no_change_where_role_bindings_broke_off() {
    three_days(&Warehouse::duckdb(), |sim| {
        sim.add_fault(Fault::errors(503, "try later"), At::stream("role_bindings").from(4));
        let run = sync(sim, DAYS[1]).set("max_retries", 2).run().expect_code(4);
        assert!(!run.records("role_bindings").is_empty(), "it broke off too early");
        run
    });
}

#[test]
fn postgres_shows_no_change_where_users_were_refused() {
    three_days(&Warehouse::postgres("dbt_changes"), |sim| {
        sim.add_fault(Fault::errors(403, "Forbidden Access"), At::stream("users"));
        let run = sync(sim, DAYS[1]).run().expect_code(3);
        assert!(
            run.stdout.contains(r#"{"stream":"role_bindings","type":"ACTIVATE_VERSION""#)
                || run.stdout.contains("ACTIVATE_VERSION")
        );
        run
    });
}
