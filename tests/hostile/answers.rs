//! What a service may repeat, blow up or say in other words, and what a check must not pass over.

use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::support::MEMORY;
use crate::support::airbyte;
use crate::support::pretend::{Asked, CRN, Pretend, Reply, binding, environment, ordinary, organization};

fn refusal() -> Reply {
    Reply::new(403, r#"{"errors":[{"detail":"not for you"}]}"#)
}

#[test]
fn a_check_asks_each_stream_however_long_the_look_ups_were() {
    let service = Pretend::start(|asked: &Asked| {
        let page: usize = asked.parameter("page_token").map_or(0, |token| token.parse().unwrap());
        match asked.path.as_str() {
            "/org/v2/environments" if page < 99 => {
                Reply::page([environment(&format!("env-{page:02}"))], Some(&(page + 1).to_string()))
            }
            "/cmk/v2/clusters" => refusal(),
            _ => ordinary(asked),
        }
    });
    let tap = service.tap().set("streams", json!(["kafka_clusters"])).set("page_size", 1);
    drop(airbyte::check(tap).failed(&["kafka_clusters", "403"]));
}

#[test]
fn an_error_of_unusual_form_does_not_end_a_list() {
    for error in [
        r#""code":403,"message":"no rows today""#,
        r#""code":7,"message":"no rows today","details":[]"#,
        r#""code":"40301""#,
        r#""status":403"#,
        r#""status":"503","title":"no rows today""#,
        r#""message":"no rows today""#,
    ] {
        for data in [r#""data":null"#, r#""data":[],"metadata":{}"#] {
            let body = format!("{{{data},{error}}}");
            let shown = body.clone();
            let service = Pretend::but("/iam/v2/invitations", move |_| Reply::new(200, body.clone()));
            let run = service.tap().set("max_retries", 0).run();
            assert_ne!(run.code(), Some(0), "{shown}");
            assert!(run.says("ERROR", &["invitations", "reports an error"]), "{shown}");
        }
    }
    for harmless in [
        r#""code":0,"message":"fine","status":"OK""#,
        r#""code":200,"status":200"#,
        r#""code":null,"message":null,"status":null"#,
        r#""message":"""#,
    ] {
        let data = if harmless.contains("fine") { r#"{"id":"i-1"}"# } else { "" };
        let body = format!(r#"{{"data":[{data}],{harmless}}}"#);
        let service = Pretend::but("/iam/v2/invitations", move |_| Reply::new(200, body.clone()));
        drop(service.tap().run().expect_code(0));
    }
}

#[test]
fn an_organization_listed_twice_counts_once() {
    let service =
        Pretend::but("/org/v2/organizations", |_| Reply::page([organization(), organization()], None));
    let run = service.tap().run().expect_code(0);
    assert_eq!(run.ids("role_bindings"), ["rb-1", "rb-2"]);
}

#[test]
fn another_principals_role_does_not_make_the_owner_an_admin() {
    let service = Pretend::start(|asked: &Asked| {
        let mut other = binding("rb-1", CRN);
        other["principal"] = "User:u-other".into();
        match asked.parameter("principal") {
            Some(_) => Reply::page([other], None),
            None => ordinary(asked),
        }
    });
    let tap = service.tap().set("shortened_lists", "fail");
    drop(tap.run().expect_refusal(3, ["OrganizationAdmin", "shortened"]));
}

#[test]
fn the_body_of_an_error_does_not_fill_memory() {
    for (status, code) in [(500, 4), (200, 5)] {
        let body = format!("{{\"errors\":[{}0]}}", "0,".repeat(7 << 20));
        let service = Pretend::but("/iam/v2/users", move |_| Reply::new(status, body.clone()));
        let tap = service.tap().set("streams", json!(["users"])).set("max_retries", 0);
        let (run, peak) = tap.spawn().finish_measured();
        drop(run.expect_code(code));
        assert!(peak < MEMORY, "{status}: it had {peak} KiB in memory");
    }
}

#[test]
fn a_page_with_far_more_records_than_asked_for_is_refused() {
    for (records, code) in [(1000, 0), (1_200_000, 5)] {
        let body = format!("{{\"data\":[{}{{\"id\":\"a\"}}]}}", "{\"id\":\"a\"},".repeat(records - 1));
        let service = Pretend::but("/iam/v2/users", move |_| Reply::new(200, body.clone()));
        let (run, peak) = service.tap().set("streams", json!(["users"])).spawn().finish_measured();
        drop(run.expect_code(code));
        assert!(peak < MEMORY, "{records}: it had {peak} KiB in memory");
    }
}

#[test]
fn a_refused_token_restarts_an_empty_stream_once_only() {
    let service = Pretend::but("/iam/v2/invitations", |asked| match asked.parameter("page_token") {
        Some(_) => Reply::new(400, r#"{"errors":[{"detail":"bad token"}]}"#),
        None => Reply::page([], None),
    });
    let state = json!({"bookmarks": {"invitations": bookmark(5)}});
    let run = service.tap().set("streams", json!(["invitations"])).state(&state).run().expect_code(0);
    assert_eq!(service.asked("/iam/v2/invitations").len(), 2);
    assert!(!run.says("WARN", &["empty last page"]));
}

#[test]
fn a_record_count_at_its_maximum_is_accepted() {
    let service = Pretend::but("/iam/v2/invitations", |_| Reply::page([json!({"id": "i-1"})], None));
    let state = json!({"bookmarks": {"invitations": bookmark(u64::MAX)}});
    let run = service.tap().set("streams", json!(["invitations"])).state(&state).run().expect_code(0);
    assert_eq!(run.ids("invitations"), ["i-1"]);
}

fn bookmark(records: u64) -> Value {
    let hash = ring::digest::digest(&ring::digest::SHA256, crate::support::pretend::KEY.as_bytes());
    let hash: String = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    json!({
        "organization_id": null, "api_key_hash": hash, "partition": null, "page_token": "t",
        "started_at": Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
        "records": records, "last_records": null,
    })
}

#[test]
fn no_unknown_pattern_is_quoted_if_persons_are_hidden() {
    let service = Pretend::start(|asked: &Asked| match asked.path.as_str() {
        "/iam/v2/role-bindings" => {
            let odd = binding("rb-3", &format!("{CRN}/team=x/lead=ada@example.com"));
            Reply::page([odd, binding("rb-2", &format!("{CRN}/environment=env-1"))], None)
        }
        _ => ordinary(asked),
    });
    for personal in ["omit", "hash"] {
        let tap = service.tap().set("personal_data", personal);
        let tap = if personal == "hash" { tap.set("personal_data_key", "0123456789abcdef") } else { tap };
        let run = tap.args(["--log-level", "debug"]).run().expect_code(0);
        assert!(run.says("WARN", &["role_bindings", "1 Confluent Resource Name"]));
        assert!(!run.stderr.contains("ada@example.com"), "{}", run.stderr);
    }
    let run = service.tap().run().expect_code(0);
    assert!(run.says("WARN", &["role_bindings", "lead=ada@example.com"]));
}
