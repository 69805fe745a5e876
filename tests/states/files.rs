//! States as people have them: lines that a target told, all that a run said, cut off by a kill.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use simulator::{At, Fault, Simulator};
use tempfile::TempDir;

use crate::support::airbyte::{self, catalog_of, read};
use crate::support::repository::text;
use crate::support::runtimes::{BINARY, Process, command, kill, program};
use crate::support::{
    MEMORY, Run, STREAMS, assert_whole, bare, first_tokens, in_the_middle, middling, polite, same_ids, small,
    tap,
};

fn from(sim: &Simulator, text: &str) -> Run {
    tap(sim).set("page_size", 10).file("--state", "kept.jsonl", text).run()
}

/// A state in which every stream is at its beginning.
fn fresh() -> String {
    json!({"bookmarks": {}}).to_string()
}

fn message(state: &Value) -> String {
    json!({"type": "STATE", "value": state}).to_string()
}

/// A line of the log as an object, as stderr that goes to the same file leaves it.
fn log_object() -> String {
    let run = bare().args(["--log-format", "json", "--config", "nowhere.json"]).run().expect_code(2);
    run.stderr.lines().last().unwrap().to_owned()
}

const RECORD: &str = r#"{"type":"RECORD","stream":"users","record":{"id":"u-1"}}"#;

#[test]
fn the_last_state_of_a_file_counts() {
    let sim = middling();
    let state = in_the_middle(&sim);
    let (fresh, line, said) = (fresh(), state.to_string(), message(&state));
    for (form, text) in [
        ("lines of a target", format!("{fresh}\n{line}\n")),
        ("the last line without its end", format!("{fresh}\n{line}")),
        ("blank lines", format!("\n{fresh}\n\n{line}\n \n")),
        ("line ends of Windows", format!("{fresh}\r\n{line}\r\n")),
        ("a byte order mark", format!("\u{feff}{fresh}\n{line}\n")),
        ("a message", said.clone()),
        ("all that a run said", format!("{}\n{RECORD}\n{said}\n{RECORD}\n{RECORD}\n", message(&json!({})))),
        ("with the log among it", format!("{said}\n{}\n", log_object())),
        ("on many lines", format!("{state:#}\n")),
        ("a message on many lines", format!("{:#}", json!({"type": "STATE", "value": state}))),
    ] {
        let run = from(&sim, &text).expect_code(0);
        assert_eq!(first_tokens(&run), [true; 4], "{form}");
        assert!(!run.says("WARN", &["kept.jsonl"]), "{form}: a warning");
    }
    let run = from(&sim, &format!("{line}\n{fresh}\n")).expect_code(0);
    assert_eq!(first_tokens(&run), [false; 4], "the first of two");
}

#[test]
fn a_truncated_line_is_skipped_with_a_warning() {
    let sim = middling();
    let state = in_the_middle(&sim);
    let (line, said) = (state.to_string(), message(&state));
    let half = |text: &str| text[..text.len() / 2].to_owned();
    for (form, text, number) in [
        ("of a target, at the end", format!("{line}\n{}", half(&line)), "line 2 "),
        ("of the tap, at the end", format!("{said}\n{RECORD}\n{}", half(RECORD)), "line 3 "),
        ("with the next run behind it", format!("{}\n{}{line}\n{line}\n", fresh(), half(&line)), "line 2 "),
        ("in the middle", format!("{line}\n{}\n{RECORD}\n", half(&said)), "line 2 "),
        ("at the start", format!("{}\n{said}\n", half(&said)), "line 1 "),
    ] {
        let run = from(&sim, &text).expect_code(0);
        assert_eq!(first_tokens(&run), [true; 4], "{form}");
        drop(run.expect_line("WARN", ["state", "kept.jsonl", number, "skipped"]));
    }
}

#[test]
fn a_file_without_a_state_is_a_warning_and_everything_is_read() {
    let sim = Simulator::start(small());
    for text in ["", "\n \n", "\u{feff}", RECORD, &format!("{RECORD}\n{RECORD}\n")] {
        let run = tap(&sim).file("--state", "kept.jsonl", text).run();
        assert_whole(&run, &sim);
        drop(run.expect_line("WARN", ["kept.jsonl", "no state", "everything is read"]));
    }
}

#[test]
fn lines_that_are_not_states_are_refused() {
    let sim = Simulator::start(small());
    for text in ["{", "[]\n[]\n", "a\nb\n", "bookmarks:\n  users: 1\n", "{\"bookm", "5\n6\n"] {
        drop(tap(&sim).file("--state", "kept.jsonl", text).run().expect_refusal(2, ["state", "kept.jsonl"]));
    }
    let settings = json!({"api_key": "K", "api_secret": "s3cr3t-in-a-line"});
    let variable = |name: &str| json!({"bookmarks": {}, "env": {name: "s3cr3t-in-a-line"}}).to_string();
    for text in [
        format!("{}\n{settings}\n", fresh()),
        message(&settings),
        variable("CONFLUENT_CLOUD_API_SECRET"),
        variable("TAP_CONFLUENT_CLOUD_PERSONAL_DATA_KEY"),
        variable("api-secret"),
        variable("apiKey"),
    ] {
        let run = tap(&sim).file("--state", "kept.jsonl", &text).run();
        drop(run.expect_refusal(2, ["kept.jsonl", "it contains settings"]));
    }
    assert!(sim.requests().is_empty());
}

#[test]
fn a_long_file_is_not_held_in_memory() {
    let sim = middling();
    let said = message(&in_the_middle(&sim));
    let text = format!("{said}\n").repeat(24 * (1 << 20) / said.len());
    let child = tap(&sim).set("page_size", 10).file("--state", "kept.jsonl", &text).spawn();
    let (run, peak) = child.finish_measured();
    assert_eq!(first_tokens(&run.expect_code(0)), [true; 4]);
    assert!(peak < MEMORY, "{peak} KiB");
}

#[test]
fn the_last_airbyte_message_of_each_stream_counts() {
    let (sim, state) = airbyte::interrupted();
    let message = |stream: &str, state: &Value| {
        json!({"type": "STATE", "state": airbyte::state_of(stream, state.clone())}).to_string()
    };
    let record = r#"{"type":"RECORD","record":{"stream":"users","data":{},"emitted_at":1}}"#;
    let other = message("invitations", &json!({}));
    let lines = [&message("users", &json!({})), record, &message("users", &state), record, &other, record];
    for lines in [lines.join("\n"), format!("{}\n{}", lines.join("\n"), &record[..20])] {
        let tap = tap(&sim).set("page_size", 50).file("--state", "kept.jsonl", &lines);
        let heard = read(tap, &catalog_of(&["users"], "full_refresh")).expect_code(0);
        assert_eq!(heard.run.asked("users")[0].parameter("page_token"), state["page_token"].as_str());
    }
}

#[test]
fn streams_that_an_earlier_run_in_the_file_completed_are_read_again() {
    let sim = Simulator::start(small());
    let catalog = catalog_of(&["users", "invitations"], "full_refresh");
    let whole = read(tap(&sim), &catalog).expect_code(0).run.stdout.clone();
    // The same again, killed once the first of its streams had started.
    let started = whole.split_inclusive('\n').find(|line| line.contains("\"STARTED\"")).unwrap();
    for (text, finished) in [(whole.clone(), true), (format!("{whole}{started}"), false)] {
        let heard = read(tap(&sim).file("--state", "kept.jsonl", &text), &catalog).expect_code(0);
        for stream in ["users", "invitations"] {
            assert_eq!(heard.records(stream).is_empty(), finished, "{stream}");
        }
    }
}

/// The block of the README that goes on after an interruption, as it stands there.
fn recipe() -> String {
    let page = text("README.md");
    let (_, rest) = page.split_once("5. Interrupted?").expect("the step of the README");
    let (_, rest) = rest.split_once("```sh\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// A script that a page has its reader write to this file.
fn script(page: &str, name: &str) -> String {
    let page = text(&format!("docs/{page}"));
    let (_, rest) = page.split_once(&format!("<!-- file: {name} -->\n```bash\n")).expect("the script");
    rest.split_once("```").unwrap().0.to_owned()
}

/// The recipe, run by bash as it stands, beside the programs that it names.
fn follow(recipe: &str, folder: &Path, sim: &Simulator) -> Process {
    let target = program("jsonl", "target-jsonl");
    let mut path = vec![Path::new(BINARY).parent().unwrap().to_owned(), target.parent().unwrap().to_owned()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let mut bash = command("bash");
    bash.args(["-c", recipe]).current_dir(folder).stdin(Stdio::null());
    bash.env("PATH", std::env::join_paths(path).unwrap());
    bash.env("CONFLUENT_CLOUD_API_KEY", sim.api_key()).env("CONFLUENT_CLOUD_API_SECRET", sim.api_secret());
    bash.env("TAP_CONFLUENT_CLOUD_BASE_URL", sim.base_url()).env("TAP_CONFLUENT_CLOUD_PAGE_SIZE", "20");
    Process::start(bash, folder, sim, None)
}

/// What target-jsonl has written of a stream; a record that it is just writing does not count.
fn stored(folder: &Path, stream: &str) -> Vec<Value> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    let files = files.filter(|file| file.file_name().to_string_lossy().starts_with(stream));
    let text: String = files.map(|file| fs::read_to_string(file.path()).unwrap()).collect();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn the_recipe_of_the_readme_resumes_after_ctrl_c() {
    let sim = Simulator::start(polite());
    let folder = TempDir::new().unwrap();
    for stream in STREAMS {
        sim.add_fault(Fault::Stall, At::stream(stream).from(3));
    }
    let mut first = follow(&recipe(), folder.path(), &sim);
    let path = folder.path().to_owned();
    first.until("the target has stored something of each stream", |_| {
        STREAMS.iter().all(|stream| !stored(&path, stream).is_empty())
    });
    // As a terminal does: to all of the group.
    assert!(kill("INT", &format!("-{}", first.id())));
    let ended = first.finish();
    assert!(!ended.status.success(), "the exit code hides that it was interrupted");
    drop(ended);
    sim.clear_faults();
    let before = sim.requests().len();
    drop(follow(&recipe(), folder.path(), &sim).finish().expect_code(0));
    for stream in STREAMS {
        let again = sim.requests().split_off(before);
        let first = again
            .iter()
            .find(|asked| asked.stream.as_deref() == Some(stream) && asked.parameter("principal").is_none());
        assert!(first.unwrap().parameter("page_token").is_some(), "{stream} did not go on");
        let mut records = stored(folder.path(), stream);
        records.sort_by_key(|record| record["id"].to_string());
        records.dedup_by_key(|record| record["id"].clone());
        same_ids(stream, &records, &sim.truth().ids(stream));
    }
    // A failure of the tap is the exit code of the pipe.
    sim.add_fault(Fault::errors(401, "Unauthorized"), At::any());
    drop(follow(&recipe(), folder.path(), &sim).finish().expect_code(3));
}

#[test]
fn the_scripts_of_the_pages_resume_and_lose_nothing() {
    for (page, name, data) in
        [("scheduling.md", "sync.sh", "."), ("organizations.md", "sample/one.sh", "data/acme")]
    {
        let sim = Simulator::start(polite());
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("script"), script(page, name)).unwrap();
        fs::write(folder.path().join("acme.json"), "{}").unwrap();
        let run = "TAP_CONFLUENT_CLOUD_MAX_RETRIES=0 bash script acme.json";
        for stream in STREAMS {
            sim.add_fault(Fault::errors(503, "try later"), At::stream(stream).nth(3));
        }
        drop(follow(run, folder.path(), &sim).finish().expect_code(4));
        let data = folder.path().join(data);
        let before = STREAMS.map(|stream| stored(&data, stream).len());
        assert!(before.iter().all(|count| *count > 0), "{name}: {before:?}");
        // As a full disk leaves it.
        let states = data.join("state.jsonl");
        fs::write(&states, fs::read_to_string(&states).unwrap() + "{\"bookmarks\":{\"us").unwrap();
        drop(follow(run, folder.path(), &sim).finish().expect_code(0));
        let states = fs::read_to_string(states).unwrap();
        let last = states.lines().last().map(serde_json::from_str::<Value>);
        assert!(last.unwrap().is_ok(), "{name}: the state is lost behind one that was cut off: {states}");
        for (stream, before) in STREAMS.into_iter().zip(before) {
            let mut records = stored(&data, stream);
            let truth = sim.truth().ids(stream);
            // Of role bindings a part comes again.
            let went_on = records.len() < before + truth.len() || stream == "role_bindings";
            assert!(went_on, "{name}: {stream} did not go on");
            records.sort_by_key(|record| record["id"].to_string());
            records.dedup_by_key(|record| record["id"].clone());
            same_ids(stream, &records, &truth);
        }
    }
}
