//! Shapes that inputs share, for `validator`.

use std::borrow::Cow;

use validator::ValidationError;

/// Not blank.
///
/// # Errors
/// `blank`.
pub fn filled(text: &str) -> Result<(), ValidationError> {
    if text.trim().is_empty() {
        let mut error = ValidationError::new("blank");
        error.message = Some(Cow::Borrowed("must not be blank"));
        return Err(error);
    }
    Ok(())
}
