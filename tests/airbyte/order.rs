//! What every Airbyte run of these tests is held against can fail: wrong messages and wrong orders
//! of them, each refused.

use serde_json::{Value, json};

use crate::support::airbyte::{Models, check_order, parse};

fn status(status: &str) -> Value {
    let of = json!({"stream_descriptor": {"name": "users"}, "status": status});
    json!({"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 5, "stream_status": of}})
}

fn limited(of: &str) -> Value {
    let mut message = status(of);
    let reason = json!({"type": "RATE_LIMITED", "rate_limited": {"quota_reset": 1_700_000_000_000_u64}});
    message["trace"]["stream_status"]["reasons"] = json!([reason]);
    message
}

fn record() -> Value {
    json!({"type": "RECORD", "record": {"stream": "users", "data": {"id": "u-1"}, "emitted_at": 5}})
}

fn state(count: f64) -> Value {
    let of = json!({"stream_descriptor": {"name": "users"}, "stream_state": {"page_token": "t"}});
    json!({"type": "STATE", "state": {"type": "STREAM", "stream": of, "sourceStats": {"recordCount": count}}})
}

/// Why a run of these messages is refused.
fn refusal(messages: &[Value], configured: &str) -> Option<String> {
    let lines: Vec<String> = messages.iter().map(Value::to_string).collect();
    let messages = parse(&lines.join("\n")).unwrap();
    check_order(&messages, &[configured.to_owned()], true).err()
}

#[test]
fn the_right_order_passes() {
    let (started, running, complete) = (status("STARTED"), status("RUNNING"), status("COMPLETE"));
    for right in [
        vec![started.clone(), running.clone(), state(0.0), complete.clone()],
        vec![started.clone(), running.clone(), record(), record(), state(2.0), state(0.0), complete.clone()],
        vec![started.clone(), limited("RUNNING"), running.clone(), record(), state(1.0), complete],
        vec![started.clone(), running, record(), state(1.0), status("INCOMPLETE")],
        vec![started, status("INCOMPLETE")],
    ] {
        assert_eq!(refusal(&right, "users"), None);
    }
}

#[test]
fn each_wrong_order_is_refused() {
    let (started, running, complete) = (status("STARTED"), status("RUNNING"), status("COMPLETE"));
    for (why, wrong) in [
        ("no end", vec![started.clone(), running.clone(), state(0.0)]),
        ("no RUNNING", vec![started.clone(), state(0.0), complete.clone()]),
        ("no STATE", vec![started.clone(), running.clone(), complete.clone()]),
        ("no STARTED", vec![running.clone(), state(0.0), complete.clone()]),
        (
            "STARTED twice",
            vec![started.clone(), started.clone(), running.clone(), state(0.0), complete.clone()],
        ),
        (
            "a RECORD before RUNNING",
            vec![started.clone(), record(), running.clone(), state(1.0), complete.clone()],
        ),
        (
            "a RECORD after the last STATE",
            vec![started.clone(), running.clone(), state(0.0), record(), complete.clone()],
        ),
        ("a wrong count", vec![started.clone(), running.clone(), record(), state(2.0), complete.clone()]),
        (
            "a total",
            vec![
                started.clone(),
                running.clone(),
                record(),
                state(1.0),
                record(),
                state(2.0),
                complete.clone(),
            ],
        ),
        (
            "a STATE after the end",
            vec![started.clone(), running.clone(), state(0.0), complete.clone(), state(0.0)],
        ),
        (
            "two ends",
            vec![started.clone(), running.clone(), state(0.0), complete.clone(), status("INCOMPLETE")],
        ),
        (
            "a reason before STARTED",
            vec![limited("RUNNING"), started.clone(), running.clone(), state(0.0), complete.clone()],
        ),
        ("a reason beside the end", vec![started, running, state(0.0), limited("COMPLETE")]),
    ] {
        assert!(refusal(&wrong, "users").is_some(), "{why} passes");
    }
}

#[test]
fn a_stream_that_is_not_in_the_catalog_is_refused() {
    assert!(refusal(&[status("STARTED"), status("INCOMPLETE")], "invitations").is_some());
}

#[test]
fn each_wrong_message_is_refused() {
    let whole = |count: &str| state(1.0).to_string().replace("1.0", count);
    assert!(parse(&whole("1.0")).is_ok());
    let mut changed: Vec<String> = vec![whole("1"), whole("1.5"), whole("\"1.0\""), "null".to_owned()];
    for (of, path, value) in [
        (record(), "/record/emitted_at", json!(5.0)),
        (record(), "/record/emitted_at", json!("5")),
        (record(), "/record/data", json!({})),
        (record(), "/record/namespace", json!("public")),
        (record(), "/record/meta", Value::Null),
        (state(1.0), "/state/type", json!("LEGACY")),
        (state(1.0), "/state/stream/stream_state", json!({})),
        (status("RUNNING"), "/trace/stream_status/status", json!("SUCCEEDED")),
        (status("RUNNING"), "/trace/error", Value::Null),
        (json!({"type": "LOG", "log": {"level": "INFO", "message": "m"}}), "/log/level", json!("WARNING")),
        (json!({"type": "LOG", "log": {"level": "INFO", "message": "m"}}), "/type", json!("STATUS")),
    ] {
        let mut message = of;
        let (parent, name) = path.rsplit_once('/').unwrap();
        message.pointer_mut(parent).unwrap()[name] = value;
        changed.push(message.to_string());
    }
    for line in changed {
        assert!(parse(&line).is_err(), "{line} passes");
    }
}

#[test]
fn the_models_refuse_what_a_platform_would_drop() {
    Models::assert_read("{\"type\":\"LOG\",\"log\":{\"level\":\"WARN\",\"message\":\"m\"}}\n");
    for wrong in [
        r#"{"type":"LOG","log":{"level":"WARNING","message":"m"}}"#,
        r#"{"type":"RECORD","record":{"stream":"users","data":{"id":"u"},"emitted_at":1.5}}"#,
        r#"{"type":"RECORD"}"#,
        "no JSON",
    ] {
        let refused = std::panic::catch_unwind(|| Models::assert_read(&format!("{wrong}\n")));
        assert!(refused.is_err(), "{wrong}");
    }
}
