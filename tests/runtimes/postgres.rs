//! What was deleted in Confluent Cloud is gone from a real PostgreSQL, or marked there, and nothing
//! else ever is: not after a run that was killed, broke off, or was refused a stream.

use std::collections::BTreeSet;
use std::fs::{self, File};

use serde_json::{Value, json};
use simulator::{At, Fault, Simulator};
use tempfile::TempDir;

use crate::support::postgres::Postgres;
use crate::support::runtimes::{Process, command, program};
use crate::support::{HISTORY, Run, STREAMS, polite, small, versioned};

/// A schema that meltanolabs-target-postgres writes to.
struct Target<'a> {
    schema: &'a str,
    settings: Value,
}

impl<'a> Target<'a> {
    /// One that deletes rows, or one that marks them, as it does unless told.
    fn new(schema: &'a str, hard_delete: bool) -> Self {
        let url = Postgres::url();
        let settings =
            json!({"sqlalchemy_url": url, "default_target_schema": schema, "hard_delete": hard_delete});
        Self { schema, settings }
    }

    /// Loads what a run printed and gives back the last state that the target told.
    fn load(&self, sim: &Simulator, run: &Run) -> Option<Value> {
        let folder = TempDir::new().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let mut target = command(program("postgres", "target-postgres"));
        target.arg("--config").arg(file("target.json", &self.settings.to_string()));
        target.stdin(File::open(file("messages", run.whole_lines())).unwrap());
        let ended = Process::start(target, folder.path(), sim, None).finish().expect_code(0);
        let told = ended.stdout.lines().rev().find_map(|line| serde_json::from_str(line).ok());
        told.filter(|state: &Value| state.get("bookmarks").is_some())
    }

    /// Ids of a stream for which a condition holds.
    fn ids(&self, stream: &str, condition: &str) -> BTreeSet<String> {
        let rows = Postgres::query(&format!("select id from {}.{stream} where {condition}", self.schema));
        rows.iter().map(|row| row[0].as_str().unwrap().to_owned()).collect()
    }

    /// The ids that are there and not marked as deleted.
    fn live(&self, stream: &str) -> BTreeSet<String> {
        self.ids(stream, "_sdc_deleted_at is null")
    }

    #[track_caller]
    fn has(&self, sim: &Simulator, streams: &[&str]) {
        for stream in streams {
            let truth: BTreeSet<String> = sim.truth().ids(stream).into_iter().collect();
            assert_eq!(self.live(stream), truth, "{stream} in {}", self.schema);
        }
    }
}

fn truth(sim: &Simulator, stream: &str) -> BTreeSet<String> {
    sim.truth().ids(stream).into_iter().collect()
}

#[test]
fn deleted_rows_are_removed_or_marked_by_the_next_run() {
    let mut sim = Simulator::start(small());
    let (hard, soft) = (Target::new("hard", true), Target::new("soft", false));
    let first = versioned(&sim).run().expect_code(0);
    let state = hard.load(&sim, &first).expect("the target tells a state");
    soft.load(&sim, &first);
    hard.has(&sim, &STREAMS);
    soft.has(&sim, &STREAMS);
    let users: BTreeSet<String> = sim.delete("users", 3).into_iter().collect();
    let bindings: BTreeSet<String> = sim.delete("role_bindings", 2).into_iter().collect();
    assert_eq!((users.len(), bindings.len()), (3, 2));
    let second = versioned(&sim).state(&state).run().expect_code(0);
    for target in [&hard, &soft] {
        target.load(&sim, &second);
        target.has(&sim, &STREAMS);
    }
    for (stream, deleted) in [("users", &users), ("role_bindings", &bindings)] {
        assert_eq!(hard.ids(stream, "true"), truth(&sim, stream), "{stream}: rows are left");
        assert_eq!(&soft.ids(stream, "_sdc_deleted_at is not null"), deleted, "{stream}: marked rows");
    }
}

#[test]
fn after_a_kill_nothing_is_deleted_until_the_run_is_resumed() {
    // Nobody looks up the key, which would ask for role bindings too.
    let mut sim = Simulator::start(small().refuse("api_keys"));
    let target = Target::new("killed", true);
    let state = target.load(&sim, &versioned(&sim).run().expect_code(0)).unwrap();
    let before: Vec<BTreeSet<String>> = STREAMS.iter().map(|stream| target.live(stream)).collect();
    sim.delete("users", 3);
    sim.delete("role_bindings", 2);
    for stream in STREAMS {
        sim.add_fault(Fault::Stall, At::stream(stream).from(2));
    }
    let child = versioned(&sim).state(&state).spawn();
    // A SCHEMA and a STATE of each stream, three pages of ten with their STATEs, and the six bindings
    // of the organization itself with theirs: all that comes.
    child.read_lines(48);
    child.signal("KILL");
    let killed = child.finish();
    let state = target.load(&sim, &killed).expect("the target tells a state");
    for (stream, before) in STREAMS.iter().zip(&before) {
        assert_eq!(&target.live(stream), before, "{stream} after the kill");
    }
    sim.clear_faults();
    let resumed = versioned(&sim).state(&state).run().expect_code(0);
    assert!(resumed.records("users").len() < truth(&sim, "users").len(), "users started over");
    target.load(&sim, &resumed);
    target.has(&sim, &STREAMS);
}

#[test]
fn nothing_of_a_refused_or_broken_stream_is_deleted() {
    let others = ["invitations", "service_accounts"];
    let mut sim = Simulator::start(small().refuse("api_keys"));
    let target = Target::new("refused", true);
    target.load(&sim, &versioned(&sim).run().expect_code(0));
    let (users, bindings) = (target.live("users"), target.live("role_bindings"));
    sim.delete("users", 3);
    sim.delete("role_bindings", 2);
    sim.delete("invitations", 4);
    sim.add_fault(Fault::errors(403, "Forbidden Access"), At::stream("users"));
    sim.add_fault(Fault::errors(503, "try later"), At::stream("role_bindings").from(4));
    let run = versioned(&sim).set("max_retries", 0).run();
    assert_ne!(run.code(), Some(0));
    assert!(!run.records("role_bindings").is_empty(), "it broke off too early");
    target.load(&sim, &run);
    assert_eq!(target.live("users"), users);
    assert_eq!(target.live("role_bindings"), bindings);
    target.has(&sim, &others);
    sim.clear_faults();
    target.load(&sim, &versioned(&sim).run().expect_code(0));
    target.has(&sim, &STREAMS);
}

#[test]
fn nothing_of_a_list_that_shrank_is_deleted_and_the_history_keeps_every_run() {
    let strong = Simulator::start(polite().api_keys(60).seed(7));
    let weak = Simulator::start(polite().api_keys(60).seed(7).weak_key());
    let streams = json!(["api_keys", "users", HISTORY]);
    let tap = |sim| versioned(sim).set("streams", streams.clone());
    let target = Target::new("shrunk", true);
    let state = target.load(&strong, &tap(&strong).run().expect_code(0)).unwrap();
    let before = target.live("api_keys");
    assert_eq!(before.len(), 60);
    let run = tap(&weak).state(&state).set("shrunk_lists", "fail").run().expect_code(3);
    let state = target.load(&weak, &run).unwrap();
    assert_eq!(target.live("api_keys"), before);
    target.has(&weak, &["users"]);
    // Once it is accepted, the others go.
    target.load(&weak, &tap(&weak).state(&state).run().expect_code(0));
    let after = target.live("api_keys");
    assert!(!after.is_empty() && after.len() < 30 && after.is_subset(&before), "{}", after.len());
    let sql = "select stream, outcome, count(*) from shrunk.extractions group by 1, 2 order by 1, 2";
    let told = [
        json!(["api_keys", "complete", 2]),
        json!(["api_keys", "failed", 1]),
        json!(["users", "complete", 3]),
    ];
    assert_eq!(json!(Postgres::query(sql)), json!(told));
}
