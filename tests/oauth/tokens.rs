//! How long tokens live, and how often they are exchanged.

use std::time::Duration;

use serde_json::json;
use simulator::{At, EXCHANGE, Fault, OAuth, PROVIDER, Simulator};

use super::{asked, assert_one_at_a_time, sim};
use crate::support::{EVERY, KEY_ONLY, STREAMS, as_pool, assert_whole, every, polite, pool_settings, rude};

#[test]
fn a_run_needs_one_exchange_where_tokens_live_long() {
    for scenario in [polite(), rude()] {
        let sim = Simulator::start(scenario.oauth(OAuth::default()));
        let run = as_pool(&sim).set("page_size", 10).run();
        assert_whole(&run, &sim);
        let answered = |endpoint| asked(&run, endpoint).iter().filter(|one| one.status == Some(200)).count();
        assert_eq!((answered(PROVIDER), answered(EXCHANGE)), (1, 1));
        assert!(
            run.requests.len() > 40
                && run
                    .requests
                    .iter()
                    .all(|request| { request.has_authorization == request.endpoint.is_none() })
        );
    }
}

/// In four streams at once, for some lives of a token.
#[test]
fn tokens_that_live_two_seconds_bring_everything() {
    let life = Duration::from_secs(2);
    let each = 25_000;
    let scenario = polite().users(each).invitations(each).service_accounts(each).role_bindings(each);
    let sim = Simulator::start(scenario.oauth(OAuth::default().lifetime(life)));
    let run = as_pool(&sim).run();
    assert_whole(&run, &sim);
    assert_one_at_a_time(&run);
    let exchanges = asked(&run, EXCHANGE);
    assert!(exchanges.len() >= 3, "{} exchanges: it took too short", exchanges.len());
    // Each one when the one before has lived half of its life, and no sooner.
    for pair in exchanges.windows(2) {
        let apart = pair[1].started - pair[0].started;
        assert!(apart >= life / 2, "exchanged anew after {apart:?}");
    }
    assert!(run.requests.iter().all(|request| request.status == Some(200)), "a token was used too long");
}

#[test]
fn a_token_that_ends_in_mid_sync_is_exchanged_anew_once_for_all_streams() {
    for scenario in [polite(), rude()] {
        let scenario = scenario.oauth(OAuth::default().requests(25)).latency(Duration::from_millis(2));
        let sim = Simulator::start(scenario);
        let run = as_pool(&sim).set("page_size", 10).run();
        assert_whole(&run, &sim);
        assert_one_at_a_time(&run);
        let paid = run.requests.iter().filter(|request| request.authorized).count();
        let exchanges = asked(&run, EXCHANGE).iter().filter(|one| one.status == Some(200)).count();
        assert!(exchanges > 2 && exchanges <= paid / 25 + 1, "{exchanges} exchanges for {paid} requests");
        assert!(!run.says("WARN", &["token"]) && !run.says("ERROR", &[""]), "nothing is wrong");
    }
}

#[test]
fn a_page_that_claims_to_be_unauthorized_is_asked_for_with_a_new_token() {
    let sim = sim();
    sim.add_fault(Fault::errors_page(401), At::stream("users").nth(1));
    let run = as_pool(&sim).run();
    assert_whole(&run, &sim);
    assert_eq!(asked(&run, EXCHANGE).len(), 2);
}

#[test]
fn a_key_that_is_refused_is_not_tried_again() {
    let sim = Simulator::start(polite());
    sim.add_fault(Fault::errors(401, "Unauthorized"), At::stream("users").nth(1));
    let run = crate::support::tap(&sim).run().expect_code(3);
    assert_eq!(run.asked("users").len(), 1);
}

#[test]
fn what_waits_for_an_exchange_shares_its_failure() {
    let sim = Simulator::start(polite().oauth(OAuth::default().requests(1)));
    // The look-up of the organization has a token; the streams find the provider failing.
    sim.add_fault(Fault::errors(503, "try later"), At::provider().from(2));
    let run = as_pool(&sim).set("max_retries", 2).run().expect_code(4);
    // A first exchange and three tries, shared by all that wait; what comes later tries again.
    let tries = asked(&run, PROVIDER).len();
    assert!(tries == 4 || tries == 7, "{tries} tries for four streams");
    assert_one_at_a_time(&run);
}

#[test]
fn the_owner_is_not_looked_up_but_the_roles_of_the_pool_are() {
    let sim = sim();
    let run = as_pool(&sim).run();
    assert_whole(&run, &sim);
    let run = run.expect_line("INFO", ["no owner is looked up", sim.identity_pool_id()]);
    assert!(run.requests.iter().all(|request| request.stream.as_deref() != Some("api_keys")));
    let principal = format!("User:{}", sim.identity_pool_id());
    assert!(run.requests.iter().any(|request| request.parameter("principal") == Some(&principal)));
    assert!(!run.says("WARN", &[""]), "the pool has the role");
}

#[test]
fn a_pool_without_the_role_brings_a_warning_or_fails() {
    let sim = Simulator::start(polite().weak_key().oauth(OAuth::default()));
    let run = as_pool(&sim).run();
    assert_whole(&run, &sim);
    drop(run.expect_line("WARN", [sim.identity_pool_id(), "OrganizationAdmin", "not verified"]));
    drop(as_pool(&sim).set("shortened_lists", "fail").run().expect_refusal(3, ["OrganizationAdmin"]));
}

#[test]
fn streams_that_take_keys_only_are_told_before_anything_is_asked() {
    let sim = sim();
    for stream in KEY_ONLY {
        let streams = json!(["users", stream]);
        let run = as_pool(&sim).set("streams", streams.clone()).run();
        let run = run.expect_refusal(2, [stream, "identity pool", "api_key"]);
        assert!(run.requests.is_empty());
        crate::support::airbyte::check(as_pool(&sim).set("streams", streams)).failed(&[stream]);
        assert!(sim.tokens().is_empty());
    }
    let all: Vec<&str> = EVERY.into_iter().filter(|stream| !KEY_ONLY.contains(stream)).collect();
    let run = every(&sim).unset("api_key").unset("api_secret").config(pool_settings(&sim));
    let run = run.set("streams", json!(all)).run().expect_code(0);
    assert_eq!(run.schemas().len(), all.len());
}

#[test]
fn the_page_names_the_streams_that_take_keys_only() {
    let declared = tap_confluent_cloud::streams::STREAMS.iter().filter(|stream| stream.key_only);
    assert!(declared.map(|stream| stream.name).eq(KEY_ONLY));
    let page = crate::support::repository::text("docs/oauth.md");
    assert!(KEY_ONLY.iter().all(|stream| page.contains(&format!("`{stream}`"))));
}

#[test]
fn a_position_belongs_to_the_pool_as_to_a_key() {
    let scenario = || polite().seed(7).oauth(OAuth::default());
    let sim = Simulator::start(scenario());
    let child = as_pool(&sim).set("page_size", 10).spawn();
    child.read_lines(90);
    child.signal("KILL");
    let state = child.finish().last_state().expect("a state");
    let interrupted = STREAMS.iter().any(|stream| state["bookmarks"][stream]["page_token"].is_string());
    assert!(interrupted, "{state}");
    let again = as_pool(&sim).set("page_size", 10).state(&state).run().expect_code(0);
    assert!(again.says("INFO", &["resuming where the last run stopped"]));
    assert!(!again.says("WARN", &[""]), "it is the same pool");
    let by_key = crate::support::tap(&sim).state(&state).run().expect_code(0);
    drop(by_key.expect_line("WARN", ["belongs to another API key or identity pool"]));
    let mut other = state.clone();
    for stream in STREAMS {
        if other["bookmarks"][stream]["page_token"].is_string() {
            other["bookmarks"][stream]["api_key_hash"] = json!("0123456789abcdef");
        }
    }
    let run = as_pool(&sim).state(&other).run();
    assert_whole(&run, &sim);
    drop(run.expect_line("WARN", ["belongs to another API key or identity pool"]));
}
