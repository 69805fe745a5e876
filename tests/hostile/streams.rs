//! What no stream may take for its end, and what must cost none: held against every stream there is.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::{At, Fault, OldKey, Scenario, Simulator};

use crate::support::{self, EVERY, Message, Run, Tap, assert_whole_of, small, tap};

/// Ten pages of two and more of each stream but organizations and environments.
fn several() -> Scenario {
    let scenario = small().role_bindings(60).organization_bindings(40).environments(6).connectors(1);
    let own = ["role_bindings", "organizations", "environments"];
    let others = simulator::STREAMS.iter().filter(|stream| !own.contains(&stream.name));
    others.fold(scenario, |scenario, stream| match stream.parent() {
        None => scenario.size(stream.name, 21),
        Some("environments") => scenario.size(stream.name, 5),
        Some(_) => scenario,
    })
}

/// Streams whose eighth request is for a further page of a listing, and which no other stream's requests
/// keep from coming to it: those that are parents count on their own.
const CUT: [&str; 7] = [
    "users",
    "invitations",
    "service_accounts",
    "role_bindings",
    "api_keys",
    "kafka_clusters",
    "identity_providers",
];

fn every(sim: &Simulator) -> Tap<'_> {
    tap(sim).set("streams", json!(EVERY)).set("page_size", 2)
}

/// These streams, and environments, without which clusters are not read.
fn cut(sim: &Simulator) -> Tap<'_> {
    every(sim).set("streams", json!([&CUT[..], &["environments"]].concat()))
}

/// A run that had to stop in the middle of them; the environments are read.
fn interrupted(sim: &Simulator) -> Value {
    support::interrupted(cut(sim), sim, &CUT, 8).last_state().unwrap()
}

/// Neither an end nor a sign to drop what was there before.
#[track_caller]
fn assert_not_ended(run: &Run, stream: &str, what: &str) {
    assert_ne!(run.code(), Some(0), "{what}");
    let ended =
        |message: &Message| matches!(message, Message::ActivateVersion { stream: of, .. } if of == stream);
    assert!(!run.messages.iter().any(ended), "{what}: it is activated");
    assert!(run.says("ERROR", &[stream]), "{what}: no error names the stream");
}

#[test]
fn an_answer_with_errors_ends_no_stream() {
    for stream in EVERY {
        for fault in [Fault::errors_page(503), Fault::RowsAndErrors(400)] {
            let sim = Simulator::start(several());
            let what = format!("{stream} {fault:?}");
            // The first request for organizations looks up the key's own, before anything is read.
            let first = if stream == "organizations" { 2 } else { 3 };
            sim.add_fault(fault, At::stream(stream).from(first));
            let run = every(&sim).set("max_retries", 1).set("emit_activate_version", true).run();
            assert_not_ended(&run, stream, &what);
        }
    }
}

#[test]
fn a_failure_with_a_distant_reset_costs_no_stream() {
    let sim = Simulator::start(several());
    for stream in EVERY {
        sim.add_fault(Fault::far_reset(), At::stream(stream).times(2));
    }
    let run = every(&sim).run().expect_code(0);
    assert_whole_of(&run, &sim, &EVERY);
}

#[test]
fn endless_empty_pages_end_their_streams_as_broken() {
    // One of each kind: read whole, by scopes, and environment by environment.
    let endless = ["users", "role_bindings", "kafka_clusters"];
    let sim = Simulator::start(several());
    for stream in endless {
        sim.add_fault(Fault::EndlessEmpty, At::stream(stream));
    }
    let run = every(&sim).set("emit_activate_version", true).limit(Duration::from_secs(30)).run();
    let run = run.expect_code(5);
    for stream in endless {
        assert_not_ended(&run, stream, stream);
    }
    assert_whole_of(&run, &sim, &["invitations", "service_accounts", "api_keys", "environments"]);
}

#[test]
fn endless_look_ups_end_the_run_as_broken() {
    for (fault, stream, reader) in [
        (Fault::EndlessEmpty, "organizations", "users"),
        (Fault::EndlessRows, "organizations", "users"),
        (Fault::EndlessRows, "environments", "kafka_clusters"),
    ] {
        let sim = Simulator::start(several());
        sim.add_fault(fault, At::stream(stream));
        let tap = every(&sim).set("streams", json!([reader])).limit(Duration::from_secs(30));
        drop(tap.run().expect_code(5));
    }
}

#[test]
fn tokens_that_lead_to_empty_pages_on_resume_lose_nothing() {
    let sim = Simulator::start(several());
    let state = interrupted(&sim);
    sim.expire_tokens_to_empty();
    let mut run = cut(&sim).state(&state).run().expect_code(0);
    assert_whole_of(&run, &sim, &CUT);
    for stream in CUT {
        run = run.expect_line("WARN", [stream]);
    }
}

#[test]
fn another_api_key_starts_interrupted_streams_over() {
    for old in [OldKey::Revoked, OldKey::Works] {
        let sim = Simulator::start(several());
        let state = interrupted(&sim);
        sim.rotate_key(old);
        let mut run = cut(&sim).state(&state).run().expect_code(0);
        assert_whole_of(&run, &sim, &CUT);
        for stream in CUT {
            run = run.expect_line("WARN", [stream, "key"]);
        }
    }
}

#[test]
fn the_same_api_key_resumes_where_it_stopped() {
    let sim = Simulator::start(several());
    let state = interrupted(&sim);
    let run = cut(&sim).state(&state).run().expect_code(0);
    for stream in CUT {
        let token = &state["bookmarks"][stream]["page_token"];
        let asked = run.asked(stream);
        let asked = asked.iter().filter_map(|request| request.parameter("page_token"));
        assert_eq!(asked.into_iter().next(), token.as_str(), "{stream}");
    }
}
