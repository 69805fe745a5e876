//! What is asked of the service: how much at a time, how often, with which filter, by whom, and how
//! much of it at once.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use serde_json::json;
use simulator::{BindingsServer, Request, Simulator};

use crate::support::repository::root;
use crate::support::{EVERY, STREAMS, assert_whole, eventually, polite, rude, tap};

const STREAM_SIZES: [(&str, usize); 3] = [("users", 237), ("invitations", 205), ("service_accounts", 131)];

fn token(request: &Request) -> Option<&str> {
    request.parameter("page_token")
}

#[test]
fn invitations_are_never_asked_for_more_than_99_at_a_time() {
    for scenario in [polite(), rude()] {
        let sim = Simulator::start(scenario);
        let by_default = tap(&sim).run();
        assert_whole(&by_default, &sim);
        assert_whole(&tap(&sim).set("page_size", 100).run(), &sim);
        for request in by_default.asked("invitations") {
            assert_eq!(request.parameter("page_size"), Some("99"));
        }
        for request in by_default.asked("users") {
            assert_eq!(request.parameter("page_size"), Some("100"));
        }
    }
}

#[test]
fn every_request_for_a_stream_carries_the_page_size_of_the_settings() {
    let sim = Simulator::start(polite());
    let run = tap(&sim).set("page_size", 17).run();
    for stream in STREAMS {
        for request in run.asked(stream) {
            assert_eq!(request.parameter("page_size"), Some("17"), "{stream}");
        }
    }
}

#[test]
fn a_polite_service_is_asked_for_each_page_once() {
    for server in [BindingsServer::Inclusive, BindingsServer::NestedOnly, BindingsServer::Partial] {
        let sim = Simulator::start(polite().bindings(server));
        let run = tap(&sim).set("page_size", 10).run();
        assert_whole(&run, &sim);
        let mut pages = BTreeSet::new();
        for request in &run.requests {
            let page = (&request.path, &request.query);
            assert!(pages.insert(page), "asked twice for {page:?}");
            assert_eq!(request.status, Some(200));
        }
        for (stream, records) in STREAM_SIZES {
            assert_eq!(run.asked(stream).len(), records.div_ceil(10), "requests for {stream}");
        }
        assert_eq!(run.asked("organizations").len(), 1);
        let listings = if server == BindingsServer::Partial { 264 } else { 264 + 44 };
        let most = usize::div_ceil(listings, 10) + 2;
        let asked = run.asked("role_bindings").len();
        assert!(asked <= most, "{asked} requests for role bindings, {most} would do");
    }
}

#[test]
fn role_bindings_keep_their_filter_from_page_to_page() {
    let sim = Simulator::start(rude());
    let run = tap(&sim).set("page_size", 10).run();
    assert_whole(&run, &sim);
    let organization = format!("crn://confluent.cloud/organization={}", sim.organization_id());
    for request in run.asked("role_bindings") {
        let pattern = request.parameter("crn_pattern").expect("a crn_pattern");
        assert!(pattern == organization || pattern == format!("{organization}/*"), "{pattern}");
    }
    assert!(run.asked("role_bindings").iter().any(|request| token(request).is_some()));
}

#[test]
fn every_request_is_a_get_with_the_key_and_a_user_agent() {
    let sim = Simulator::start(rude());
    let run = tap(&sim).set("user_agent", "acme-audit/1.0").run();
    assert_whole(&run, &sim);
    for request in &run.requests {
        assert_eq!(request.method, "GET");
        assert!(request.authorized, "a request without the key");
        let agent = request.user_agent.as_deref().unwrap_or_default();
        assert!(agent.starts_with("tap-confluent-cloud/") && agent.contains("acme-audit/1.0"), "{agent}");
    }
}

#[test]
fn a_path_prefix_of_the_base_url_is_kept() {
    let sim = Simulator::start(polite());
    for slash in ["", "/"] {
        let run = tap(&sim).set("base_url", format!("{}/api{slash}", sim.base_url())).run();
        assert_whole(&run, &sim);
        for request in &run.requests {
            assert!(request.path.starts_with("/api/") && !request.path.contains("//"), "{}", request.path);
        }
    }
}

/// The promise that `docs/api-key.md` begins with.
#[test]
fn nothing_but_get_is_ever_sent_whatever_the_command() {
    let sim = Simulator::start(rude());
    let every = || tap(&sim).set("streams", json!(EVERY));
    let catalog = format!("{}/catalogs/airbyte.json", root().display());
    every().run();
    every().arg("--test").run();
    every().arg("--discover").run();
    every().arg("--about").run();
    for verb in ["spec", "check", "discover"] {
        every().verb(verb).run();
    }
    every().verb("read").args(["--catalog", &catalog]).speaks_airbyte().run();
    let requests = sim.requests();
    for request in &requests {
        assert_eq!(request.method, "GET", "{}", request.path);
    }
    for stream in EVERY {
        assert!(requests.iter().any(|request| request.stream.as_deref() == Some(stream)), "{stream}");
    }
}

#[test]
fn streams_are_read_concurrently() {
    let sim = Simulator::start(polite().latency(Duration::from_millis(3)));
    assert_whole(&tap(&sim).set("page_size", 50).run(), &sim);
    assert!(sim.max_open() >= 2, "{} streams open at once", sim.max_open());
}

#[test]
fn streams_are_read_one_after_another_if_so_set() {
    let sim = Simulator::start(polite().latency(Duration::from_millis(1)));
    let run = tap(&sim).set("page_size", 50).set("concurrency", 1).run();
    assert_whole(&run, &sim);
    let mut asked: Vec<&Request> = STREAMS.iter().flat_map(|stream| run.asked(stream)).collect();
    asked.sort_by_key(|request| request.started);
    for pair in asked.windows(2) {
        assert!(pair[0].ended.unwrap() <= pair[1].started, "two requests open at once");
    }
}

#[test]
fn a_few_pages_at_most_are_fetched_ahead_of_the_reader() {
    let sim = Simulator::start(polite().users(10_000));
    let child = tap(&sim).set("streams", json!(["users"])).spawn();
    let asked = || sim.requests().iter().filter(|request| request.path.ends_with("/users")).count();
    // A pipe holds 64 KiB, a page is more than half of that: the second cannot be written yet.
    eventually("a third page is asked for", || asked() >= 3);
    let mut before = 0;
    eventually("no more pages are asked for", || {
        let so_far = asked();
        let settled = so_far == before;
        before = so_far;
        thread::sleep(Duration::from_millis(if settled { 0 } else { 30 }));
        settled
    });
    assert!(asked() <= 10, "{} pages asked for, and none read", asked());
    let run = child.finish();
    assert_eq!(run.records("users").len(), 10_000);
}

#[test]
fn no_more_requests_per_second_are_sent_than_set() {
    let sim = Simulator::start(polite());
    let run = tap(&sim).set("page_size", 50).set("max_requests_per_second", 50).run();
    assert_whole(&run, &sim);
    let mut starts: Vec<_> = run.requests.iter().map(|request| request.started).collect();
    starts.sort();
    let span = starts[starts.len() - 1].duration_since(starts[0]).as_secs_f64();
    let least = (starts.len() - 1) as f64 / 50.0 * 0.8;
    assert!(span >= least, "{} requests in {span:.3} s", starts.len());
}
