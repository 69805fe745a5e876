//! The loop: ask for a page, move the position, say the page. Streams are read side by side, and the next
//! page of a stream is asked for while the last is written.
//!
//! Knows neither HTTP nor message formats.

mod emitted;
mod pass;
mod sample;

use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinSet, LocalSet};

use crate::api::Client;
use crate::api::organization::Organization;
use crate::error::{Error, Kind};
use crate::log;
use crate::protocol::{Event, Selected};
use crate::shape::Form;
use crate::state::{Access, Place, Resume};
use crate::streams::Stream;
use pass::Pass;

/// Events between the readers and the writer. Small: each may hold a page, and what waits here is read
/// again after a kill.
pub const EVENTS_IN_FLIGHT: usize = 2;

/// What to read, and how.
pub struct Plan {
    pub organization: Organization,
    /// What the positions are read with.
    pub access: Access,
    /// Streams, and what to do with each.
    pub streams: Vec<(Selected, Resume)>,
    pub concurrency: usize,
    /// The form of the records.
    pub form: Form,
    /// Whether an empty list is taken for an answer also where no organization can have one.
    pub may_be_empty: bool,
    /// Ask for no more than tells whether the streams can be read, say the first record of each, and move no
    /// position.
    pub sample: bool,
}

/// Reads all streams of the plan to their end. Every outcome, failures included, is said as an event.
pub async fn read(client: Rc<Client>, mut plan: Plan, events: mpsc::Sender<Event>) {
    let permits = Arc::new(Semaphore::new(plan.concurrency));
    let mut tasks = JoinSet::new();
    let tasks_of_one_thread = LocalSet::new();
    for (selected, resume) in std::mem::take(&mut plan.streams) {
        // Tasks are polled in the order in which they were made, and a semaphore is fair: streams start in
        // the order of the plan.
        let (permits, events, stream) = (permits.clone(), events.clone(), selected.stream);
        let pass = Pass::new(client.clone(), &plan, selected, events.clone());
        let read = async move {
            let _permit = permits.acquire_owned().await;
            let outcome = match begin(stream, resume) {
                Some(place) => pass.run(place).await,
                None => pass.skip().await,
            };
            let last = match outcome {
                (tally, Ok(())) => Event::Finished { stream, tally },
                (tally, Err(error)) => Event::Failed { stream, tally, error },
            };
            // Only a reader of stdout that has gone closes the channel, and the writer tells of that.
            let _ = events.send(last).await;
        };
        tasks.spawn_local_on(read, &tasks_of_one_thread);
    }
    drop(events);
    tasks_of_one_thread.await;
}

/// The place to begin at, told to people; none if there is nothing to read.
fn begin(stream: &Stream, resume: Resume) -> Option<Place> {
    match resume {
        Resume::At(place) => {
            if !place.is_first() {
                log::info(format!("{}: resuming where the last run stopped", stream.name));
            }
            Some(place)
        }
        Resume::Over(place, why) => {
            log::warn(format!("{}: {why}; reading it from page one", stream.name));
            Some(place)
        }
        Resume::Skip => {
            log::info(format!("{}: read to its end by an earlier try of this run, skipped", stream.name));
            None
        }
    }
}

fn gone(_: mpsc::error::SendError<Event>) -> Error {
    Error::new(Kind::Output, "nobody takes the records any more")
}
