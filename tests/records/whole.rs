//! Whole organizations: whatever the kind of server, the size of pages and the rudeness, each id
//! comes out once and each record as the API sent it.

use serde_json::json;
use simulator::{Scenario, Simulator};

use crate::support::{SERVERS, STREAMS, assert_whole, has_no_position, polite, rude, seed, tap};

fn with_page_sizes(scenario: &Scenario, sizes: &[u64]) {
    for server in SERVERS {
        let sim = Simulator::start(scenario.clone().bindings(server));
        for size in sizes {
            assert_whole(&tap(&sim).set("page_size", *size).run(), &sim);
        }
    }
}

#[test]
fn a_polite_organization_is_read_whole_with_any_page_size() {
    with_page_sizes(&polite(), &[1, 2, 7, 10, 50, 99, 100]);
}

#[test]
fn a_rude_organization_is_read_whole_with_any_page_size() {
    with_page_sizes(&rude(), &[1, 2, 7, 10, 50, 99, 100]);
}

#[test]
fn organizations_of_random_seeds_and_page_sizes_are_read_whole() {
    let first = seed();
    for seed in first..first + 12 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let scenario = Scenario::new()
            .seed(seed)
            .users(dice.u64(1..300))
            .invitations(dice.u64(..300))
            .service_accounts(dice.u64(..300))
            .role_bindings(dice.u64(1..300))
            .environments(dice.u64(..6))
            .bindings(SERVERS[dice.usize(..3)]);
        let sim = Simulator::start(scenario);
        let run = tap(&sim).set("page_size", dice.u64(1..=100)).set("concurrency", dice.u64(1..=8)).run();
        assert_whole(&run, &sim);
    }
}

#[test]
fn role_bindings_are_whole_with_any_share_at_the_organization_level() {
    for server in SERVERS {
        for (all, own) in [(60, 0), (60, 60), (60, 1), (60, 59), (1, 0), (1, 1)] {
            let scenario = polite().role_bindings(all).organization_bindings(own).bindings(server);
            let sim = Simulator::start(scenario);
            let run = tap(&sim).set("streams", json!(["role_bindings"])).set("page_size", 25).run();
            crate::support::assert_whole_of(&run.expect_code(0), &sim, &["role_bindings"]);
        }
    }
}

#[test]
fn an_empty_stream_has_its_schema_and_a_state() {
    for scenario in [polite(), rude()] {
        let sim = Simulator::start(scenario.users(0).invitations(0).service_accounts(0).role_bindings(0));
        let run = tap(&sim).set("empty_lists", "warn").run();
        assert_whole(&run, &sim);
        for stream in STREAMS {
            assert!(run.schemas().contains_key(stream), "no SCHEMA of {stream}");
            let bookmark = run.bookmark(stream);
            assert!(has_no_position(&bookmark) && bookmark["last_records"] == 0, "{stream}: {bookmark}");
        }
    }
}
