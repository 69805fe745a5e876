//! Sends the events of one stream, and logs its waits.

use std::cell::Cell;

use chrono::Utc;
use tokio::sync::mpsc;

use crate::api::Wait;
use crate::error::{Error, Kind};
use crate::log;
use crate::protocol::Event;
use crate::streams::Stream;

pub struct Teller {
    stream: &'static Stream,
    events: mpsc::Sender<Event>,
    /// Number of retries.
    pub retries: Cell<u64>,
}

impl Teller {
    pub fn new(stream: &'static Stream, events: mpsc::Sender<Event>) -> Teller {
        Teller { stream, events, retries: Cell::new(0) }
    }

    /// Sends an event, if there is one.
    ///
    /// # Errors
    /// Output, if the writer has stopped.
    pub async fn say(&self, event: impl Into<Option<Event>>) -> Result<(), Error> {
        let Some(event) = event.into() else { return Ok(()) };
        let gone = |_| Error::new(Kind::Output, "the writer has stopped");
        self.events.send(event).await.map_err(gone)
    }

    pub async fn tell(&self, wait: Wait) {
        self.retries.set(self.retries.get() + u64::from(wait.is_retry));
        log::info(format!("{}: {wait}", self.stream.name));
        if wait.is_rate_limit {
            let until = Utc::now() + wait.duration;
            // If the writer has stopped, the next page will fail.
            let _ = self.say(Event::RateLimited { stream: self.stream, until }).await;
        }
    }
}
