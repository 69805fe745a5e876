//! The key of somebody who may see costs and nothing else: a BillingAdmin's.

use serde_json::Value;
use simulator::{STREAMS as SERVED, Scenario, Simulator};

use super::{COSTS, billed, costs, months};
use crate::support::airbyte::{self, FailureType, Status};
use crate::support::{STREAMS, Tap, id_of, tap};

/// Everything but costs is refused.
fn billing_admin() -> Scenario {
    let refused = SERVED.iter().filter(|stream| stream.name != COSTS);
    refused.fold(billed(), |scenario, stream| scenario.refuse(stream.name))
}

/// The same, but the organization's look-ups are answered with nothing.
fn billing_admin_who_sees_no_organization() -> Scenario {
    let look_ups = ["organizations", "environments"];
    let refused = SERVED.iter().filter(|stream| stream.name != COSTS && !look_ups.contains(&stream.name));
    let scenario = billed().organizations(0).environments(0).kafka_clusters(0);
    refused.fold(scenario, |scenario, stream| scenario.refuse(stream.name))
}

/// Check passes, and both languages bring everything with this id of the organization.
#[track_caller]
fn assert_reads<'s>(sim: &Simulator, tap: impl Fn() -> Tap<'s>, organization: &Value) {
    airbyte::check(tap()).succeeded();
    let run = tap().run().expect_code(0);
    let heard = airbyte::read(tap(), &airbyte::catalog_of(&[COSTS], "incremental"));
    assert_eq!(heard.statuses(COSTS).last(), Some(&Status::Complete));
    for records in [run.records(COSTS), heard.records(COSTS)] {
        let mut ids: Vec<&str> = records.iter().map(id_of).collect();
        let mut truth = sim.truth().ids(COSTS);
        ids.sort_unstable();
        truth.sort_unstable();
        assert_eq!(ids, truth);
        assert!(records.iter().all(|record| record["organization_id"] == *organization));
    }
    assert_eq!(run.bookmark(COSTS)["organization_id"], *organization);
    // The next run goes on, known or not.
    let again = tap().state(&run.last_state().unwrap()).run().expect_code(0);
    assert_eq!(again.bookmark(COSTS)["partition"], run.bookmark(COSTS)["partition"]);
    assert!(again.records(COSTS).len() < run.records(COSTS).len() / 2);
}

#[test]
fn a_key_that_sees_costs_alone_reads_them() {
    for scenario in [billing_admin(), billing_admin_who_sees_no_organization()] {
        let sim = Simulator::start(scenario);
        assert_reads(&sim, || costs(&sim), &Value::Null);
    }
}

#[test]
fn the_organization_is_the_settings_where_the_look_ups_are_refused() {
    let sim = Simulator::start(billing_admin());
    let id = sim.organization_id();
    assert_reads(&sim, || costs(&sim).set("organization_id", id), &id.into());
}

#[test]
fn the_organization_is_the_settings_where_the_look_ups_show_none() {
    let sim = Simulator::start(billing_admin_who_sees_no_organization());
    let id = sim.organization_id();
    assert_reads(&sim, || costs(&sim).set("organization_id", id), &id.into());
}

#[test]
fn the_same_key_is_refused_the_default_streams_with_the_role_to_grant() {
    for scenario in [billing_admin(), billing_admin_who_sees_no_organization()] {
        let sim = Simulator::start(scenario);
        let tap = || tap(&sim).on(super::TODAY);
        airbyte::check(tap()).failed(&["AccountAdmin"]);
        let run = tap().run();
        assert_eq!(run.code(), Some(3));
        assert!(run.says("ERROR", &["users", "AccountAdmin"]), "it names no role");
        for stream in STREAMS {
            assert!(run.records(stream).is_empty());
        }
    }
}

#[test]
fn a_key_that_may_not_see_costs_is_told_the_role() {
    let sim = Simulator::start(billed().refuse(COSTS));
    let run = costs(&sim).run();
    assert_eq!(run.code(), Some(3));
    assert!(run.says("ERROR", &[COSTS, "BillingAdmin"]), "it names no role");
    let heard = airbyte::read(costs(&sim), &airbyte::catalog_of(&[COSTS], "incremental")).expect_code(1);
    let error = heard.error_of(COSTS);
    assert_eq!(error.failure_type, FailureType::Config);
    airbyte::has_words(&error.message, &["BillingAdmin"]);
    airbyte::check(costs(&sim)).failed(&[COSTS, "BillingAdmin"]);
}

#[test]
fn a_check_asks_for_one_page_of_a_window_at_most() {
    let sim = Simulator::start(billed().past_days(365).billing_costs(9));
    let tap = || costs(&sim).set("start_date", "2025-05-10").set("page_size", 5);
    let heard = airbyte::check(tap());
    heard.succeeded();
    let tested = tap().arg("--test").run().expect_code(0);
    for run in [&heard.run, &tested] {
        let asked = run.asked(COSTS);
        assert!(!asked.is_empty() && asked.len() <= months("2025-05-10", super::TODAY).len());
        assert!(asked.iter().all(|request| request.parameter("page_token").is_none()));
    }
}
