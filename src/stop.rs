//! SIGTERM and SIGINT: say once that it is time to stop, wait a moment for the last line and STATE to go
//! out, then die of the signal, as those who sent it expect.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// What stdout has to take the last line and STATE, if nobody reads it.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Calls `stop` at the first signal. The process then dies of that signal once the sender that is
/// returned is used or dropped, at the latest after 2 s.
///
/// A thread of its own, so that neither a wait nor a blocked stdout delays it.
///
/// # Errors
/// Those of installing a signal handler.
pub fn on_signal(stop: impl FnOnce() + Send + 'static) -> std::io::Result<Sender<()>> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let (done, is_done) = channel();
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            stop();
            die(signal, &is_done);
        }
    })?;
    Ok(done)
}

fn die(signal: i32, is_done: &Receiver<()>) -> ! {
    let _ = is_done.recv_timeout(LAST_WORDS);
    // The kernel ignores default actions for process 1, as which containers run us.
    if std::process::id() != 1 {
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
    std::process::exit(128 + signal)
}
