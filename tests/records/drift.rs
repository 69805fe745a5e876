//! Fields that the schema does not know and values that do not fit it: passed on as they came, told
//! once, or a failure, as the setting says.

use simulator::Simulator;

use crate::support::airbyte::{self, Level, Status};
use crate::support::crafted::{ORGANIZATION, crafted_text};
use crate::support::{OTHERS, assert_whole, assert_whole_of, lines, polite, small, tap};

/// Users with fields that nobody declared and values of other types, odd in their spelling.
const ODD: [&str; 3] = [
    r#"{"id":"u-1", "email" : 5,"x_new":{"a":1.10,"b":[ ]},"metadata":{"self":"s","y_new":1e5}}"#,
    r#"{"id":"u-2","full_name":["\u0041"],"x_new":"later","metadata":"gone"}"#,
    r#"{"id":"u-3","metadata":{"y_new":null,"self":{}},"auth_type":true}"#,
];

fn odd() -> Simulator {
    crafted_text("users", &format!("[{}]", ODD.join(", ")))
}

#[test]
fn unknown_fields_pass_byte_for_byte() {
    let sim = odd();
    for mode in ["pass", "warn"] {
        let run = tap(&sim).set("schema_drift", mode).run().expect_code(0);
        assert_eq!(run.records("users").len(), 3);
        let heard = airbyte::read(tap(&sim).set("schema_drift", mode), &airbyte::catalog());
        for (spoken, of) in [("singer", &run.stdout), ("airbyte", &heard.run.stdout)] {
            for text in ODD {
                let sent = text.strip_suffix('}').unwrap();
                assert!(of.contains(sent), "{mode}, {spoken}: not as it was sent: {text}");
            }
        }
        assert!(airbyte::changes(&heard).iter().all(Vec::is_empty), "nothing was changed");
    }
}

#[test]
fn drift_is_reported_once_per_stream_with_counts_or_not_at_all() {
    let sim = odd();
    let fields = ["x_new", "metadata.y_new", "email", "full_name", "auth_type", "metadata.self"];
    for run in [tap(&sim).run(), tap(&sim).set("schema_drift", "warn").run()] {
        for field in fields {
            assert_eq!(
                lines(&run, &["WARN users", &format!("\"{field}\"")]),
                1,
                "lines that tell of {field}"
            );
        }
        assert!(run.says("WARN users", &["\"x_new\" in 2 records", "\"metadata.y_new\" in 2 records"]));
        assert_eq!(lines(&run, &["WARN"]), 1, "WARN lines");
        assert_eq!(run.code(), Some(0));
    }
    let silent = tap(&sim).set("schema_drift", "pass").run().expect_code(0);
    assert!(!silent.stderr.contains("WARN") && !silent.stderr.contains("x_new"));
    let heard = airbyte::read(tap(&sim), &airbyte::catalog());
    let told = heard.logs(Level::Warn);
    assert_eq!(told.iter().filter(|log| log.contains("users") && log.contains("x_new")).count(), 1);
}

#[test]
fn drift_is_counted_in_singular_or_plural_and_the_rest_comes_last() {
    let few = r#"[{"id":"u-1","x_new":1,"full_name":5,"metadata":{"created_at":""}}]"#;
    // Below the organization, so that one listing is enough.
    let pattern = format!(
        r#"[{{"id":"rb-1","crn_pattern":"crn://confluent.cloud/organization={ORGANIZATION}/environment=e/*","scope_type":"x"}}]"#
    );
    for (stream, data, words) in [
        ("users", few, "1 unknown field, passed on: \"x_new\" in 1 record;"),
        ("users", few, "1 field of another type than declared, passed on: \"full_name\" in 1 record;"),
        ("users", few, "1 field made null,"),
        ("role_bindings", &pattern, "1 derived column that the service itself sends,"),
        ("role_bindings", &pattern, "1 Confluent Resource Name of an unknown form,"),
    ] {
        let run = tap(&crafted_text(stream, data)).run().expect_code(0);
        assert_eq!(lines(&run, &["WARN", stream, words]), 1, "{words}: {}", run.stderr);
    }
    let names: Vec<String> =
        (0..25).map(|number| format!(r#""x_{number:02}":1,"z_{number:02}":1"#)).collect();
    let sim = crafted_text("users", &format!(r#"[{{"id":"u-1",{}}}]"#, names.join(",")));
    let run = tap(&sim).run().expect_code(0);
    let told = run.stderr.lines().find(|line| line.contains("WARN users")).unwrap();
    assert!(told.contains("more than 20 unknown fields, passed on: \"x_00\" in 1 record, "), "{told}");
    assert!(told.ends_with("\"z_09\" in 1 record, and others, 30 times"), "{told}");
}

#[test]
fn with_fail_a_stream_that_drifts_fails_and_the_others_are_whole() {
    for text in ODD {
        let sim = crafted_text("users", &format!("[{text}]"));
        let run = tap(&sim).set("schema_drift", "fail").set("emit_activate_version", true).run();
        let run = run.expect_code(5).expect_line("ERROR", ["users"]);
        assert_whole_of(&run, &sim, &OTHERS);
        assert!(!run.stdout.contains(r#"{"type":"ACTIVATE_VERSION","stream":"users""#));
        let heard = airbyte::read(tap(&sim).set("schema_drift", "fail"), &airbyte::catalog());
        heard.assert_whole_of(&sim, &OTHERS);
        assert_eq!(heard.run.code(), Some(1));
        assert!(!heard.statuses("users").contains(&Status::Complete));
        assert!(!heard.error_of("users").message.is_empty());
    }
}

#[test]
fn with_fail_records_that_fit_are_read_whole() {
    let sim = Simulator::start(polite());
    assert_whole(&tap(&sim).set("schema_drift", "fail").run(), &sim);
}

#[test]
fn an_unknown_drift_mode_is_an_error() {
    let sim = Simulator::start(small());
    drop(tap(&sim).set("schema_drift", "loud").run().expect_refusal(2, ["schema_drift", "fail"]));
}
