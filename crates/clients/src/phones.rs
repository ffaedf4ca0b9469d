//! Phone numbers: people write them as they like, and they are found and compared as E.164 (ITU-T) writes them.

use kernel::error::Faults;
use kernel::{Caller, Cause};
use phonenumber::Mode;
use phonenumber::country::Id;

use crate::shape::TypedPhone;

/// A number as E.164 writes it, where it is a valid one: read as in this country (ISO 3166-1) where it has no country code.
pub(crate) fn e164(number: &str, country: &str) -> Option<String> {
    let number = phonenumber::parse(country.parse::<Id>().ok(), number).ok()?;
    number.is_valid().then(|| number.format().mode(Mode::E164).to_string())
}

/// Writes down what each number is as E.164 writes it.
pub(crate) fn normalise(phones: &mut [TypedPhone], country: &str) {
    for phone in phones {
        phone.e164 = e164(&phone.number, country);
    }
}

/// Finds what is no phone number at all. One that no network has given out is one all the same: a new range is no mistake.
pub(crate) fn check(phone: Option<&str>, phones: Option<&[TypedPhone]>, country: &str, at: &str, faults: &mut Faults) {
    let mut check = |number: &str, pointer: String| {
        if phonenumber::parse(country.parse::<Id>().ok(), number).is_err() {
            faults.add(pointer, "unreadable_phone", "cannot be read as a phone number");
        }
    };
    if let Some(number) = phone {
        check(number, format!("{at}/phone"));
    }
    for (place, phone) in phones.unwrap_or_default().iter().enumerate() {
        check(&phone.number, format!("{at}/phones/{place}/number"));
    }
}

/// Whether numbers are taken as they come: an import brings what the old system had, and loses no client over it.
pub(crate) fn come_as_they_are(caller: &Caller) -> bool {
    matches!(caller.origin.cause, Cause::Import(_))
}

/// The words by which a phone is found: as it is written, its digits in one, those without the country code, and those with it.
pub(crate) fn words(number: &str, country: &str) -> String {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let national =
        number.trim().strip_prefix('+').and_then(|rest| rest.split_once([' ', '-', '.', '(', '/'])).map(|(_, rest)| digits(rest));
    let whole = e164(number, country).map(|number| digits(&number));
    format!("{number} {} {} {}", digits(number), national.unwrap_or_default(), whole.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_phone_is_found_as_written_in_one_and_with_and_without_its_country() {
        let found = kernel::text::words(&words("+30 210 123-4567", "GR"));
        assert_eq!(found, ["30", "210", "123", "4567", "302101234567", "2101234567", "302101234567"]);
        assert_eq!(kernel::text::words(&words("2101234567", "GR")), ["2101234567", "2101234567", "302101234567"]);
        assert_eq!(kernel::text::words(&words("ext. 12", "GR")), ["ext", "12", "12"]);
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
