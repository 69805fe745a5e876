//! Records that would stop a load: characters that no database takes are replaced and told, a field
//! that comes twice breaks its stream.

use serde_json::json;

use crate::support::airbyte;
use crate::support::crafted::{ORGANIZATION, crafted_text, keys_only, listing};
use crate::support::{OTHERS, Run, assert_whole_of, lines, tap};

/// A record with U+0000 wherever one can be, and what comes of it.
const SENT: &str = r#"{"id":"u-1","full_name":"A\u0000da","email":"a\\u0000@b","x\u0000":{"k\u0000":["\u0000\\\u0000"]},"metadata":{"self":"\u0000","new":"\\\\u0000","created_at":"2024-01-01T00:00:00Z"}}"#;
const LEFT: [&str; 4] = [
    r#""full_name":"A\ufffdda","email":"a\\u0000@b","x"#,
    r#"":{"k\ufffd":["\ufffd\\\ufffd"]},"#,
    r#""self":"\ufffd","new":"\\\\u0000","#,
    r#""created_at":"2024-01-01T00:00:00Z"},"organization_id""#,
];

/// No escape of U+0000 is left in what was printed, and nothing else has changed.
#[track_caller]
fn is_clean(run: &Run) {
    let escaped = run.stdout.replace(r"\\", "");
    assert!(!escaped.contains(r"\u0000"), "{}", run.stdout);
    for left in LEFT {
        assert!(run.stdout.contains(left), "{left}: {}", run.stdout);
    }
}

#[test]
fn u_0000_becomes_u_fffd_in_texts_and_names_with_one_warning() {
    let other = SENT.replace("u-1", "u-2");
    let sim = crafted_text("users", &format!("[{SENT},{other}]"));
    for drift in ["warn", "pass"] {
        let run = tap(&sim).set("schema_drift", drift).run().expect_code(0);
        is_clean(&run);
        assert!(run.records("users")[0].get("x\u{fffd}").is_some());
        let told = ["WARN users", "U+FFFD", "\"full_name\" in 2 records", "\"metadata.self\" in 2 records"];
        assert_eq!(lines(&run, &told), 1, "{}", run.stderr);
        assert_eq!(lines(&run, &["WARN"]), 1, "WARN lines");
        let heard = airbyte::read(tap(&sim).set("schema_drift", drift), &airbyte::catalog());
        is_clean(&heard.run);
        assert!(airbyte::changes(&heard).iter().all(Vec::is_empty), "nothing was made null");
    }
}

#[test]
fn derived_columns_are_free_of_u_0000_too() {
    let pattern =
        format!("crn://confluent.cloud/organization={ORGANIZATION}/environment=env-%00/topic=a%00b");
    let data = format!(r#"[{{"id":"rb-1","principal":"User:u-\u0000","crn_pattern":"{pattern}"}}]"#);
    let sim = crafted_text("role_bindings", &data);
    let run = tap(&sim).run().expect_code(0);
    let record = run.records("role_bindings").remove(0);
    let pattern = pattern.replace(ORGANIZATION, sim.organization_id());
    assert_eq!(record["crn_pattern"], pattern, "it is passed on byte for byte");
    for (column, value) in
        [("principal_id", "u-\u{fffd}"), ("environment_id", "env-\u{fffd}"), ("resource_name", "a\u{fffd}b")]
    {
        assert_eq!(record[column], value, "{column}");
    }
    assert!(!run.stdout.contains(r"\u0000"));
    let told = ["WARN role_bindings", "U+FFFD", "\"principal\" in 1 record", "\"resource_name\" in 1 record"];
    assert_eq!(lines(&run, &told), 1, "{}", run.stderr);
    let sim = listing(r#"[{"id":"K","spec":{"owner":{"id":"u\u0000"},"display_name":"\u0000"}}]"#);
    let key = keys_only(&sim).run().expect_code(0).records("api_keys").remove(0);
    assert_eq!((&key["owner_id"], &key["display_name"]), (&json!("u\u{fffd}"), &json!("\u{fffd}")));
}

#[test]
fn a_hash_is_of_the_text_as_sent() {
    let hash = |email: &str| {
        let sim = crafted_text("users", &format!(r#"[{{"id":"u-1","email":"{email}"}}]"#));
        let tap =
            tap(&sim).set("personal_data", "hash").set("personal_data_key", "a long random text: 7f3b9c");
        let run = tap.run().expect_code(0);
        assert_eq!(lines(&run, &["WARN"]), 0, "nothing was replaced: {}", run.stderr);
        run.records("users")[0]["email"].as_str().unwrap().to_owned()
    };
    assert_eq!(hash(r"a\u0000@b"), hash(r"\u0061\u0000\u0040b"));
    assert_ne!(hash(r"a\u0000@b"), hash(r"a\ufffd@b"));
}

/// Records that hold a field twice, where we look.
const TWICE: [&str; 6] = [
    r#"{"id":"u-1","email":"GRACE","email":"GRACE"}"#,
    r#"{"id":"u-1","id":"u-1"}"#,
    r#"{"id":"u-1","x_new":"GRACE","x_n\u0065w":1}"#,
    r#"{"id":"u-1","\u0065mail":null,"email":"GRACE"}"#,
    r#"{"id":"u-1","metadata":{"self":"GRACE","created_at":null,"self":1}}"#,
    r#"{"id":"u-1","x\u0000":"GRACE","x\ufffd":1}"#,
];

#[test]
fn a_record_with_a_repeated_field_breaks_its_stream() {
    for text in TWICE {
        let sim = crafted_text("users", &format!("[{text}]"));
        for drift in ["pass", "warn", "fail"] {
            let run = tap(&sim).set("schema_drift", drift).set("emit_activate_version", true).run();
            let run = run.expect_code(5).expect_line("ERROR", ["users", "twice"]);
            assert!(run.records("users").is_empty(), "{text}");
            assert!(!run.stderr.contains("GRACE") && !run.stdout.contains("GRACE"), "a value is quoted");
            assert_whole_of(&run, &sim, &OTHERS);
        }
        let heard = airbyte::read(tap(&sim), &airbyte::catalog()).expect_code(1);
        assert!(heard.error_of("users").message.contains("twice"));
        drop(tap(&sim).arg("--test").run().expect_code(5));
    }
    let sim = listing(r#"[{"id":"K","spec":{"owner":{"id":"u-1","id":"u-2"}}}]"#);
    drop(
        keys_only(&sim).run().expect_code(5).expect_line("ERROR", ["api_keys", "\"spec.owner.id\"", "twice"]),
    );
    let heard =
        airbyte::read(keys_only(&sim), &airbyte::catalog_of(&["api_keys"], "full_refresh")).expect_code(1);
    assert!(heard.records("api_keys").is_empty());
}

#[test]
fn a_repeated_field_in_an_undeclared_object_is_passed_on() {
    let text = r#"{"id":"u-1","x_new":{"a":1,"a":2},"y_new":[{"b":1,"b":1}]}"#;
    let run = tap(&crafted_text("users", &format!("[{text}]"))).run().expect_code(0);
    assert!(run.stdout.contains(text.strip_suffix('}').unwrap()));
}
