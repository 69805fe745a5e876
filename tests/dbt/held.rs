//! What the tables of a run that was not whole hold is not believed: `access_grants` stays as it was, and nothing is
//! told as a change.

use serde_json::{Value, json};
use simulator::{Scenario, Simulator};

use super::truth::{Grants, by_key, grants};
use super::warehouse::{Warehouse, sync};
use crate::support::{Run, small};

fn organization() -> Scenario {
    small().role_bindings(60).seed(12)
}

/// What a run has printed but for the lines that hold all of these.
fn without(run: &Run, words: &[&str]) -> String {
    let kept = run.whole_lines().lines().filter(|line| !words.iter().all(|word| line.contains(word)));
    kept.map(|line| format!("{line}\n")).collect()
}

struct Held<'a> {
    warehouse: &'a Warehouse,
    before: Grants,
}

impl Held<'_> {
    /// Nothing has moved, for this reason.
    #[track_caller]
    fn expect(&self, sim: &Simulator, problem: &str) {
        self.warehouse.build(sim);
        assert_eq!(by_key(&self.warehouse.rows("access_grants")), self.before);
        assert_eq!(self.warehouse.rows("access_changes").len(), 0);
        assert!(
            self.warehouse.problems().iter().any(|found| found == problem),
            "{:?}",
            self.warehouse.problems()
        );
    }
}

#[test]
fn killed_truncated_and_shortened_runs_change_nothing() {
    let (mut sim, warehouse) = (Simulator::start(organization()), Warehouse::duckdb());
    let whole = |sim: &Simulator, day: &str| sync(sim, day).run().expect_code(0);
    warehouse.load(&sim, &whole(&sim, "2026-01-08"));
    warehouse.build(&sim);
    let held = Held { warehouse: &warehouse, before: grants(&sim) };
    let deleted = sim.delete("role_bindings", 6);

    // Of a killed run there are rows, but not that it ended.
    let killed = whole(&sim, "2026-01-09");
    let told = r#""RECORD","stream":"extractions""#;
    warehouse.load_messages(&sim, &without(&killed, &[told]));
    held.expect(&sim, "users: its table has rows of a later run, which did not end");

    // Or it ended with other streams only.
    let killed = whole(&sim, "2026-01-10");
    warehouse.load_messages(&sim, &without(&killed, &[told, "/role_bindings"]));
    held.expect(&sim, "role_bindings: the last run has not read it");

    // The target lost a row that the tap has sent.
    let lost = sim.truth().ids("role_bindings").pop().unwrap();
    let run = whole(&sim, "2026-01-11");
    warehouse.load_messages(&sim, &without(&run, &[r#""RECORD","stream":"role_bindings""#, &lost]));
    held.expect(&sim, "role_bindings: its table has fewer rows than records were read");

    // Then all is there, and only then the bindings are gone.
    warehouse.load(&sim, &whole(&sim, "2026-01-12"));
    warehouse.build(&sim);
    assert_eq!(warehouse.problems(), [""; 0]);
    let changes = warehouse.rows("access_changes");
    assert!(changes.iter().all(|row| row["change"] == "revoked"), "{changes:?}");
    let mut revoked: Vec<&str> = changes.iter().map(|row| row["role_binding_id"].as_str().unwrap()).collect();
    revoked.dedup();
    assert!(deleted.iter().all(|id| revoked.contains(&id.as_str())), "{revoked:?} but {deleted:?}");
    assert_eq!(by_key(&warehouse.rows("access_grants")), grants(&sim));
}

#[test]
fn a_key_that_may_see_less_is_believed_only_on_demand() {
    let (sim, warehouse) = (Simulator::start(organization()), Warehouse::duckdb());
    warehouse.load(&sim, &sync(&sim, "2026-01-08").run().expect_code(0));
    warehouse.build(&sim);
    let held = Held { warehouse: &warehouse, before: grants(&sim) };
    let weak = Simulator::start(organization().weak_key());
    assert_eq!(weak.organization_id(), sim.organization_id());
    warehouse.load(&weak, &sync(&weak, "2026-01-09").run().expect_code(0));
    held.expect(&weak, "role_bindings: the service may have shortened it");
    let variables = json!({ "confluent_accept_shortened_lists": true }).to_string();
    warehouse.dbt(&weak, ["build", "--vars", &variables]).expect_code(0);
    // Of API keys such a key sees those of its owner alone.
    let owner = weak.owner_id();
    let own: Vec<_> =
        weak.truth().records("api_keys").iter().filter(|key| key["spec"]["owner"]["id"] == owner).collect();
    let is_seen = |grant: &str| {
        !grant.contains("| api_key |") || own.iter().any(|key| grant.ends_with(key["id"].as_str().unwrap()))
    };
    let mut expected = grants(&weak);
    expected.retain(|grant, _| is_seen(grant));
    assert_eq!(by_key(&warehouse.rows("access_grants")), expected);
    assert_ne!(expected, held.before);
}

#[test]
fn a_key_that_may_not_even_look_up_its_owner_is_not_believed() {
    let (sim, warehouse) = (Simulator::start(organization()), Warehouse::duckdb());
    warehouse.load(&sim, &sync(&sim, "2026-01-08").run().expect_code(0));
    warehouse.build(&sim);
    let held = Held { warehouse: &warehouse, before: grants(&sim) };
    let weak = Simulator::start(organization().weak_key().refuse("api_keys"));
    warehouse.load(&weak, &sync(&weak, "2026-01-09").run().expect_code(3));
    held.expect(&weak, "role_bindings: the service may have shortened it");
}

#[test]
fn the_build_fails_until_a_run_has_read_everything() {
    let (sim, warehouse) = (Simulator::start(organization().refuse("users")), Warehouse::duckdb());
    warehouse.load(&sim, &sync(&sim, "2026-01-08").run().expect_code(3));
    let ended = warehouse.dbt(&sim, ["build"]).expect_code(1);
    assert!(ended.stdout.contains("FAIL 1 a_run_was_accepted"));
    assert_eq!(warehouse.problems(), ["users: the last run failed to read it"]);
    assert_eq!(warehouse.rows("access_grants").len(), 0);
}

/// Another organization in the same tables is nothing that the first one has revoked or been granted.
#[test]
fn two_organizations_in_the_same_tables_are_kept_apart() {
    let (one, other) = (Simulator::start(organization()), Simulator::start(organization().seed(13)));
    let warehouse = Warehouse::duckdb();
    for (sim, day) in [(&one, "2026-01-08"), (&other, "2026-01-09")] {
        warehouse.load(sim, &sync(sim, day).run().expect_code(0));
        warehouse.build(sim);
    }
    let mut both = grants(&one);
    both.extend(grants(&other));
    assert_eq!(by_key(&warehouse.rows("access_grants")), both);
    assert_eq!(warehouse.rows("access_changes"), [Value::Null; 0]);
}
