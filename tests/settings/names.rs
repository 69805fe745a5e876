//! Names of settings that are nearly right, the variables of the environment, and the one place that the
//! credentials come from: no setting that protects is lost in silence.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use serde_json::json;
use simulator::Simulator;

use crate::support::airbyte::check;
use crate::support::{Tap, assert_whole, assert_whole_of, bare, small, tap};

const SECRET: &str = "s3cr3t-behind-a-wrong-name";

#[test]
fn a_name_near_a_setting_is_an_error_that_names_the_setting() {
    let sim = Simulator::start(small());
    for (wrong, right) in [
        ("api-key", "api_key"),
        ("API_KEY", "api_key"),
        ("apiKey", "api_key"),
        ("apikey", "api_key"),
        ("api_secrte", "api_secret"),
        ("Api-Secret", "api_secret"),
        ("organisation_id", "organization_id"),
        ("organizationid", "organization_id"),
        ("personal-data", "personal_data"),
        ("persnal_data", "personal_data"),
        ("personal_date", "personal_data"),
        ("personalDataKey", "personal_data_key"),
        ("maxRequestsPerSecond", "max_requests_per_second"),
        ("stream", "streams"),
        ("Streams", "streams"),
        ("schema_drfit", "schema_drift"),
        ("base_uri", "base_url"),
        ("ca-certificates", "ca_certificate"),
    ] {
        let run = tap(&sim).set(wrong, SECRET).run();
        let run = run.expect_refusal(2, [wrong, &format!("did you mean {right}?"), "config.json"]);
        assert!(!run.stderr.contains(SECRET), "the value is quoted");
        drop(tap(&sim).set(wrong, SECRET).arg("--discover").run().expect_code(2));
    }
    let run = tap(&sim).set("api-key", "K").set("personal-data", "hash").run();
    drop(run.expect_refusal(2, ["did you mean api_key?", "did you mean personal_data?"]));
    let heard = check(tap(&sim).set("personal-data", "omit"));
    heard.failed(&["personal-data", "did you mean personal_data?"]);
    assert!(sim.requests().is_empty(), "something was asked");
}

#[test]
fn unknown_names_are_warnings_except_those_of_runtimes() {
    let sim = Simulator::start(small());
    for name in ["end_date", "api_token", "page", "max_retry", "key", "load_schema", "stream_maps"] {
        let run = tap(&sim).set(name, SECRET).run();
        assert_whole(&run, &sim);
        assert!(!run.expect_line("WARN", [name, "ignored"]).stderr.contains(SECRET));
    }
    let mut run = tap(&sim);
    for name in ["_load_schema", "_api_key", "__injected", "_"] {
        run = run.set(name, SECRET);
    }
    let run = run.run();
    assert_whole(&run, &sim);
    assert!(!run.says("WARN", &[""]), "a warning about what runtimes add");
}

#[test]
fn variables_of_the_tap_are_always_read_and_files_win() {
    let sim = Simulator::start(small());
    let run = tap(&sim)
        .set("page_size", 9)
        .env("TAP_CONFLUENT_CLOUD_PAGE_SIZE", "7")
        .env("TAP_CONFLUENT_CLOUD_STREAMS", "users")
        .env("TAP_CONFLUENT_CLOUD_PERSONAL_DATA", "omit")
        .run()
        .expect_code(0);
    assert_eq!(run.schemas().len(), 1);
    assert!(run.records("users").iter().all(|user| user.get("email").is_none()), "personal data came out");
    assert_eq!(run.asked("users")[0].parameter("page_size"), Some("9"));
    drop(tap(&sim).env("TAP_CONFLUENT_CLOUD_PAGE_SIZE", "many").run().expect_refusal(2, ["page_size"]));
    let discovered = bare().env("TAP_CONFLUENT_CLOUD_STREAMS", "environments").arg("--discover").run();
    assert!(discovered.expect_code(0).stdout.contains("environments"));
    assert_whole(&tap(&sim).env("TAP_CONFLUENT_CLOUD_PAGE_SIZE", "").run(), &sim);
}

#[test]
fn the_place_of_env_among_the_files_is_kept() {
    let sim = Simulator::start(small());
    let page_size = |order: [&str; 2]| {
        let mut tap = tap(&sim).set("streams", json!(["users"])).env("TAP_CONFLUENT_CLOUD_PAGE_SIZE", "7");
        for source in order {
            tap = match source {
                "ENV" => tap.args(["--config", "ENV"]),
                _ => tap.file("--config", "nine.json", r#"{"page_size": 9}"#),
            };
        }
        let run = tap.run().expect_code(0);
        assert_whole_of(&run, &sim, &["users"]);
        run.asked("users")[0].parameter("page_size").unwrap().to_owned()
    };
    assert_eq!(page_size(["ENV", "nine.json"]), "9");
    assert_eq!(page_size(["nine.json", "ENV"]), "7");
}

#[test]
fn a_misspelt_variable_is_a_warning_and_a_foreign_one_is_not() {
    let sim = Simulator::start(small());
    for (wrong, right) in [
        ("PERSONAL_DAT", "TAP_CONFLUENT_CLOUD_PERSONAL_DATA"),
        ("PERSONALDATA", "TAP_CONFLUENT_CLOUD_PERSONAL_DATA"),
        ("personal_data", "TAP_CONFLUENT_CLOUD_PERSONAL_DATA"),
        ("ORGANISATION_ID", "TAP_CONFLUENT_CLOUD_ORGANIZATION_ID"),
    ] {
        let run = tap(&sim).env(&format!("TAP_CONFLUENT_CLOUD_{wrong}"), SECRET).run();
        assert_whole(&run, &sim);
        let run = run.expect_line("WARN", [wrong, "did you mean", right]);
        assert!(!run.stderr.contains(SECRET), "the value is told");
    }
    let mut run = tap(&sim);
    for other in [
        "TAP_CONFLUENT_CLOUD__LOAD_SCHEMA",
        "TAP_CONFLUENT_CLOUD__API_KEY",
        "TAP_CONFLUENT_CLOUD_2_API_KEY",
        "TAP_CONFLUENT_CLOUD_2_PERSONAL_DATA",
        "TAP_CONFLUENT_CLOUD_PROD_API_KEY",
        "TAP_CONFLUENT_CLOUD_END_DATE",
        "TAP_CONFLUENT_CLOUD_",
        "TAP_CONFLUENT_CLOUD",
        "tap_confluent_cloud_personal_data",
        "Tap_Confluent_Cloud_PERSONAL_DATA",
    ] {
        run = run.env(other, SECRET);
    }
    let run = run.run();
    assert_whole(&run, &sim);
    assert!(!run.says("WARN", &[""]), "a warning about variables of others");
}

#[test]
fn a_variable_that_is_not_unicode_is_named_if_it_is_ours() {
    let sim = Simulator::start(small());
    let settings =
        json!({"base_url": sim.base_url(), "api_key": sim.api_key(), "api_secret": sim.api_secret()});
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.json");
    std::fs::write(&config, settings.to_string()).unwrap();
    for (name, code) in
        [("TAP_CONFLUENT_CLOUD_PERSONAL_DATA", 2), ("TAP_CONFLUENT_CLOUD__X", 0), ("OTHER", 0)]
    {
        let ended = Command::new(env!("CARGO_BIN_EXE_tap-confluent-cloud"))
            .arg("--config")
            .arg(&config)
            .env(name, OsStr::from_bytes(b"omit\xff"))
            .env(OsStr::from_bytes(b"TAP_CONFLUENT_CLOUD_\xff"), "x")
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(code), "{name}: {stderr}");
        assert!(code == 0 || stderr.contains(name), "{stderr}");
        assert!(!stderr.contains("defect"), "{stderr}");
    }
}

/// The settings without credentials, and these variables.
fn with_variables<'s>(sim: &'s Simulator, variables: &[(&str, &str)]) -> Tap<'s> {
    let start = tap(sim).unset("api_key").unset("api_secret");
    variables.iter().fold(start, |tap, (name, value)| tap.env(name, *value))
}

#[test]
fn the_credentials_of_a_file_are_not_mixed_with_those_of_the_environment() {
    let sim = Simulator::start(small());
    let other = "00000000-1111-2222-3333-444444444444";
    // What the environment says of another key leaves the file's alone.
    let run = tap(&sim)
        .env("TAP_CONFLUENT_CLOUD_API_KEY", "OTHERKEY")
        .env("TAP_CONFLUENT_CLOUD_API_SECRET", "other-secret")
        .env("TAP_CONFLUENT_CLOUD_ORGANIZATION_ID", other)
        .run();
    assert_whole(&run, &sim);
    let run =
        run.expect_line("WARN", ["organization_id", "TAP_CONFLUENT_CLOUD_ORGANIZATION_ID", "credentials"]);
    drop(run);
    // As Meltano does: the same in the file and in the environment.
    let run = tap(&sim)
        .set("organization_id", sim.organization_id())
        .env("TAP_CONFLUENT_CLOUD_API_KEY", sim.api_key())
        .env("TAP_CONFLUENT_CLOUD_API_SECRET", sim.api_secret())
        .env("TAP_CONFLUENT_CLOUD_ORGANIZATION_ID", sim.organization_id())
        .run();
    assert_whole(&run, &sim);
    assert!(!run.says("WARN", &[""]), "a warning about what is normal");
    for variable in ["TAP_CONFLUENT_CLOUD_API_SECRET", "CONFLUENT_CLOUD_API_SECRET"] {
        let run = tap(&sim).unset("api_secret").env(variable, sim.api_secret()).run();
        drop(run.expect_refusal(2, ["api_secret", "same place", "api_key", variable]));
    }
    let later =
        tap(&sim).env("TAP_CONFLUENT_CLOUD_API_SECRET", "other-secret").args(["--config", "ENV"]).run();
    assert_whole(&later, &sim);
}

#[test]
fn the_two_names_of_a_variable_count_as_two_places() {
    let sim = Simulator::start(small());
    let (key, secret) = (sim.api_key(), sim.api_secret());
    let theirs = [("CONFLUENT_CLOUD_API_KEY", key), ("CONFLUENT_CLOUD_API_SECRET", secret)];
    let ours = [("TAP_CONFLUENT_CLOUD_API_KEY", key), ("TAP_CONFLUENT_CLOUD_API_SECRET", secret)];
    let wrong = [("CONFLUENT_CLOUD_API_KEY", "OTHERKEY"), ("CONFLUENT_CLOUD_API_SECRET", "other-secret")];
    assert_whole(&with_variables(&sim, &theirs).run(), &sim);
    assert_whole(&with_variables(&sim, &ours).run(), &sim);
    assert_whole(&with_variables(&sim, &[ours, wrong].concat()).run(), &sim);
    let stale = ("TAP_CONFLUENT_CLOUD_API_SECRET", "other-secret");
    assert_whole(&with_variables(&sim, &[theirs[0], theirs[1], stale]).run(), &sim);
    let guard = ("TAP_CONFLUENT_CLOUD_ORGANIZATION_ID", "00000000-1111-2222-3333-444444444444");
    let run = with_variables(&sim, &[theirs[0], theirs[1], guard]).run();
    assert_ne!(run.code(), Some(0), "the guard is lost");
    for mixed in [[ours[0], theirs[1]], [theirs[0], ours[1]]] {
        drop(with_variables(&sim, &mixed).run().expect_refusal(2, ["api_secret", "same place"]));
    }
    // The file gives no key, so that the environment may give what it leaves out.
    let run = with_variables(&sim, &[theirs[0]]).set("api_secret", secret).run();
    assert_whole(&run, &sim);
    // Two files are the user's own choice.
    let run =
        tap(&sim).unset("api_secret").file("--config", "s.json", &json!({"api_secret": secret}).to_string());
    assert_whole(&run.run(), &sim);
}

#[test]
fn credentials_of_config_env_keep_their_place_in_the_order() {
    let sim = Simulator::start(small());
    let other = json!({"api_key": "OTHERKEY", "api_secret": "other-secret"}).to_string();
    let environment = || {
        with_variables(
            &sim,
            &[
                ("TAP_CONFLUENT_CLOUD_API_KEY", sim.api_key()),
                ("TAP_CONFLUENT_CLOUD_API_SECRET", sim.api_secret()),
            ],
        )
    };
    let run = environment().file("--config", "other.json", &other).args(["--config", "ENV"]).run();
    assert_whole(&run, &sim);
    let run = environment().args(["--config", "ENV"]).file("--config", "other.json", &other).run();
    drop(run.expect_refusal(3, ["api_key", "401"]));
}
