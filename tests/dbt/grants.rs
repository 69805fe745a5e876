//! `access_grants` says who can do what, as the organization's records do.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use simulator::{Scenario, Simulator};

use super::truth::{Grants, by_key, grants};
use super::warehouse::{Warehouse, sync};
use crate::support::postgres::Postgres;
use crate::support::rude;

const DAY: &str = "2026-01-08";

/// Enough of each kind that all ways and states occur.
fn varied() -> Scenario {
    rude().users(60).invitations(60).service_accounts(30).role_bindings(200).seed(12)
}

#[track_caller]
fn assert_grants(warehouse: &Warehouse, sim: &Simulator) {
    let (found, expected) = (by_key(&warehouse.rows("access_grants")), grants(sim));
    for (key, grant) in &expected {
        assert_eq!(found.get(key), Some(grant), "{key}");
    }
    assert_eq!(found.len(), expected.len(), "there are others");
}

/// The values that a column has.
fn values(grants: &Grants, column: &str) -> BTreeSet<String> {
    grants.values().map(|grant| grant[column].to_string()).collect()
}

/// What shows that an organization has something to get wrong.
fn assert_varied(grants: &Grants) {
    for (column, count) in [("principal_status", 4), ("is_dangling_principal", 3), ("is_dangling_scope", 2)] {
        assert_eq!(values(grants, column).len(), count, "{column}: {:?}", values(grants, column));
    }
    for way in ["| direct |", "| api_key |", "| group_mapping |", "identity_pool |"] {
        assert!(grants.keys().any(|key| key.contains(way)), "no grant is {way}");
    }
    assert!(grants.values().any(|grant| grant["condition"].is_string()), "none has a condition");
}

#[test]
fn duckdb_holds_the_grants_that_the_organization_has() {
    let (sim, warehouse) = (Simulator::start(varied()), Warehouse::duckdb());
    assert_varied(&grants(&sim));
    warehouse.load(&sim, &sync(&sim, DAY).run().expect_code(0));
    warehouse.build(&sim);
    assert_grants(&warehouse, &sim);
    warehouse.dbt(&sim, ["docs", "generate"]).expect_code(0);
}

#[test]
fn postgres_holds_the_grants_that_the_organization_has() {
    let (sim, warehouse) = (Simulator::start(varied()), Warehouse::postgres("dbt_grants"));
    warehouse.load(&sim, &sync(&sim, DAY).run().expect_code(0));
    // Some loaders make such columns, and a server need not be in UTC.
    for column in ["extractions.ended_at", "role_bindings._sdc_extracted_at", "users._sdc_extracted_at"] {
        let (table, column) = column.split_once('.').unwrap();
        Postgres::query(&format!(
            "select 1; alter table dbt_grants.{table} alter {column} type timestamptz using {column} at time zone 'UTC'"
        ));
    }
    warehouse.build(&sim);
    assert_grants(&warehouse, &sim);
}

/// PyAirbyte's DuckDB drops the offset from UTC that some times have.
#[test]
fn tables_that_airbyte_has_loaded_hold_the_same() {
    let (sim, warehouse) = (Simulator::start(varied()), Warehouse::duckdb());
    warehouse.load_by_pyairbyte(&sim);
    warehouse.build(&sim);
    let without_time = |mut grants: Grants| {
        grants.values_mut().for_each(|grant| grant["granted_at"] = Value::Null);
        grants
    };
    let found = by_key(&warehouse.rows("access_grants"));
    assert_eq!(without_time(found), without_time(grants(&sim)));
}

/// What only a stream that is not synced could tell is null, and nothing is taken for deleted.
#[test]
fn without_optional_streams_nothing_is_called_dangling_for_it() {
    let (sim, warehouse) = (Simulator::start(varied()), Warehouse::duckdb());
    let four = ["role_bindings", "users", "service_accounts", "invitations"];
    let streams = json!(["role_bindings", "users", "service_accounts", "invitations", "extractions"]);
    let run = sync(&sim, DAY).set("streams", streams).set("personal_data", "omit").run().expect_code(0);
    warehouse.load(&sim, &run);
    let variables = json!({ "confluent_streams": four }).to_string();
    warehouse.dbt(&sim, ["build", "--vars", &variables]).expect_code(0);
    let (found, mut expected) = (by_key(&warehouse.rows("access_grants")), grants(&sim));
    expected.retain(|key, _| !key.contains("| api_key |"));
    assert_eq!(found.len(), expected.len());
    for (key, grant) in &found {
        assert_eq!(grant["principal_email"], Value::Null);
        let unknown = grant["principal_status"] == "not_checked";
        assert_eq!(grant["is_dangling_principal"] == Value::Null, unknown, "{grant}");
        let pattern_is_checked = grant["environment_id"] == Value::Null;
        assert!(pattern_is_checked || grant["is_dangling_scope"] == Value::Null, "{grant}");
        let truth = expected.get(key).expect("nothing is made up");
        assert!(grant["is_dangling_principal"] != true || truth["is_dangling_principal"] != false);
    }
    // Whatever appears once more is read, is told apart from what was granted.
    warehouse.load(&sim, &sync(&sim, "2026-01-09").run().expect_code(0));
    warehouse.build(&sim);
    let changes = warehouse.rows("access_changes");
    assert!(
        changes.iter().any(|row| row["change"] == "granted")
            && changes.iter().any(|row| row["change"] == "changed")
    );
    assert!(
        changes.iter().all(|row| {
            row["change"] != "revoked" && row["same_streams"] == false && row["same_settings"] == false
        }),
        "{changes:?}"
    );
}

#[test]
fn a_stream_that_the_package_does_not_know_is_refused_by_name() {
    let (sim, warehouse) = (Simulator::start(varied()), Warehouse::duckdb());
    let variables = json!({ "confluent_streams": ["role_bindings", "users", "api_key"] }).to_string();
    let ended = warehouse.dbt(&sim, ["build", "--vars", &variables]);
    assert_ne!(ended.status.code(), Some(0));
    assert!(ended.stdout.contains("confluent_streams names api_key, which this package does not read"));
}
