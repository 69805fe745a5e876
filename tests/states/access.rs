//! Positions belong to the API key that they were read with: another key may be shown another list.

use serde_json::{Value, json};

use crate::support::airbyte;
use crate::support::pretend::{Asked, ORGANIZATION, Pretend, Reply, ordinary};
use crate::support::{PASS_KEYS, Run, Tap, has_no_position};

/// Users come on two pages, of which the second is sent only if a run resumes.
fn service(look_up: u16) -> Pretend {
    Pretend::start(move |asked: &Asked| match (asked.path.as_str(), asked.parameter("page_token")) {
        ("/org/v2/organizations" | "/org/v2/environments", _) if look_up != 200 => Reply::new(look_up, "{}"),
        ("/iam/v2/users", None) => Reply::page([json!({"id": "u-1"})], Some("second")),
        ("/iam/v2/users", Some("second")) if asked.head.contains("resumes") => {
            Reply::page([json!({"id": "u-2"})], None)
        }
        ("/iam/v2/users", Some(_)) => Reply::new(503, ""),
        _ => ordinary(asked),
    })
}

fn users(service: &Pretend) -> Tap<'static> {
    service.tap().set("streams", json!(["users"])).set("max_retries", 0)
}

fn interrupted(service: &Pretend) -> Value {
    let run = users(service).run().expect_code(4);
    assert_eq!(run.ids("users"), ["u-1"]);
    let bookmark = run.bookmark("users");
    assert_eq!((&bookmark["page_token"], &bookmark["records"]), (&json!("second"), &json!(1)));
    run.last_state().unwrap()
}

fn resume(service: &Pretend, state: &Value) -> Tap<'static> {
    users(service).set("user_agent", "resumes").state(state)
}

fn edited(state: &Value, key: &str, value: Value) -> Value {
    let mut state = state.clone();
    state["bookmarks"]["users"][key] = value;
    state
}

/// Users are read from the first page, with a warning of these words.
#[track_caller]
fn assert_starts_over(run: Run, words: &[&str]) {
    let run = run.expect_code(0);
    assert_eq!(run.ids("users"), ["u-1", "u-2"]);
    assert!(run.says("WARN", words), "no warning has all of {words:?}");
}

#[test]
fn a_bookmark_in_mid_pass_has_seven_flat_keys_and_no_key_id() {
    let state = interrupted(&service(200));
    let bookmark = state["bookmarks"]["users"].as_object().unwrap();
    assert!(PASS_KEYS.iter().all(|key| bookmark.contains_key(*key)) && bookmark.len() == 7, "{bookmark:?}");
    let hash = bookmark["api_key_hash"].as_str().unwrap();
    assert!(hash.len() == 16 && hash.chars().all(|digit| digit.is_ascii_hexdigit()), "{hash}");
    assert!(!state.to_string().contains(crate::support::pretend::KEY));
}

#[test]
fn the_same_key_resumes_and_a_finished_pass_keeps_its_count() {
    let service = service(200);
    let state = interrupted(&service);
    let run = resume(&service, &state).run().expect_code(0);
    assert_eq!(run.ids("users"), ["u-2"]);
    let bookmark = run.bookmark("users");
    assert!(has_no_position(&bookmark) && bookmark["last_records"] == 2, "{bookmark}");
    // It outlives later interruptions.
    let run = users(&service).state(&run.last_state().unwrap()).run().expect_code(4);
    assert_eq!(
        (&run.bookmark("users")["records"], &run.bookmark("users")["last_records"]),
        (&json!(1), &json!(2))
    );
}

#[test]
fn another_keys_position_starts_over_with_a_warning() {
    let service = service(200);
    let state = interrupted(&service);
    let other = resume(&service, &state).set("api_key", "ANOTHERKEY234567");
    assert_starts_over(other.run(), &["users", "another API key"]);
    let hash = edited(&state, "api_key_hash", json!("0123456789abcdef"));
    assert_starts_over(resume(&service, &hash).run(), &["users", "another API key"]);
}

#[test]
fn a_position_of_an_older_version_starts_over_with_a_warning() {
    let service = service(200);
    let mut state = interrupted(&service);
    for key in ["api_key_hash", "records", "last_records"] {
        state["bookmarks"]["users"].as_object_mut().unwrap().shift_remove(key);
    }
    assert_starts_over(resume(&service, &state).run(), &["users", "does not say", "API key"]);
}

#[test]
fn organizations_are_compared_only_if_both_are_known() {
    let (known, unknown) = (service(200), service(403));
    let id = |state: &Value| state["bookmarks"]["users"]["organization_id"].clone();
    let (of_known, of_unknown) = (interrupted(&known), interrupted(&unknown));
    assert_eq!((id(&of_known), id(&of_unknown)), (json!(ORGANIZATION), Value::Null));
    for (service, state) in [(&unknown, &of_known), (&known, &of_unknown), (&unknown, &of_unknown)] {
        assert_eq!(resume(service, state).run().expect_code(0).ids("users"), ["u-2"], "{state}");
    }
    let other = edited(&of_known, "organization_id", json!("another"));
    assert_starts_over(resume(&known, &other).run(), &["users", "another organization"]);
}

#[test]
fn invalid_counts_start_over_and_are_replaced() {
    let service = service(200);
    let state = interrupted(&service);
    for (key, odd) in [("records", json!("1")), ("records", json!(-1)), ("last_records", json!([]))] {
        let run = resume(&service, &edited(&state, key, odd)).run();
        assert_eq!(run.bookmark("users")["last_records"], 2);
        assert_starts_over(run, &["users", key]);
    }
}

/// A state of a stream that was read to its end, as Airbyte hands it back.
fn complete(fields: Value) -> Value {
    let mut state = json!({"__ab_full_refresh_sync_complete": true});
    state.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!([{"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"}, "stream_state": state}}])
}

#[test]
fn a_complete_marker_of_the_same_key_or_an_older_version_counts() {
    let service = service(200);
    let hash = interrupted(&service)["bookmarks"]["users"]["api_key_hash"].clone();
    let catalog = airbyte::catalog_of(&["users"], "full_refresh");
    let read = |state: &Value| airbyte::read(resume(&service, state), &catalog).expect_code(0);
    for believed in [
        json!({}),
        json!({"organization_id": ORGANIZATION, "api_key_hash": hash}),
        json!({"organization_id": null, "api_key_hash": hash}),
    ] {
        let heard = read(&complete(believed.clone()));
        assert!(heard.records("users").is_empty(), "{believed}");
        assert!(airbyte::is_complete_marker(&heard.last_state("users")), "{believed}");
    }
    for other in [
        json!({"organization_id": ORGANIZATION, "api_key_hash": "0123456789abcdef"}),
        json!({"organization_id": "another", "api_key_hash": hash}),
        json!({"organization_id": ORGANIZATION}),
    ] {
        let heard = read(&complete(other.clone()));
        assert_eq!(heard.records("users").len(), 2, "{other}");
        heard.expect_log(airbyte::Level::Warn, &["users", "first page"]);
        let last = heard.last_state("users");
        assert!(airbyte::is_complete(&last) && last["last_records"] == 2, "{last}");
    }
}
