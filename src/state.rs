//! How far each stream has been read. Everything about resuming is decided here, by pure functions.
//!
//! Knows the flat bookmark in which a position is kept, not the messages that carry bookmarks. A page token is a
//! text that came from somewhere, and so is the name of a partition.

use chrono::{DateTime, Datelike, SecondsFormat, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A snapshot does not span days: a pass that began longer ago than this is started over.
const LONGEST_PASS: TimeDelta = TimeDelta::hours(24);

/// Clocks of two machines may differ by this much before a start in the future is not believed.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(10);

/// The keys of a bookmark, always all of them and always scalars: Meltano deep-merges a completed full refresh
/// over an older state, so a key that were left out would leave its stale value behind (checked on Meltano
/// 4.4.1).
pub const BOOKMARK_KEYS: [&str; 7] =
    ["organization_id", "api_key_hash", "partition", "page_token", "started_at", "records", "last_records"];

/// Why a position is not to be believed, in words.
type Why = &'static str;

/// What a pass is read with. Two keys of one organization may be shown different lists, so a position belongs
/// to the key that it was read with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Access {
    /// None if it is not known.
    pub organization_id: Option<String>,
    /// Tells one API key from another without naming it; none in states of older versions.
    pub api_key_hash: Option<String>,
}

impl Access {
    /// Whether a position of `other` access is to be believed. Equal hashes mean the same key and therefore the same
    /// organization, even where that could not be looked up.
    ///
    /// # Errors
    /// Why not.
    fn believes(&self, other: &Access) -> Result<(), Why> {
        match &other.api_key_hash {
            None => Err("its state does not say which API key was used"),
            theirs if self.api_key_hash != *theirs => {
                Err("its state belongs to another API key or identity pool, which may see another list")
            }
            _ => self.is_of(other),
        }
    }

    /// The same of what every key of the organization is shown alike.
    fn is_of(&self, other: &Access) -> Result<(), Why> {
        match (&self.organization_id, &other.organization_id) {
            (Some(ours), Some(theirs)) if ours != theirs => Err("its state belongs to another organization"),
            _ => Ok(()),
        }
    }

    /// Reads the access that a bookmark names; keys that are absent are not known.
    ///
    /// # Errors
    /// In words, if one of them is not a text.
    pub fn read(bookmark: &Value) -> Result<Access, String> {
        let text = |key| read(bookmark, key, "is not a string");
        Ok(Access { organization_id: text("organization_id")?, api_key_hash: text("api_key_hash")? })
    }
}

/// How long the last complete list was, which says something only of lists that are read with the same access.
#[derive(Clone, Debug, Default)]
pub struct Last {
    access: Access,
    records: Option<u64>,
}

impl Last {
    /// The keys of a bookmark in which it is kept.
    pub const KEYS: [&str; 3] = ["organization_id", "api_key_hash", "last_records"];

    /// Reads it out of a bookmark, where it outlives the passes.
    pub fn read(bookmark: &Value) -> Last {
        let records = bookmark["last_records"].as_u64();
        Last { access: Access::read(bookmark).unwrap_or_default(), records }
    }

    /// Its number of records, if it was read with that access.
    pub fn with(&self, access: &Access) -> Option<u64> {
        self.records.filter(|_| access.believes(&self.access).is_ok())
    }
}

/// The next page of a pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Bookmark {
    /// What the pass is read with.
    pub access: Access,
    /// Name of the partition; none for a stream of one listing, and before the first.
    pub partition: Option<String>,
    /// The API's page token; none for the first page of a partition.
    pub page_token: Option<String>,
    /// When the pass began.
    pub started_at: DateTime<Utc>,
    /// Records of the pass so far.
    pub records: u64,
}

impl Bookmark {
    /// The beginning of a new pass.
    pub fn first(access: &Access, now: DateTime<Utc>) -> Bookmark {
        Bookmark { access: access.clone(), partition: None, page_token: None, started_at: now, records: 0 }
    }

    /// Whether nothing of the pass has been read.
    pub fn is_first(&self) -> bool {
        self.partition.is_none() && self.page_token.is_none()
    }
}

/// Where a stream stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Position {
    /// Nothing of this pass has been read.
    Start,
    /// In the middle of a pass.
    At(Bookmark),
    /// Read to its end. `records`: of the whole pass; none if it is not known. `next`: of a stream with a cursor, name
    /// of the partition that the next run begins with.
    Complete { access: Access, records: Option<u64>, next: Option<String> },
}

impl Position {
    /// Reads the bookmark of a stream; keys that are not ours are ignored. Where there is none, or no key of a pass is
    /// set, it is `Start`: a finished pass and one not begun start alike. `has_cursor`: whether the stream has one;
    /// then a pass goes on with the partition of the bookmark. Only an unfinished full refresh has `records`.
    ///
    /// # Errors
    /// In words, if it is not an object, or a key of ours holds what we never write.
    pub fn read(bookmark: &Value, has_cursor: bool) -> Result<Position, String> {
        if !bookmark.is_object() && !bookmark.is_null() {
            return Err("it is not an object".to_owned());
        }
        let access = Access::read(bookmark)?;
        let text = |key| read::<String>(bookmark, key, "is not a string");
        let count = |key| read::<u64>(bookmark, key, "is not a record count");
        let (partition, page_token, started_at) =
            (text("partition")?, text("page_token")?, text("started_at")?);
        let (records, _) = (count("records")?, count("last_records")?);
        if BOOKMARK_KEYS.iter().all(|key| bookmark[key].is_null() || Last::KEYS.contains(key)) {
            return Ok(Position::Start);
        }
        if has_cursor {
            let complete = |next| Position::Complete { access, records, next: Some(next) };
            return Ok(partition.map_or(Position::Start, complete));
        }
        let started_at = DateTime::parse_from_rfc3339(&started_at.ok_or("started_at is missing")?)
            .map_err(|_| "started_at is not a timestamp")?
            .to_utc();
        if !(1..=9999).contains(&started_at.year()) {
            return Err("started_at is not a plausible time".to_owned());
        }
        let records = records.unwrap_or_default();
        Ok(Position::At(Bookmark { access, partition, page_token, started_at, records }))
    }

    /// Writes the keys of a bookmark into it and leaves its other keys alone. What outlives a pass, the number
    /// of records of the last complete one and whose list that was, changes only where the pass is complete, and is
    /// forgotten where it is of another key.
    pub fn write(&self, bookmark: &mut Value) {
        let before = Last::read(bookmark);
        let mut keys = if let Value::Object(keys) = bookmark.take() { keys } else { Map::new() };
        let (at, access, records, next) = match self {
            Position::Start => (None, None, None, None),
            Position::At(at) => (Some(at), Some(&at.access), None, at.partition.as_ref()),
            Position::Complete { access, records, next } => (None, Some(access), *records, next.as_ref()),
        };
        let last = records.or(access.map_or(before.records, |access| before.with(access)));
        let access = access.or(last.and(Some(&before.access)));
        let values = [
            access.and_then(|access| access.organization_id.clone()).into(),
            access.and_then(|access| access.api_key_hash.clone()).into(),
            next.cloned().into(),
            at.and_then(|at| at.page_token.clone()).into(),
            at.map(|at| at.started_at.to_rfc3339_opts(SecondsFormat::Millis, true)).into(),
            at.map(|at| at.records).into(),
            last.into(),
        ];
        keys.extend(BOOKMARK_KEYS.map(str::to_owned).into_iter().zip(values));
        *bookmark = Value::Object(keys);
    }

    /// Where the next run, with that access, goes on with a stream that stands here, which may be the beginning; none if
    /// the stream has been read to its end and is passed over.
    ///
    /// A finished stream starts afresh, also when its siblings were interrupted: a stream that always
    /// fails would freeze the others otherwise. Only where `skip` is set, which is how a retry of
    /// the same full refresh is told, is it passed over.
    ///
    /// # Errors
    /// Why the stream is started over although there is a position.
    pub fn resume(self, access: &Access, now: DateTime<Utc>, skip: bool) -> Result<Option<Bookmark>, Why> {
        let first = Bookmark::first(access, now);
        match self {
            Position::At(mut bookmark) if !bookmark.is_first() => {
                access.believes(&bookmark.access)?;
                if now - bookmark.started_at > LONGEST_PASS {
                    return Err("its state is from a pass that began more than 24 hours ago");
                }
                if bookmark.started_at - now > CLOCK_SKEW {
                    return Err("its state is from a pass that begins in the future");
                }
                let known = bookmark.access.organization_id.take();
                bookmark.access.organization_id = access.organization_id.clone().or(known);
                Ok(Some(bookmark))
            }
            // A date is neither another key's nor too old. A full refresh goes on with its own pass, and not with an
            // incremental one, which counts no records, nor that one with it.
            Position::Complete { access: of, next: partition @ Some(_), records }
                if records.is_some() == skip =>
            {
                access.is_of(&of)?;
                Ok(Some(Bookmark { partition, ..first }))
            }
            // A marker without any access is of an older version, and only a retry of its job brings it.
            Position::Complete { access: of, next: None, .. } if skip && of == Access::default() => Ok(None),
            Position::Complete { access: of, next: None, .. } if skip => access.believes(&of).map(|()| None),
            _ => Ok(Some(first)),
        }
    }
}

/// What stands under a key of a bookmark; null and absent are none. `wrong`: what is said of anything else.
fn read<'a, T: Deserialize<'a>>(bookmark: &'a Value, key: &str, wrong: &str) -> Result<Option<T>, String> {
    Option::deserialize(&bookmark[key]).map_err(|_| format!("{key} {wrong}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// A bookmark of `organization hash partition token time`, where a dash is null.
    fn bookmark(text: &str) -> Value {
        let values = text.split(' ').map(|value| if value == "-" { Value::Null } else { value.into() });
        BOOKMARK_KEYS.into_iter().map(str::to_owned).zip(values).collect()
    }

    fn access(organization_id: Option<&str>) -> Access {
        let organization_id = organization_id.map(str::to_owned);
        Access { organization_id, api_key_hash: Some("k".to_owned()) }
    }

    #[test]
    fn what_is_resumed_and_what_is_started_over() {
        let now = time("2026-03-02T12:00:00Z");
        // bookmark, why it is started over; empty if it is resumed, none if it is all null
        let table = [
            ("- - - - -", None),
            ("o k - t 2026-03-02T11:00:00Z", Some("")),
            ("o k - t 2026-03-01T12:00:01Z", Some("")),
            ("o k - t 2026-03-01T11:59:59Z", Some("24 hours")),
            ("o k - t 2026-03-02T12:09:00Z", Some("")),
            ("o k - t 2026-03-02T12:11:00Z", Some("future")),
            ("x k - t 2026-03-02T11:00:00Z", Some("another organization")),
            ("o x - t 2026-03-02T11:00:00Z", Some("another API key")),
            ("- x - t 2026-03-02T11:00:00Z", Some("another API key")),
            ("o - - t 2026-03-02T11:00:00Z", Some("does not say")),
            ("o k env-1 - 2026-03-02T11:00:00Z", Some("")),
            ("o k env-1 t 2026-03-01T11:59:59Z", Some("24 hours")),
            ("o k organization - 2026-03-02T11:00:00Z", Some("")),
            ("o k organization/* - 2026-03-02T11:00:00Z", Some("")),
        ];
        for (text, expected) in table {
            let position = Position::read(&bookmark(text), false).unwrap();
            let first = Bookmark::first(&access(Some("o")), now);
            match (position.clone().resume(&access(Some("o")), now, true), expected) {
                (Ok(Some(at)), None) => assert_eq!(at, first, "{text}"),
                (Ok(Some(at)), Some("")) => assert_eq!(Position::At(at), position, "{text}"),
                (Err(why), Some(words)) => {
                    assert!(!words.is_empty() && why.contains(words), "{text}: {why}");
                }
                (resume, _) => panic!("{text}: {resume:?}"),
            }
        }
    }

    #[test]
    fn one_key_resumes_whether_or_not_its_organization_could_be_looked_up() {
        let now = time("2026-03-02T12:00:00Z");
        for (then, today, kept) in
            [(Some("o"), None, Some("o")), (None, Some("o"), Some("o")), (None, None, None)]
        {
            let page_token = Some("t".to_owned());
            let bookmark = Bookmark { page_token, ..Bookmark::first(&access(then), now) };
            let resumed = Position::At(bookmark).resume(&access(today), now, false);
            let Ok(Some(at)) = resumed else { panic!("{then:?} {today:?}: {resumed:?}") };
            assert_eq!((at.access, at.page_token.as_deref()), (access(kept), Some("t")));
        }
    }

    #[test]
    fn a_finished_stream_starts_afresh_unless_told_to_skip_it() {
        let now = time("2026-03-02T12:00:00Z");
        let first = || Bookmark::first(&access(Some("o")), now);
        let resume = |position: Position, skip| position.resume(&access(Some("o")), now, skip);
        let complete = |access: Access| Position::Complete { access, records: None, next: None };
        assert_eq!(resume(complete(access(Some("o"))), false), Ok(Some(first())));
        assert_eq!(resume(complete(access(Some("o"))), true), Ok(None));
        assert_eq!(resume(complete(access(None)), true), Ok(None));
        assert_eq!(resume(complete(Access::default()), true), Ok(None), "of an older version");
        assert_eq!(resume(Position::Start, true), Ok(Some(first())));
        let mut other = access(Some("o"));
        other.api_key_hash = Some("x".to_owned());
        let unmarked = Access { organization_id: Some("o".to_owned()), api_key_hash: None };
        for of in [access(Some("x")), other, unmarked] {
            let resumed = resume(complete(of.clone()), true);
            assert!(resumed.is_err(), "{of:?}");
        }
    }

    #[test]
    fn a_bookmark_that_is_not_ours_is_an_error() {
        for bookmark in [
            json!({"page_token": 5}),
            json!({"page_token": "t"}),
            json!({"records": 1}),
            json!({"last_records": -1}),
            json!({"last_records": "7"}),
            json!({"page_token": "t", "started_at": "yesterday"}),
            json!({"partition": ["a"]}),
            json!({"page_token": "t", "started_at": "0000-01-01T00:00:00+23:59"}),
        ] {
            let read = Position::read(&bookmark, false);
            assert!(read.is_err(), "{bookmark}");
        }
    }

    #[test]
    fn how_long_a_list_was_is_known_to_its_own_key_only() {
        let (now, of) = (time("2026-03-02T12:00:00Z"), access(Some("o")));
        let complete = |of: &Access| Position::Complete { access: of.clone(), records: None, next: None };
        let other = Access { api_key_hash: Some("x".to_owned()), ..of.clone() };
        for (next, kept) in [
            (Position::Start, Some(9)),
            (Position::At(Bookmark::first(&of, now)), Some(9)),
            (Position::At(Bookmark::first(&access(None), now)), Some(9)),
            (complete(&of), Some(9)),
            (complete(&other), None),
            (Position::At(Bookmark::first(&access(Some("x")), now)), None),
        ] {
            let mut bookmark = Value::Null;
            Position::Complete { access: of.clone(), records: Some(9), next: None }.write(&mut bookmark);
            assert_eq!(
                (Last::read(&bookmark).with(&of), Last::read(&bookmark).with(&other)),
                (Some(9), None)
            );
            for position in [next, Position::Start] {
                position.write(&mut bookmark);
                assert_eq!(Last::read(&bookmark).records, kept, "{position:?}");
            }
        }
        assert_eq!(Last::read(&json!({"last_records": 9})).with(&of), None, "of an older version");
    }

    #[test]
    fn a_bookmark_comes_back_as_it_went() {
        let mut at = Bookmark::first(&access(Some("o")), time("2026-03-02T12:00:00Z"));
        at.records = 7;
        for name in [None, Some("organization+"), Some("organization/*"), Some("env-1/lkc-1")] {
            at.partition = name.map(str::to_owned);
            let mut bookmark = json!({"foreign": 1, "last_records": 5, "api_key_hash": "k"});
            Position::At(at.clone()).write(&mut bookmark);
            assert_eq!(Position::read(&bookmark, false), Ok(Position::At(at.clone())), "{bookmark:?}");
            assert_eq!((&bookmark["foreign"], &bookmark["last_records"]), (&json!(1), &json!(5)));
            for (records, last) in [(Some(9), 9), (None, 9)] {
                Position::Complete { access: access(Some("o")), records, next: None }.write(&mut bookmark);
                assert_eq!(Position::read(&bookmark, false), Ok(Position::Start));
                assert_eq!(bookmark["last_records"], last);
            }
            let keys = bookmark.as_object().unwrap();
            let ours = BOOKMARK_KEYS.iter().filter(|key| keys.contains_key(**key)).count();
            assert_eq!((ours, keys.len()), (7, 8), "no key of a bookmark is ever left out");
        }
    }
}
