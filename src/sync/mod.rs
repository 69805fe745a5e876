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
    let read = |selected| read_one(&plan, selected, &events);
    stream::iter(streams).for_each_concurrent(plan.client.config.concurrency, read).await;
}

async fn read_one(plan: &Rc<Plan>, selected: Selected, events: &mpsc::Sender<Event>) {
    let (stream, now) = (selected.stream, Utc::now());
    let name = stream.name;
    let (position, skip) = (selected.position.clone(), selected.skip_complete);
    let begin = position.resume(&plan.access, now, skip).unwrap_or_else(|why| {
        log::warn(format!("{name}: {why}; reading it from the first page"));
        Some(Bookmark::first(&plan.access, now))
    });
    let (mut tally, mut outcome) = (Tally::default(), Ok(()));
    // The channel is closed only if stdout was closed, and the writer reports that.
    if let Some(begin) = begin {
        if !begin.is_first() {
            log::info(format!("{name}: resuming where the last run stopped"));
        }
        let pass = Pass::new(plan.clone(), &selected, begin, events.clone());
        (tally, outcome) = pass.run(selected.schema).await;
    } else {
        log::info(format!("{name}: read completely in an earlier attempt of this sync; skipped"));
        let position = Position::Complete { access: plan.access.clone(), records: None, next: None };
        let (schema, records, tally) = (selected.schema, Records::default(), tally.clone());
        let _ = events.send(Event::Started { stream, schema, position: position.clone() }).await;
        let _ = events.send(Event::Page { stream, records, position, received_at: now, tally }).await;
    }
    let _ = events.send(Event::Ended { stream, tally, outcome }).await;
}
