//! `check`: whether the settings work, and if not, why, in words that a person can act on.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use serde_json::json;
use simulator::{At, Fault, Scenario, Simulator};

use crate::support::airbyte::{Heard, Level, check, has_words};
use crate::support::{STREAMS, Tap, bare, polite, rude, small, tap};

/// The recorded answer to a key of a cluster.
const CLUSTER_KEY: &str = "invalid API key: make sure you're using a Cloud API Key and not a Cluster API \
    Key: https://docs.confluent.io/cloud/current/access-management/authenticate/api-keys/api-keys.html";

/// A service where everything that is asked meets this.
fn met_by(fault: Fault) -> Simulator {
    let sim = Simulator::start(small());
    sim.add_fault(fault, At::any());
    sim
}

fn without_retries(sim: &Simulator) -> Tap<'_> {
    tap(sim).set("max_retries", 0)
}

/// FAILED, with these words in one message that names the key by its first characters only.
#[track_caller]
fn fails(heard: &Heard, sim: &Simulator, words: &[&str]) -> String {
    let message = heard.failed(words);
    assert!(!heard.run.stdout.contains(sim.api_key()), "the whole key id is said");
    message
}

#[test]
fn a_working_key_succeeds_and_the_organization_is_logged() {
    for scenario in [small(), rude()] {
        let sim = Simulator::start(scenario);
        let heard = check(tap(&sim));
        heard.succeeded();
        heard.expect_log(Level::Info, &[sim.organization_name(), sim.organization_id()]);
        for stream in STREAMS {
            let asked = heard.run.asked(stream);
            assert!(!asked.is_empty(), "{stream} was not asked for");
        }
    }
}

#[test]
fn a_check_asks_all_streams_concurrently_for_pages_of_full_size() {
    let sim = Simulator::start(small().latency(std::time::Duration::from_millis(60)));
    let heard = check(tap(&sim));
    heard.succeeded();
    for (stream, size) in [("users", "100"), ("invitations", "99"), ("service_accounts", "100")] {
        let sizes: Vec<_> =
            heard.run.asked(stream).iter().map(|request| request.parameter("page_size").unwrap()).collect();
        assert_eq!(sizes, [size], "{stream}");
    }
    assert!(sim.max_open() >= 3, "{} requests at once", sim.max_open());
}

#[test]
fn only_configured_streams_are_asked_for() {
    let sim = Simulator::start(small().refuse("invitations"));
    let heard = check(tap(&sim).set("streams", json!(["users"])));
    heard.succeeded();
    assert_eq!(heard.asked("invitations") + heard.asked("service_accounts"), 0);
}

#[test]
fn empty_streams_succeed() {
    let sim = Simulator::start(polite().invitations(0).service_accounts(0));
    check(tap(&sim)).succeeded();
}

#[test]
fn a_closed_port_is_reported_as_unreachable() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let sim = Simulator::start(small());
    let heard = check(without_retries(&sim).set("base_url", format!("http://127.0.0.1:{port}")));
    fails(&heard, &sim, &["base_url", "cannot be reached", "refused"]);
}

#[test]
fn an_unresolvable_name_is_reported_as_such() {
    let sim = Simulator::start(small());
    let nowhere = without_retries(&sim).set("base_url", "https://api.confluent.invalid");
    let heard = check(nowhere.env("NO_PROXY", "*"));
    fails(&heard, &sim, &["base_url", "cannot be resolved", "DNS"]);
}

#[test]
fn a_server_without_tls_is_reported_as_such() {
    let sim = Simulator::start(small());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let heard = check(without_retries(&sim).set("base_url", format!("https://{address}")));
    fails(&heard, &sim, &["base_url", "TLS"]);
}

#[test]
fn an_untrusted_certificate_is_reported_as_such() {
    let sim = Simulator::start(small().https());
    fails(&check(without_retries(&sim)), &sim, &["certificate", "SSL_CERT_FILE"]);
}

#[test]
fn a_service_that_never_answers_times_out() {
    let sim = met_by(Fault::Stall);
    let heard = check(without_retries(&sim).set("request_timeout_seconds", 0.2));
    fails(&heard, &sim, &["not answer", "request_timeout_seconds"]);
    assert!(heard.run.seconds < 10.0, "{} s", heard.run.seconds);
}

#[test]
fn a_wrong_secret_is_reported_with_other_possible_causes() {
    let sim = Simulator::start(small());
    let heard = check(tap(&sim).set("api_secret", "not-the-secret-at-all"));
    let message = fails(&heard, &sim, &["api_key", "api_secret", "minutes"]);
    assert!(!message.contains("not-the-secret-at-all"));
    assert!(message.contains(&sim.api_key()[..2]), "the key is not named, not even masked: {message}");
    assert!(heard.run.requests.len() <= 2, "a wrong key was tried again");
}

#[test]
fn a_cluster_key_is_distinguished_from_a_wrong_key() {
    let words = ["Cloud API key", "Cloud resource management"];
    let sim = Simulator::start(small().resource_key());
    fails(&check(tap(&sim)), &sim, &words);
    for status in [401, 403] {
        let sim = met_by(Fault::errors(status, CLUSTER_KEY));
        fails(&check(tap(&sim)), &sim, &words);
    }
}

#[test]
fn a_wrong_key_answered_with_403_is_not_blamed_on_a_role() {
    for stream in ["users", "role_bindings"] {
        let sim = Simulator::start(small());
        sim.add_fault(Fault::errors(403, "invalid API key"), At::stream(stream));
        let message = fails(&check(tap(&sim)), &sim, &[stream, "Cloud API key"]);
        assert!(!message.contains("role "), "no role helps a key that is none: {message}");
    }
}

#[test]
fn a_weak_role_names_each_refused_stream_with_its_least_role() {
    let sim = Simulator::start(small().refuse("invitations").refuse("role_bindings"));
    let message = fails(&check(tap(&sim)), &sim, &["invitations", "role_bindings", "the role"]);
    assert!(
        message.contains("OrganizationAdmin") || message.contains("Admin"),
        "no role is named: {message}"
    );
    assert!(!message.contains("service_accounts"), "it names a stream that is not refused: {message}");
    assert!(message.contains(&sim.api_key()[..2]), "the key is not named, not even masked: {message}");
}

#[test]
fn a_key_that_may_read_nothing_gets_one_message_naming_every_stream() {
    let sim = Simulator::start(STREAMS.into_iter().fold(small(), Scenario::refuse));
    fails(&check(tap(&sim)), &sim, &STREAMS);
}

#[test]
fn each_refused_stream_is_named() {
    for refused in STREAMS {
        let sim = Simulator::start(small().refuse(refused));
        let message = fails(&check(tap(&sim)), &sim, &[refused, "the role"]);
        for other in STREAMS.into_iter().filter(|other| *other != refused) {
            assert!(!message.contains(other), "{other} is not refused: {message}");
        }
    }
}

#[test]
fn a_key_of_another_organization_is_reported_with_both_ids() {
    let sim = Simulator::start(small());
    let other = "00000000-1111-2222-3333-444444444444";
    let heard = check(tap(&sim).set("organization_id", other));
    fails(&heard, &sim, &["organization_id", other, sim.organization_id()]);
    check(tap(&sim).set("organization_id", sim.organization_id())).succeeded();
}

#[test]
fn several_organizations_are_listed_to_choose_from() {
    let sim = Simulator::start(small().organizations(3));
    let ids = sim.truth().ids("organizations");
    fails(&check(tap(&sim)), &sim, &["organization_id", &ids[0], &ids[1], &ids[2]]);
}

#[test]
fn a_long_rate_limit_is_reported_with_its_length() {
    let sim = met_by(Fault::rate_limited(4_000));
    let heard = check(tap(&sim));
    fails(&heard, &sim, &["rate of requests", "4000 s"]);
    assert!(heard.run.seconds < 10.0, "it waited {} s", heard.run.seconds);
}

#[test]
fn a_service_that_fails_is_not_taken_for_a_wrong_key() {
    for fault in [Fault::errors(503, "upstream connect error"), Fault::errors(500, "oops"), Fault::html(502)]
    {
        let sim = met_by(fault);
        let message = fails(&check(tap(&sim).set("max_retries", 2)), &sim, &["service", "50"]);
        assert!(!message.contains("api_secret"), "{message}");
    }
}

#[test]
fn a_service_that_fails_once_is_asked_again() {
    let sim = Simulator::start(small());
    sim.add_fault(Fault::errors(503, "try later"), At::stream("users").times(2));
    check(tap(&sim)).succeeded();
}

#[test]
fn an_answer_that_is_not_a_list_is_not_a_success() {
    for fault in [Fault::Html200, Fault::PlainText("ok".to_owned()), Fault::errors_title(404, "Not Found")] {
        let sim = Simulator::start(small());
        sim.add_fault(fault, At::stream("users"));
        fails(&check(without_retries(&sim)), &sim, &["users"]);
    }
}

#[test]
fn the_message_of_a_failed_check_mentions_no_state() {
    for fault in [Fault::errors(503, "try later"), Fault::rate_limited(4_000), Fault::Reset] {
        let sim = met_by(fault);
        let message = fails(&check(without_retries(&sim)), &sim, &[]);
        assert!(!message.contains("state"), "{message}");
    }
}

#[test]
fn missing_settings_are_named() {
    for tap in [bare().config(json!({})), bare()] {
        check(tap).failed(&["api_key", "api_secret"]);
    }
    check(bare().config(json!({"api_key": "ABCDEFGHIJKLMNOP"}))).failed(&["api_secret"]);
    check(bare().config(json!({"api_key": "", "api_secret": ""}))).failed(&["api_key"]);
}

#[test]
fn bad_settings_are_named_without_their_values() {
    let sim = Simulator::start(small());
    check(tap(&sim).set("concurrency", 0)).failed(&["concurrency"]);
    check(tap(&sim).set("streams", json!(["userz"]))).failed(&["streams"]);
    check(tap(&sim).set("base_url", "http://api.confluent.cloud")).failed(&["base_url", "https"]);
    check(tap(&sim).set("api_secret", 42)).failed(&["api_secret"]);
    assert!(sim.requests().is_empty(), "it asked with settings that are wrong");
}

#[test]
fn settings_that_are_not_json_fail_with_a_message() {
    let heard = check(bare().config_text("{\"api_key\": "));
    heard.failed(&["config"]);
}

#[test]
fn a_weak_key_is_warned_that_lists_may_be_shortened() {
    let sim = Simulator::start(small().weak_key());
    let heard = check(tap(&sim));
    let connection = heard.connection();
    let mut said: Vec<String> = heard.logs(Level::Warn).into_iter().map(str::to_owned).collect();
    said.extend(connection.message);
    let said = said.join("\n");
    has_words(&said, &["shortened", "OrganizationAdmin", "not verified"]);
    let strong = Simulator::start(small());
    assert!(!check(tap(&strong)).run.stdout.contains("shortened"));
}

#[test]
fn the_key_id_is_never_printed_whole() {
    for scenario in [small(), small().weak_key(), small().refuse("users"), small().resource_key()] {
        let sim = Simulator::start(scenario);
        let heard = check(tap(&sim));
        assert!(!heard.run.stdout.contains(sim.api_key()), "check says the whole key id");
    }
}
