//! Shapes that inputs of this crate share, for `validator`.

use kernel::shape::wrong;
pub(crate) use kernel::shape::{currency, filled, locale};
use validator::ValidationError;

/// A time zone of the IANA database.
pub(crate) fn timezone(text: &str) -> Result<(), ValidationError> {
    text.parse::<chrono_tz::Tz>()
        .map(|_| ())
        .map_err(|_| wrong("unknown_timezone", "must be a time zone of the IANA database, such as Europe/Athens"))
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

/// A stable name: lower-case letters, digits and underscores, beginning with a letter.
pub(crate) fn key(text: &str) -> Result<(), ValidationError> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if (2..=60).contains(&text.len()) && text.chars().all(letters) && text.starts_with(|c: char| c.is_ascii_lowercase()) {
        Ok(())
    } else {
        Err(wrong("invalid_key", "must be 2 to 60 lower-case letters, digits and underscores, beginning with a letter"))
    }
}

/// An address in the form in which it is compared.
pub(crate) fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// A name in the form in which it is sorted.
pub(crate) fn name_key(given: &str, family: &str) -> String {
    kernel::text::fold(&format!("{family} {given}"))
}
