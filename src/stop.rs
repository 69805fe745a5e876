//! SIGTERM and SIGINT: requests a stop, waits briefly for the last line and STATE to be written, and then
//! terminates with the signal, as its sender expects.

use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::sync::watch;

use crate::log;

/// Time limit for writing the last line and STATE if stdout is not read.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Waits for the first signal. The process dies of it once all clones are dropped after the signal, at the latest
/// 2 s after it.
#[derive(Clone)]
pub struct Stop {
    stopping: watch::Receiver<bool>,
    /// Its end tells the signal's thread that the last words are out.
    done: Sender<()>,
}

impl Stop {
    /// A separate thread listens, so that neither a wait nor a blocked stdout delays it.
    ///
    /// # Errors
    /// Those of installing a signal handler.
    pub fn listen() -> std::io::Result<Stop> {
        let mut signals = Signals::new([SIGTERM, SIGINT])?;
        let (stop, stopping) = watch::channel(false);
        let (done, is_done) = channel();
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            if let Some(signal) = signals.forever().next() {
                stop.send_replace(true);
                let _ = is_done.recv_timeout(LAST_WORDS);
                // The kernel ignores default actions for process 1, which we are in a container.
                if std::process::id() != 1 {
                    let _ = signal_hook::low_level::emulate_default_handler(signal);
                }
                std::process::exit(128 + signal);
            }
        })?;
        Ok(Stop { stopping, done })
    }

    /// Whether a signal has come; for another thread to look at.
    pub fn flag(&self) -> watch::Receiver<bool> {
        self.stopping.clone()
    }

    /// Returns once a signal has come.
    pub async fn told(&self) {
        let _ = self.flag().wait_for(|stopping| *stopping).await;
    }

    /// Lets the signal that came end the process, once nobody else holds this.
    pub async fn die(self) -> ! {
        log::warn("stopped by a signal; run again with the last STATE to resume");
        drop(self.done);
        std::future::pending().await
    }
}
