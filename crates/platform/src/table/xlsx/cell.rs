//! What stands in a cell, as text.

use chrono::{Duration, NaiveDate, NaiveTime};

use super::strings::Strings;
use super::styles::Styles;

/// What the values of cells refer to.
pub(super) struct Values<'a> {
    pub strings: &'a Strings,
    pub styles: &'a Styles,
    pub is_1904: bool,
}

/// The last day that a spreadsheet knows, 9999-12-31.
const LAST_DAY: f64 = 2_958_465.0;

impl Values<'_> {
    /// The text of a cell of this kind and style; none where the value is an error of the spreadsheet, such as `#N/A`.
    pub fn text(&self, kind: Option<&str>, style: Option<usize>, value: &str) -> Option<String> {
        let value = value.trim();
        match kind {
            Some("e") => None,
            Some("s") => Some(value.parse().ok().and_then(|number| self.strings.get(number)).unwrap_or_default().to_owned()),
            Some("b") => Some(if value == "1" { "true" } else { "false" }.to_owned()),
            Some("str" | "inlineStr") => Some(value.to_owned()),
            // a moment that is written as such
            Some("d") => Some(value.strip_suffix("T00:00:00").unwrap_or(value).replace('T', " ")),
            _ => Some(match value.parse::<f64>() {
                Ok(number) if style.is_some_and(|style| self.styles.shows_moments(style)) => {
                    self.moment(number).unwrap_or_else(|| number_text(number))
                }
                Ok(number) => number_text(number),
                Err(_) => value.to_owned(),
            }),
        }
    }

    /// A count of days as the moment that it stands for.
    fn moment(&self, days: f64) -> Option<String> {
        if !(0.0..=LAST_DAY).contains(&days) {
            return None;
        }
        let seconds = (days * 86_400.0).round();
        let time = NaiveTime::from_num_seconds_from_midnight_opt(whole(seconds % 86_400.0)?, 0)?;
        let day = i64::from(whole(seconds / 86_400.0)?);
        if day == 0 && !self.is_1904 {
            return Some(time.format("%H:%M:%S").to_string());
        }
        // Excel believes that 1900 was a leap year
        let first = match (self.is_1904, day < 60) {
            (true, _) => NaiveDate::from_ymd_opt(1904, 1, 1),
            (false, true) => NaiveDate::from_ymd_opt(1899, 12, 31),
            (false, false) => NaiveDate::from_ymd_opt(1899, 12, 30),
        };
        let date = first?.checked_add_signed(Duration::days(day))?;
        if time == NaiveTime::MIN { Some(date.to_string()) } else { Some(format!("{date} {}", time.format("%H:%M:%S"))) }
    }
}

/// A number that is neither negative nor too large, without what comes after the point.
fn whole(number: f64) -> Option<u32> {
    format!("{:.0}", number.trunc()).parse().ok()
}

/// A number as a person would write it.
fn number_text(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 { format!("{number:.0}") } else { number.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_as_spreadsheets_count_them() {
        let (strings, styles) = (Strings::default(), Styles::default());
        let values = |is_1904| Values { strings: &strings, styles: &styles, is_1904 };
        let moment = |days: f64| values(false).moment(days);
        assert_eq!(moment(1.0).as_deref(), Some("1900-01-01"));
        assert_eq!(moment(59.0).as_deref(), Some("1900-02-28"));
        assert_eq!(moment(61.0).as_deref(), Some("1900-03-01"));
        assert_eq!(moment(46_351.0).as_deref(), Some("2026-11-25"));
        assert_eq!(moment(46_351.75).as_deref(), Some("2026-11-25 18:00:00"));
        assert_eq!(moment(0.5).as_deref(), Some("12:00:00"));
        assert_eq!(values(true).moment(0.0).as_deref(), Some("1904-01-01"));
        assert_eq!((moment(-1.0), moment(1e9)), (None, None));
    }

    #[test]
    fn numbers_are_written_as_people_write_them() {
        let all = [302_101_234_567.0, 0.1, -5.0, 1e21, 12.50];
        assert_eq!(all.map(number_text), ["302101234567", "0.1", "-5", "1000000000000000000000", "12.5"]);
    }
}
