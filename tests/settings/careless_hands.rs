//! What a tired hand pastes, swaps or says twice: no secret comes out, and no setting that protects is lost.

use serde_json::json;

use crate::support::pretend::{KEY, Pretend, Reply, SECRET, ordinary};

#[test]
fn settings_passed_as_a_state_are_refused_and_not_copied() {
    let service = Pretend::start(ordinary);
    let settings = json!({"base_url": service.url, "api_key": KEY, "api_secret": SECRET});
    for state in [
        settings.clone(),
        json!({"type": "STATE", "value": settings}),
        json!({"bookmarks": {}, "singer_state": [{"personal_data_key": "another long random text"}]}),
    ] {
        let run = service.tap().state(&state).run().expect_code(2);
        assert!(!run.stdout.contains("another long"), "it is carried on");
        drop(run.expect_refusal(2, ["state.json", "it contains settings"]));
    }
    assert!(service.asked("").is_empty());
}

#[test]
fn a_setting_given_twice_in_a_file_is_an_error() {
    let service = Pretend::start(ordinary);
    let start = json!({"base_url": service.url, "api_key": KEY, "api_secret": SECRET}).to_string();
    let start = start.trim_end_matches('}');
    for (second, setting) in [
        (r#""personal_data": "omit", "personal_data": null"#, "personal_data"),
        (r#""organization_id": "other", "x": 1, "organization_id": """#, "organization_id"),
        (r#""empty_lists": "fail", "empty_l\u0069sts": "warn""#, "empty_lists"),
    ] {
        let run = service.tap().config_text(&format!("{start}, {second}}}")).run();
        drop(run.expect_refusal(2, ["config.json", &format!("{setting} is given twice")]));
    }
    let run = service.tap().config_text(&format!("{start}, \"_x\": 1, \"_x\": 2}}")).run();
    drop(run.expect_code(0));
}

#[test]
fn a_secret_pasted_into_a_public_setting_is_refused_unquoted() {
    let service = Pretend::start(ordinary);
    for (setting, pasted) in [
        ("organization_id", SECRET.rsplit('/').next().unwrap().to_owned()),
        ("organization_id", SECRET.rsplit('/').next().unwrap().to_lowercase()),
        ("user_agent", format!("audit {SECRET}")),
        ("base_url", format!("{}/{SECRET}", service.url)),
    ] {
        let run = service.tap().set(setting, pasted).run();
        drop(run.expect_refusal(2, [setting, "contains a piece of the credentials"]));
    }
    assert!(service.asked("").is_empty(), "it has been sent");
}

#[test]
fn the_secret_of_another_key_in_organization_id_is_not_quoted() {
    let service = Pretend::start(ordinary);
    let other = "q7ZrKw2LmXoVb9tYhN4cPeJ8uGdAs6iFk3Wn5R1xTzMvCy0EaBgHj";
    for secret in [other.to_owned(), format!("{other}+x")] {
        let run = service.tap().set("organization_id", secret.as_str()).run();
        let run = run.expect_refusal(2, ["organization_id must be an id of at most 40"]);
        assert!(!run.stderr.contains(&secret), "it is quoted");
    }
}

#[test]
fn a_hash_key_of_common_words_does_not_disturb_a_run() {
    let service = Pretend::start(ordinary);
    for key in ["confluent-cloud-hash-key-2026", "organization-wide-hash-key", "role-bindings-hash-key"] {
        let run = service.tap().set("personal_data", "hash").set("personal_data_key", key).run();
        let run = run.expect_code(0);
        assert_eq!(run.ids("users"), ["u-1"]);
        assert!(!run.stderr.contains(key));
    }
}

#[test]
fn an_email_that_cannot_be_hashed_is_reported() {
    let service = Pretend::start(|asked| match asked.path.as_str() {
        "/iam/v2/users" => {
            Reply::new(200, r#"{"data":[{"id":"u-1","email":"ada\ud83d@example.com"}],"metadata":{}}"#)
        }
        _ => ordinary(asked),
    });
    let tap = service.tap().set("personal_data", "hash").set("personal_data_key", "a long random text");
    let run = tap.run().expect_code(0);
    assert!(run.records("users")[0]["email"].is_null());
    drop(run.expect_line("WARN", ["1 field made null", "email"]));
}

#[test]
fn the_name_of_a_variable_in_a_file_is_an_error() {
    let service = Pretend::start(ordinary);
    for (name, setting) in [
        ("TAP_CONFLUENT_CLOUD_PERSONAL_DATA", "personal_data"),
        ("tap_confluent_cloud_organization_id", "organization_id"),
        ("CONFLUENT_CLOUD_API_KEY", "api_key"),
    ] {
        let run = service.tap().set(name, "omit").run();
        drop(run.expect_refusal(2, [name, &format!("did you mean {setting}?")]));
    }
}
