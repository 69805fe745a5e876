//! Pages that say that they are an error: none of them ends a list, whatever their status.

use serde_json::{Value, json};

use crate::support::Run;
use crate::support::pretend::{Asked, Pretend, Reply, ordinary};

/// A service whose users, on their second page, are this with status 200, and that many times.
fn with_second_page(body: &str, times: usize) -> Pretend {
    let (body, met) = (body.to_owned(), std::sync::Mutex::new(0));
    Pretend::start(move |asked: &Asked| {
        if asked.path != "/iam/v2/users" {
            return ordinary(asked);
        }
        let user = |id: &str| json!({"id": id});
        if asked.parameter("page_token").is_none() {
            return Reply::page([user("u-1")], Some("second"));
        }
        let mut met = met.lock().unwrap();
        *met += 1;
        if *met <= times { Reply::new(200, body.clone()) } else { Reply::page([user("u-2")], None) }
    })
}

fn run(service: &Pretend) -> Run {
    service.tap().set("emit_activate_version", true).set("max_retries", 2).run()
}

/// Users fail behind their first page, named and not activated; the others are whole.
#[track_caller]
fn assert_failed(body: &str, code: i32, words: &[&str]) -> Run {
    let run = run(&with_second_page(body, usize::MAX)).expect_code(code);
    assert!(run.says("ERROR", &[&["users", "req-pretend-1"], words].concat()), "{body} is not told");
    assert_eq!(run.ids("users"), ["u-1"], "{body}");
    assert_eq!(run.ids("invitations"), ["i-1"], "{body}");
    let activated = run.stdout.lines().filter(|line| line.contains("ACTIVATE_VERSION"));
    let activated: Vec<Value> = activated.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(activated.iter().all(|line| line["stream"] != "users"), "users are activated after {body}");
    assert_eq!(activated.len(), 3);
    assert_eq!(run.bookmark("users")["page_token"], "second", "the position is lost after {body}");
    run
}

#[test]
fn a_page_with_errors_does_not_end_a_list() {
    for errors in [
        r#""errors":[{"detail":"no rows today"}]"#,
        r#""errors":[{"status":"409","title":"no rows today"}]"#,
        r#""errors":["no rows today"]"#,
        r#""errors":"no rows today""#,
        r#""errors":{"message":"no rows today"}"#,
        r#""error":"no rows today""#,
        r#""error":{"code":409,"message":"no rows today"}"#,
        r#""error":{"detail":"no rows today"}"#,
        r#""error_code":40901,"message":"no rows today""#,
        r#""status_code":409,"message":"no rows today""#,
        r#""errors":[],"error":"no rows today""#,
    ] {
        for data in ["", r#""data":null,"#, r#""data":[],"metadata":{},"#, r#""data":[{"id":"u-2"}],"#] {
            drop(assert_failed(&format!("{{{data}{errors}}}"), 5, &["no rows today"]));
        }
        drop(assert_failed(&format!(r#"{{{errors},"data":[{{"id":"u-2"}}]}}"#), 5, &["no rows today"]));
    }
}

#[test]
fn an_error_without_words_in_a_page_is_an_error_too() {
    for errors in [
        r#""errors":[{}]"#,
        r#""errors":[null]"#,
        r#""errors":{}"#,
        r#""errors":"""#,
        r#""errors":false"#,
        r#""error":{}"#,
        r#""error":"""#,
        r#""error":true"#,
        r#""error_code":7"#,
    ] {
        drop(assert_failed(&format!(r#"{{"data":[],{errors}}}"#), 5, &["200"]));
    }
}

#[test]
fn empty_error_fields_are_not_an_error() {
    for errors in [
        r#""errors":[]"#,
        r#""errors": [ ] "#,
        r#""errors":null"#,
        r#""error":null"#,
        r#""error":[]"#,
        r#""error_code":null,"message":"fine""#,
        r#""error_code":0,"status_code":200"#,
    ] {
        let body = format!(r#"{{"data":[{{"id":"u-2"}}],{errors}}}"#);
        let run = run(&with_second_page(&body, usize::MAX)).expect_code(0);
        assert_eq!(run.ids("users"), ["u-1", "u-2"], "{body}");
    }
}

#[test]
fn an_outage_told_inside_a_page_is_retried_and_then_given_up() {
    for errors in [
        r#""errors":[{"status":"503","detail":"come later"}]"#,
        r#""errors":[{"status":429,"detail":"come later"}]"#,
        r#""errors":[{"code":"408","detail":"come later"}]"#,
        r#""error":{"code":502,"message":"come later"}"#,
        r#""error":{"status":"500","message":"come later"}"#,
        r#""error_code":50301,"message":"come later""#,
        r#""status_code":429,"message":"come later""#,
    ] {
        let body = format!(r#"{{"data":[],{errors}}}"#);
        let service = with_second_page(&body, 2);
        let run = run(&service).expect_code(0);
        assert_eq!(run.ids("users"), ["u-1", "u-2"], "{body}");
        assert_eq!(service.asked("/iam/v2/users").len(), 1 + 3, "{body}");
        drop(assert_failed(&body, 4, &["come later", "3 tries"]));
    }
}

#[test]
fn a_refusal_inside_a_page_is_denied_and_not_retried() {
    for status in ["401", "403"] {
        let body = format!(r#"{{"data":[],"errors":[{{"status":"{status}","detail":"not for you"}}]}}"#);
        drop(assert_failed(&body, 3, &["not for you", status]));
        let service = with_second_page(&body, usize::MAX);
        drop(run(&service));
        assert_eq!(service.asked("/iam/v2/users").len(), 2);
    }
    let cluster = "invalid API key: make sure you're using a Cloud API Key and not a Cluster API Key";
    let body = json!({"data": null, "errors": [{"status": "401", "detail": cluster}]}).to_string();
    drop(assert_failed(&body, 3, &["is not a Cloud API key"]));
}

#[test]
fn a_page_that_asks_for_a_wait_is_waited_for() {
    let asks = |asked: &Asked| {
        let errors = json!({"errors": [{"status": "429"}]}).to_string();
        if asked.path == "/iam/v2/users" {
            Reply::new(200, errors).with_header("Retry-After", "4000")
        } else {
            ordinary(asked)
        }
    };
    let run = Pretend::start(asks).tap().run().expect_code(4);
    drop(run.expect_line("ERROR", ["users", "4000 s", "max_retry_seconds"]));
}

#[test]
fn an_envelope_with_a_repeated_field_is_refused() {
    for body in [
        r#"{"data":[{"id":"u-2"}],"data":[]}"#,
        r#"{"data":[],"d\u0061ta":[{"id":"u-2"}]}"#,
        r#"{"data":[],"metadata":{"next":"/x?page_token=t"},"metadata":{}}"#,
        r#"{"data":[],"metadata":{"next":"/x?page_token=t","next":null}}"#,
        r#"{"data":[],"metadata":{"next":null,"next":"/x?page_token=t"}}"#,
        r#"{"data":[],"errors":[{"detail":"no"}],"errors":[]}"#,
        r#"{"data":[],"error":"no","error":null}"#,
    ] {
        drop(assert_failed(body, 5, &["twice"]));
    }
}

#[test]
fn a_map_that_is_one_error_is_tried_again_and_a_connector_called_error_is_none() {
    let met = std::sync::atomic::AtomicUsize::new(0);
    let service = Pretend::start(move |asked| {
        let is_first = || met.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        match asked.path.ends_with("/connectors") {
            false => ordinary(asked),
            true if is_first() => Reply::new(200, r#"{"error":{"code":503,"message":"no rows today"}}"#),
            true => Reply::new(200, r#"{"error":{"id":{"id":"lcc-1"}}}"#),
        }
    });
    let run = service.tap().set("streams", json!(["connectors"])).set("max_retries", 1).run().expect_code(0);
    assert!(run.says("INFO", &["connectors", "503", "no rows today"]));
    assert_eq!(run.records("connectors").len(), 1);
}
