//! How far each stream has been read. Everything about resuming is decided here, by pure functions.
//!
//! Knows the flat bookmark in which a position is kept, not the messages that carry bookmarks, and
//! nothing of HTTP: a page token is a text that came from somewhere.

mod place;

use chrono::{DateTime, Datelike, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value};

use crate::streams::Scope;
pub use place::{Partition, Place, Reach};

/// A snapshot does not span days: a pass that began longer ago than this is started over.
const LONGEST_PASS: TimeDelta = TimeDelta::hours(24);

/// Clocks of two machines may differ by this much before a start in the future is not believed.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(10);

/// The keys of a bookmark, always all four: Meltano deep-merges a completed full refresh over an older
/// state, so a key that were left out would leave its stale value behind (checked on Meltano 4.4.1).
pub const BOOKMARK_KEYS: [&str; 4] = ["organization_id", "partition", "page_token", "started_at"];

/// Where a stream stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Position {
    /// Nothing of this pass has been read.
    Start,
    /// In the middle of a pass: the next page to ask for.
    At(Place),
    /// Read to its end.
    Complete,
}

impl Position {
    /// The position to say after a page of a pass that misses something before it: nothing has been read,
    /// so that no later run goes on behind the gap, or takes the stream for complete.
    pub fn behind(self, gap: bool) -> Position {
        if gap { Position::Start } else { self }
    }

    /// Reads the bookmark of a stream with that scope; keys that are not ours are ignored. All null, or
    /// absent, is `Start`: a finished pass and one not begun start alike.
    ///
    /// # Errors
    /// In words, if a key of ours holds what we never write.
    pub fn from_bookmark(scope: Scope, bookmark: &Map<String, Value>) -> Result<Position, String> {
        let mut texts = [None; 4];
        for (text, key) in texts.iter_mut().zip(BOOKMARK_KEYS) {
            *text = match bookmark.get(key) {
                None | Some(Value::Null) => None,
                Some(Value::String(value)) => Some(value.as_str()),
                Some(_) => return Err(format!("{key} is not a text")),
            };
        }
        let [organization_id, partition, token, started_at] = texts;
        if texts.iter().all(Option::is_none) {
            return Ok(Position::Start);
        }
        let started_at = DateTime::parse_from_rfc3339(started_at.ok_or("started_at is missing")?)
            .map_err(|_| "started_at is not a time")?
            .to_utc();
        if !(1..=9999).contains(&started_at.year()) {
            return Err("started_at is not of this age".to_owned());
        }
        Ok(Position::At(Place {
            organization_id: organization_id.map(str::to_owned),
            partition: Partition::parse(scope, partition).ok_or("it names no partition of this stream")?,
            token: token.map(str::to_owned),
            started_at,
        }))
    }

    /// Writes the keys of a bookmark into it and leaves its other keys alone.
    pub fn into_bookmark(&self, bookmark: &mut Map<String, Value>) {
        let values = match self {
            Position::Start | Position::Complete => [None, None, None, None],
            Position::At(place) => [
                place.organization_id.clone(),
                place.partition.name(),
                place.token.clone(),
                Some(place.started_at.to_rfc3339_opts(SecondsFormat::Millis, true)),
            ],
        };
        for (key, value) in BOOKMARK_KEYS.into_iter().zip(values) {
            bookmark.insert(key.to_owned(), value.map_or(Value::Null, Value::String));
        }
    }

    /// What the next run does with a stream that stands here.
    ///
    /// A finished stream starts afresh, also when its siblings were interrupted: a stream that always
    /// fails would freeze the others otherwise. Only where `skip_complete` is set, which is how a retry of
    /// the same full refresh is told, is it passed over.
    pub fn resume(
        self,
        scope: Scope,
        organization_id: Option<&str>,
        now: DateTime<Utc>,
        skip_complete: bool,
    ) -> Resume {
        let first = Place::first(scope, organization_id, now);
        let place = match self {
            Position::At(place) => place,
            Position::Complete if skip_complete => return Resume::Skip,
            Position::Start | Position::Complete => return Resume::At(first),
        };
        let why = if place.organization_id.as_deref() != organization_id {
            "its state belongs to another organization"
        } else if now - place.started_at > LONGEST_PASS {
            "its state is from a pass that began more than 24 hours ago"
        } else if place.started_at - now > CLOCK_SKEW {
            "its state is from a pass that begins in the future"
        } else {
            return Resume::At(place);
        };
        Resume::Over(first, why)
    }
}

/// What a run does with a stream.
#[derive(Clone, Debug, PartialEq)]
pub enum Resume {
    /// Reads on from this place, which may be the first.
    At(Place),
    /// Starts over at this place although there is a position, for this reason.
    Over(Place, &'static str),
    /// Nothing: it has been read to its end.
    Skip,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ROLE_BINDINGS: Scope = Scope::Organization { crn_parameter: "crn_pattern" };
    const CLUSTERS: Scope =
        Scope::EachEnvironment { parameter: "environment", field: &["spec", "environment", "id"] };

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// A bookmark of `organization partition token time`, where a dash is null.
    fn bookmark(text: &str) -> Map<String, Value> {
        let values = text.split(' ').map(|value| if value == "-" { Value::Null } else { value.into() });
        BOOKMARK_KEYS.into_iter().map(str::to_owned).zip(values).collect()
    }

    #[test]
    fn what_is_resumed_and_what_is_started_over() {
        use Scope::Everything;
        let now = time("2026-03-02T12:00:00Z");
        // scope, bookmark, why it is started over; empty if it is resumed, none if it is all null
        let table = [
            (Everything, "- - - -", None),
            (ROLE_BINDINGS, "- - - -", None),
            (Everything, "o - t 2026-03-02T11:00:00Z", Some("")),
            (Everything, "o - t 2026-03-01T12:00:01Z", Some("")),
            (Everything, "o - t 2026-03-01T11:59:59Z", Some("24 hours")),
            (Everything, "o - t 2026-03-02T12:09:00Z", Some("")),
            (Everything, "o - t 2026-03-02T12:11:00Z", Some("future")),
            (Everything, "x - t 2026-03-02T11:00:00Z", Some("organization")),
            (Everything, "- - t 2026-03-02T11:00:00Z", Some("organization")),
            (CLUSTERS, "- - - -", None),
            (CLUSTERS, "o env-1 - 2026-03-02T11:00:00Z", Some("")),
            (CLUSTERS, "o env-1 t 2026-03-01T11:59:59Z", Some("24 hours")),
            (ROLE_BINDINGS, "o organization - 2026-03-02T11:00:00Z", Some("")),
            (ROLE_BINDINGS, "o organization+ t 2026-03-02T11:00:00Z", Some("")),
            (ROLE_BINDINGS, "o organization/* - 2026-03-02T11:00:00Z", Some("")),
            (ROLE_BINDINGS, "o env-1/* t 2026-03-02T11:00:00Z", Some("")),
        ];
        for (scope, text, expected) in table {
            let position = Position::from_bookmark(scope, &bookmark(text)).unwrap();
            let first = Place::first(scope, Some("o"), now);
            match (position.clone().resume(scope, Some("o"), now, true), expected) {
                (Resume::At(place), None) => assert_eq!(place, first, "{text}"),
                (Resume::At(place), Some("")) => assert_eq!(Position::At(place), position, "{text}"),
                (Resume::Over(place, why), Some(words)) => {
                    assert!(place == first && !words.is_empty() && why.contains(words), "{text}: {why}");
                }
                (resume, _) => panic!("{text}: {resume:?}"),
            }
        }
    }

    #[test]
    fn a_finished_stream_starts_afresh_unless_told_to_skip_it() {
        let now = time("2026-03-02T12:00:00Z");
        let first = || Resume::At(Place::first(Scope::Everything, Some("o"), now));
        let resume = |position: Position, skip| position.resume(Scope::Everything, Some("o"), now, skip);
        assert_eq!(resume(Position::Complete, false), first());
        assert_eq!(resume(Position::Complete, true), Resume::Skip);
        assert_eq!(resume(Position::Start, true), first());
    }

    #[test]
    fn a_bookmark_that_is_not_ours_is_an_error() {
        for bookmark in [
            json!({"page_token": 5}),
            json!({"page_token": "t"}),
            json!({"page_token": "t", "started_at": "yesterday"}),
            json!({"partition": ["a"]}),
            json!({"page_token": "t", "started_at": "0000-01-01T00:00:00+23:59"}),
        ] {
            let read = Position::from_bookmark(Scope::Everything, bookmark.as_object().unwrap());
            assert!(read.is_err(), "{bookmark}");
        }
        for (scope, partition) in [
            (Scope::Everything, "organization"),
            (Scope::Everything, "env-1"),
            (ROLE_BINDINGS, "-"),
            (CLUSTERS, "-"),
        ] {
            let read =
                Position::from_bookmark(scope, &bookmark(&format!("o {partition} t 2026-03-02T11:00:00Z")));
            assert!(read.is_err_and(|words| words.contains("partition")), "{scope:?} {partition}");
        }
    }

    #[test]
    fn a_bookmark_comes_back_as_it_went() {
        let mut place = Place::first(ROLE_BINDINGS, Some("o"), time("2026-03-02T12:00:00Z"));
        let within = ["organization", "organization+", "organization/*", "env-1", "env-1+", "env-1/*"];
        let all = within
            .map(|name| (ROLE_BINDINGS, name))
            .into_iter()
            .chain([(CLUSTERS, "env-1"), (CLUSTERS, "t+")]);
        for (scope, name) in all {
            place.partition = Partition::parse(scope, Some(name)).unwrap();
            assert_eq!(place.partition.name().as_deref(), Some(name));
            let mut bookmark = json!({"foreign": 1}).as_object().unwrap().clone();
            Position::At(place.clone()).into_bookmark(&mut bookmark);
            let read = Position::from_bookmark(scope, &bookmark);
            assert_eq!(read, Ok(Position::At(place.clone())), "{bookmark:?}");
            assert_eq!(bookmark["foreign"], 1);
            Position::Complete.into_bookmark(&mut bookmark);
            assert_eq!(Position::from_bookmark(scope, &bookmark), Ok(Position::Start));
            assert_eq!(bookmark.len(), 5, "no key of a bookmark is ever left out");
        }
    }
}
