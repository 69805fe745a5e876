//! Parse, install the log's writer and the TLS provider, run, exit code. Only this module names them all.

use std::collections::HashMap;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::Utc;
use clap::Parser;
use serde_json::{Map, Value};
use tokio::sync::{Notify, mpsc};

use tap_confluent_cloud::api::Client;
use tap_confluent_cloud::cli::{Action, Arguments, Format, Protocol};
use tap_confluent_cloud::config::{self, Settings};
use tap_confluent_cloud::error::{Error, exit_code};
use tap_confluent_cloud::protocol::singer::{self, Singer, State, catalog as singer_catalog};
use tap_confluent_cloud::protocol::{Selected, Sink, line};
use tap_confluent_cloud::state::Resume;
use tap_confluent_cloud::streams::{STREAMS, Stream};
use tap_confluent_cloud::sync::{self, Plan};
use tap_confluent_cloud::{log, stop};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log::install(arguments.log_level, |level, line| {
        // A closed stderr is no reason to stop reading.
        let _ = writeln!(std::io::stderr(), "{} {line}", format!("{level:?}").to_uppercase());
    });
    std::panic::set_hook(Box::new(|defect| {
        log::error(format!("this is a defect of tap-confluent-cloud, please report it: {defect}"));
    }));
    // Fails only if a provider is installed already, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let errors = run(&arguments).unwrap_or_else(|error| {
        log::error(error.to_string());
        vec![error]
    });
    ExitCode::from(exit_code(&errors))
}

/// Does what the arguments ask for. Returns the errors that have been told already.
fn run(arguments: &Arguments) -> Result<Vec<Error>, Error> {
    let read =
        |what, path: &Option<String>| path.as_ref().map(|path| config::read_object(what, path)).transpose();
    let catalog = read("catalog", &arguments.catalog)?;
    let (action, protocol) = arguments.decide(catalog.as_ref());
    if protocol == Protocol::Airbyte {
        return Err(Error::config(
            "Airbyte's messages are not there yet; use the flags, or `read` without a catalog or with a Singer one",
        ));
    }
    if let Action::About(format) = action {
        return print(&about(format)).map(|()| Vec::new());
    }
    let settings = Settings::gather(&arguments.config, |name| std::env::var(name).ok())?;
    for name in settings.unknown() {
        log::warn(format!("settings: {name:?} is not a setting of tap-confluent-cloud, and is ignored"));
    }
    let names = settings.streams()?;
    let offered: Vec<_> =
        STREAMS.iter().filter(|stream| names.iter().any(|name| name == stream.name)).collect();
    if action == Action::Discover {
        return print(&format!("{:#}\n", singer_catalog::discover(&offered))).map(|()| Vec::new());
    }
    let state = read("state", &arguments.state)?;
    read_streams(&settings, offered, catalog, state, action == Action::Check)
}

fn print(text: &str) -> Result<(), Error> {
    line(text.as_bytes()).map_err(|cause| Error::output(&cause))
}

fn about(format: Format) -> String {
    let settings = serde_json::from_str(config::SCHEMA).unwrap_or_default();
    match format {
        Format::Json => format!("{:#}\n", singer::about(settings)),
        Format::Text => singer::about_text(&settings),
    }
}

/// Reads the streams that the catalog selects; `sample`: one record of each.
fn read_streams(
    settings: &Settings,
    offered: Vec<&'static Stream>,
    catalog: Option<Map<String, Value>>,
    state: Option<Map<String, Value>>,
    sample: bool,
) -> Result<Vec<Error>, Error> {
    let config = settings.enforce()?;
    let catalog =
        catalog.or_else(|| singer_catalog::discover(&offered).as_object().cloned()).unwrap_or_default();
    let selected = singer_catalog::select(&catalog, &offered)
        .map_err(|why| Error::config(format!("catalog: {why}; make one with --discover")))?;
    let state = State::read(state.unwrap_or_default()).map_err(|why| {
        Error::config(format!("state: {why}; mend it, or leave out --state to read everything"))
    })?;
    if selected.is_empty() {
        log::warn("the catalog selects no stream: nothing is read");
        return Ok(Vec::new());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::broken(format!("the runtime cannot be set up: {error}")))?;
    let client = Arc::new(Client::new(&config)?);
    runtime.block_on(async {
        let wanted = config.organization_id.as_deref();
        let organization = client.organization(wanted, &|wait| {
            log::info(format!("looking up the organization: waiting {:.1} s", wait.duration.as_secs_f64()));
        });
        let organization = organization.await?;
        let (selected, schemas): (Vec<Selected>, Vec<Value>) = selected.into_iter().unzip();
        let names: Vec<_> = selected.iter().map(|selected| selected.stream.name).collect();
        log::info(format!("{organization}: reading {}", names.join(", ")));
        let mut streams = Vec::new();
        for selected in selected {
            let (stream, position) = (selected.stream, state.position(selected.stream));
            match position.resume(stream.scope, organization.id.as_deref(), Utc::now(), false) {
                Resume::At(place) => {
                    if !place.is_first() {
                        log::info(format!("{}: resuming where the last run stopped", stream.name));
                    }
                    streams.push((selected, place));
                }
                Resume::Over(place, why) => {
                    log::warn(format!("{}: {why}; reading it from page one", stream.name));
                    streams.push((selected, place));
                }
                Resume::Skip => {}
            }
        }
        let schemas: HashMap<_, _> = names.into_iter().zip(schemas).collect();
        let plan = Plan { streams, organization, concurrency: config.concurrency, sample };
        pump(client, plan, Box::new(Singer::new(schemas, state))).await
    })
}

/// Reads on this thread and writes on another, so that a slow reader of stdout delays neither requests nor
/// signals.
async fn pump(client: Arc<Client>, plan: Plan, mut sink: Box<dyn Sink>) -> Result<Vec<Error>, Error> {
    let (stopping, told) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
    let (stop, tell) = (stopping.clone(), told.clone());
    let done = stop::on_signal(move || {
        stop.store(true, Ordering::Relaxed);
        tell.notify_one();
    })
    .map_err(|error| Error::broken(format!("signals cannot be handled: {error}")))?;
    let (streams, sample) = (plan.streams.len(), plan.sample);
    let (events, received) = mpsc::channel(sync::EVENTS_IN_FLIGHT);
    let mut writing = tokio::task::spawn_blocking(move || {
        sync::write(received, sink.as_mut(), (streams, sample), &stopping)
    });
    let reading = tokio::spawn(sync::read(client, plan, events));
    tokio::select! {
        written = &mut writing => {
            reading.abort();
            written.unwrap_or_else(|_| Err(Error::broken("writing broke off; this is a defect of the connector")))
        }
        () = told.notified() => {
            reading.abort();
            let _ = writing.await;
            log::warn("stopped by a signal; run again with the last STATE to go on");
            drop(done);
            std::future::pending().await
        }
    }
}
