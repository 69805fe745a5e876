//! Runs a program to its end, and says what it took.

use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use simulator::Simulator;

use crate::contender::Contender;

/// Runs of each contender; the median counts.
pub const ROUNDS: usize = 7;

/// What a run took.
#[derive(Clone, Copy)]
pub struct Took {
    /// Seconds of CPU.
    pub cpu: f64,
    /// Seconds.
    pub wall: f64,
    pub records: u64,
}

fn cpu_of_children() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel counts CPU time");
    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    seconds(usage.user_time()) + seconds(usage.system_time())
}

/// Runs a command to its end, its output counted as fast as it comes.
///
/// # Panics
/// If the command fails.
pub fn run(command: &mut Command) -> Took {
    let (cpu, begun) = (cpu_of_children(), Instant::now());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let mut records = Records::default();
    io::copy(&mut child.stdout.take().expect("its stdout is piped"), &mut records).expect("it can be read");
    let status = child.wait().expect("it ends");
    assert!(status.success(), "{command:?} ended with {status}");
    Took { cpu: cpu_of_children() - cpu, wall: begun.elapsed().as_secs_f64(), records: records.found }
}

/// Counts the lines that are records, by what both protocols begin these with, and forgets them.
#[derive(Default)]
struct Records {
    found: u64,
    /// The beginning of the line that the next bytes go on with.
    begun: Vec<u8>,
}

const RECORD: &[u8] = b"{\"type\":\"RECORD\"";

impl io::Write for Records {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        loop {
            let missing = RECORD.len() - self.begun.len();
            let end = memchr::memchr(b'\n', rest);
            let line = &rest[..end.unwrap_or(rest.len())];
            self.begun.extend_from_slice(&line[..missing.min(line.len())]);
            let Some(end) = end else { return Ok(bytes.len()) };
            self.found += u64::from(self.begun == RECORD);
            self.begun.clear();
            rest = &rest[end + 1..];
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The most memory ever resident, in MiB, and how many records came. `pace`: bytes a second that are read; none for
/// as many as come.
///
/// # Panics
/// If the command fails.
pub fn peak(command: &mut Command, pace: Option<u64>) -> (f64, u64) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let status = format!("/proc/{}/status", child.id());
    let stdout = child.stdout.take().expect("its stdout is piped");
    let reading = std::thread::spawn(move || {
        let mut records = Records::default();
        let read = match pace {
            None => io::copy(&mut { stdout }, &mut records),
            Some(pace) => io::copy(&mut Slow::new(stdout, pace), &mut records),
        };
        read.map(|_| records.found)
    });
    let mut peak = 0;
    while child.try_wait().expect("it can be waited for").is_none() {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
        peak = now.map_or(peak, |now: u64| peak.max(now));
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(child.wait().expect("it has ended").success(), "{command:?} failed");
    let records = reading.join().expect("a thread that reads").expect("its output can be read");
    (peak as f64 / 1024.0, records)
}

/// A reader that takes no more than so many bytes a second.
struct Slow<R> {
    from: R,
    pace: u64,
    begun: Instant,
    read: u64,
}

impl<R> Slow<R> {
    fn new(from: R, pace: u64) -> Self {
        Self { from, pace, begun: Instant::now(), read: 0 }
    }
}

impl<R: Read> Read for Slow<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let due = Duration::from_secs_f64(self.read as f64 / self.pace as f64);
        std::thread::sleep(due.saturating_sub(self.begun.elapsed()));
        let read = self.from.read(bytes)?;
        self.read += read as u64;
        Ok(read)
    }
}

pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Runs all contenders in turn, round after round, so that a busy minute hits all of them. Gives the medians of each.
///
/// # Panics
/// If one of them fails, or brings more or less than so many records.
pub fn race(sim: &Simulator, contenders: &[Contender], records: u64, rounds: usize) -> Vec<Took> {
    let mut took: Vec<Vec<Took>> = contenders.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (contender, took) in contenders.iter().zip(&mut took) {
            let one = run(&mut contender.ready(sim).command);
            assert_eq!(one.records, records, "records of {}", contender.name);
            took.push(one);
        }
    }
    let middle = |took: &Vec<Took>| Took {
        cpu: median(took.iter().map(|one| one.cpu).collect()),
        wall: median(took.iter().map(|one| one.wall).collect()),
        records,
    };
    took.iter().map(middle).collect()
}
