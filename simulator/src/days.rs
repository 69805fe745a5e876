//! Listings that are narrowed to days: which days a request may name, and in which order what they have
//! left is listed.

use std::ops::Range;

use crate::http::Head;
use crate::organization::{Narrowed, Organization, Row, Stream};
use crate::refusals::{Refusal, invalid};
use crate::time::{Day, civil, day};

/// The days that a request names, if the stream is narrowed to days: at most a month of them, none of
/// them more than a year ago.
pub fn asked(org: &Organization, stream: &Stream, head: &Head) -> Result<Option<Range<Day>>, Refusal> {
    let Narrowed::Days(days) = stream.narrowed else {
        return Ok(None);
    };
    let given = |name: &str| {
        let text = head.parameter(name).ok_or_else(|| invalid(name, &format!("{name} is required")))?;
        day(text).ok_or_else(|| invalid(name, &format!("{name} must be a date in the form yyyy-mm-dd")))
    };
    let (from, until) = (given(days.from)?, given(days.until)?);
    let (year, month, of_month) = civil(org.today());
    // A year before the last day of a February is the 28th.
    let year_ago = (year - 1, month, if month == 2 { of_month.min(28) } else { of_month });
    if civil(from) < year_ago {
        return Err(invalid(days.from, "start_date can reach a maximum of one year into the past"));
    }
    if until <= from {
        return Err(invalid(days.until, "end_date must be after start_date"));
    }
    let (year, month, of_month) = civil(from);
    let month_on = if month == 12 { (year + 1, 1, of_month) } else { (year, month + 1, of_month) };
    if civil(until) > month_on {
        return Err(invalid(days.until, "one month is the maximum window between start_date and end_date"));
    }
    Ok(Some(from..until))
}

/// Day by day; a third of the rude organizations have line by line, because no order is promised.
pub fn arrange(org: &Organization, rows: &mut [Row]) {
    if org.scenario.rude && org.scenario.seed.is_multiple_of(3) {
        rows.sort_by_key(|row| org.dated(*row).1);
    }
}
