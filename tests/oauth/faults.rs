//! What can be wrong with the provider, the exchange and the service: each has words of its own, and the other
//! streams are read.

use serde_json::json;
use simulator::{At, EXCHANGE, Fault, OAuth, PROVIDER, Simulator};

use super::{asked, sim};
use crate::support::airbyte::check;
use crate::support::{Tap, as_pool, assert_whole, assert_whole_of, small};

const OF_PROVIDER: &str = "the identity provider gives the client no token";
const OF_EXCHANGE: &str = "the token exchange gives no token of the identity pool";

/// An error at the start, told by a check as well.
#[track_caller]
fn assert_refused(tap: impl Fn() -> Tap<'static>, code: i32, words: &[&str]) {
    let run = tap().run().expect_code(code);
    assert!(run.says("ERROR", words), "{words:?}: {}", run.stderr);
    assert_eq!(run.stdout, "");
    check(tap()).failed(words);
}

/// A simulator that lasts as long as the test process.
fn lasting(oauth: OAuth) -> &'static Simulator {
    Box::leak(Box::new(Simulator::start(small().oauth(oauth))))
}

#[test]
fn a_wrong_client_is_told_from_a_wrong_pool_and_audience() {
    let sim = lasting(OAuth::default());
    let secret = || as_pool(sim).set("oauth_client_secret", "not the secret");
    assert_refused(
        secret,
        3,
        &[OF_PROVIDER, "[POST /oauth2/default/v1/token answered 401", "invalid_client"],
    );
    let client = || as_pool(sim).set("oauth_client_id", "0oanobody");
    assert_refused(client, 3, &[OF_PROVIDER, "invalid_client", "oauth_client_id"]);
    let pool = || as_pool(sim).set("identity_pool_id", "pool-none");
    assert_refused(pool, 3, &[OF_EXCHANGE, "pool-none", "[POST /sts/v1/oauth2/token answered 400"]);
    assert!(sim.requests().iter().all(|request| request.endpoint.is_some()), "the service was asked");

    let sim = lasting(OAuth::default().audience("api://confluent"));
    assert_refused(|| as_pool(sim), 3, &[OF_EXCHANGE, "audience", "does not match the filter"]);
    assert_whole(&as_pool(sim).set("oauth_audience", "api://confluent").run(), sim);
    let sim = lasting(OAuth::default().scope("api://app/.default"));
    assert_refused(|| as_pool(sim), 3, &[OF_PROVIDER, "invalid_scope", "oauth_scope"]);
    assert_whole(&as_pool(sim).set("oauth_scope", "api://app/.default").run(), sim);
}

#[test]
fn a_failing_endpoint_is_retried_and_named() {
    for (at, endpoint, words) in [
        (At::provider as fn() -> At, PROVIDER, "the identity provider"),
        (At::exchange, EXCHANGE, "the token exchange"),
    ] {
        for (fault, how) in [
            (Fault::errors(503, "try later"), "is failing"),
            (Fault::rate_limited(0), "limits the rate of requests"),
            (Fault::Reset, "broke before the response was complete"),
            (Fault::HalfBody, "broke before the response was complete"),
        ] {
            let sim = sim();
            sim.add_fault(fault.clone(), at().times(3));
            let run = as_pool(&sim).run();
            assert_whole(&run, &sim);
            assert_eq!(asked(&run, endpoint).len(), 4, "{fault:?}");
            sim.add_fault(fault.clone(), at());
            let run = as_pool(&sim).set("max_retries", 2).run().expect_code(4);
            assert!(
                run.says("ERROR", &[how, "gave up after 3 tries", "[POST /"]),
                "{fault:?}: {}",
                run.stderr
            );
            let is_named = run.says("ERROR", &[words]) || how.starts_with("broke");
            assert!(is_named, "{fault:?}: {}", run.stderr);
            assert_eq!(asked(&run, endpoint).len(), 3, "{fault:?}");
        }
    }
}

#[test]
fn a_slow_endpoint_ends_at_the_time_limit() {
    for (at, words) in [
        (At::provider(), "the identity provider did not answer within request_timeout_seconds"),
        (At::exchange(), "the token exchange did not answer within request_timeout_seconds"),
    ] {
        let sim = sim();
        sim.add_fault(Fault::Stall, at);
        let run =
            as_pool(&sim).set("request_timeout_seconds", 0.2).set("max_retries", 1).run().expect_code(4);
        drop(run.expect_line("ERROR", [words]));
    }
}

#[test]
fn a_path_that_serves_no_tokens_is_a_settings_error() {
    let sim = sim();
    let url = format!("{}/oauth2/token", sim.provider_url());
    let run = as_pool(&sim).set("oauth_token_url", url).run();
    drop(run.expect_refusal(2, ["nothing is served at this path", "oauth_token_url"]));
    let run = as_pool(&sim).set("base_url", format!("{}/prefix", sim.base_url())).run();
    drop(run.expect_refusal(2, ["nothing is served at this path", "base_url"]));
    let run = as_pool(&sim).set("oauth_token_url", "http://127.0.0.1:9/token").set("max_retries", 0).run();
    drop(run.expect_refusal(4, ["the host in oauth_token_url cannot be reached"]));
}

/// Before the last pages of users; the others are short and have been read.
#[test]
fn a_pool_revoked_in_mid_sync_fails_what_is_left_and_keeps_the_rest() {
    let sim = Simulator::start(small().users(600).oauth(OAuth::default()));
    sim.add_fault(Fault::errors(401, "Unauthorized"), At::stream("users").from(3));
    let run = as_pool(&sim).run().expect_code(3);
    assert!(run.says("ERROR", &["users", "is rejected, and so is one exchanged anew", "answered 401"]));
    assert_eq!(run.records("users").len(), 200);
    assert!(run.bookmark("users")["page_token"].is_string());
    assert_whole_of(&run, &sim, &crate::support::OTHERS);
    assert_eq!(asked(&run, EXCHANGE).len(), 2, "once more, and no more");
}

#[test]
fn an_exchange_that_fails_in_mid_sync_fails_as_the_exchange() {
    let streams = json!(["users"]);
    for (fault, at, code, words) in [
        (Fault::errors(400, "identity pool not found"), At::exchange().from(2), 3, OF_EXCHANGE),
        (Fault::errors(503, "try later"), At::exchange().from(2), 4, "the token exchange is failing"),
        (Fault::errors(401, "invalid_client"), At::provider().from(2), 3, OF_PROVIDER),
    ] {
        let sim = Simulator::start(small().users(60).oauth(OAuth::default().requests(5)));
        sim.add_fault(fault, at);
        let run = as_pool(&sim).set("streams", streams.clone()).set("page_size", 10).set("max_retries", 1);
        let run = run.run().expect_code(code);
        assert!(run.says("ERROR", &["users", words]), "{}", run.stderr);
        let kept = run.records("users").len();
        assert!(kept > 0 && run.bookmark("users")["page_token"].is_string(), "{kept} records");
        sim.clear_faults();
        let rest = as_pool(&sim).set("streams", streams.clone()).set("page_size", 10);
        let rest = rest.state(&run.last_state().unwrap()).run().expect_code(0);
        assert_eq!(kept + rest.records("users").len(), 60, "{code}");
    }
}

#[test]
fn a_pool_that_is_gone_is_told_by_the_exchange() {
    let sim = sim();
    sim.revoke_pool();
    drop(as_pool(&sim).run().expect_refusal(3, [OF_EXCHANGE, sim.identity_pool_id()]));
}

/// An answer of the exchange says nothing of a listing, whatever its status: none is taken for hidden, and no page token
/// for refused.
#[test]
fn a_refused_exchange_is_taken_for_no_refused_listing() {
    let said = |status| Fault::errors(status, "identity pool not found");
    for fault in [said(400), said(403), Fault::errors_page(400), Fault::errors_page(403)] {
        for streams in [json!(["kafka_clusters"]), json!(["users"])] {
            // Users are left in the middle, where a page token could have been refused.
            let good = if streams == json!(["users"]) { 4 } else { 1 };
            let sim = Simulator::start(small().oauth(OAuth::default().requests(good)));
            sim.add_fault(fault.clone(), At::exchange().from(2));
            let run = as_pool(&sim).set("streams", streams.clone()).set("page_size", 10).run().expect_code(3);
            assert!(run.says("ERROR", &[OF_EXCHANGE]), "{}", run.stderr);
            assert!(!run.says("WARN", &[""]), "{}", run.stderr);
            // The look-up of the pool's role may try as well.
            assert!(asked(&run, EXCHANGE).len() <= 3, "{streams}");
        }
        let sim = sim();
        sim.add_fault(fault, At::exchange());
        drop(as_pool(&sim).run().expect_refusal(3, [OF_EXCHANGE]));
    }
}
