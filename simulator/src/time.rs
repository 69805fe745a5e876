//! Moments as text: RFC 3339 as the service writes it, and the date of an HTTP header.
//! By hand, because a listing of a million records writes two of them a record.

use std::time::{SystemTime, UNIX_EPOCH};

use fastrand::Rng;

use crate::random::one_in;

/// A day, counted from 1970-01-01.
pub type Day = u64;

/// Year, month and day of a day (Hinnant's `civil_from_days`).
pub fn civil(days: Day) -> (u64, u64, u64) {
    let z = days + 719_468;
    let (era, of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// The day on which a moment is, in UTC.
pub fn day_of(moment: SystemTime) -> Day {
    moment.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400)
}

/// `yyyy-mm-dd`
pub fn date(day: Day) -> String {
    let (year, month, day) = civil(day);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Reads what [`date`] writes, and nothing else (Hinnant's `days_from_civil`).
pub fn day(text: &str) -> Option<Day> {
    let mut parts = text.split('-').map(str::parse::<u64>);
    let (year, month, of_month) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&of_month) {
        return None;
    }
    let year = year - u64::from(month <= 2);
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + of_month - 1;
    let day = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    (date(day) == text).then_some(day)
}

fn clock(seconds: u64) -> String {
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// A moment with five, six or nine digits of a second, and now and then a numeric offset: the
/// forms seen in recordings and in the specification's examples.
pub fn rfc3339(dice: &mut Rng, seconds: u64) -> String {
    let digits = match dice.u32(..8) {
        0 => 5,
        1 => 9,
        _ => 6,
    };
    let fraction = dice.u64(..10_u64.pow(digits));
    let (local, zone) = if one_in(dice, 16) {
        (seconds - 7 * 3600, "-07:00")
    } else if one_in(dice, 12) {
        (seconds, "+00:00")
    } else {
        (seconds, "Z")
    };
    let width = digits as usize;
    format!("{}.{fraction:0width$}{zone}", clock(local))
}

/// The form of `Date` and `Retry-After`.
pub fn http_date(moment: SystemTime) -> String {
    let seconds = moment.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (year, month, day) = civil(seconds / 86_400);
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][(seconds / 86_400 % 7) as usize];
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        [(month - 1) as usize];
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn days_are_read_as_they_are_written_and_nothing_else_is_a_day() {
        for (text, number) in
            [("1970-01-01", 0), ("2000-02-29", 11_016), ("2026-12-31", 20_818), ("9999-12-31", 2_932_896)]
        {
            assert_eq!((day(text), date(number)), (Some(number), text.to_owned()));
        }
        let odd = [
            "",
            "x",
            "2026-13-01",
            "2026-2-1",
            "2026-02-29",
            "2026-02-00",
            "0001-01-01",
            "2026-01-01 00:00:00",
        ];
        assert_eq!(odd.map(day), [None; 8]);
        assert!((0..100_000).all(|number| day(&date(number)) == Some(number)));
    }

    #[test]
    fn dates_are_the_calendar_s() {
        for (seconds, expected) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (1_709_210_096, "Thu, 29 Feb 2024 12:34:56 GMT"),
        ] {
            assert_eq!(http_date(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
        assert_eq!(clock(1_709_210_096), "2024-02-29T12:34:56");
    }
}
