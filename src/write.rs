//! The receiving end of the channel: turns events into messages, and logs how each stream ended.

use std::time::Instant;

use tokio::sync::{mpsc, watch};

use crate::error::Error;
use crate::log;
use crate::progress::Progress;
use crate::protocol::{Event, Sink, Tally, line};

/// Writes events until there are no more or `stop` is set, and logs the progress and the result of each
/// stream. Returns the streams that failed, and why. `streams`: how many there are, and whether only a
/// sample of each is read.
///
/// # Errors
/// Output, if stdout is closed.
pub fn write(
    mut events: mpsc::Receiver<Event>,
    sink: &mut dyn Sink,
    streams: usize,
    sample: bool,
    stop: &watch::Receiver<bool>,
) -> Result<Vec<(String, Error)>, Error> {
    let success = if sample { "readable" } else { "complete" };
    let (mut failed, mut finished, mut total, mut shrunk) = (Vec::new(), 0, Tally::default(), Vec::new());
    let (begun, mut progress, mut lines) = (Instant::now(), Progress::default(), Vec::new());
    while let Some(event) = events.blocking_recv()
        && !*stop.borrow()
    {
        lines.clear();
        sink.say(&event, &mut lines);
        line(&lines).map_err(|cause| Error::output(&cause))?;
        progress.show(&event).iter().for_each(log::info);
        let Event::Ended { stream, tally, outcome } = event else { continue };
        total.records += tally.records;
        total.pages += tally.pages;
        total.requests += tally.requests;
        total.retries += tally.retries;
        let (name, took) = (stream.name, words(&tally));
        shrunk.extend(tally.shrunk.map(|[last, now]| format!("{name} (from {last} records to {now})")));
        match outcome {
            Ok(()) => {
                sink.tell(log::info, format!("{name}: {success}, {took}"));
                finished += 1;
            }
            Err(error) => {
                sink.tell(log::error, format!("{name}: not {success}, {took}: {error}"));
                failed.push((name.to_owned(), error));
            }
        }
    }
    if *stop.borrow() {
        return Ok(failed);
    }
    total.seconds = begun.elapsed().as_secs_f64();
    let last = format!("{finished} of {streams} streams {success}, {}", words(&total));
    match shrunk.as_slice() {
        [] => sink.tell(log::info, last),
        shrunk => sink.tell(log::warn, format!("{last}. Lists that have shrunk: {}", shrunk.join(", "))),
    }
    if finished + failed.len() < streams {
        let error = Error::broken("a stream ended without a result; this is a bug in tap-confluent-cloud");
        failed.push(("?".to_owned(), error));
    }
    Ok(failed)
}

fn words(tally: &Tally) -> String {
    let Tally { records, pages, requests, retries, seconds, .. } = tally;
    format!("records {records}, pages {pages}, requests {requests}, retries {retries}, {seconds:.1} s")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use chrono::Utc;

    use super::*;
    use crate::protocol::Silent;
    use crate::shape::Records;
    use crate::state::Position;
    use crate::streams::find;

    #[test]
    fn a_long_read_is_told_in_the_log() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let kept = told.clone();
        log::install(log::Level::Info, move |level, words| {
            // Tests beside this one may log, too.
            if words.starts_with("kafka_clusters: ") {
                kept.lock().unwrap().push(format!("{level:?} {words}"));
            }
        });
        let stream = find("kafka_clusters").unwrap();
        let (events, received) = mpsc::channel(8);
        let tally = Tally { records: 12_300, pages: 123, requests: 123, seconds: 60.0, ..Tally::default() };
        let (position, records, now) = (Position::Start, Records::default(), Utc::now());
        for event in [
            Event::Started { stream, schema: stream.schema(), position: position.clone() },
            Event::Page { stream, records, position, received_at: now, tally: tally.clone() },
            Event::Ended { stream, tally, outcome: Ok(()) },
        ] {
            events.try_send(event).unwrap();
        }
        drop(events);
        let failed = write(received, &mut Silent, 1, false, &watch::channel(false).1).unwrap();
        assert!(failed.is_empty());
        let expected = [
            "Info kafka_clusters: 12,300 records, 123 pages, 60 s",
            "Info kafka_clusters: complete, records 12300, pages 123, requests 123, retries 0, 60.0 s",
        ];
        assert_eq!(*told.lock().unwrap(), expected);
    }
}
