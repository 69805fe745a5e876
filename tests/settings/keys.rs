//! Keys that do not fit: wrong, of something else, of another organization, or of several.

use serde_json::{Value, json};
use simulator::{Scenario, Simulator};

use crate::support::airbyte::{self, FailureType};
use crate::support::pretend::{CRN, Pretend, Reply, binding, ordinary};
use crate::support::{STREAMS, assert_whole, polite, rude, small, tap};

#[test]
fn a_wrong_key_is_reported_with_a_remedy() {
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
fn a_cluster_key_is_refused_and_the_needed_kind_named() {
    let sim = Simulator::start(small().resource_key());
    drop(tap(&sim).run().expect_refusal(3, ["cloud", "cluster", "api key"]));
}

#[test]
fn a_key_of_another_organization_is_refused_before_reading() {
    let sim = Simulator::start(small());
    let other = "00000000-1111-2222-3333-444444444444";
    let run = tap(&sim).set("organization_id", other).run();
    let run = run.expect_refusal(3, ["organization_id", other, sim.organization_id()]);
    assert!(run.asked("users").is_empty());
    assert_whole(&tap(&sim).set("organization_id", sim.organization_id()).run(), &sim);
}

#[test]
fn the_guard_also_holds_for_a_look_up_by_environment() {
    let sim = Simulator::start(small().refuse("organizations"));
    let other = "00000000-1111-2222-3333-444444444444";
    drop(
        tap(&sim)
            .set("organization_id", other)
            .run()
            .expect_refusal(3, ["organization_id", sim.organization_id()]),
    );
}

fn several(scenario: Scenario) -> Simulator {
    Simulator::start(scenario.organizations(3))
}

#[test]
fn several_organizations_are_listed_if_none_is_chosen() {
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
fn a_weak_key_brings_an_unverified_warning_of_shortened_lists() {
    let sim = Simulator::start(polite().weak_key());
    let run = tap(&sim).run();
    assert_whole(&run, &sim);
    drop(run.expect_line("WARN", ["OrganizationAdmin", "not verified"]));
    let strong = tap(&Simulator::start(polite())).run();
    assert!(!strong.says("WARN", &[""]), "a warning about nothing");
}

#[test]
fn the_last_line_of_a_run_repeats_that_lists_may_be_shortened() {
    let sim = Simulator::start(polite().weak_key());
    let run = tap(&sim).run().expect_code(0);
    let last = run.stderr.lines().last().unwrap();
    assert!(last.starts_with("WARN") && last.contains("OrganizationAdmin"), "{last}");
    assert_eq!(run.stderr.lines().filter(|line| line.contains("may be shortened")).count(), 2);
}

#[test]
fn shortened_lists_can_be_made_a_failure_before_reading() {
    let sim = Simulator::start(polite().weak_key());
    let failing = || tap(&sim).set("shortened_lists", "fail").set("emit_activate_version", true);
    let run = failing().run().expect_refusal(3, ["OrganizationAdmin", "not verified", "shortened_lists"]);
    assert!(run.asked("users").is_empty());
    airbyte::check(failing()).failed(&["OrganizationAdmin", "shortened_lists"]);
    let heard = airbyte::read(failing(), &airbyte::catalog()).expect_code(1);
    heard.only_error(FailureType::Config, &["OrganizationAdmin", "shortened_lists"]);
    assert!(heard.emitted().is_empty());
    let strong = Simulator::start(polite());
    assert_whole(&tap(&strong).set("shortened_lists", "fail").run(), &strong);
    airbyte::check(tap(&strong).set("shortened_lists", "fail")).succeeded();
}

#[test]
fn a_weak_key_can_be_made_a_failure_on_a_rude_service_too() {
    for _ in 0..8 {
        let sim = Simulator::start(rude().weak_key());
        drop(tap(&sim).set("shortened_lists", "fail").run().expect_refusal(3, ["shortened_lists"]));
    }
}

#[test]
fn unverifiable_shortened_lists_are_only_a_warning() {
    let sim = Simulator::start(polite().weak_key().refuse("api_keys"));
    let run = tap(&sim).set("shortened_lists", "fail").run();
    assert_whole(&run, &sim);
    drop(run.expect_line("WARN", ["cannot tell whether", "403"]));
}

/// The owner's role bindings come one a page; the last of so many pages has the role of an administrator,
/// if any.
fn owner_of(pages: usize, admin: bool) -> Pretend {
    Pretend::start(move |asked| {
        if asked.path != "/iam/v2/role-bindings" || asked.parameter("principal").is_none() {
            return ordinary(asked);
        }
        let page: usize = asked.parameter("page_token").map_or(1, |token| token.parse().unwrap());
        let mut row = binding(&format!("rb-{page}"), CRN);
        if page < pages || !admin {
            row["role_name"] = json!("MetricsViewer");
        }
        let next = (page + 1).to_string();
        Reply::page([row], (page < pages).then_some(next.as_str()))
    })
}

#[test]
fn the_owners_role_bindings_are_read_over_five_pages() {
    for (pages, admin, warned) in [
        (1, true, false),
        (5, true, false),
        (1, false, true),
        (5, false, true),
        (6, true, false),
        (6, false, false),
    ] {
        let service = owner_of(pages, admin);
        let run = service.tap().run().expect_code(0);
        assert_eq!(run.says("WARN", &["shortened"]), warned, "{pages} pages, {admin}");
        let asked = service.asked("/iam/v2/role-bindings");
        let asked = asked.iter().filter(|asked| asked.parameter("principal") == Some("User:u-1")).count();
        assert_eq!(asked, pages.min(5));
    }
}

#[test]
fn a_role_that_cannot_be_looked_up_brings_no_warning() {
    let sim = Simulator::start(polite().refuse("api_keys"));
    let run = tap(&sim).run();
    assert_whole(&run, &sim);
    assert!(!run.says("WARN", &[""]) && !run.says("ERROR", &[""]), "a refused look-up is only noted");
}

#[test]
fn the_organization_is_named_to_people_at_the_start() {
    let sim = Simulator::start(small());
    let run = tap(&sim).run().expect_line("INFO", [sim.organization_id(), sim.organization_name()]);
    for stream in STREAMS {
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
