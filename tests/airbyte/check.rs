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
fn a_key_that_works_succeeds_and_the_organization_is_told() {
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
fn each_stream_is_asked_for_a_page_of_a_reads_own_size_side_by_side() {
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
fn a_port_that_nobody_listens_on_cannot_be_reached() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let sim = Simulator::start(small());
    let heard = check(without_retries(&sim).set("base_url", format!("http://127.0.0.1:{port}")));
    fails(&heard, &sim, &["base_url", "cannot be reached", "refused"]);
}

#[test]
fn a_name_that_does_not_resolve_is_called_that() {
    let sim = Simulator::start(small());
    let nowhere = without_retries(&sim).set("base_url", "https://api.confluent.invalid");
    let heard = check(nowhere.env("NO_PROXY", "*"));
    fails(&heard, &sim, &["base_url", "cannot be resolved", "DNS"]);
}

#[test]
fn a_server_that_speaks_no_tls_is_called_that() {
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
fn a_certificate_that_is_not_trusted_is_called_that() {
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
fn a_wrong_secret_is_told_with_what_else_it_may_be() {
    let sim = Simulator::start(small());
    let heard = check(tap(&sim).set("api_secret", "not-the-secret-at-all"));
    let message = fails(&heard, &sim, &["api_key", "api_secret", "minutes"]);
    assert!(!message.contains("not-the-secret-at-all"));
    assert!(message.contains(&sim.api_key()[..2]), "the key is not named, not even masked: {message}");
    assert!(heard.run.requests.len() <= 2, "a wrong key was tried again");
}

#[test]
fn the_key_of_a_cluster_is_told_apart_from_a_wrong_one() {
    let words = ["Cloud API key", "Cloud resource management"];
    let sim = Simulator::start(small().resource_key());
    fails(&check(tap(&sim)), &sim, &words);
    for status in [401, 403] {
        let sim = met_by(Fault::errors(status, CLUSTER_KEY));
        fails(&check(tap(&sim)), &sim, &words);
    }
}

#[test]
fn a_wrong_key_that_some_services_answer_403_is_no_matter_of_roles() {
    for stream in ["users", "role_bindings"] {
        let sim = Simulator::start(small());
        sim.add_fault(Fault::errors(403, "invalid API key"), At::stream(stream));
        let message = fails(&check(tap(&sim)), &sim, &[stream, "Cloud API key"]);
        assert!(!message.contains("role "), "no role helps a key that is none: {message}");
    }
}

#[test]
fn a_role_too_weak_names_what_is_refused_and_the_least_role_for_each() {
    let sim = Simulator::start(small().refuse("invitations").refuse("role_bindings"));
    let message = fails(&check(tap(&sim)), &sim, &["invitations", "role_bindings", "role", "not verified"]);
    assert!(
        message.contains("OrganizationAdmin") || message.contains("Admin"),
        "no role is named: {message}"
    );
    assert!(!message.contains("service_accounts"), "it names a stream that is not refused: {message}");
    assert!(message.contains(&sim.api_key()[..2]), "the key is not named, not even masked: {message}");
}

#[test]
fn a_key_that_may_read_nothing_names_every_stream_in_one_message() {
    let sim = Simulator::start(STREAMS.into_iter().fold(small(), Scenario::refuse));
    fails(&check(tap(&sim)), &sim, &STREAMS);
}

#[test]
fn every_refused_stream_is_named_by_itself() {
    for refused in STREAMS {
        let sim = Simulator::start(small().refuse(refused));
        let message = fails(&check(tap(&sim)), &sim, &[refused, "role", "not verified"]);
        for other in STREAMS.into_iter().filter(|other| *other != refused) {
            assert!(!message.contains(other), "{other} is not refused: {message}");
        }
    }
}

#[test]
fn the_key_of_another_organization_is_told_with_both_ids() {
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
fn being_rate_limited_for_long_is_told_with_how_long() {
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
fn a_service_that_stumbles_is_asked_again() {
    let sim = Simulator::start(small());
    sim.add_fault(Fault::errors(503, "try later"), At::stream("users").times(2));
    check(tap(&sim)).succeeded();
}

#[test]
fn an_answer_that_is_no_list_is_no_success() {
    for fault in [Fault::Html200, Fault::PlainText("ok".to_owned()), Fault::errors_title(404, "Not Found")] {
        let sim = Simulator::start(small());
        sim.add_fault(fault, At::stream("users"));
        fails(&check(without_retries(&sim)), &sim, &["users"]);
    }
}

#[test]
fn nothing_is_said_of_a_state_since_nothing_was_read() {
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
fn a_configuration_that_is_no_json_fails_with_words() {
    let heard = check(bare().config_text("{\"api_key\": "));
    heard.failed(&["config"]);
}

#[test]
fn a_weak_key_is_told_that_lists_may_be_shortened() {
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
fn the_key_id_is_said_whole_nowhere() {
    for scenario in [small(), small().weak_key(), small().refuse("users"), small().resource_key()] {
        let sim = Simulator::start(scenario);
        let heard = check(tap(&sim));
        assert!(!heard.run.stdout.contains(sim.api_key()), "check says the whole key id");
    }
}
