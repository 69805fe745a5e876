//! What the records of the history say, beside what the service was asked.

use serde_json::{Value, json};
use simulator::{At, Fault, Simulator};

use super::{of, recorded, told};
use crate::support::airbyte;
use crate::support::pretend::{Pretend, Reply, SECRET, ordinary};
use crate::support::{HISTORY, STREAMS, Tap, assert_whole, polite, rude, small, stopped};

#[test]
fn a_complete_list_is_told_with_what_it_took_and_by_whom_it_was_read() {
    let sim = Simulator::start(rude());
    let run = recorded(&sim, &STREAMS).run();
    assert_whole(&run, &sim);
    let records = run.records(HISTORY);
    for stream in STREAMS {
        let told = of(&records, stream);
        assert_eq!(
            (&told["outcome"], &told["reason"], &told["resumed"]),
            (&json!("complete"), &Value::Null, &json!(false))
        );
        assert_eq!(told["records"], sim.truth().count(stream), "{stream}");
        for (run, pass) in [("records", "pass_records"), ("pages", "pass_pages")] {
            assert_eq!(told[run], told[pass], "{stream}");
        }
        let (requests, retries) = (told["requests"].as_u64().unwrap(), told["retries"].as_u64().unwrap());
        assert_eq!(told["pages"], requests - retries, "{stream}");
        assert!(told["started_at"].as_str() <= told["ended_at"].as_str(), "{told}");
        // Not earlier or later, however slowly its records are taken over.
        assert_eq!(told["started_at"], told["pass_started_at"]);
        assert_eq!(told["organization_id"], sim.organization_id());
        let key = told["masked_api_key"].as_str().unwrap();
        assert!(sim.api_key().starts_with(key.trim_end_matches('…')) && key.chars().count() == 5, "{key}");
        assert_eq!(told["connector_version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(told["run_id"], records[0]["run_id"]);
        assert_eq!(told["extraction_id"], format!("{}/{stream}", told["run_id"].as_str().unwrap()));
        // The simulator's ids end with a number that counts up.
        let [first, last] =
            ["first_request_id", "last_request_id"].map(|id| &told[id].as_str().unwrap()[16..]);
        assert!(first < last, "{told}");
    }
    let polite = Simulator::start(polite());
    let told = told(&recorded(&polite, &["users"]).run().expect_code(0), "users");
    assert_eq!((&told["owner_id"], &told["may_be_shortened"]), (&json!(polite.owner_id()), &json!(false)));
}

#[test]
fn it_is_told_whether_lists_may_be_shortened() {
    let sim = Simulator::start(polite().weak_key());
    let run = recorded(&sim, &STREAMS).run().expect_code(0);
    assert!(run.records(HISTORY).iter().all(|told| told["may_be_shortened"] == true));
    assert_eq!(
        run.stderr.lines().filter(|line| line.contains("may be shortened")).count(),
        2,
        "as without it"
    );
    let unknown = Simulator::start(polite().weak_key().refuse("api_keys"));
    let run = recorded(&unknown, &["users"]).run().expect_code(0);
    let told = told(&run, "users");
    assert_eq!((&told["owner_id"], &told["may_be_shortened"]), (&Value::Null, &Value::Null));
    assert_eq!(run.stderr.matches("cannot tell whether lists may be shortened").count(), 1);
    let is_of_key = |request: &&simulator::Request| request.path.starts_with("/iam/v2/api-keys/");
    assert_eq!(run.requests.iter().filter(is_of_key).count(), 1, "not in vain twice");
}

#[test]
fn a_failure_is_told_in_our_own_words_and_the_others_go_on() {
    let sim = Simulator::start(small());
    sim.add_fault(Fault::errors(403, "Ask Ms. Service"), At::stream("users").from(2));
    sim.add_fault(Fault::errors(503, "Mr. Service is out"), At::stream("invitations"));
    sim.add_fault(Fault::RepeatToken, At::stream("service_accounts").from(2));
    let run = recorded(&sim, &STREAMS).set("max_retries", 1).run().expect_code(1);
    for (stream, reason, status) in [
        ("users", "denied: ", Some("(status 403)")),
        ("invitations", "unavailable: ", Some("(status 503)")),
        ("service_accounts", "broken: ", None),
    ] {
        let told = told(&run, stream);
        let words = told["reason"].as_str().unwrap();
        assert!(words.starts_with(reason) && status.is_none_or(|status| words.ends_with(status)), "{words}");
        assert_eq!(told["outcome"], "failed");
        assert!(told["last_request_id"].is_string() && !told.to_string().contains("Service"), "{told}");
        assert_eq!(told["records"], run.records(stream).len());
    }
    assert_eq!(told(&run, "invitations")["retries"], 1);
    assert_eq!(told(&run, "role_bindings")["outcome"], "complete");
}

#[test]
fn a_run_that_reads_nothing_records_that_it_failed() {
    let sim = Simulator::start(polite().weak_key());
    let failing =
        || recorded(&sim, &STREAMS).set("shortened_lists", "fail").set("emit_activate_version", true);
    let run = failing().run().expect_code(3);
    let wrong = recorded(&sim, &STREAMS).set("api_secret", "wrong").run().expect_code(3);
    let unable = recorded(&sim, &STREAMS).set("max_retries", 0);
    sim.add_fault(Fault::errors(503, "try later"), At::any().times(1));
    let unable = unable.run().expect_code(4);
    for (run, words, owner) in [
        (run, "denied: ", json!(sim.owner_id())),
        (wrong, "denied: ", Value::Null),
        (unable, "unavailable: ", Value::Null),
    ] {
        assert!(run.schemas().keys().eq([HISTORY]) && run.stdout.lines().count() == 2 + 2 * 4 + 1);
        for stream in STREAMS {
            let told = told(&run, stream);
            assert_eq!((&told["outcome"], &told["requests"]), (&json!("failed"), &json!(0)));
            assert!(told["reason"].as_str().unwrap().starts_with(words), "{told}");
            assert_eq!((&told["owner_id"], &told["pass_started_at"]), (&owner, &Value::Null));
        }
        assert_eq!(run.stderr.lines().filter(|line| line.starts_with("ERROR")).count(), 1, "told once");
    }
    let catalog = airbyte::catalog_of(&["users", HISTORY], "incremental");
    let heard = airbyte::read(failing(), &catalog);
    assert_eq!(of(&heard.records(HISTORY), "users")["outcome"], "failed");
    assert!(heard.statuses("users").is_empty());
}

#[test]
fn what_a_service_says_of_the_credentials_is_not_recorded() {
    let service = Pretend::start(|asked| match asked.path.as_str() {
        path if path.starts_with("/iam/v2/api-keys/") => {
            Reply::new(200, json!({"spec": {"owner": {"id": SECRET}}}).to_string())
        }
        "/iam/v2/users" => {
            Reply::new(403, json!({"detail": SECRET}).to_string()).with_header("X-Request-Id", SECRET)
        }
        _ => ordinary(asked).with_header("X-Request-Id", SECRET),
    });
    // Each run is searched for the secret.
    let run = service.tap().set("streams", json!(["users", "invitations", HISTORY])).run().expect_code(3);
    assert_eq!(
        (&told(&run, "users")["outcome"], &told(&run, "invitations")["outcome"]),
        (&json!("failed"), &json!("complete"))
    );
    let service = Pretend::start(|asked| match asked.path.as_str() {
        path if path.starts_with("/iam/v2/api-keys/") => {
            Reply::new(200, json!({"spec": {"owner": {"id": "u\u{0}\"\n".repeat(1000)}}}).to_string())
        }
        _ => ordinary(asked),
    });
    let run = service.tap().set("streams", json!(["invitations", HISTORY])).run().expect_code(0);
    let owner = told(&run, "invitations")["owner_id"].as_str().unwrap().to_owned();
    assert!(owner.chars().count() == 255 && !owner.contains('\0'), "{owner:?}");
}

#[test]
fn a_stream_that_is_not_offered_is_recorded_as_failed() {
    let sim = Simulator::start(small());
    let catalog = airbyte::catalog_of(&["users", "networks", HISTORY], "full_refresh");
    let heard = airbyte::read(recorded(&sim, &["users"]), &catalog).expect_code(1);
    let told = of(&heard.records(HISTORY), "networks");
    assert_eq!(told["outcome"], "failed");
    assert!(told["reason"].as_str().unwrap().starts_with("config: "), "{told}");
    assert_eq!(of(&heard.records(HISTORY), "users")["outcome"], "complete");
}

#[test]
fn what_an_attempt_has_finished_the_next_one_skips() {
    let sim = Simulator::start(small());
    let catalog = airbyte::catalog_of(&["users", "invitations", HISTORY], "full_refresh");
    let reading = || recorded(&sim, &["users", "invitations"]);
    sim.add_fault(Fault::errors(403, "no"), At::stream("invitations"));
    let first = airbyte::read(reading(), &catalog).expect_code(1);
    sim.clear_faults();
    let second = airbyte::read(reading().state(&first.state_file()), &catalog).expect_code(0);
    let told = of(&second.records(HISTORY), "users");
    assert_eq!((&told["outcome"], &told["pages"]), (&json!("skipped"), &json!(0)));
    assert_eq!((&told["pass_started_at"], &told["pass_records"]), (&Value::Null, &Value::Null));
    assert_eq!(of(&second.records(HISTORY), "invitations")["outcome"], "complete");
}

#[test]
fn a_resumed_pass_says_when_it_began_and_counts_all_of_it() {
    let sim = Simulator::start(polite());
    let first = stopped(recorded(&sim, &["users"]), &sim, &["users"], 4);
    let bookmark = first.bookmark("users");
    let failed = told(&first, "users");
    assert_eq!((&failed["outcome"], &failed["pass_records"]), (&json!("failed"), &bookmark["records"]));
    let second = recorded(&sim, &["users"]).state(&first.last_state().unwrap()).run().expect_code(0);
    let told = told(&second, "users");
    assert_eq!((&told["resumed"], &told["pass_started_at"]), (&json!(true), &bookmark["started_at"]));
    assert!(told["started_at"].as_str() > told["pass_started_at"].as_str());
    assert_eq!(
        (&told["records"], &told["pass_records"]),
        (&json!(second.records("users").len()), &json!(sim.truth().count("users")))
    );
    assert_eq!(told["pass_pages"], Value::Null, "the state counts none");
}

#[test]
fn a_pass_that_is_started_over_is_one_of_this_run() {
    let sim = Simulator::start(polite());
    let first = stopped(recorded(&sim, &["users"]), &sim, &["users"], 4);
    sim.expire_tokens();
    let second = recorded(&sim, &["users"]).state(&first.last_state().unwrap()).run().expect_code(0);
    let told = told(&second, "users");
    let count = json!(sim.truth().count("users"));
    assert_eq!((&told["resumed"], &told["pass_records"], &told["records"]), (&json!(false), &count, &count));
    assert_eq!(told["pass_pages"], told["pages"]);
    assert!(told["pass_started_at"].as_str() > first.bookmark("users")["started_at"].as_str(), "{told}");
}

#[test]
fn the_hash_tells_settings_that_shape_records_from_others() {
    let sim = Simulator::start(small());
    let hash = |tap: Tap<'_>| told(&tap.run().expect_code(0), "users")["settings_hash"].clone();
    let plain = || recorded(&sim, &["users"]);
    let hashed = |key: &str| plain().set("personal_data", "hash").set("personal_data_key", key);
    let same = hash(plain());
    assert_eq!(hash(plain().set("page_size", 3).set("concurrency", 1)), same);
    assert_eq!(hash(plain().set("personal_data_key", "a key that is not used")), same);
    let others = [
        hash(plain().set("personal_data", "omit")),
        hash(hashed("the first key of two")),
        hash(hashed("the second key of two")),
        hash(plain().set("start_date", "2026-01-01")),
        hash(plain().set("cost_days_late", 9)),
    ];
    for (place, other) in others.iter().enumerate() {
        assert!(*other != same && !others[..place].contains(other), "{others:?}");
    }
    assert!(!json!(others).to_string().contains("key of two"));
}
