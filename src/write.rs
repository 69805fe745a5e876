//! The other end of the channel: events become messages, and people are told how each stream ended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::sync::mpsc;

use crate::error::Error;
use crate::log;
use crate::protocol::{Event, Sink, Tally};

/// Writes events until there are no more or `stop` is set, and tells people how each stream ended.
/// Returns the streams that failed, and why. `streams`: how many will end, and whether only a sample of
/// each is read.
///
/// # Errors
/// Output, if stdout is closed.
pub fn write(
    mut events: mpsc::Receiver<Event>,
    sink: &mut dyn Sink,
    (streams, sample): (usize, bool),
    stop: &AtomicBool,
) -> Result<Vec<(String, Error)>, Error> {
    let success = if sample { "readable" } else { "complete" };
    let (mut failed, mut finished, mut total) = (Vec::new(), 0, Tally::default());
    let begun = Instant::now();
    while let Some(event) = events.blocking_recv()
        && !stop.load(Ordering::Relaxed)
    {
        sink.write(&event).map_err(|cause| Error::output(&cause))?;
        match event {
            Event::Finished { stream, tally } => {
                log::info(format!("{}: {success}, {}", stream.name, words(&tally)));
                finished += 1;
                total.add(&tally);
            }
            Event::Failed { stream, tally, error } => {
                log::error(format!("{}: not {success}, {}: {error}", stream.name, words(&tally)));
                failed.push((stream.name.to_owned(), error));
                total.add(&tally);
            }
            Event::Started { .. } | Event::Page { .. } | Event::RateLimited { .. } => {}
        }
    }
    if stop.load(Ordering::Relaxed) {
        return Ok(failed);
    }
    total.seconds = begun.elapsed().as_secs_f64();
    log::info(format!("{finished} of {streams} streams {success}, {}", words(&total)));
    if finished + failed.len() < streams {
        let error = Error::broken("a stream ended without a word; this is a defect of tap-confluent-cloud");
        failed.push(("?".to_owned(), error));
    }
    Ok(failed)
}

fn words(tally: &Tally) -> String {
    let Tally { records, pages, requests, retries, seconds } = tally;
    format!("records {records}, pages {pages}, requests {requests}, retries {retries}, {seconds:.1} s")
}
