//! What a destination would hold of a campaign's organization, and what it would hand back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use simulator::Simulator;

use crate::support::{EVERY, HISTORY, Message, Run, airbyte, assert_record, id_of, parse};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Language {
    Singer,
    Airbyte,
}

/// What is read day by day replaces what it brings again, and nothing else: no pass begins anew.
const BY_DAY: &str = "billing_costs";

/// How Airbyte's state says that a stream has been read to its end.
const COMPLETE: &str = "__ab_full_refresh_sync_complete";

/// Records by their ids, with the version that each came with.
type Rows = BTreeMap<String, (Option<u64>, Value)>;

pub struct Kept {
    pub language: Language,
    /// It honours ACTIVATE_VERSION.
    pub versioned: bool,
    /// Singer's last state, or Airbyte's last state of each stream.
    pub states: Map<String, Value>,
    records: BTreeMap<String, Rows>,
    /// The ids that came after the last state that tells of their stream.
    fresh: BTreeMap<String, BTreeSet<String>>,
    /// To which API key a hash in a bookmark belongs: the one of the run that first said it.
    keys: BTreeMap<String, String>,
    /// Role bindings that had been granted when the pass over them began.
    granted: Vec<String>,
    /// What the history says of the run.
    history: Vec<Map<String, Value>>,
    /// The bookmark that the run is given of each stream that it goes on with.
    given: BTreeMap<String, Value>,
}

impl Kept {
    pub fn new(language: Language, versioned: bool) -> Self {
        Self {
            language,
            versioned,
            states: Map::new(),
            records: BTreeMap::new(),
            fresh: BTreeMap::new(),
            keys: BTreeMap::new(),
            granted: Vec::new(),
            history: Vec::new(),
            given: BTreeMap::new(),
        }
    }

    fn bookmark(&self, stream: &str) -> &Value {
        match self.language {
            Language::Singer => &self.states.get("bookmarks").unwrap_or(&Value::Null)[stream],
            Language::Airbyte => &self.states.get(stream).unwrap_or(&Value::Null)["stream"]["stream_state"],
        }
    }

    /// Whether the next run reads on where the last one stood, or has no more to read.
    fn goes_on(&self, sim: &Simulator, stream: &str) -> bool {
        let at = self.bookmark(stream);
        let key = at["api_key_hash"].as_str().map(|hash| self.keys[hash].as_str());
        if at[COMPLETE] == true {
            return key.is_none_or(|key| key == sim.api_key());
        }
        key == Some(sim.api_key()) && (at["page_token"].is_string() || at["partition"].is_string())
    }

    /// Before a run: of a stream that is begun anew, what the last pass brought counts no more.
    pub fn begin(&mut self, sim: &Simulator) {
        self.fresh.clear();
        self.history.clear();
        self.given.clear();
        for stream in EVERY {
            if self.goes_on(sim, stream) {
                self.given.insert(stream.to_owned(), self.bookmark(stream).clone());
            }
            if stream == BY_DAY || self.given.contains_key(stream) {
                continue;
            }
            self.records.remove(stream);
            if stream == "role_bindings" {
                let granted = sim.granted().into_iter();
                self.granted = granted.map(|granted| id_of(&granted.record).to_owned()).collect();
            }
        }
    }

    fn keep(&mut self, stream: &str, version: Option<u64>, record: &Map<String, Value>) {
        if stream == HISTORY {
            return self.history.push(record.clone());
        }
        let record = Value::from(record.clone());
        let id = id_of(&record).to_owned();
        self.fresh.entry(stream.to_owned()).or_default().insert(id.clone());
        self.records.entry(stream.to_owned()).or_default().insert(id, (version, record));
    }

    /// Takes in the whole lines of what a reader had until the end.
    pub fn take_in(&mut self, sim: &Simulator, heard: &str) {
        let whole = &heard[..heard.rfind('\n').map_or(0, |end| end + 1)];
        match self.language {
            Language::Singer => {
                for message in parse(whole).unwrap() {
                    self.take_singer(sim, message);
                }
            }
            Language::Airbyte => {
                for (line, message) in whole.lines().zip(airbyte::parse(whole).unwrap()) {
                    match message {
                        airbyte::Message::Record { record } => self.keep(&record.stream, None, &record.data),
                        airbyte::Message::State { state } => {
                            let said: Value = serde_json::from_str(line).unwrap();
                            let stream = state.stream.stream_descriptor.name;
                            let before = self.bookmark(&stream).clone();
                            self.states.insert(stream.clone(), said["state"].clone());
                            self.follow(sim, &stream, &before);
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    fn take_singer(&mut self, sim: &Simulator, message: Message) {
        match message {
            Message::Record { stream, record, version, .. } => self.keep(&stream, version, &record),
            // What a target drops that honours it.
            Message::ActivateVersion { stream, version } => {
                let rows = self.records.entry(stream).or_default();
                rows.retain(|_, (of, _)| *of == Some(version));
            }
            Message::State { value } => {
                let before = EVERY.map(|stream| self.bookmark(stream).clone());
                self.states = Map::from_iter([("bookmarks".to_owned(), value.bookmarks.into())]);
                for (stream, before) in EVERY.into_iter().zip(before) {
                    self.follow(sim, stream, &before);
                }
            }
            Message::Schema { .. } => {}
        }
    }

    /// After a state: once a new pass has begun, only what it brought counts.
    fn follow(&mut self, sim: &Simulator, stream: &str, before: &Value) {
        let now = self.bookmark(stream).clone();
        if let Some(hash) = now["api_key_hash"].as_str() {
            self.keys.entry(hash.to_owned()).or_insert_with(|| sim.api_key().to_owned());
        }
        let fresh = self.fresh.remove(stream).unwrap_or_default();
        let anew = now["started_at"].is_string() && now["started_at"] != before["started_at"];
        if anew && stream != BY_DAY {
            self.records.entry(stream.to_owned()).or_default().retain(|id, _| fresh.contains(id));
        }
    }

    /// How many records are missing, after a run that left nothing to read. What was there from the start
    /// may not be, nor what was granted before the pass or has been listed since. None may be foreign, and
    /// a sample must be as the API has them.
    pub fn losses(&self, sim: &Simulator, streams: &[&str], dice: &mut fastrand::Rng) -> usize {
        let mut losses = 0;
        let granted = sim.granted();
        for stream in streams.iter().copied() {
            let none = Rows::new();
            let held = self.records.get(stream).unwrap_or(&none);
            let mut due: BTreeSet<String> = sim.truth().ids(stream).into_iter().collect();
            let mut known = due.clone();
            let count = sim.truth().count(stream);
            let homes = sim.truth().homes(stream);
            let places = (0..count.min(5)).map(|_| dice.u64(..count));
            let mut sample: Vec<(Value, Vec<String>)> = places
                .map(|place| (sim.truth().record(stream, place), homes[place as usize].clone()))
                .collect();
            if stream == "role_bindings" {
                due.extend(self.granted.iter().cloned());
                due.extend(granted.iter().filter(|new| new.listed).map(|new| id_of(&new.record).to_owned()));
                known.extend(granted.iter().map(|new| id_of(&new.record).to_owned()));
                sample.extend(granted.iter().map(|new| (new.record.clone(), Vec::new())));
            }
            let foreign: Vec<&String> = held.keys().filter(|id| !known.contains(*id)).collect();
            assert!(foreign.is_empty(), "{stream}: nobody sent {foreign:?}");
            let missing: Vec<&String> = due.iter().filter(|id| !held.contains_key(*id)).collect();
            if !missing.is_empty() {
                println!("{stream}: {} of {} are missing: {missing:?}", missing.len(), due.len());
            }
            losses += missing.len();
            for (sent, homes) in sample {
                if let Some((_, record)) = held.get(id_of(&sent)) {
                    assert_record(stream, record, &sent, &homes, Some(sim.organization_id()));
                }
            }
        }
        losses
    }

    /// The history tells the truth of a run that took up these streams: what it calls complete is whole, whoever has
    /// read it, and so it says who has. Of a run that ended by itself it tells each stream, and failures where there
    /// are any.
    pub fn check_history(
        &self,
        sim: &Simulator,
        run: &Run,
        streams: &[&str],
        dice: &mut fastrand::Rng,
    ) -> usize {
        let text =
            |record: &Map<String, Value>, name: &str| record[name].as_str().unwrap_or_default().to_owned();
        for told in &self.history {
            let (stream, outcome) = (text(told, "stream"), text(told, "outcome"));
            let given = self.given.get(&stream);
            if outcome != "failed" {
                let losses = self.losses(sim, &[&stream], dice);
                assert_eq!(losses, 0, "{stream} is not whole ({:?}): {told:?}", self.language);
            }
            assert_eq!(outcome == "failed", told["reason"].is_string(), "{told:?}");
            let is_marked = given.is_some_and(|given| given[COMPLETE] == true);
            assert_eq!(outcome == "skipped", is_marked && outcome != "failed", "{told:?}");
            match given {
                _ if told["resumed"] == true => {
                    assert_eq!(
                        Some(&told["pass_started_at"]),
                        given.map(|given| &given["started_at"]),
                        "{told:?}"
                    );
                }
                Some(_) if !is_marked && told["pass_started_at"].is_string() => {
                    let mut lines = run.stdout.lines().chain(run.stderr.lines());
                    // Of costs each run is a pass of its own, which may begin at a day.
                    let goes_on = format!("{BY_DAY}: resuming where the last run stopped");
                    let over = |line: &str| {
                        line.contains(&stream) && (line.contains("first page") || line.contains(&goes_on))
                    };
                    assert!(lines.any(over), "a run went on and does not say so: {told:?}, {given:?}");
                }
                _ => {}
            }
        }
        if run.signal().is_none() {
            let told: BTreeSet<String> = self.history.iter().map(|told| text(told, "stream")).collect();
            assert_eq!(told, streams.iter().map(|stream| (*stream).to_owned()).collect());
            assert_eq!(self.history.len(), streams.len(), "a stream is told twice");
            let fails = self.history.iter().any(|told| told["outcome"] == "failed");
            assert_eq!(fails, run.code() != Some(0), "exit code {:?}", run.code());
        }
        self.history.len()
    }
}
