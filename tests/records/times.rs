//! Records in detail, on records made for it: times that are none, references that are lifted.

use std::fs::{self, File};

use serde_json::{Map, Value, json};
use simulator::Simulator;
use tempfile::TempDir;

use crate::support::airbyte::{self, Change, Heard, Level};
use crate::support::crafted::{crafted, only};
use crate::support::runtimes::{DuckDb, Process, command, program};
use crate::support::{Run, lines, tap};

fn heard(sim: &Simulator, stream: &str) -> Heard {
    airbyte::read(tap(sim), &airbyte::catalog_of(&[stream], "full_refresh"))
}

/// What is no moment by RFC 3339, or one that common parsers refuse: a target would abort its load.
const NO_TIMES: [&str; 15] = [
    r#""""#,
    r#""never""#,
    r#""2024-01-01""#,
    r#""2024-01-01T00:00:00""#,
    r#""2024-13-45T00:00:00Z""#,
    r#""2023-02-29T00:00:00Z""#,
    r#""0000-01-01T00:00:00Z""#,
    r#""0000-12-31T23:30:00-01:00""#,
    r#""2016-12-31T23:59:60Z""#,
    r#""2016-12-31T23:59:60.5+00:00""#,
    // Of the year 0 and of the year 10000, told in UTC.
    r#""0001-01-01T00:00:00+01:00""#,
    r#""9999-12-31T23:59:59-01:00""#,
    r#""2024-01-01T00:00:00+24:00""#,
    r#""2024-01-01T00:00:00z""#,
    r#""2024-01-01T00:00:00\u221201:00""#,
];

fn users_without_times() -> Vec<Value> {
    let wrong = |(i, text): (usize, &&str)| {
        let time: Value = serde_json::from_str(text).unwrap();
        json!({"id": format!("u-{i}"), "email": "a@example.com", "metadata": {"self": "s", "created_at": time}})
    };
    let mut users: Vec<Value> = NO_TIMES.iter().enumerate().map(wrong).collect();
    users.push(
        json!({"id": "u-good", "metadata": {"created_at": "2024-01-01T00:00:00Z", "deleted_at": null}}),
    );
    users
}

#[test]
fn unparseable_timestamps_become_null_with_a_warning() {
    let sim = crafted("users", &users_without_times());
    let run = only(&sim, "users");
    let users = run.records("users");
    assert_eq!(users.len(), NO_TIMES.len() + 1);
    for (user, text) in users.iter().zip(NO_TIMES) {
        assert_eq!(user["metadata"], json!({"self": "s", "created_at": null}), "{text}");
        assert_eq!((&user["created_at"], &user["email"]), (&Value::Null, &json!("a@example.com")), "{text}");
    }
    assert_eq!(users.last().unwrap()["created_at"], "2024-01-01T00:00:00Z");
    assert_eq!(lines(&run, &["users", "metadata.created_at", "15 records"]), 1, "lines that tell of it");
    load_into_duckdb(&sim, &run, "users", users.len());
}

#[test]
fn timestamps_that_are_not_strings_become_null_too() {
    let sim = crafted(
        "invitations",
        &[json!({"id": "i-1", "accepted_at": 1_700_000_000, "expires_at": {}, "email": "a@example.com"})],
    );
    let run = only(&sim, "invitations");
    let record = run.records("invitations").remove(0);
    assert_eq!((&record["accepted_at"], &record["expires_at"]), (&Value::Null, &Value::Null));
    load_into_duckdb(&sim, &run, "invitations", 1);
}

/// Loads what a run printed; the target ends well and has so many rows.
fn load_into_duckdb(sim: &Simulator, run: &Run, stream: &str, rows: usize) {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let database = DuckDb(path("out.duckdb"));
    fs::write(path("target.json"), database.target_settings(1000).to_string()).unwrap();
    fs::write(path("messages"), &run.stdout).unwrap();
    let mut target = command(program("duckdb", "target-duckdb"));
    target.arg("--config").arg(path("target.json")).stdin(File::open(path("messages")).unwrap());
    drop(Process::start(target, folder.path(), sim, None).finish().expect_code(0));
    assert_eq!(database.query(&format!("select count(*) from main.{stream}")), [[json!(rows)]]);
}

#[test]
fn under_airbyte_a_record_lists_the_fields_that_were_made_null() {
    let sim = crafted(
        "invitations",
        &[
            json!({"id": "i-1", "expires_at": "never", "accepted_at": "", "metadata": {"updated_at": ""}}),
            json!({"id": "i-2", "expires_at": "2024-01-01T00:00:00Z", "accepted_at": null}),
            json!({"id": "i-3", "x_new": "", "email": ""}),
        ],
    );
    let heard = heard(&sim, "invitations");
    let (records, mut changes) = (heard.records("invitations"), airbyte::changes(&heard));
    assert_eq!(records[0]["expires_at"], Value::Null);
    assert_eq!((&records[0]["accepted_at"], &records[0]["updated_at"]), (&Value::Null, &Value::Null));
    assert_eq!((&records[2]["x_new"], &records[2]["email"]), (&json!(""), &json!("")));
    changes[0].sort_by(|one, other| one.field.cmp(&other.field));
    let nulled = |field: &str| Change {
        field: field.to_owned(),
        change: "NULLED".to_owned(),
        reason: "SOURCE_SERIALIZATION_ERROR".to_owned(),
    };
    assert_eq!(changes[0], ["accepted_at", "expires_at", "metadata.updated_at"].map(nulled));
    assert_eq!(changes[1..], [Vec::new(), Vec::new()]);
    heard.expect_log(Level::Warn, &["invitations", "expires_at", "accepted_at", "metadata.updated_at"]);
}

#[test]
fn times_of_any_precision_and_offset_pass_untouched() {
    let mut times: Vec<String> =
        (1..=15).map(|digits| format!("2024-02-29T23:59:59.{}Z", &"123456789012345"[..digits])).collect();
    times.extend(
        [
            "2024-02-29T23:59:59Z",
            "2024-01-01T00:00:00+02:00",
            "2024-01-01T00:00:00.5-11:30",
            "2024-01-01T00:00:00-23:59",
            "2024-01-01T00:00:00-00:00",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999Z",
        ]
        .map(str::to_owned),
    );
    let users: Vec<Value> = times
        .iter()
        .enumerate()
        .map(|(i, time)| json!({"id": format!("u-{i}"), "metadata": {"created_at": time}}))
        .collect();
    let sim = crafted("users", &users);
    let (run, heard) = (only(&sim, "users"), heard(&sim, "users"));
    for records in [run.records("users"), heard.records("users")] {
        for (record, time) in records.iter().zip(&times) {
            assert_eq!(
                (&record["created_at"], &record["metadata"]["created_at"]),
                (&json!(time), &json!(time))
            );
        }
    }
    assert!(airbyte::changes(&heard).iter().all(Vec::is_empty));
    assert!(!run.stderr.contains("WARN"));
    load_into_duckdb(&sim, &run, "users", times.len());
}

#[test]
fn references_of_invitations_are_lifted_if_present() {
    let cases: [(Value, Value, Value); 4] = [
        (json!({"user": {"id": "u-1"}, "creator": {"id": "sa-1"}}), json!("u-1"), json!("sa-1")),
        (json!({"user": {"related": "x"}, "creator": null}), Value::Null, Value::Null),
        (json!({"creator": {"id": "u-2", "resource_name": ""}}), Value::Null, json!("u-2")),
        (json!({"user": "u-3", "creator": []}), Value::Null, Value::Null),
    ];
    let records = cases.iter().enumerate().map(|(i, (fields, ..))| {
        let mut record = Map::from_iter([("id".to_owned(), json!(format!("i-{i}")))]);
        record.extend(fields.as_object().unwrap().clone());
        Value::from(record)
    });
    let sim = crafted("invitations", &records.collect::<Vec<_>>());
    for (record, (_, user, creator)) in only(&sim, "invitations").records("invitations").iter().zip(&cases) {
        assert_eq!((&record["user_id"], &record["creator_id"]), (user, creator), "{record}");
    }
}
