//! Phone numbers: people write them as they like, and they are found and compared as E.164 (ITU-T) writes them.

use kernel::error::Faults;
use kernel::{Caller, Cause};
use phonenumber::Mode;
use phonenumber::country::Id;

use crate::shape::TypedPhone;

/// A number that somebody wrote, read.
#[derive(Debug)]
struct Number {
    written: String,
    /// Whether it is a phone number at all. One that no network has given out is one all the same: a new range is no mistake.
    is_readable: bool,
    /// As E.164 writes it, where it is a valid one.
    e164: Option<String>,
}

impl Number {
    /// Reads one, as in this country (ISO 3166-1) where it has no country code.
    fn read(written: &str, country: &str) -> Self {
        let number = phonenumber::parse(country.parse::<Id>().ok(), written).ok();
        let valid = number.as_ref().filter(|number| number.is_valid());
        Self {
            written: written.to_owned(),
            is_readable: number.is_some(),
            e164: valid.map(|number| number.format().mode(Mode::E164).to_string()),
        }
    }

    /// The words by which it is found: as it is written, its digits in one, those without the country code, and those with it.
    fn words(&self) -> String {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let behind_code = |rest: &str| rest.split_once([' ', '-', '.', '(', '/']).map(|(_, rest)| digits(rest));
        let national = self.written.trim().strip_prefix('+').and_then(behind_code);
        let whole = self.e164.as_deref().map(digits);
        format!("{} {} {} {}", self.written, digits(&self.written), national.unwrap_or_default(), whole.unwrap_or_default())
    }
}

/// A number as E.164 writes it, where it is a valid one: read as in this country where it has no country code.
pub(crate) fn e164(number: &str, country: &str) -> Option<String> {
    Number::read(number, country).e164
}

/// The numbers of a record, each read once: that takes longer than all else that is done to a new record.
#[derive(Debug)]
pub(crate) struct Numbers {
    phone: Option<Number>,
    phones: Vec<Number>,
}

impl Numbers {
    /// Reads them, as in this country where they have no country code, and writes down what each of `phones` is as E.164 writes it.
    pub fn read(phone: Option<&str>, phones: &mut [TypedPhone], country: &str) -> Self {
        let read = |phone: &mut TypedPhone| {
            let number = Number::read(&phone.number, country);
            phone.e164.clone_from(&number.e164);
            number
        };
        Self { phone: phone.map(|phone| Number::read(phone, country)), phones: phones.iter_mut().map(read).collect() }
    }

    /// The words by which the record is found.
    pub fn words(&self) -> Vec<String> {
        self.phone.iter().chain(&self.phones).map(Number::words).collect()
    }

    /// Finds what is no phone number at all among those of these members that were given.
    pub fn check(&self, given: Given, at: &str, faults: &mut Faults) {
        let mut check = |number: &Number, pointer: String| {
            if !number.is_readable {
                faults.add(pointer, "unreadable_phone", "cannot be read as a phone number");
            }
        };
        if given.phone
            && let Some(number) = &self.phone
        {
            check(number, format!("{at}/phone"));
        }
        if given.phones {
            for (place, number) in self.phones.iter().enumerate() {
                check(number, format!("{at}/phones/{place}/number"));
            }
        }
    }
}

/// Which members with numbers somebody gave: what stood there before stays as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given {
    pub phone: bool,
    pub phones: bool,
}

impl Given {
    /// Both: of a new record.
    pub const ALL: Self = Self { phone: true, phones: true };
}

/// Whether numbers are taken as they come: an import brings what the old system had, and loses no client over it.
pub(crate) fn come_as_they_are(caller: &Caller) -> bool {
    matches!(caller.origin.cause, Cause::Import(_))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_phone_is_found_as_written_in_one_and_with_and_without_its_country() {
        let words = |written: &str| kernel::text::words(&Number::read(written, "GR").words());
        let found = words("+30 210 123-4567");
        assert_eq!(found, ["30", "210", "123", "4567", "302101234567", "2101234567", "302101234567"]);
        assert_eq!(words("2101234567"), ["2101234567", "2101234567", "302101234567"]);
        assert_eq!(words("ext. 12"), ["ext", "12", "12"]);
    }

    #[test]
    fn a_number_is_read_as_in_its_country_and_with_its_own_code() {
        for (written, country, read) in [
            ("210 123 4567", "GR", Some("+302101234567")),
            ("0030 210 12 34 567", "GR", Some("+302101234567")),
            ("020 7946 0958", "GB", Some("+442079460958")),
            ("+44 20 7946 0958", "GR", Some("+442079460958")),
            ("+1 (212) 555-0100 ext 5", "GR", Some("+12125550100")),
            ("210 123", "GR", None),
            ("2101234567", "ZZ", None),
            ("call me", "GR", None),
            ("", "GR", None),
        ] {
            assert_eq!(e164(written, country).as_deref(), read, "{written} in {country}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_written_stops_the_reading(text in "\\PC{0,60}", country in "[A-Z]{2}") {
            let read = e164(&text, &country);
            prop_assert!(read.iter().all(|number| number.starts_with('+') && number.len() <= 16));
            // what was read is read once more as the same
            if let Some(number) = read {
                prop_assert_eq!(e164(&number, &country), Some(number));
            }
        }
    }
}
