//! Windows of dates: calendar months, cut at the first day to read and at today.
//!
//! A day that is not over is not read. Everything is in UTC, as the service's days are.

use chrono::{Datelike, Months, NaiveDate, TimeDelta, Utc};

use super::plan::Plan;
use crate::log;
use crate::partition::Partition;
use crate::streams::Stream;

/// How far back the first run reads, if the settings do not say, in days.
const DEFAULT: TimeDelta = TimeDelta::days(90);

/// How far back the service answers (billing API reference).
const YEAR: Months = Months::new(12);

/// The windows of one stream.
pub struct Days {
    stream: &'static Stream,
    /// Query parameters of the first day of a window, and of the day after its last.
    parameters: [&'static str; 2],
    start: NaiveDate,
    today: NaiveDate,
    /// The first day that may still change.
    unsettled: NaiveDate,
}

/// The day of that name; none if it is written in another way.
pub fn parse(name: &str) -> Option<NaiveDate> {
    name.parse().ok().filter(|day: &NaiveDate| name.len() == "2026-05-01".len() && day.to_string() == name)
}

impl Days {
    pub fn new(stream: &'static Stream, parameters: [&'static str; 2], plan: &Plan) -> Days {
        let (today, config) = (Utc::now().date_naive(), &plan.client.config);
        let start = config.start_date.unwrap_or(today - DEFAULT);
        Days { stream, parameters, start, today, unsettled: today - chrono::Days::new(config.cost_days_late) }
    }

    /// Starts at that day, or at the start of the settings. Gives the first window; none if no day is over.
    pub fn first(&mut self, day: Option<NaiveDate>) -> Option<Partition> {
        let (day, earliest) = (day.unwrap_or(self.start), self.today - YEAR);
        if day < earliest {
            log::warn(format!(
                "{}: the service answers for one year: reading from {earliest} instead of {day}",
                self.stream.name
            ));
        }
        if day > self.today {
            log::warn(format!("{}: nothing is read before {day}, which is in the future", self.stream.name));
        }
        self.start = day.max(earliest);
        self.window(self.start)
    }

    /// The window after another.
    pub fn after(&self, window: &Partition) -> Option<Partition> {
        self.window(parse(&window.query.last()?.1)?)
    }

    fn window(&self, first: NaiveDate) -> Option<Partition> {
        let end = (first < self.today).then(|| first.with_day(1))?? + Months::new(1);
        let dates = [first.to_string(), end.min(self.today).to_string()];
        let (name, path) = (Some(dates[0].clone()), self.stream.path.to_owned());
        let query = self.parameters.into_iter().zip(dates).collect();
        Some(Partition { name, path, query, restarts: true, ..Partition::default() })
    }

    /// The day that the next run begins with: the first that may still change, but none that this one has not read.
    pub fn next_run(&self) -> NaiveDate {
        self.unsettled.max(self.start)
    }
}
