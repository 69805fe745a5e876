//! The binary on a terminal: a pseudo-terminal takes what it writes, and what is on the screen is known at
//! every moment.

use std::fs::File;
use std::io::Read;
use std::num::NonZero;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::pty::{Winsize, openpty};
use tempfile::TempDir;

use super::tap::Tap;

/// What of it is the terminal; the other is a pipe.
#[derive(Clone, Copy, PartialEq)]
pub enum Seen {
    Stdout,
    Stderr,
    Both,
}

/// A run on a terminal of 200 lines of 100 columns.
pub struct Terminal {
    child: Child,
    written: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<Vec<u8>>>,
    stalled: Arc<AtomicBool>,
    hung_up: Arc<AtomicBool>,
    secrets: Vec<String>,
    started: Instant,
    _files: Rc<TempDir>,
}

impl Tap<'_> {
    /// Starts it on a terminal of a kind that can be drawn on, unless TERM is given.
    pub fn on_terminal(self, seen: Seen) -> Terminal {
        self.on_terminal_of(seen, 200, 100)
    }

    /// The same, on a terminal of so many lines and columns.
    pub fn on_terminal_of(self, seen: Seen, ws_row: u16, ws_col: u16) -> Terminal {
        let size = Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 };
        // Copies are closed in children, and the originals here: nobody else keeps the terminal open.
        let (master, slave) = {
            let pair = openpty(Some(&size), None).unwrap();
            (pair.master.try_clone().unwrap(), pair.slave.try_clone().unwrap())
        };
        let (mut command, _) = self.command();
        if !self.gives("TERM") {
            command.env("TERM", "xterm");
        }
        let end = || Stdio::from(slave.try_clone().unwrap());
        command.stdout(if seen == Seen::Stderr { Stdio::piped() } else { end() });
        command.stderr(if seen == Seen::Stdout { Stdio::piped() } else { end() });
        let mut child = command.spawn().unwrap();
        // The last copies of this end on our side: what is left is the child's, so that its end is noticed.
        drop((command, slave));
        let written = Arc::new(Mutex::new(Vec::new()));
        let (stalled, hung_up) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let ends = [Arc::clone(&stalled), Arc::clone(&hung_up)];
        let mut readers = vec![read(File::from(master), Arc::clone(&written), ends)];
        readers.extend(child.stdout.take().map(|pipe| read(pipe, Arc::default(), Default::default())));
        readers.extend(child.stderr.take().map(|pipe| read(pipe, Arc::default(), Default::default())));
        let (secrets, started, _files) = (self.secrets(), Instant::now(), Rc::clone(&self.files));
        Terminal { child, written, readers, stalled, hung_up, secrets, started, _files }
    }
}

impl Terminal {
    /// What is on the screen: a line of the log is one line here, however wide it is.
    pub fn screen(&self) -> Vec<String> {
        let mut terminal = vt100::Parser::new(NonZero::new(200).unwrap(), NonZero::new(100).unwrap(), 0);
        terminal.process(&self.written.lock().unwrap());
        terminal.screen().contents().lines().map(str::to_owned).collect()
    }

    /// All that was written to the terminal so far.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }

    /// Sends a signal: `TERM`, `INT`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status();
        assert!(sent.unwrap().success());
    }

    /// Leaves what is written to the terminal unread from now on.
    pub fn stall(&self) {
        self.stalled.store(true, Ordering::Relaxed);
    }

    /// Closes the terminal. Something has to be drawn still, for that to be noticed.
    pub fn hang_up(&mut self) {
        self.hung_up.store(true, Ordering::Relaxed);
        self.readers.remove(0).join().unwrap();
        self.readers.insert(0, thread::spawn(Vec::new));
    }

    /// Waits for the end; gives its exit code and what it wrote to the pipe, if there is one.
    pub fn finish(&mut self) -> (Option<i32>, String) {
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(self.started.elapsed() < Duration::from_secs(60), "it does not end: {}", self.written());
            thread::sleep(Duration::from_millis(1));
        };
        let mut read: Vec<Vec<u8>> = self.readers.drain(..).map(|reader| reader.join().unwrap()).collect();
        let piped = String::from_utf8_lossy(&read.split_off(1).concat()).into_owned();
        for secret in &self.secrets {
            assert!(!self.written().contains(secret) && !piped.contains(secret), "the secret is shown");
        }
        assert!(!self.written().contains("panicked") && !piped.contains("panicked"), "it panicked");
        (status.code(), piped)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("\non the screen:\n{}", self.screen().join("\n"));
        }
    }
}

/// Reads to the end, which is an error where it is that of a terminal, or until it is to close its end.
fn read(
    mut from: impl Read + Send + 'static,
    kept: Arc<Mutex<Vec<u8>>>,
    [stalled, hung_up]: [Arc<AtomicBool>; 2],
) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            kept.lock().unwrap().extend(&bytes[..read]);
            while stalled.load(Ordering::Relaxed) && !hung_up.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(1));
            }
            if hung_up.load(Ordering::Relaxed) {
                break;
            }
        }
        kept.lock().unwrap().clone()
    })
}
