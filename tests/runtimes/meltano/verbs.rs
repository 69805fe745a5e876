//! Meltano's verbs, its selection, and runs that are interrupted.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use simulator::Simulator;

use crate::support::meltano::{Project, TAP, assert_goes_on, hang_in_the_middle};
use crate::support::runtimes::{Ended, kill};
use crate::support::{Message, STREAMS, bare, has_no_position, parse, rude, secrets_of, small};

const RUN: [&str; 3] = ["run", TAP, "target-duckdb"];

fn page_tokens(bookmarks: &Value) -> usize {
    STREAMS.iter().filter(|stream| bookmarks[**stream]["page_token"].is_string()).count()
}

/// Meltano keeps logs, and hands its settings on in files: none is left that holds the secret.
fn assert_no_file_holds_the_secret(sim: &Simulator, project: &Project<'_>) {
    let mut folders = vec![project.path()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            let told = secrets_of(sim).iter().any(|secret| text.contains(secret));
            assert!(!told, "the secret is in {}", path.display());
        }
    }
    assert!(files > 5, "meltano leaves logs and a database");
}

#[test]
fn config_test_says_whether_the_settings_work() {
    let sim = Simulator::start(rude());
    let good = Project::new(&sim).call(["config", "test", TAP]).expect_code(0);
    assert!(good.stdout.contains("Plugin configuration is valid"));
    let wrong = Project::new(&sim).env("TAP_CONFLUENT_CLOUD_API_SECRET", "another-secret");
    let wrong =
        wrong.call(["config", "test", TAP]).expect_code(1).expect_words(["Plugin configuration is invalid"]);
    assert!(!wrong.stderr.contains("another-secret"));
}

#[test]
fn select_lists_every_property_of_the_four_streams() {
    let sim = Simulator::start(small());
    let listed = Project::new(&sim).call(["select", TAP, "--list", "--all"]).expect_code(0);
    let lines: BTreeSet<String> =
        listed.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for stream in STREAMS {
        for (how, property) in [
            ("automatic ", "id"),
            ("selected ", "organization_id"),
            ("selected ", "created_at"),
            ("selected ", "metadata"),
            ("selected ", "metadata.self"),
            ("selected ", "metadata.created_at"),
        ] {
            let line = format!("[{how}] {stream}.{property}");
            assert!(lines.contains(&line), "not listed: {line}");
        }
    }
    let automatic = lines.iter().filter(|line| line.starts_with("[automatic")).count();
    assert_eq!(automatic, STREAMS.len(), "only keys are automatic");
    assert!(lines.contains("[selected ] invitations.user.id"));
    assert!(sim.requests().is_empty(), "the catalog needs no service");
}

#[test]
fn two_runs_into_duckdb_each_leave_the_ground_truth() {
    let sim = Simulator::start(rude());
    let project = Project::new(&sim);
    for _ in 0..2 {
        project.run().expect_code(0).expect_words(["Run completed"]);
        project.database().assert_whole(&sim);
    }
    assert_no_file_holds_the_secret(&sim, &project);
    // Now a catalog and a state are there, and Meltano hands them to every verb.
    let discovered = project.call(["invoke", TAP, "--discover"]).expect_code(0);
    assert_eq!(discovered.stdout, bare().arg("--discover").run().stdout);
}

#[test]
fn invoke_passes_on_discover_and_about() {
    let sim = Simulator::start(small());
    let project = Project::new(&sim);
    let discovered = project.call(["invoke", TAP, "--discover"]).expect_code(0);
    assert_eq!(discovered.stdout, bare().arg("--discover").run().stdout);
    let about = project.call(["invoke", TAP, "--about", "--format=json"]).expect_code(0);
    let about: Value = serde_json::from_str(&about.stdout).unwrap();
    assert_eq!(about["name"], TAP);
    assert!(about["settings"]["properties"]["api_secret"].is_object());
}

#[test]
fn settings_are_understood_as_meltano_passes_them() {
    let sim = Simulator::start(rude());
    let project = Project::new(&sim)
        .env("TAP_CONFLUENT_CLOUD_STREAMS", r#"["users", "service_accounts"]"#)
        .env("TAP_CONFLUENT_CLOUD_PAGE_SIZE", "17")
        .env("TAP_CONFLUENT_CLOUD_ORGANIZATION_ID", sim.organization_id());
    project.run().expect_code(0);
    project.database().assert_whole_of(&sim, &["users", "service_accounts"]);
    assert_eq!(project.database().tables().len(), 2);
    for request in project.first_requests(0, &["users", "service_accounts"]) {
        assert_eq!(request.parameter("page_size"), Some("17"));
    }
}

/// Meltano hands on in a file only what the plugin's definition declares, and exports variables of its own.
#[test]
fn settings_of_an_env_file_count_even_if_unknown_to_meltano() {
    let sim = Simulator::start(small());
    let project = Project::new(&sim);
    let settings = "TAP_CONFLUENT_CLOUD_PERSONAL_DATA=omit\nTAP_CONFLUENT_CLOUD_PAGE_SIZE=11\n";
    fs::write(project.path().join(".env"), settings).unwrap();
    let invoked = project.call(["invoke", TAP]).expect_code(0);
    let messages = parse(&invoked.stdout).unwrap_or_else(|error| panic!("{error}"));
    let (schema, users) = of_stream(&messages, "users");
    assert_eq!(users.len() as u64, sim.truth().count("users"));
    for user in users.iter().chain([&schema]) {
        assert!(user.get("email").is_none() && user.get("full_name").is_none(), "a person's data: {user}");
    }
    for line in invoked.stderr.lines() {
        assert!(!line.contains("TAP_CONFLUENT_CLOUD_") && !line.contains("WARN"), "{line}");
    }
}

/// A moment is among them because this target takes the first row of each batch for a heading if
/// every column is a text.
#[test]
fn selected_properties_are_the_only_columns_beside_the_key() {
    let sim = Simulator::start(rude());
    let project = Project::selecting(&sim, &["users.email", "users.created_at"]);
    project.run().expect_code(0);
    assert_eq!(project.database().tables(), BTreeSet::from(["users".to_owned()]));
    let columns: BTreeSet<String> =
        project.database().columns("users").into_iter().map(|(name, _)| name).collect();
    assert_eq!(columns, BTreeSet::from(["created_at", "email", "id"].map(str::to_owned)));
    project.database().assert_whole_of(&sim, &["users"]);
    let others = sim.requests().into_iter().filter(|request| {
        request.parameter("principal").is_none()
            && matches!(request.stream.as_deref(), Some("invitations" | "service_accounts" | "role_bindings"))
    });
    assert_eq!(others.count(), 0, "streams that are not selected were asked for");
}

/// The properties of one stream's SCHEMA, and its records.
fn of_stream(messages: &[Message], wanted: &str) -> (Value, Vec<Value>) {
    let (mut properties, mut records) = (Value::Null, Vec::new());
    for message in messages {
        match message {
            Message::Schema { stream, schema, .. } if stream == wanted => {
                properties = schema["properties"].clone()
            }
            Message::Record { stream, record, .. } if stream == wanted => {
                records.push(Value::from(record.clone()))
            }
            _ => {}
        }
    }
    (properties, records)
}

#[test]
fn excluded_properties_are_in_no_schema_and_no_record() {
    let sim = Simulator::start(rude());
    let rules = [
        "*.*",
        "!users.email",
        "!users.metadata.self",
        "!users.organization_id",
        "!users.id",
        "!invitations.*",
    ];
    let project = Project::selecting(&sim, &rules);
    let invoked = project.call(["invoke", TAP]).expect_code(0);
    let messages = parse(&invoked.stdout).unwrap_or_else(|error| panic!("{error}"));
    let (schema, users) = of_stream(&messages, "users");
    assert_eq!(users.len() as u64, sim.truth().count("users"));
    for user in users.iter().chain([&schema]) {
        assert!(user.get("email").is_none() && user.get("organization_id").is_none(), "excluded: {user}");
        assert!(user["id"].is_string() || user["id"].is_object(), "a key cannot be excluded: {user}");
    }
    let nested = &schema["metadata"]["properties"];
    assert!(
        nested.get("self").is_none() && nested.get("resource_name").is_some(),
        "schema of metadata: {nested}"
    );
    for user in &users {
        let nested = &user["metadata"];
        assert!(nested.get("self").is_none() && nested["resource_name"].is_string(), "metadata: {nested}");
    }
    let (schema, invitations) = of_stream(&messages, "invitations");
    assert!(schema.is_null() && invitations.is_empty(), "an excluded stream has messages");
    assert_eq!(of_stream(&messages, "role_bindings").1.len() as u64, sim.truth().count("role_bindings"));
}

#[test]
fn a_stopped_run_is_resumed_by_the_next() {
    let sim = Simulator::start(rude());
    hang_in_the_middle(&sim);
    let project = Project::new(&sim);
    let run = project.start_and_wait_for_a_stored_state();
    run.signal("TERM");
    assert!(!run.finish().status.success());
    assert_goes_on(&sim, &project, RUN);
}

#[test]
fn a_run_whose_tap_is_killed_fails_and_the_next_resumes() {
    let sim = Simulator::start(rude());
    hang_in_the_middle(&sim);
    let project = Project::noting_the_process_id(&sim);
    let run = project.start_and_wait_for_a_stored_state();
    let tap = fs::read_to_string(project.process_id_file()).unwrap();
    assert!(kill("KILL", tap.trim()));
    run.finish().expect_code(1).expect_words(["Extractor failed"]);
    assert_goes_on(&sim, &project, RUN);
}

/// Meltano merges what a full refresh says into the state of before, key by key: a page token that
/// were left out instead of being null would be resumed for ever.
#[test]
fn after_an_interruption_and_a_full_refresh_every_stream_begins_anew() {
    let sim = Simulator::start(rude());
    hang_in_the_middle(&sim);
    let project = Project::new(&sim);
    let run = project.start_and_wait_for_a_stored_state();
    run.signal("TERM");
    run.finish();
    assert!(page_tokens(&project.bookmarks()) > 0, "nothing to resume was stored");
    sim.clear_faults();
    let run = |refresh: bool| -> Ended {
        let before = sim.requests().len();
        let ended = if refresh {
            project.call(["run", "--full-refresh", TAP, "target-duckdb"])
        } else {
            project.run()
        };
        for request in project.first_requests(before, &STREAMS) {
            assert_eq!(request.parameter("page_token"), None, "{:?} did not begin anew", request.stream);
        }
        project.database().assert_whole(&sim);
        ended.expect_code(0)
    };
    run(true);
    for stream in STREAMS {
        let bookmark = &project.bookmarks()[stream];
        assert!(has_no_position(bookmark), "a key outlived the full refresh: {bookmark}");
        assert_eq!(bookmark["last_records"], sim.truth().count(stream), "{stream}");
    }
    run(false);
}

#[test]
fn a_refused_stream_fails_the_run_and_leaves_the_others_whole() {
    let sim = Simulator::start(rude().refuse("invitations"));
    let project = Project::new(&sim);
    project.run().expect_code(1).expect_words(["Extractor failed", "invitations"]);
    project.database().assert_whole_of(&sim, &["users", "service_accounts", "role_bindings"]);
    assert_eq!(project.database().query("select count(*) from invitations"), [[Value::from(0)]]);
}

#[test]
fn a_run_shows_our_levels_and_streams() {
    let sim = Simulator::start(small().refuse("invitations"));
    let project = Project::new(&sim);
    let ended = project.call(["--log-format", "json", "run", TAP, "target-duckdb"]);
    let lines: Vec<Value> = ended.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    for (level, stream, words) in
        [("error", "invitations", "invitations: not complete"), ("info", "users", "users: complete")]
    {
        let is = |line: &&Value| line["event"].as_str().is_some_and(|event| event.starts_with(words));
        let line = lines.iter().find(is).unwrap_or_else(|| panic!("{words:?} is not told: {}", ended.stderr));
        assert_eq!((&line["level"], &line["stream_name"]), (&level.into(), &stream.into()), "{line}");
    }
}
