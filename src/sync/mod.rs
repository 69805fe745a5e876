//! The loop: request a page, move the position, send the page. Streams are read concurrently, and the next
//! page of a stream is requested while the last one is written.
//!
//! Knows neither HTTP nor message formats.

mod days;
mod emitted;
mod partitions;
mod pass;
mod plan;
mod sample;
mod teller;

use std::rc::Rc;
use std::sync::Arc;

use chrono::Utc;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::LocalSet;

use crate::error::Error;
use crate::log;
use crate::protocol::{Event, Selected, Tally};
use crate::shape::Records;
use crate::state::{Position, Resume};
use pass::Pass;
pub use plan::Plan;
pub use sample::Sample;
use teller::Teller;

/// Capacity of the channel from the readers to the writer. It is small, because each event may contain a page, and
/// pages that wait here are read again after a kill.
pub const EVENTS_IN_FLIGHT: usize = 2;

/// Reads all streams. Every outcome, including failures, is sent as an event.
pub async fn read(plan: Rc<Plan>, streams: Vec<Selected>, events: mpsc::Sender<Event>) {
    let permits = Arc::new(Semaphore::new(plan.concurrency));
    let tasks = LocalSet::new();
    for selected in streams {
        // Tasks are polled in the order in which they were made, and a semaphore is fair: streams start in
        // the order of the plan.
        let (permits, events, plan) = (permits.clone(), events.clone(), plan.clone());
        let read = async move {
            let _permit = permits.acquire_owned().await;
            let stream = selected.stream;
            let (tally, outcome) = read_one(plan, selected, events.clone()).await;
            // The channel is closed only if stdout was closed, and the writer reports that.
            let _ = events.send(Event::Ended { stream, tally, outcome }).await;
        };
        tasks.spawn_local(read);
    }
    drop(events);
    tasks.await;
}

async fn read_one(
    plan: Rc<Plan>,
    mut selected: Selected,
    events: mpsc::Sender<Event>,
) -> (Tally, Result<(), Error>) {
    let position = std::mem::replace(&mut selected.position, Position::Start);
    let name = selected.stream.name;
    let bookmark = match position.resume(&plan.access, Utc::now(), selected.skip_complete) {
        Resume::At(bookmark) => {
            if !bookmark.is_first() {
                log::info(format!("{name}: resuming where the last run stopped"));
            }
            bookmark
        }
        Resume::Over(bookmark, why) => {
            log::warn(format!("{name}: {why}; reading it from the first page"));
            bookmark
        }
        Resume::Skip => {
            log::info(format!("{name}: read completely in an earlier attempt of this sync; skipped"));
            return (Tally::default(), skip(&plan, selected, events).await);
        }
    };
    Pass::new(plan, &selected, bookmark, events).run(selected.schema).await
}

/// Sends that there is nothing to read.
async fn skip(plan: &Plan, selected: Selected, events: mpsc::Sender<Event>) -> Result<(), Error> {
    let Selected { stream, schema, .. } = selected;
    let position = Position::Complete { access: plan.access.clone(), records: None, next: None };
    let (records, tally, received_at) = (Records::default(), Tally::default(), Utc::now());
    let teller = Teller::new(stream, events);
    teller.say(Event::Started { stream, schema, position: position.clone() }).await?;
    teller.say(Event::Page { stream, records, position, received_at, tally }).await
}
