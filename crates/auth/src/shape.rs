//! Shapes that inputs of this crate share, for `validator`.

use std::borrow::Cow;

use validator::ValidationError;

fn wrong(code: &'static str, message: &'static str) -> ValidationError {
    let mut error = ValidationError::new(code);
    error.message = Some(Cow::Borrowed(message));
    error
}

/// A time zone of the IANA database.
pub(crate) fn timezone(text: &str) -> Result<(), ValidationError> {
    text.parse::<chrono_tz::Tz>()
        .map(|_| ())
        .map_err(|_| wrong("unknown_timezone", "must be a time zone of the IANA database, such as Europe/Athens"))
}

/// A language, perhaps with a country: `el`, `en-GB`.
pub(crate) fn locale(text: &str) -> Result<(), ValidationError> {
    let fits = match text.split_once('-') {
        None => is(text, 2, char::is_lowercase),
        Some((language, country)) => is(language, 2, char::is_lowercase) && is(country, 2, char::is_uppercase),
    };
    if fits { Ok(()) } else { Err(wrong("unknown_locale", "must be a language such as el, or with a country such as en-GB")) }
}

fn is(text: &str, length: usize, kind: fn(char) -> bool) -> bool {
    text.len() == length && text.chars().all(|letter| letter.is_ascii_alphabetic() && kind(letter))
}

/// A currency of ISO 4217.
pub(crate) fn currency(text: &str) -> Result<(), ValidationError> {
    text.parse::<kernel::Currency>()
        .map(|_| ())
        .map_err(|_| wrong("unknown_currency", "must be a currency of ISO 4217, such as EUR"))
}

/// A slug: lower-case letters, digits and hyphens, beginning with a letter.
pub(crate) fn slug(text: &str) -> Result<(), ValidationError> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fits = (2..=60).contains(&text.len())
        && text.chars().all(letters)
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-');
    if fits {
        Ok(())
    } else {
        Err(wrong("invalid_slug", "must be 2 to 60 lower-case letters, digits and hyphens, beginning with a letter"))
    }
}

/// Not blank.
pub(crate) fn filled(text: &str) -> Result<(), ValidationError> {
    if text.trim().is_empty() { Err(wrong("blank", "must not be blank")) } else { Ok(()) }
}

/// An address in the form in which it is compared.
pub(crate) fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// A name in the form in which it is sorted.
pub(crate) fn name_key(given: &str, family: &str) -> String {
    kernel::text::fold(&format!("{family} {given}"))
}
