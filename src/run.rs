//! One run: looks up the organization of the key, then reads or samples the selected streams on one thread
//! and writes them on another. Knows neither the command line nor a protocol by name.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::mpsc;

use crate::api::Client;
use crate::api::listing::Rows;
use crate::api::organization::Organization;
use crate::check;
use crate::config::{Config, Doubt};
use crate::error::{Error, Kind};
use crate::log;
use crate::protocol::{Selected, Sink};
use crate::secret::Secret;
use crate::shape::RecordOptions;
use crate::stop::Stop;
use crate::sync::{self, Plan, Sample};
use crate::write;

/// How a run ended.
pub struct Outcome {
    /// Streams that were not read completely, and why. These errors have been logged.
    pub failed: Vec<(String, Error)>,
    /// The warning, if lists may be shortened.
    pub shortened: Option<String>,
}

/// Looks up the organization of the key and reads or samples the selected streams.
pub fn run(
    config: &Config,
    streams: Vec<Selected>,
    sink: Box<dyn Sink>,
    sample: bool,
) -> Result<Outcome, Error> {
    let is_refused = |selected: &&Selected| config.api_key.is_none() && selected.stream.key_only;
    if let Some(Selected { stream, .. }) = streams.iter().find(is_refused) {
        return Err(Error::config(format!(
            "the service of {} accepts no token of an identity pool: do not select it, or give api_key and \
             api_secret",
            stream.name
        )));
    }
    let (client, mut rows) = (Rc::new(Client::new(config)?), Rows::default());
    let stop = Stop::listen();
    let stop = stop.map_err(|error| Error::broken(format!("signals cannot be handled: {error}")))?;
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::broken(format!("the runtime cannot be set up: {error}")))?;
    runtime.block_on(async {
        let (organization, looks) = tokio::select! {
            found = look_up(&client, &rows, config) => found?,
            () = stop.told() => stop.die().await,
        };
        let names: Vec<_> = streams.iter().map(|selected| selected.stream.name).collect();
        let verb = if sample { "checking" } else { "reading" };
        log::info(format!("{organization}: {verb} {}", names.join(", ")));
        // The organization is looked up as for a read, or a check could fail where a read does not.
        rows.most = sample.then_some(Sample::OF_PARENTS);
        let key = config.personal_data_key.as_ref().map(Secret::expose);
        let id = organization.id.clone();
        let plan = Rc::new(Plan {
            access: organization.access(&client),
            client,
            rows,
            organization,
            concurrency: config.concurrency,
            options: RecordOptions::new(id, config.schema_drift, config.offered.personal_data, key),
            start_date: config.start_date,
            days_late: config.cost_days_late,
            may_be_empty: config.empty_lists == Doubt::Warn,
            sample,
        });
        pump(plan, streams, sink, stop, looks).await
    })
}

/// The organization, and whether the look-up that detects shortened lists is still to be done. If it can fail the
/// run, it is done first, because rows that a target has dropped cannot be restored.
async fn look_up(client: &Client, rows: &Rows, config: &Config) -> Result<(Organization, bool), Error> {
    let organization = Organization::look_up(client, rows, config, &check::tell).await?;
    if config.shortened_lists == Doubt::Fail {
        match check::shortened(client, &organization, true).await {
            Ok(Some(words)) => {
                return Err(Error::new(Kind::Denied, format!("{words}. shortened_lists: fail")));
            }
            Ok(None) => {}
            Err(error) => log::warn(format!("cannot tell whether lists may be shortened: {error}")),
        }
    }
    Ok((organization, config.shortened_lists == Doubt::Warn))
}

/// How long a finished sync waits for the look-up that warns of shortened lists.
const LAST_LOOK: Duration = Duration::from_secs(10);

/// Reads on this thread and writes on another, so that a slow reader of stdout delays neither requests nor
/// signals. `looks`: whether to look up, beside the reading, if lists may be shortened.
async fn pump(
    plan: Rc<Plan>,
    selected: Vec<Selected>,
    mut sink: Box<dyn Sink>,
    stop: Stop,
    looks: bool,
) -> Result<Outcome, Error> {
    let stops = stop.flag();
    let (streams, sample) = (selected.len(), plan.sample);
    let (events, received) = mpsc::channel(sync::EVENTS_IN_FLIGHT);
    let mut writing =
        tokio::task::spawn_blocking(move || write::write(received, sink.as_mut(), streams, sample, &stops));
    let shortened = RefCell::new(None);
    let look = async {
        let looked =
            if looks { check::shortened(&plan.client, &plan.organization, false).await } else { Ok(None) };
        match looked {
            Ok(words) => {
                words.iter().for_each(log::warn);
                *shortened.borrow_mut() = words;
            }
            Err(error) => log::debug(format!("cannot tell whether lists may be shortened: {error}")),
        }
    };
    let mut reading = Box::pin(async { tokio::join!(sync::read(plan.clone(), selected, events), look) });
    let mut read = false;
    let written = loop {
        tokio::select! {
            _ = &mut reading, if !read => read = true,
            written = &mut writing => break written,
            () = stop.told() => {
                drop(reading);
                let _ = writing.await;
                stop.die().await;
            }
        }
    };
    // A writer that was stopped returns no error, although it is not at the end.
    if stop.is_told() {
        stop.die().await;
    }
    let was_told = shortened.borrow().is_some();
    if !read && matches!(written, Ok(Ok(_))) {
        // Only the look-up that warns is left, and it is not worth a long wait.
        let _ = tokio::time::timeout(LAST_LOOK, reading).await;
    }
    let shortened = shortened.take();
    if was_told {
        shortened.iter().for_each(log::warn);
    }
    let broke_off = "the writer stopped unexpectedly; this is a bug in tap-confluent-cloud";
    let failed = written.unwrap_or_else(|_| Err(Error::broken(broke_off)))?;
    Ok(Outcome { failed, shortened })
}
