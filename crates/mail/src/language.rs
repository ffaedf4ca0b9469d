//! The languages that mail is written in, and how moments and numbers stand in them.

use chrono::{Datelike as _, Timelike as _};
use chrono_tz::Tz;
use kernel::DateTime;

store::text_enum! {
    /// A language that mail is written in.
    pub enum Language {
        /// English.
        English = "en",
        /// Greek.
        Greek = "el",
    }
}

const ENGLISH: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const GREEK: [&str; 12] = [
    "Ιανουαρίου",
    "Φεβρουαρίου",
    "Μαρτίου",
    "Απριλίου",
    "Μαΐου",
    "Ιουνίου",
    "Ιουλίου",
    "Αυγούστου",
    "Σεπτεμβρίου",
    "Οκτωβρίου",
    "Νοεμβρίου",
    "Δεκεμβρίου",
];

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::Greek];

    /// The first of these locales that mail is written in; English where there is none.
    pub(crate) fn of<'a>(locales: impl IntoIterator<Item = &'a str>) -> Self {
        let known = |locale: &str| {
            let word = locale.split(['-', '_']).next().unwrap_or_default();
            Self::ALL.into_iter().find(|language| word.eq_ignore_ascii_case(language.as_str()))
        };
        locales.into_iter().find_map(known).unwrap_or(Self::English)
    }

    /// A moment as people write it, by the clock on their wall.
    pub(crate) fn moment(self, at: DateTime, zone: Tz) -> String {
        let at = at.with_timezone(&zone);
        let months = match self {
            Self::English => &ENGLISH,
            Self::Greek => &GREEK,
        };
        let month = months.get(at.month0() as usize).copied().unwrap_or_default();
        format!("{} {month} {}, {:02}:{:02} ({zone})", at.day(), at.year(), at.hour(), at.minute())
    }

    /// A whole number, with what this language puts between its thousands.
    pub(crate) fn number(self, number: i64) -> String {
        let separator = match self {
            Self::English => ',',
            Self::Greek => '.',
        };
        let digits = number.unsigned_abs().to_string();
        let mut out = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                out.push(separator);
            }
            out.push(digit);
        }
        if number < 0 { format!("-{out}") } else { out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_locale_that_is_known_decides() {
        assert_eq!(Language::of(["de", "el-GR", "en"]), Language::Greek);
        assert_eq!(Language::of(["EN_gb"]), Language::English);
        assert_eq!(Language::of(["", "fr"]), Language::English);
    }

    #[test]
    fn moments_and_numbers_stand_as_people_write_them() {
        let at: DateTime = "2026-11-25T22:05:09Z".parse().unwrap();
        let zone = Tz::Europe__Athens;
        assert_eq!(Language::English.moment(at, zone), "26 November 2026, 00:05 (Europe/Athens)");
        assert_eq!(Language::Greek.moment(at, zone), "26 Νοεμβρίου 2026, 00:05 (Europe/Athens)");
        assert_eq!(Language::English.number(1_234_567), "1,234,567");
        assert_eq!(Language::Greek.number(100_000), "100.000");
        assert_eq!(Language::English.number(7), "7");
    }
}
