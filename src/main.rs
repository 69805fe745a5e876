//! Parse, install the log's writer and the TLS provider, run, exit code. Only this module names them all.

use std::hint::black_box;
use std::io::IsTerminal;
use std::process::ExitCode;

use chrono::{SecondsFormat, Utc};
use serde_json::Value;
use tap_confluent_cloud::cli::{Action, Arguments, Protocol};
use tap_confluent_cloud::config::{Config, Offered, SCHEMA, gather, is_credential};
use tap_confluent_cloud::error::{Error, exit_code};
use tap_confluent_cloud::json::Tape;
use tap_confluent_cloud::log::Level;
use tap_confluent_cloud::protocol::{
    Offer, Request, Silent, Verdicts, airbyte, is_watched, keep_newest, line, message, singer,
};
use tap_confluent_cloud::run::run;
use tap_confluent_cloud::streams::{STREAMS, Stream};
use tap_confluent_cloud::{check, files, log, progress};

/// Streams that were not read to their end, and why, all of which has been told; or the error that ended the run.
type Ended = Result<Vec<(String, Error)>, Error>;

fn main() -> ExitCode {
    // glibc returns a freed block of 128 KiB or more to the system at once, and pages need such blocks again and again.
    // Freeing a larger one raises that threshold (mallopt(3), M_MMAP_THRESHOLD).
    drop(black_box(Vec::<u8>::with_capacity(256 << 10)));
    let arguments = Arguments::read();
    let catalog = arguments.catalog.as_ref().map(|path| files::read_json("catalog", path));
    let held = catalog.as_ref().map(|catalog| catalog.as_ref().unwrap_or(&Value::Null));
    let (action, protocol) = arguments.decide(held);
    // Airbyte's platform requests debug logs with this variable, and passes no flag.
    let debug = protocol == Protocol::Airbyte && std::env::var("LOG_LEVEL").as_deref() == Ok("debug");
    let wishes = log_wishes(protocol);
    let (objects, wished) = *wishes.as_ref().unwrap_or(&(false, None));
    let objects = arguments.log_format.as_ref().map_or(objects, |format| format == "json");
    let level = arguments.log_level.or(wished).unwrap_or(Level::Info);
    let level = if debug { Level::Debug } else { level };
    log::install(level, move |level, words| say(protocol, objects, level, words));
    if protocol == Protocol::Singer && !objects && level >= Level::Info && !is_watched() {
        progress::display();
    }
    std::panic::set_hook(Box::new(move |defect| {
        let words = format!("this is a bug in tap-confluent-cloud, please report it: {defect}");
        // A release does not unwind: it would abort next, with a signal in place of an exit code.
        std::process::exit(end(Err(Error::broken(words)), protocol).into());
    }));
    wishes.err().iter().for_each(|error| log::warn(format!("the log configuration is ignored: {error}")));
    // Fails only if a provider is installed already, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ended = catalog.transpose().and_then(|catalog| match action {
        Action::About => about(arguments.format(), protocol),
        Action::Discover => discover(&arguments, protocol),
        Action::Check if protocol == Protocol::Airbyte => check_connection(&arguments),
        Action::Check | Action::Read => read(&arguments, protocol, catalog, action == Action::Check),
    });
    ExitCode::from(end(ended, protocol))
}

/// Whether a Singer runtime wants log lines as JSON objects, and the level that it wants.
fn log_wishes(protocol: Protocol) -> Result<(bool, Option<Level>), Error> {
    let what = "SINGER_SDK_LOG_CONFIG";
    match std::env::var(what) {
        Ok(path) if protocol == Protocol::Singer => singer::log_wishes(&files::read_json(what, &path)?)
            .ok_or_else(|| wrong(what, Some(&path), "it has no formatters", "correct it")),
        _ => Ok((false, None)),
    }
}

/// Writes a log line. A closed stderr is no reason to stop.
fn say(protocol: Protocol, objects: bool, level: Level, words: &str) {
    // Airbyte's platform treats every line on stderr as an error.
    if protocol == Protocol::Airbyte && message(&airbyte::log_message(level, words)).is_ok() {
        return;
    }
    let line = format!("{} {words}", format!("{level:?}").to_uppercase());
    progress::write_above(&match objects {
        true => singer::log_message(level, words).to_string(),
        false if std::io::stderr().is_terminal() => line,
        false => format!("{} {line}", Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true)),
    });
}

/// Tells the error that ended the run, or Airbyte's platform of all. Gives the exit code.
fn end(ended: Ended, protocol: Protocol) -> u8 {
    let trace = match (ended, protocol) {
        (Ok(failed), Protocol::Singer) => return exit_code(failed.iter().map(|(_, error)| error.kind)),
        (Err(error), Protocol::Singer) => {
            log::error(error.to_string());
            return error.kind as u8;
        }
        (Ok(failed), Protocol::Airbyte) if failed.is_empty() => return 0,
        (Ok(failed), Protocol::Airbyte) => airbyte::summary(&failed),
        (Err(error), Protocol::Airbyte) => airbyte::trace_error(&error, None),
    };
    if let Err(cause) = message(&trace) {
        log::error(Error::output(&cause).to_string());
    }
    // Airbyte's platform knows no other exit code for a failure.
    1
}

fn print(text: &str) -> Ended {
    line(text.as_bytes()).map_err(|cause| Error::output(&cause))?;
    Ok(Vec::new())
}

fn about(format: &str, protocol: Protocol) -> Ended {
    print(&match (protocol, format) {
        (Protocol::Airbyte, _) => format!("{}\n", airbyte::spec(&SCHEMA)),
        (Protocol::Singer, "json") => format!("{:#}\n", singer::about(SCHEMA.clone())),
        (Protocol::Singer, "markdown") => include_str!("../schemas/about.md").to_owned(),
        (Protocol::Singer, _) => include_str!("../schemas/about.txt").to_owned(),
    })
}

fn discover(arguments: &Arguments, protocol: Protocol) -> Ended {
    let offer = offer(&Offered::enforce(gather(&arguments.config, std::env::vars_os().collect())?)?);
    print(&match protocol {
        Protocol::Singer => format!("{:#}\n", singer::catalog::discover(&offer)),
        Protocol::Airbyte => format!("{}\n", airbyte::catalog::discover(&offer)),
    })
}

fn offer(offered: &Offered) -> Offer {
    let named = |stream: &&Stream| offered.streams.iter().any(|name| name == stream.name);
    Offer { streams: STREAMS.iter().filter(named).collect(), personal: offered.personal_data }
}

/// Airbyte's check: whatever is wrong is the answer, not a failure of the process.
fn check_connection(arguments: &Arguments) -> Ended {
    let given = gather(&arguments.config, std::env::vars_os().collect());
    let checked = given.and_then(Config::enforce).and_then(|config| {
        let offer = offer(&config.offered);
        let streams = offer.streams.iter().map(|stream| offer.whole(stream)).collect();
        let asked = Request { streams, missing: Vec::new(), sink: Box::new(Silent) };
        let outcome = run(&config.impatient(), asked, true)?;
        Ok(check::verdict(offer.streams.len(), &outcome.failed, outcome.shortened))
    });
    let failure = checked.unwrap_or_else(|error| Some(error.to_string()));
    print(&format!("{}\n", airbyte::connection_status(failure.as_deref())))
}

fn read(arguments: &Arguments, protocol: Protocol, catalog: Option<Value>, sample: bool) -> Ended {
    let config = Config::enforce(gather(&arguments.config, std::env::vars_os().collect())?)?;
    let config = if sample { config.impatient() } else { config };
    let offer = offer(&config.offered);
    let state = arguments.state.as_ref().map(read_state).transpose()?.flatten();
    // A sample is incomplete, and must not activate anything.
    let versions = config.emit_activate_version && !sample;
    let asked = match protocol {
        Protocol::Singer => singer::request(catalog, state, &offer, versions),
        Protocol::Airbyte => airbyte::request(catalog, state, &offer),
    };
    let mut asked = asked.map_err(|(what, why)| {
        let (path, remedy) = match (what, protocol) {
            ("state", _) => (&arguments.state, "correct it, or omit --state to read everything"),
            (_, Protocol::Singer) => (&arguments.catalog, "create one with --discover"),
            (_, Protocol::Airbyte) => (&arguments.catalog, "pass a configured catalog with --catalog"),
        };
        wrong(what, path.as_ref(), &why, remedy)
    })?;
    let (streams, shown) = (asked.streams.len(), sample && protocol == Protocol::Singer && is_watched());
    if shown {
        let width = asked.streams.iter().map(|selected| selected.stream.name.len()).max();
        asked.sink = Box::new(Verdicts { width: width.unwrap_or_default() });
    }
    let mut failed = asked.missing.clone();
    let outcome = (streams > 0).then(|| run(&config, asked, sample));
    // Behind their records in the history of runs.
    let tell_missing = |(name, error): &(String, Error)| message(&airbyte::trace_error(error, Some(name)));
    failed.iter().try_for_each(tell_missing).map_err(|cause| Error::output(&cause))?;
    match outcome {
        Some(outcome) => failed.extend(outcome?.failed),
        None => log::warn("the catalog selects no stream: nothing is read"),
    }
    if shown && streams > 0 {
        print(&format!("{} of {streams} streams can be read\n", streams.saturating_sub(failed.len())))?;
    }
    Ok(failed)
}

/// The state in a file, or the list of states, if there is one.
fn read_state(path: &String) -> Result<Option<Value>, Error> {
    let mut states = Vec::new();
    files::read_lines("state", path, |found| keep_newest(&mut states, found))?;
    // Foreign entries of a state are copied to the output, and a target stores them.
    if states.iter().any(names_credentials) {
        let remedy = "give the last state of a run, or omit --state";
        return Err(wrong("state", Some(path), "it contains settings", remedy));
    }
    if states.is_empty() {
        log::warn(format!("{} contains no state: everything is read", files::named("state", path)));
    }
    Ok(if states.len() > 1 { Some(states.into()) } else { states.pop() })
}

/// Whether settings that are secret, or their variables, are named at any depth.
fn names_credentials(value: &Value) -> bool {
    let tape = Tape::read(value.to_string(), usize::MAX);
    tape.map_or(true, |tape| (0..=tape.root().count()).any(|number| is_credential(&tape.at(number).name())))
}

/// An error about a file that was named on the command line.
fn wrong(what: &str, path: Option<&String>, why: &str, remedy: &str) -> Error {
    let file = path.map_or(what.to_owned(), |path| files::named(what, path));
    Error::config(format!("{file}: {why}; {remedy}"))
}
