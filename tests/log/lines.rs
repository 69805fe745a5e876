//! What is said to people: one line each, of bounded length and without control characters, whatever the
//! service or the operator calls things.

use serde_json::{Value, json};

use crate::support::airbyte::{Message, Trace, check};
use crate::support::pretend::{CRN, Pretend, Reply, binding, ordinary};
use crate::support::{Run, bare};

/// A line of the log is no longer, in characters.
const LONGEST: usize = 2_000;

/// Line breaks of every kind, a terminal's escapes, and marks that turn the direction of text.
const ODD: &str =
    "one\ntwo\r\u{1b}[31mred\u{7}\u{85}\u{9b}\u{2028}\u{2029}\u{202e}\u{2066}\u{200f}\u{7f}\tend";

/// No character that moves what follows.
fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

#[track_caller]
fn assert_lines(run: &Run) {
    assert!(!run.stderr.is_empty());
    for line in run.stderr.split('\n').filter(|line| !line.is_empty()) {
        let start: String = line.chars().take(80).collect();
        assert!(
            ["ERROR ", "WARN ", "INFO ", "DEBUG "].iter().any(|level| line.starts_with(level)),
            "{start}"
        );
        assert!(is_plain(line), "control characters in: {start}");
        assert!(line.chars().count() <= LONGEST, "{} characters: {start}", line.chars().count());
    }
}

/// An organization in which everything has a name that is odd and long.
fn odd_names() -> Pretend {
    let long = format!("{ODD}{}", "long".repeat(2_000));
    Pretend::start(move |asked| match asked.path.as_str() {
        "/org/v2/organizations" => {
            Reply::page([json!({"id": ODD, "display_name": long, "metadata": {"resource_name": CRN}})], None)
        }
        "/iam/v2/users" => {
            let mut user = json!({"id": "u-1"});
            user[long.as_str()] = Value::from(1);
            Reply::page([user], None)
        }
        "/iam/v2/role-bindings" if asked.parameter("principal").is_none() => {
            Reply::page([binding("rb-1", &format!("crn://{long}"))], None)
        }
        "/iam/v2/role-bindings" => Reply::page([], None),
        "/iam/v2/invitations" => Reply::new(500, format!("it failed: {long}")),
        path if path.starts_with("/iam/v2/api-keys/") => {
            Reply::new(200, json!({"spec": {"owner": {"id": long}}}).to_string())
        }
        _ => ordinary(asked),
    })
}

#[test]
fn a_log_message_is_one_line_whatever_names_it_holds() {
    let service = odd_names();
    for level in ["info", "debug"] {
        let run = service.tap().set("max_retries", 1).args(["--log-level", level]).run();
        assert_lines(&run);
        let run = run.expect_line("INFO", ["reading users"]);
        drop(
            run.expect_line("WARN", [r"one\ntwo\r\u{1b}[31mred"])
                .expect_line("ERROR", ["invitations", "req-pretend-1"]),
        );
    }
    let wanted = service.tap().set("organization_id", format!("{ODD}{}", "x".repeat(3_000))).run();
    assert_ne!(wanted.code(), Some(0));
    assert_lines(&wanted);
}

#[test]
fn names_and_paths_do_not_break_a_log_line() {
    assert_lines(&bare().args(["--config", "/no\u{1b}[31m\u{202e}where/config.json"]).run().expect_code(2));
    let service = Pretend::start(ordinary);
    let odd = format!("{ODD}{}", "long".repeat(2_000));
    assert_lines(&service.tap().set(&odd, 1).run().expect_code(0));
    let catalog = json!({"streams": [{"tap_stream_id": odd}, {"tap_stream_id": "users"}]});
    let mut state = json!({"bookmarks": {}});
    state["bookmarks"][odd.as_str()] = json!({});
    assert_lines(&service.tap().catalog(&catalog).state(&state).run().expect_code(0));
}

#[test]
fn log_lines_are_bounded_under_airbyte_too() {
    let service = odd_names();
    let mut heard = check(service.tap().set("max_retries", 0));
    assert!(is_plain(&heard.failed(&["invitations"])));
    let read = crate::support::airbyte::read(
        service.tap().set("max_retries", 0),
        &crate::support::airbyte::catalog(),
    );
    let mut errors = 0;
    for message in heard.messages.drain(..).chain(read.messages) {
        let texts = match message {
            Message::Log { log } => vec![log.message],
            Message::Trace { trace: Trace::Error { error, .. } } => {
                errors += 1;
                vec![error.message, error.internal_message]
            }
            _ => Vec::new(),
        };
        for text in texts {
            assert!(
                is_plain(&text) && text.chars().count() <= LONGEST,
                "{} characters",
                text.chars().count()
            );
        }
    }
    assert!(errors >= 2, "{errors} TRACE ERRORs");
    let organization = |number| json!({"id": format!("{number}{ODD}"), "display_name": "long".repeat(2_000)});
    let several = Pretend::start(move |_| Reply::page((0..40).map(organization), None));
    let message = check(several.tap()).failed(&["several organizations", "organization_id"]);
    assert!(is_plain(&message) && message.chars().count() <= 5 * LONGEST, "{} characters", message.len());
    assert_lines(&several.tap().run().expect_code(2));
}
