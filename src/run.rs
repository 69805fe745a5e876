//! One run: looks up the organization of the key, then reads or samples the selected streams on one thread
//! and writes them on another. Knows neither the command line nor a protocol by name.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use serde_json::{Value, json};
use tokio::runtime::Builder;
use tokio::sync::{OnceCell, mpsc};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::api::Client;
use crate::api::listing::Rows;
use crate::api::organization::{Organization, short_hash};
use crate::check::{self, Owner};
use crate::config::Config;
use crate::error::{Error, Kind};
use crate::extractions::Extractions;
use crate::log;
use crate::protocol::{Request, Selected, Sink, Tally};
use crate::secret::Secret;
use crate::shape::{Personal, RecordOptions, Shape};
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

/// What is looked up before anything is read.
#[derive(Default)]
struct Found {
    organization: Organization,
    /// What was found about the owner of the key, if that was looked up.
    owner: OnceCell<Option<Owner>>,
}

/// Looks up the organization of the key and reads or samples the streams that are asked for.
pub fn run(config: &Config, asked: Request, sample: bool) -> Result<Outcome, Error> {
    let Request { mut streams, missing: mut unread, mut sink } = asked;
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
    let history = streams.extract_if(.., |selected| selected.stream.is_history()).next();
    let held = stop.clone();
    let work = async {
        let mut found = Found::default();
        let looked = look_up(&client, &rows, history.is_some(), &mut found).await;
        let access = found.organization.access(&client);
        let id = access.organization_id.clone();
        let is_hashed = config.offered.personal_data == Personal::Hash;
        let key = config.personal_data_key.as_ref().filter(|_| is_hashed).map(Secret::expose);
        let options = RecordOptions::new(id, config.schema_drift, config.offered.personal_data, key);
        if let Some(selected) = history {
            let shape = Shape::new(selected.stream, &selected.deselected, options.clone());
            let facts = (!sample).then(|| facts(&client, &found, &options));
            let left = looked.as_ref().map_or(0, |()| streams.len());
            if let Err(error) = &looked {
                unread.extend(streams.iter().map(|other| (other.stream.name.to_owned(), error.clone())));
            }
            let (access, tally) = (access.clone(), Tally::default());
            let mut history = Extractions { sink, selected, shape, access, facts, left, tally };
            history.begin(&unread)?;
            sink = Box::new(history);
        }
        looked?;
        let names: Vec<_> = streams.iter().map(|selected| selected.stream.name).collect();
        let verb = if sample { "checking" } else { "reading" };
        log::info(format!("{}: {verb} {}", found.organization.words(), names.join(", ")));
        // The organization is looked up as for a read, or a check could fail where a read does not.
        rows.most = sample.then_some(Sample::OF_PARENTS);
        let plan = Rc::new(Plan { access, client, rows, organization: found.organization, options, sample });
        pump(plan, streams, sink, held, found.owner).await
    };
    runtime.block_on(async {
        tokio::select! {
            () = stop.told() => stop.die().await,
            // A writer that was stopped returns no error, although it is not at the end.
            outcome = work => if *stop.flag().borrow() { stop.die().await } else { outcome },
        }
    })
}

/// What every record of the history says of the run. Of the settings, it tells those that shape records from others
/// that would shape them otherwise.
fn facts(client: &Client, found: &Found, options: &RecordOptions) -> Value {
    let (config, personal, of_key) = (&client.config, options.personal, options.hash("settings"));
    let settings = format!("{personal:?} {of_key} {:?} {}", config.start_date, config.cost_days_late);
    let owner = found.owner.get().and_then(Option::as_ref);
    json!({
        "run_id": format!("{:032x}", fastrand::u128(..)),
        "masked_api_key": client.id_masked(),
        "owner_id": owner.map(|(id, _)| id),
        "may_be_shortened": owner.map(|(_, words)| words.is_some()),
        "connector_version": env!("CARGO_PKG_VERSION"),
        "settings_hash": short_hash(&settings),
    })
}

/// Looks up the organization, and the owner of the key if that can fail the run, because rows that a target has dropped
/// cannot be restored, or is recorded.
async fn look_up(client: &Client, rows: &Rows, is_recorded: bool, found: &mut Found) -> Result<(), Error> {
    found.organization = Organization::look_up(client, rows, &check::tell).await?;
    let fails = client.config.shortened_lists.fails();
    if fails || is_recorded {
        found.owner.get_or_init(|| check::owner(client, &found.organization, true)).await;
    }
    match found.owner.get() {
        Some(Some((_, Some(words)))) if fails => {
            Err(Error::new(Kind::Denied, format!("{words}. shortened_lists: fail")))
        }
        _ => Ok(()),
    }
}

/// How long a finished sync waits for the look-up that warns of shortened lists.
const LAST_LOOK: Duration = Duration::from_secs(10);

/// Reads on this thread and writes on another, so that a slow reader of stdout delays neither requests nor
/// signals. `stop`: held until the last line is written. `owner`: what was found about the owner of the key; else it is
/// looked up beside the reading.
async fn pump(
    plan: Rc<Plan>,
    selected: Vec<Selected>,
    mut sink: Box<dyn Sink>,
    stop: Stop,
    owner: OnceCell<Option<Owner>>,
) -> Result<Outcome, Error> {
    let (streams, sample) = (selected.len(), plan.sample);
    let (events, received) = mpsc::channel(sync::EVENTS_IN_FLIGHT);
    // `flag` makes the closure hold all of `stop`: of a field, it would hold that alone.
    let write = move || write::write(received, sink.as_mut(), streams, sample, &stop.flag());
    let broke_off = "the writer stopped unexpectedly; this is a bug in tap-confluent-cloud";
    let broken = |_| Err(Error::broken(broke_off));
    let writing = spawn_blocking(write).map(|written| written.unwrap_or_else(broken));
    let reading = sync::read(plan.clone(), selected, events).map(Ok);
    let work = pin!(async { tokio::try_join!(writing, reading) });
    let look = pin!(async {
        let owner = owner.get_or_init(|| check::owner(&plan.client, &plan.organization, false)).await;
        owner.as_ref().and_then(|(_, words)| words.clone())
    });
    let (worked, shortened) = match select(work, look).await {
        Either::Left((Err(error), _)) => return Err(error),
        // Only the look-up that warns is left, and it is not worth a long wait.
        Either::Left((worked, look)) => (worked, timeout(LAST_LOOK, look).await.unwrap_or_default()),
        Either::Right((words, work)) => {
            words.iter().for_each(log::warn);
            (work.await, words)
        }
    };
    shortened.iter().for_each(log::warn);
    let (failed, ()) = worked?;
    Ok(Outcome { failed, shortened })
}
