//! Shapes that inputs of every domain share, for `validator`: `#[validate(custom(function = kernel::shape::filled))]`.

use std::borrow::Cow;

use validator::ValidationError;

use crate::Currency;

/// What is wrong with a shape, for people.
pub fn wrong(code: &'static str, message: &'static str) -> ValidationError {
    let mut error = ValidationError::new(code);
    error.message = Some(Cow::Borrowed(message));
    error
}

/// Not blank.
///
/// # Errors
/// `blank`.
pub fn filled(text: &str) -> Result<(), ValidationError> {
    if text.trim().is_empty() { Err(wrong("blank", "must not be blank")) } else { Ok(()) }
}

/// A currency of ISO 4217.
///
/// # Errors
/// `unknown_currency`.
pub fn currency(text: &str) -> Result<(), ValidationError> {
    let unknown = |_| wrong("unknown_currency", "must be a currency of ISO 4217, such as EUR");
    text.parse::<Currency>().map(|_| ()).map_err(unknown)
}

/// A language (ISO 639-1), perhaps with a country: `el`, `en-GB`.
///
/// # Errors
/// `unknown_locale`.
pub fn locale(text: &str) -> Result<(), ValidationError> {
    let letters = |part: &str, fit: fn(&char) -> bool| part.len() == 2 && part.chars().all(|letter| fit(&letter));
    let fits = match text.split_once('-') {
        None => letters(text, char::is_ascii_lowercase),
        Some((language, country)) => letters(language, char::is_ascii_lowercase) && letters(country, char::is_ascii_uppercase),
    };
    if fits { Ok(()) } else { Err(wrong("unknown_locale", "must be a language such as el, or with a country such as en-GB")) }
}

/// A country, two capital letters (ISO 3166-1).
///
/// # Errors
/// `invalid_country`.
pub fn country(text: &str) -> Result<(), ValidationError> {
    let fits = text.len() == 2 && text.chars().all(|letter| letter.is_ascii_uppercase());
    if fits { Ok(()) } else { Err(wrong("invalid_country", "must be two capital letters of ISO 3166-1, such as GR")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_take_what_they_mean_and_nothing_else() {
        assert!(filled(" x ").is_ok() && filled(" \u{a0}\t").is_err());
        assert!(currency("EUR").is_ok() && currency("eur").is_err());
        for text in ["el", "en-GB"] {
            assert!(locale(text).is_ok(), "{text}");
        }
        for text in ["", "EL", "ell", "en-gb", "en_GB", "e1", "ελ"] {
            assert!(locale(text).is_err(), "{text}");
        }
        assert!(country("GR").is_ok() && country("gr").is_err() && country("GRC").is_err());
    }
}
