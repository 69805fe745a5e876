//! `make bench`: takes every figure of docs/benchmarks.md in one run, prints them, and writes them into that page.
//! `BENCH_RECORDS` says how many records the largest run has, and 0 leaves it out.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a benchmark that cannot run fails, and prints")]

mod measure;
mod report;

use report::Report;

fn main() {
    let most: u64 = std::env::var("BENCH_RECORDS").map_or(1_000_000, |text| text.parse().expect("a number"));
    let mut report = Report::default();
    measure::start_and_size(&mut report);
    let cpu_of_a_record = measure::throughput(&mut report);
    measure::instructions(&mut report);
    measure::waiting(&mut report);
    let peak = measure::few(&mut report);
    measure::slow_reader(&mut report, peak);
    // Four streams of equal size.
    if most >= 4 {
        measure::many(&mut report, most / 4 * 4, peak, cpu_of_a_record);
    }
    report.write();
}
