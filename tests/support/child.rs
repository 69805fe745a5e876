//! A running binary whose stdout is read only as far as a test asks: to be killed, signalled, or
//! left to wait.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, ExitStatus};
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use simulator::Simulator;
use tempfile::TempDir;

use super::run::{Run, without_stamps};

/// What the reader of stdout may do, and what it has read.
struct Reading {
    /// Lines it may still read.
    allowed: usize,
    /// Close stdout at the next chance.
    close: bool,
    bytes: Vec<u8>,
    lines: usize,
    ended: bool,
}

type Shared<T> = Arc<(Mutex<T>, Condvar)>;

pub struct Spawned<'s> {
    child: Child,
    stdout: Shared<Reading>,
    stderr: Arc<Mutex<Vec<u8>>>,
    threads: Vec<JoinHandle<()>>,
    sim: Option<&'s Simulator>,
    /// Requests that the simulator had seen before.
    before: usize,
    command: String,
    speaks_singer: bool,
    secrets: Vec<String>,
    files: Rc<TempDir>,
    /// The day that its clock shows, if it is another than today.
    date: Option<String>,
    started: Instant,
    limit: Duration,
    finished: bool,
}

/// Waits until something is so; fails with these words after half a minute.
pub fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < Duration::from_secs(30), "waited in vain until {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

impl<'s> Spawned<'s> {
    #[expect(clippy::too_many_arguments, reason = "called from one place, which takes itself apart")]
    pub(super) fn start(
        mut command: Command,
        said: String,
        speaks_singer: bool,
        secrets: Vec<String>,
        sim: Option<&'s Simulator>,
        files: Rc<TempDir>,
        limit: Duration,
    ) -> Self {
        let before = sim.map_or(0, |sim| sim.requests().len());
        let mut child = command.spawn().unwrap();
        let reading = Reading { allowed: 0, close: false, bytes: Vec::new(), lines: 0, ended: false };
        let stdout: Shared<Reading> = Arc::new((Mutex::new(reading), Condvar::new()));
        let stderr = Arc::new(Mutex::new(Vec::new()));
        let out = child.stdout.take().unwrap();
        let mut err = child.stderr.take().unwrap();
        let (told, kept) = (Arc::clone(&stdout), Arc::clone(&stderr));
        let threads = vec![
            thread::spawn(move || read_lines(out, &told)),
            thread::spawn(move || {
                let mut bytes = [0; 4096];
                while let Ok(read @ 1..) = err.read(&mut bytes) {
                    kept.lock().unwrap().extend(&bytes[..read]);
                }
            }),
        ];
        Self {
            child,
            stdout,
            stderr,
            threads,
            sim,
            before,
            command: said,
            speaks_singer,
            secrets,
            files,
            date: None,
            started: Instant::now(),
            limit,
            finished: false,
        }
    }

    pub(super) fn on(mut self, date: Option<String>) -> Self {
        self.date = date;
        self
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Reads so many lines more, or to the end of stdout if that comes first.
    pub fn read_lines(&self, count: usize) {
        let (reading, changed) = &*self.stdout;
        let mut reading = reading.lock().unwrap();
        let wanted = reading.lines + count;
        reading.allowed += count;
        changed.notify_all();
        while reading.lines < wanted && !reading.ended {
            let (again, waited) = changed.wait_timeout(reading, Duration::from_secs(30)).unwrap();
            reading = again;
            let so_far = reading.lines;
            if waited.timed_out() {
                drop(reading);
                panic!("waited in vain for line {wanted} of stdout, {so_far} came");
            }
        }
    }

    /// Lines of stdout read so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout.0.lock().unwrap().bytes).into_owned()
    }

    pub fn stderr(&self) -> String {
        without_stamps(&String::from_utf8_lossy(&self.stderr.lock().unwrap()), self.date.as_deref())
    }

    /// Lets stdout be read as it comes, without waiting for it.
    pub fn read_freely(&self) {
        let (reading, changed) = &*self.stdout;
        reading.lock().unwrap().allowed = usize::MAX / 2;
        changed.notify_all();
    }

    /// Closes our end of stdout.
    pub fn close_stdout(&self) {
        let (reading, changed) = &*self.stdout;
        let mut reading = reading.lock().unwrap();
        reading.close = true;
        changed.notify_all();
        while !reading.ended {
            reading = changed.wait(reading).unwrap();
        }
    }

    /// Sends a signal: `TERM`, `INT`, `KILL`.
    pub fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success(), "{command}");
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Reads everything and waits for the end.
    pub fn finish(self) -> Run {
        self.read_freely();
        self.end(true)
    }

    /// Reads everything and waits for the end; says, too, how many KiB were ever resident at most.
    pub fn finish_measured(mut self) -> (Run, u64) {
        self.read_freely();
        let status = format!("/proc/{}/status", self.id());
        let mut peak = 0;
        while self.is_running() && self.started.elapsed() < self.limit {
            let status = std::fs::read_to_string(&status).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let now = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
            peak = now.map_or(peak, |now: u64| peak.max(now));
            thread::sleep(Duration::from_millis(1));
        }
        (self.finish(), peak)
    }

    /// Waits for the end while nobody reads; what is left in the pipe is read afterwards, and its
    /// last line may be cut off.
    pub fn finish_unread(self) -> Run {
        self.end(false)
    }

    fn end(mut self, is_read: bool) -> Run {
        let (status, in_time) = self.wait();
        let seconds = self.started.elapsed().as_secs_f64();
        self.read_freely();
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
        self.finished = true;
        let run = Run {
            command: std::mem::take(&mut self.command),
            seed: self.sim.map(Simulator::seed),
            status,
            seconds,
            stdout: self.text(),
            stderr: self.stderr(),
            messages: Vec::new(),
            requests: self.sim.map(|sim| sim.requests().split_off(self.before)).unwrap_or_default(),
            _files: Rc::clone(&self.files),
        };
        assert!(in_time, "it had to be killed after {seconds:.1} s");
        // Those that were given meanwhile too.
        let tokens = self.sim.map(Simulator::tokens).unwrap_or_default();
        run.checked(self.speaks_singer, is_read, &[self.secrets.as_slice(), tokens.as_slice()].concat())
    }

    fn wait(&mut self) -> (ExitStatus, bool) {
        while self.started.elapsed() < self.limit {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, true);
            }
            thread::sleep(Duration::from_millis(1));
        }
        self.child.kill().unwrap();
        (self.child.wait().unwrap(), false)
    }
}

impl Drop for Spawned<'_> {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        // Both may find it gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!(
                "\nstill running: {}\nstdout:\n{}\nstderr:\n{}",
                self.command,
                self.text(),
                self.stderr()
            );
        }
    }
}

fn read_lines(stdout: ChildStdout, shared: &Shared<Reading>) {
    let (reading, changed) = &**shared;
    // Small, so that what is not asked for stays in the pipe.
    let mut stdout = BufReader::with_capacity(512, stdout);
    loop {
        {
            let mut reading = reading.lock().unwrap();
            while reading.allowed == 0 && !reading.close {
                reading = changed.wait(reading).unwrap();
            }
            if reading.close {
                drop(stdout);
                reading.ended = true;
                changed.notify_all();
                return;
            }
            reading.allowed -= 1;
        }
        let mut line = Vec::new();
        let read = stdout.read_until(b'\n', &mut line);
        let mut reading = reading.lock().unwrap();
        reading.bytes.append(&mut line);
        if matches!(read, Ok(1..)) {
            reading.lines += 1;
        } else {
            reading.ended = true;
        }
        changed.notify_all();
        if reading.ended {
            return;
        }
    }
}
