//! Exactly one way to log in, and what the settings of each may be.

use serde_json::json;

use super::sim;
use crate::support::airbyte::check;
use crate::support::{as_pool, assert_whole, bare, tap};

#[test]
fn settings_of_two_ways_are_refused_with_the_ways() {
    let sim = sim();
    let ways = "api_key and api_secret; identity_pool_id, oauth_token_url, oauth_client_id and oauth_client_secret; or \
                identity_pool_id and oauth_subject_token_file";
    for (tap, named) in [
        (as_pool(&sim).set("api_key", "KEY"), "api_key"),
        (as_pool(&sim).set("api_secret", "hush hush hush"), "api_secret"),
        (tap(&sim).set("identity_pool_id", "pool-1"), "identity_pool_id"),
        (tap(&sim).set("oauth_token_url", "https://example.com/token"), "oauth_token_url"),
        (tap(&sim).set("oauth_scope", "a"), "oauth_scope"),
        (as_pool(&sim).set("oauth_subject_token_file", "/nowhere/token"), "oauth_subject_token_file"),
        (
            bare().config(json!({
                "identity_pool_id": "p", "oauth_subject_token_file": "/nowhere/token", "oauth_audience": "a",
            })),
            "oauth_audience",
        ),
        (bare().config(json!({"identity_pool_id": "pool-1"})), "identity_pool_id"),
    ] {
        let run = tap.run().expect_refusal(2, ["it cannot be told from", named, ways]);
        assert!(!run.stderr.contains("hush"));
    }
    check(as_pool(&sim).set("api_key", "KEY")).failed(&["it cannot be told from", ways]);
    assert!(sim.requests().is_empty());
}

#[test]
fn what_a_way_lacks_is_named() {
    let sim = sim();
    for setting in ["identity_pool_id", "oauth_token_url", "oauth_client_id", "oauth_client_secret"] {
        drop(as_pool(&sim).unset(setting).run().expect_refusal(2, [&format!("{setting} is missing")]));
    }
    let run = bare().set("oauth_subject_token_file", "/nowhere/token").run();
    drop(run.expect_refusal(2, ["identity_pool_id is missing"]));
}

#[test]
fn a_token_url_must_be_a_plain_https_url() {
    let sim = sim();
    for (url, words) in [
        ("login.example.com/token", "oauth_token_url has no scheme: add https://"),
        ("http://login.example.com/token", "oauth_token_url must begin with https://"),
        ("https://user:s3cret@login.example.com/token", "without user, query or fragment"),
        ("https://login.example.com/token?key=s3cret", "without user, query or fragment"),
        ("https://[s3cret", "oauth_token_url is not a URL such as https://login.example.com/oauth2/token"),
        ("ftp://login.example.com", "oauth_token_url must be a URL such as"),
    ] {
        let run = as_pool(&sim).set("oauth_token_url", url).run().expect_refusal(2, [words]);
        assert!(!run.stderr.contains("s3cret"));
    }
    assert!(sim.requests().is_empty());
}

#[test]
fn the_client_secret_in_a_public_setting_is_refused_unquoted() {
    let sim = sim();
    let secret = sim.oauth_client_secret();
    let url = format!("{}/{}", sim.provider_url(), secret.replace(['/', '+', '~'], ""));
    for (setting, value) in [
        ("user_agent", format!("audit {secret}")),
        ("identity_pool_id", secret[..15].replace(['/', '+'], "")),
        ("oauth_token_url", url),
    ] {
        let run = as_pool(&sim).set(setting, value).run();
        drop(run.expect_refusal(2, [setting, "contains a piece of the credentials"]));
    }
    assert!(sim.requests().is_empty());
}

/// It would be shown, as ids are.
#[test]
fn a_token_in_place_of_the_id_of_the_pool_is_refused_unquoted() {
    let sim = sim();
    let token = sim.subject_token();
    let run = as_pool(&sim).set("identity_pool_id", &token[..]).run();
    let run = run.expect_refusal(2, ["identity_pool_id must be an id of at most 40"]);
    assert!(!run.stderr.contains(&token[..20]) && sim.requests().is_empty());
}

#[test]
fn credentials_of_a_pool_come_from_one_place() {
    let sim = sim();
    let environment = || {
        bare()
            .env("TAP_CONFLUENT_CLOUD_BASE_URL", sim.base_url())
            .env("TAP_CONFLUENT_CLOUD_IDENTITY_POOL_ID", sim.identity_pool_id())
            .env("TAP_CONFLUENT_CLOUD_OAUTH_TOKEN_URL", sim.oauth_token_url())
            .env("TAP_CONFLUENT_CLOUD_OAUTH_CLIENT_ID", sim.oauth_client_id())
            .env("TAP_CONFLUENT_CLOUD_OAUTH_CLIENT_SECRET", sim.oauth_client_secret())
    };
    drop(environment().run().expect_code(0));
    // Other tools' key is in many environments; it is no second way.
    let foreign = |tap: crate::support::Tap<'static>| {
        tap.env("CONFLUENT_CLOUD_API_KEY", "ABCDEFGHIJKLMNOP")
            .env("CONFLUENT_CLOUD_API_SECRET", "of another tool")
    };
    drop(foreign(environment()).run().expect_code(0));
    let file = |tap: crate::support::Tap<'static>| {
        tap.set("base_url", sim.base_url()).config(crate::support::pool_settings(&sim))
    };
    drop(foreign(file(bare())).run().expect_code(0));
    let run = file(bare())
        .unset("oauth_client_secret")
        .env("TAP_CONFLUENT_CLOUD_OAUTH_CLIENT_SECRET", "of another");
    drop(run.run().expect_refusal(2, ["oauth_client_secret is missing: it must come from the same place"]));
    // A file with a key is not disturbed by a pool in the environment.
    let keyed = environment().set("base_url", sim.base_url());
    let keyed = keyed.set("api_key", sim.api_key()).set("api_secret", sim.api_secret()).run().expect_code(0);
    assert!(keyed.stdout.contains("RECORD"));
}

#[test]
fn a_state_with_the_client_secret_is_refused() {
    let sim = sim();
    let state = json!({"bookmarks": {}, "oauth_client_secret": sim.oauth_client_secret()});
    drop(as_pool(&sim).state(&state).run().expect_refusal(2, ["it contains settings"]));
    assert_whole(&as_pool(&sim).run(), &sim);
}
