//! Keys that do not fit: wrong, of something else, of another organization, or of several.

use serde_json::Value;
use simulator::{Scenario, Simulator};

use crate::support::{assert_whole, polite, small, tap};

#[test]
fn a_wrong_key_ends_with_what_to_do() {
    let sim = Simulator::start(small());
    drop(
        tap(&sim)
            .set("api_secret", "not-the-secret")
            .run()
            .expect_refusal(3, ["api_key", "api_secret", "401"]),
    );
    assert_eq!(sim.requests().len(), 1, "a wrong key was tried again");
    drop(tap(&sim).set("api_key", "NOTTHEKEY").run().expect_refusal(3, ["api_key", "401"]));
}

#[test]
fn the_key_of_a_cluster_ends_with_which_key_is_needed() {
    let sim = Simulator::start(small().resource_key());
    drop(tap(&sim).run().expect_refusal(3, ["cloud", "cluster", "api key"]));
}

#[test]
fn a_key_of_another_organization_is_refused_before_anything_is_read() {
    let sim = Simulator::start(small());
    let other = "00000000-1111-2222-3333-444444444444";
    let run = tap(&sim).set("organization_id", other).run();
    let run = run.expect_refusal(2, ["organization_id", other, sim.organization_id()]);
    assert!(run.asked("users").is_empty());
    assert_whole(&tap(&sim).set("organization_id", sim.organization_id()).run(), &sim);
}

#[test]
fn the_guard_holds_on_the_way_through_an_environment_too() {
    let sim = Simulator::start(small().refuse("organizations"));
    let other = "00000000-1111-2222-3333-444444444444";
    drop(
        tap(&sim)
            .set("organization_id", other)
            .run()
            .expect_refusal(2, ["organization_id", sim.organization_id()]),
    );
}

fn several(scenario: Scenario) -> Simulator {
    Simulator::start(scenario.organizations(3))
}

#[test]
fn several_organizations_and_none_chosen_are_listed() {
    let sim = several(small());
    let ids = sim.truth().ids("organizations");
    let words = ["organization_id", ids[0].as_str(), ids[1].as_str(), ids[2].as_str()];
    let run = tap(&sim).run().expect_refusal(2, words);
    assert!(run.asked("users").is_empty());
}

#[test]
fn one_of_several_organizations_can_be_chosen() {
    let sim = several(polite());
    assert_whole(&tap(&sim).set("organization_id", sim.organization_id()).run(), &sim);
}

#[test]
fn a_weak_key_is_told_that_lists_may_be_short_and_that_this_is_not_verified() {
    let sim = Simulator::start(polite().weak_key());
    let run = tap(&sim).run();
    assert_whole(&run, &sim);
    drop(run.expect_line("WARN", ["OrganizationAdmin", "not verified"]));
    let strong = tap(&Simulator::start(polite())).run();
    assert!(!strong.says("WARN", &[""]), "a warning about nothing");
}

#[test]
fn a_key_whose_role_cannot_be_looked_up_is_no_reason_to_warn() {
    let sim = Simulator::start(polite().refuse("api_keys"));
    let run = tap(&sim).run();
    assert_whole(&run, &sim);
    assert!(!run.says("WARN", &[""]) && !run.says("ERROR", &[""]), "a refused look-up is only noted");
}

#[test]
fn the_organization_is_named_to_people_at_the_start() {
    let sim = Simulator::start(small());
    let run = tap(&sim).run().expect_line("INFO", [sim.organization_id(), sim.organization_name()]);
    for stream in ["users", "invitations", "service_accounts", "role_bindings"] {
        assert!(run.says("INFO", &[stream]), "{stream} is not told");
    }
    let quiet = tap(&sim).args(["--log-level", "error"]).run();
    assert_whole(&quiet, &sim);
    assert_eq!(quiet.stderr, "");
    let lines = tap(&sim).args(["--log-level", "debug"]).run();
    for line in lines.stderr.lines() {
        assert!(["ERROR", "WARN", "INFO", "DEBUG"].iter().any(|level| line.starts_with(level)), "{line}");
        assert!(serde_json::from_str::<Value>(line).is_err(), "a line of JSON for people: {line}");
    }
}
