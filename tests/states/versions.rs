//! ACTIVATE_VERSION, which tells a target to drop the rows of what was deleted: off unless asked for,
//! last, and only where a stream was read to its end. That it is one number for each pass, and that
//! nothing of a stream follows it, is held against every run where messages are parsed.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use simulator::{At, Fault, Simulator};

use crate::support::airbyte;
use crate::support::{
    Message, OTHERS, Run, STREAMS, assert_whole, ids_of, polite, rude, small, stopped, tap, versioned,
};

/// The versions that RECORDs of a stream carry.
fn versions(run: &Run, stream: &str) -> BTreeSet<Option<u64>> {
    let mut versions = BTreeSet::new();
    for message in &run.messages {
        if let Message::Record { stream: of, version, .. } = message
            && of == stream
        {
            versions.insert(*version);
        }
    }
    versions
}

#[track_caller]
fn only_version(run: &Run, stream: &str) -> u64 {
    let versions = versions(run, stream);
    assert_eq!(versions.len(), 1, "{stream}: {versions:?}");
    versions.into_iter().next().flatten().expect("RECORDs carry a version")
}

/// What was activated of a stream, and nothing of the stream follows.
fn activated(run: &Run, stream: &str) -> Vec<u64> {
    let mut found = Vec::new();
    for message in &run.messages {
        match message {
            Message::ActivateVersion { stream: of, version } if of == stream => found.push(*version),
            _ => {}
        }
    }
    found
}

#[track_caller]
fn activates(run: &Run, streams: &[&str]) {
    for stream in STREAMS {
        let expected = usize::from(streams.contains(&stream));
        assert_eq!(activated(run, stream).len(), expected, "ACTIVATE_VERSIONs of {stream}");
    }
}

#[test]
fn without_the_setting_no_version_is_printed() {
    let sim = Simulator::start(rude());
    for run in [tap(&sim).run(), tap(&sim).set("emit_activate_version", false).run()] {
        assert_whole(&run, &sim);
        activates(&run, &[]);
        for stream in STREAMS {
            assert_eq!(versions(&run, stream), BTreeSet::from([None]), "{stream}");
        }
    }
}

#[test]
fn each_stream_has_one_version_and_activates_it_last() {
    for scenario in [polite(), rude()] {
        let sim = Simulator::start(scenario);
        let run = versioned(&sim).run();
        assert_whole(&run, &sim);
        activates(&run, &STREAMS);
        for stream in STREAMS {
            let version = only_version(&run, stream);
            assert_eq!(activated(&run, stream), [version], "{stream}");
            let now = u64::try_from(chrono::Utc::now().timestamp_millis()).unwrap();
            assert!(now.abs_diff(version) < 60_000, "{version} is not of this minute");
        }
    }
}

#[test]
fn the_state_of_a_finished_stream_precedes_its_activation() {
    let sim = Simulator::start(rude());
    let run = versioned(&sim).run();
    let mut state = Value::Null;
    for message in &run.messages {
        match message {
            Message::State { value } => state = Value::from(value.bookmarks.clone()),
            Message::ActivateVersion { stream, .. } => {
                let bookmark = &state[stream];
                assert!(bookmark["page_token"].is_null() && bookmark["partition"].is_null(), "{bookmark}");
                assert!(bookmark["started_at"].is_null(), "{stream} is not finished: {bookmark}");
            }
            Message::Schema { .. } | Message::Record { .. } => {}
        }
    }
}

#[test]
fn a_stream_without_records_is_activated() {
    let sim = Simulator::start(small().invitations(0));
    let run = versioned(&sim).run().expect_code(0);
    activates(&run, &STREAMS);
}

#[test]
fn a_stream_that_is_refused_or_breaks_off_is_not_activated() {
    let refusing = Simulator::start(polite().refuse("users"));
    let run = versioned(&refusing).run().expect_code(3);
    activates(&run, &OTHERS);
    for fault in [Fault::errors(503, "try later"), Fault::NextWithoutToken, Fault::Html200] {
        let sim = Simulator::start(polite());
        sim.add_fault(fault, At::stream("users").from(3));
        let run = versioned(&sim).set("max_retries", 0).run();
        assert_ne!(run.code(), Some(0));
        assert!(!run.records("users").is_empty());
        activates(&run, &OTHERS);
    }
}

#[test]
fn partly_refused_role_bindings_are_not_activated() {
    let sim = Simulator::start(polite().refuse("role_bindings/*"));
    let run = versioned(&sim).run();
    assert_ne!(run.code(), Some(0));
    assert!(!run.records("role_bindings").is_empty());
    activates(&run, &["users", "invitations", "service_accounts"]);
}

#[test]
fn streams_that_are_not_selected_are_not_activated() {
    let sim = Simulator::start(small());
    let run = versioned(&sim).set("streams", json!(["users", "role_bindings"])).run().expect_code(0);
    activates(&run, &["users", "role_bindings"]);
}

#[test]
fn a_test_of_the_settings_activates_nothing() {
    let sim = Simulator::start(polite());
    let run = versioned(&sim).arg("--test").run().expect_code(0);
    assert!(!run.records("users").is_empty());
    activates(&run, &[]);
    let few = Simulator::start(polite().users(1));
    activates(&versioned(&few).arg("--test").run().expect_code(0), &[]);
}

#[test]
fn a_resumed_pass_keeps_its_version_and_activates_it() {
    for signal in ["KILL", "TERM"] {
        let sim = Simulator::start(polite());
        for stream in STREAMS {
            sim.add_fault(Fault::Stall, At::stream(stream).from(3));
        }
        let child = versioned(&sim).spawn();
        // Four schemas, five states or more, and two pages of each of three streams at least.
        child.read_lines(60);
        child.signal(signal);
        let before = child.finish();
        activates(&before, &[]);
        sim.clear_faults();
        let run = versioned(&sim).state(&before.last_state().unwrap()).run().expect_code(0);
        activates(&run, &STREAMS);
        let mut resumed = 0;
        for stream in STREAMS {
            let version = only_version(&run, stream);
            assert_eq!(activated(&run, stream), [version], "{stream}");
            if before.bookmark(stream)["page_token"].is_string() {
                assert_eq!(only_version(&before, stream), version, "{stream} was resumed");
                resumed += 1;
            }
        }
        assert!(resumed >= 2, "{resumed} streams were resumed");
    }
}

#[test]
fn the_next_pass_has_a_larger_version() {
    let sim = Simulator::start(small());
    let first = versioned(&sim).run().expect_code(0);
    let second = versioned(&sim).state(&first.last_state().unwrap()).run().expect_code(0);
    for stream in STREAMS {
        assert!(only_version(&first, stream) < only_version(&second, stream), "{stream}");
    }
}

#[test]
fn a_pass_that_starts_over_activates_a_larger_version() {
    let sim = Simulator::start(polite());
    sim.add_fault(Fault::errors(400, "the page token has expired"), At::stream("users").nth(3));
    let run = versioned(&sim).run().expect_code(0);
    let versions: Vec<u64> = versions(&run, "users").into_iter().flatten().collect();
    assert_eq!(versions.len(), 2, "{versions:?}");
    assert_eq!(activated(&run, "users"), versions[1..], "the larger one is activated");
    // What a target keeps: the rows of the version that was activated.
    let of_last = |message: &&Message| {
        matches!(message, Message::Record { stream, version, .. }
            if stream == "users" && *version == Some(versions[1]))
    };
    assert_eq!(run.messages.iter().filter(of_last).count(), 237);
    assert_eq!(ids_of(&run.records("users")).len(), 237);
}

#[test]
fn a_resumed_pass_whose_token_is_refused_gets_a_larger_version() {
    let sim = Simulator::start(polite());
    let before = stopped(versioned(&sim), &sim, &["users"], 3);
    sim.expire_tokens();
    let run = versioned(&sim).state(&before.last_state().unwrap()).run().expect_code(0);
    assert!(only_version(&run, "users") > only_version(&before, "users"));
    assert_eq!(run.records("users").len(), 237);
    activates(&run, &STREAMS);
}

#[test]
fn the_setting_may_be_text_and_anything_else_is_an_error() {
    let sim = Simulator::start(small());
    let run = versioned(&sim).set("emit_activate_version", "true").run().expect_code(0);
    activates(&run, &STREAMS);
    let wrong = versioned(&sim).set("emit_activate_version", "perhaps").run();
    drop(wrong.expect_refusal(2, ["emit_activate_version"]));
}

#[test]
fn no_version_is_printed_under_airbyte() {
    let sim = Simulator::start(small());
    let heard = airbyte::read(versioned(&sim), &airbyte::catalog());
    heard.assert_whole(&sim);
    assert!(!heard.run.stdout.contains("\"version\":") && !heard.run.stdout.contains("ACTIVATE_VERSION"));
}
