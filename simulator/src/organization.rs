//! The pretend organization: who and what is in it, made from the seed one record at a time, so
//! that a million users cost no more memory than ten; and the facts of a stream that this takes.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::SystemTime;

use fastrand::Rng;

use crate::credentials::Credentials;
use crate::json::Object;
use crate::random::{dice, one_in, pick, short_id, uuid};
use crate::scenario::Scenario;
use crate::time::{Day, day_of};

/// The host that links name, wherever the simulator itself listens.
pub const HOST: &str = "https://api.confluent.cloud";
/// The web alias, recorded as `self` of role bindings and in some listings' `next`.
pub const ALIAS: &str = "https://confluent.cloud/api";

/// One kind of listing of the management API.
#[derive(Debug)]
pub struct Stream {
    pub name: &'static str,
    /// With `{stream}` where the id of a record of that stream goes.
    pub path: &'static str,
    /// What its records call themselves.
    pub kind: &'static str,
    /// What its records are made from: each stream has a number of its own and keeps it, because
    /// another number is another organization.
    pub number: u64,
    pub ids: Ids,
    /// How many records there are unless the scenario says; under a parent, how many in each; of days,
    /// how many on each.
    pub size: u64,
    /// Where there are several parents, a rude organization has one without any.
    pub uneven: bool,
    pub narrowed: Narrowed,
    /// Query parameters that may narrow the listing, and where a record holds what they name.
    pub filters: &'static [(&'static str, &'static str)],
    /// Records on a page: unless the request says, and at most.
    pub page_size: (u64, u64),
    /// Pages of this size silently end after the first.
    pub stops_at: Option<u64>,
    /// Links are recorded under the web alias.
    pub alias: bool,
    pub envelope: Envelope,
    pub last: Last,
    pub errors: Errors,
    pub record: fn(&Organization, Row) -> Object,
}

/// How a stream's ids are made.
#[derive(Clone, Copy, Debug)]
pub enum Ids {
    /// These characters and six more.
    Prefix(&'static str),
    Made(fn(&Organization, Row) -> String),
}

/// What a request for a listing has to name.
#[derive(Clone, Copy, Debug)]
pub enum Narrowed {
    Nothing,
    /// A scope, by `crn_pattern`.
    Scope,
    /// What one of its filters is for.
    Filter(&'static str),
    /// A record of this stream, by the path.
    Path(&'static str),
    /// A record of this stream, by a query parameter.
    Query(&'static str, &'static str),
    /// Days, by the first one and the one after the last.
    Days(Days),
}

/// A listing of what each day has left.
#[derive(Clone, Copy, Debug)]
pub struct Days {
    /// Query parameters.
    pub from: &'static str,
    pub until: &'static str,
    /// Whether the listing holds a record by now.
    pub holds: fn(&Organization, Row) -> bool,
}

/// What a listing is wrapped in.
#[derive(Clone, Copy, Debug)]
pub enum Envelope {
    Pages,
    /// One object without pages: the records by their names, with such of the `parts` as `expand`
    /// asks for; the names alone if it asks for none.
    Map {
        name: fn(&Organization, Row) -> String,
        parts: &'static [&'static str],
    },
}

/// What is recorded of the metadata of a last page.
#[derive(Clone, Copy, Debug)]
pub enum Last {
    Nothing,
    /// An empty next link, and how many records there are.
    Total,
    /// Two empty links.
    Empty,
}

/// The recorded shapes of what a part of the service says when it refuses.
#[derive(Clone, Copy, Debug)]
pub enum Errors {
    /// `{"errors":[…]}`
    List,
    /// `{"error_code":…,"message":…}`, and never whether the record exists.
    RoleBinding,
    /// `{"error_code":…,"message":…}`
    Code,
    /// `{"error":{…}}`
    Object,
}

impl Stream {
    /// The group and version that its path begins with.
    pub fn api_version(&self) -> &'static str {
        let end = self.path.match_indices('/').nth(2).map_or(self.path.len(), |(place, _)| place);
        &self.path[1..end]
    }

    /// The stream whose records this one is narrowed to.
    pub fn parent(&self) -> Option<&'static str> {
        match self.narrowed {
            Narrowed::Path(parent) | Narrowed::Query(_, parent) => Some(parent),
            Narrowed::Nothing | Narrowed::Scope | Narrowed::Filter(_) | Narrowed::Days(_) => None,
        }
    }

    /// The query parameters without which the listing is refused.
    pub fn parameters(&self) -> Vec<&'static str> {
        match self.narrowed {
            Narrowed::Scope => vec!["crn_pattern"],
            Narrowed::Query(parameter, _) | Narrowed::Filter(parameter) => vec![parameter],
            Narrowed::Days(days) => vec![days.from, days.until],
            Narrowed::Nothing | Narrowed::Path(_) => Vec::new(),
        }
    }

    /// Whether each record was left by a day.
    pub fn is_dated(&self) -> bool {
        matches!(self.narrowed, Narrowed::Days(_))
    }

    /// Whether a part of its listings may be called so: one of those that `Scenario::refuse` names.
    fn has_part(&self, part: &str) -> bool {
        match part.strip_prefix('#') {
            _ if part == "*" => matches!(self.narrowed, Narrowed::Scope),
            Some(number) => self.parent().is_some() && number.parse::<u64>().is_ok(),
            None => self.parent().is_some(),
        }
    }
}

/// One record of a stream, by its number.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub stream: &'static Stream,
    pub index: u64,
}

pub struct Organization {
    pub scenario: Scenario,
    pub id: String,
    pub name: String,
    pub credentials: Credentials,
    today: AtomicU64,
    /// The first day that has left anything.
    first_day: Day,
    streams: &'static [Stream],
}

impl Organization {
    /// The scenario may name none but these streams.
    pub fn new(scenario: Scenario, streams: &'static [Stream]) -> Self {
        let mut dice = dice(&[scenario.seed, 0x0bad_cafe]);
        let id = organization_id(scenario.seed, 0);
        let name =
            pick(&mut dice, &["Nordwind Logistics", "Acme & Töchter", "Blue Heron Bank", "Kestrel Energy"]);
        let credentials = Credentials::new(scenario.seed, &mut dice);
        let today = scenario.today.unwrap_or_else(|| day_of(SystemTime::now()));
        let first_day = today - scenario.past_days;
        let today = AtomicU64::new(today);
        let this = Self { scenario, id, name: name.to_owned(), credentials, today, first_day, streams };
        for name in this.scenario.streams() {
            this.stream(name);
        }
        for refused in &this.scenario.refused {
            let known = refused.split_once('/').is_none_or(|(name, part)| this.stream(name).has_part(part));
            assert!(known, "the simulator serves no stream called {refused}");
        }
        for stream in streams {
            // What cannot be made fails here, and not while it is served.
            this.id(stream.name, this.count(stream.name).saturating_sub(1));
        }
        this
    }

    pub fn stream(&self, name: &str) -> &'static Stream {
        let found = self.streams.iter().find(|stream| stream.name == name);
        found.unwrap_or_else(|| panic!("the simulator serves no stream called {name}"))
    }

    pub fn row(&self, stream: &str, index: u64) -> Row {
        Row { stream: self.stream(stream), index }
    }

    /// How many records there are, or are in each record of the parent.
    pub fn each(&self, stream: &Stream) -> u64 {
        self.scenario.sizes.get(stream.name).copied().unwrap_or(stream.size)
    }

    pub fn count(&self, stream: &str) -> u64 {
        let stream = self.stream(stream);
        let homes = match stream.narrowed {
            Narrowed::Days(_) => self.today() - self.first_day,
            _ => stream.parent().map_or(1, |parent| self.count(parent)),
        };
        self.each(stream) * homes
    }

    /// The day that is not over yet.
    pub fn today(&self) -> Day {
        self.today.load(SeqCst)
    }

    /// Days do not come back.
    pub fn set_today(&self, day: Day) {
        assert!(self.today.fetch_max(day, SeqCst) <= day, "the simulator's days do not come back");
    }

    /// The day that left a record, and the record's number there.
    pub fn dated(&self, row: Row) -> (Day, u64) {
        let each = self.each(row.stream).max(1);
        (self.first_day + row.index / each, row.index % each)
    }

    /// Whether a listing holds a record by now.
    pub fn holds(&self, row: Row) -> bool {
        match row.stream.narrowed {
            Narrowed::Days(days) => (days.holds)(self, row),
            _ => true,
        }
    }

    /// The numbers of the records that these days have left.
    pub fn left_on(&self, stream: &Stream, days: &Range<Day>) -> Range<u64> {
        let (each, first) = (self.each(stream), self.first_day);
        let place = |day: Day| day.min(self.today()).saturating_sub(first) * each;
        place(days.start)..place(days.end)
    }

    /// The record that this one is in, and its number there.
    pub fn home(&self, row: Row) -> (Option<Row>, u64) {
        let Some(parent) = row.stream.parent() else {
            return (None, row.index);
        };
        let each = self.each(row.stream).max(1);
        (Some(self.row(parent, row.index / each)), row.index % each)
    }

    /// The numbers of the records of a stream that are in this one.
    pub fn inside(&self, stream: &Stream, home: u64) -> Range<u64> {
        let each = self.each(stream);
        home * each..(home + 1) * each
    }

    /// The numbers of the records that a rude organization does without: those in one of several parents.
    pub fn missing(&self, stream: &Stream) -> Range<u64> {
        let parents = stream.parent().map_or(0, |parent| self.count(parent));
        if stream.uneven && self.scenario.rude && parents > 1 {
            self.inside(stream, self.scenario.seed % parents)
        } else {
            0..0
        }
    }

    /// All the records that this one is in, the outermost first.
    pub fn homes(&self, row: Row) -> Vec<Row> {
        let mut homes: Vec<Row> =
            std::iter::successors(self.home(row).0, |home| self.home(*home).0).collect();
        homes.reverse();
        homes
    }

    /// The path of the listing of what is in `home`.
    pub fn path(&self, stream: &Stream, home: Option<Row>) -> String {
        let homes = std::iter::successors(home, |home| self.home(*home).0);
        homes.fold(stream.path.to_owned(), |path, home| {
            path.replace(&format!("{{{}}}", home.stream.name), &self.id_of(home))
        })
    }

    /// A record as the API sends it, in one line of JSON.
    pub fn record(&self, row: Row) -> String {
        self.with_stray(row, (row.stream.record)(self, row)).finish()
    }

    /// Fields may be added to the API any day: rude records carry one that nobody declared.
    fn with_stray(&self, row: Row, object: Object) -> Object {
        let mut dice = self.dice(row, 1);
        if !self.scenario.rude || !one_in(&mut dice, 20) {
            return object;
        }
        match dice.u32(..4) {
            0 => object.text("x_preview_tier", "gold"),
            1 => object.raw("x_preview_tier", "1.10"),
            2 => object.raw("x_labels", r#"{"team":"søk","n":[1,2.50,null]}"#),
            _ => object.raw("x_labels", "null"),
        }
    }

    /// Dice for one use in one record.
    pub fn dice(&self, row: Row, what: u64) -> Rng {
        dice(&[self.scenario.seed, row.stream.number, row.index, what])
    }

    pub fn id_of(&self, row: Row) -> String {
        match row.stream.ids {
            Ids::Prefix(prefix) => format!("{prefix}{}", self.short_id(row)),
            Ids::Made(made) => made(self, row),
        }
    }

    /// The part of an id that belongs to no other record of the stream.
    pub fn short_id(&self, row: Row) -> String {
        short_id(self.scenario.seed, row.stream.number, row.index)
    }

    pub fn id(&self, stream: &str, index: u64) -> String {
        self.id_of(self.row(stream, index))
    }

    /// The id of somebody who owns a key or holds a role. Every twelfth service account does neither,
    /// and the one before it does so instead.
    pub fn active(&self, stream: &str, index: u64) -> String {
        let idle = stream == "service_accounts" && index % 12 == 7 && index < self.count(stream);
        self.id(stream, index - u64::from(idle))
    }

    /// Who owns the caller's key: a user or a service account, whichever the seed says and the
    /// organization has.
    pub fn owner(&self) -> (&'static str, String) {
        let prefer_robot = self.scenario.seed % 2 == 1 || self.count("users") == 0;
        let robot = prefer_robot && self.count("service_accounts") > 0;
        let stream = if robot { "service_accounts" } else { "users" };
        (stream, self.id(stream, 0))
    }

    /// The organization's own name as a scope.
    pub fn crn(&self) -> String {
        format!("crn://confluent.cloud/organization={}", self.id)
    }
}

pub fn organization_id(seed: u64, index: u64) -> String {
    uuid(&mut dice(&[seed, 0x0126_a112, index]))
}
