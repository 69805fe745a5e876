//! The figures, each beside its limit, for the terminal and for docs/benchmarks.md.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use chrono::Utc;

const BEGIN: &str = "<!-- measured: begin -->\n";
const END: &str = "<!-- measured: end -->";

/// What a figure may be at most, and what it should come to.
#[derive(Clone, Copy)]
pub struct Limit(pub f64, pub Option<f64>);

#[derive(Default)]
pub struct Report {
    text: String,
}

impl Report {
    /// Begins a table, whose figures have so many digits behind the point.
    pub fn table(&mut self, title: &str) {
        self.say(&format!("\n### {title}\n\n| | measured | limit | goal | |\n|---|---:|---:|---:|---|\n"));
    }

    /// A row of it: a figure, its unit (with a space before it), and what it may be at most.
    pub fn figure(&mut self, what: &str, (figure, unit): (f64, &str), limit: Option<Limit>) {
        let shown = |number: f64| format!("{}{unit}", digits(number));
        let (most, goal) = (limit.map(|limit| limit.0), limit.and_then(|limit| limit.1));
        let verdict = match most {
            Some(most) if figure > most => "**missed**",
            Some(_) => "kept",
            None => "",
        };
        let [most, goal] = [most, goal].map(|number| number.map_or(String::new(), shown));
        self.say(&format!("| {what} | {} | {most} | {goal} | {verdict} |\n", shown(figure)));
    }

    fn say(&mut self, text: &str) {
        print!("{text}");
        self.text.push_str(text);
    }

    /// Puts the figures, and the machine that they were taken on, into the page.
    pub fn write(self) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/benchmarks.md");
        let page = std::fs::read_to_string(&path).expect("docs/benchmarks.md can be read");
        let (before, rest) = page.split_once(BEGIN).expect("the page has a place for the figures");
        let (_, after) = rest.split_once(END).expect("the place has an end");
        let page = format!("{before}{BEGIN}{}\n{}\n{END}{after}", machine(), self.text.trim());
        std::fs::write(&path, page).expect("docs/benchmarks.md can be written");
    }
}

/// Three digits that count, or all of those before the point.
fn digits(number: f64) -> String {
    let behind = match number {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{number:.behind$}")
}

/// What is needed to judge the figures, and nothing that names the machine.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let kernel = read("/proc/sys/kernel/osrelease");
    let kernel = kernel.split('-').next().unwrap_or_default().trim();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let said = |program: &str| {
        let output = Command::new(program).arg("--version").output();
        let said = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        said.unwrap_or_default().trim().split(" (").next().unwrap_or_default().to_owned()
    };
    let mut machine = String::new();
    let _ = writeln!(
        machine,
        "Taken on {} by `make bench`, on {cores} cores of {}, Linux {kernel}, with {}{}.",
        Utc::now().format("%Y-%m-%d"),
        cpu.unwrap_or("an unnamed CPU"),
        said("rustc"),
        Some(said("valgrind"))
            .filter(|said| !said.is_empty())
            .map_or(String::new(), |said| format!(" and {said}")),
    );
    machine
}
