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

use chrono::Utc;
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;

use crate::error::Error;
use crate::log;
use crate::protocol::{Event, Selected, Tally};
use crate::shape::Records;
use crate::state::{Bookmark, Position};
use pass::Pass;
pub use plan::Plan;
pub use sample::Sample;

/// Capacity of the channel from the readers to the writer. It is small, because each event may contain a page, and
/// pages that wait here are read again after a kill.
pub const EVENTS_IN_FLIGHT: usize = 2;

/// Reads all streams, which start in their order. Every outcome, including failures, is sent as an event.
pub async fn read(plan: Rc<Plan>, streams: Vec<Selected>, events: mpsc::Sender<Event>) {
    let read = async |selected: Selected| {
        let stream = selected.stream;
        let (tally, outcome) = read_one(&plan, selected, &events).await;
        // The channel is closed only if stdout was closed, and the writer reports that.
        let _ = events.send(Event::Ended { stream, tally, outcome }).await;
    };
    stream::iter(streams).for_each_concurrent(plan.client.config.concurrency, read).await;
}

async fn read_one(
    plan: &Rc<Plan>,
    mut selected: Selected,
    events: &mpsc::Sender<Event>,
) -> (Tally, Result<(), Error>) {
    let (stream, now) = (selected.stream, Utc::now());
    let name = stream.name;
    let position = std::mem::replace(&mut selected.position, Position::Start);
    let begin = position.resume(&plan.access, now, selected.skip_complete).unwrap_or_else(|why| {
        log::warn(format!("{name}: {why}; reading it from the first page"));
        Some(Bookmark::first(&plan.access, now))
    });
    let Some(begin) = begin else {
        log::info(format!("{name}: read completely in an earlier attempt of this sync; skipped"));
        let position = Position::Complete { access: plan.access.clone(), records: None, next: None };
        let (schema, records, tally) = (selected.schema, Records::default(), Tally::default());
        let begun = Event::Started { stream, schema, position: position.clone() };
        let page = Event::Page { stream, records, position, received_at: now, tally };
        let _ = events.send(begun).await;
        let _ = events.send(page).await;
        return (Tally::default(), Ok(()));
    };
    if !begin.is_first() {
        log::info(format!("{name}: resuming where the last run stopped"));
    }
    Pass::new(plan.clone(), &selected, begin, events.clone()).run(selected.schema).await
}
