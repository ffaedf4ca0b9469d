//! From what `validator` found to what an answer lists. Its own errors carry the rejected value; these never do.

use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

use crate::{Error, FieldError, Result};

/// Everything that is wrong, with JSON pointers.
pub fn field_errors(errors: &ValidationErrors) -> Vec<FieldError> {
    let mut found = Vec::new();
    gather(errors, "", &mut found);
    found.sort_by(|a, b| a.pointer.cmp(&b.pointer).then_with(|| a.code.cmp(&b.code)));
    found
}

/// Checks the shape of an input.
///
/// # Errors
/// `validation_failed` with everything that is wrong.
pub fn check_shape(input: &impl validator::Validate) -> Result<()> {
    input.validate().map_err(|errors| Error::invalid(field_errors(&errors)))
}

fn gather(errors: &ValidationErrors, at: &str, found: &mut Vec<FieldError>) {
    for (name, kind) in errors.errors() {
        // `validator` calls the list itself by this name when it is nested
        let here = if name == "_tmp_validator" { at.to_owned() } else { format!("{at}/{name}") };
        match kind {
            ValidationErrorsKind::Field(list) => found.extend(list.iter().map(|error| field_error(&here, error))),
            ValidationErrorsKind::Struct(inner) => gather(inner, &here, found),
            ValidationErrorsKind::List(items) => {
                for (place, inner) in items {
                    gather(inner, &format!("{here}/{place}"), found);
                }
            }
        }
    }
}

fn field_error(pointer: &str, error: &ValidationError) -> FieldError {
    let bound = |name: &str| error.params.get(name).and_then(serde_json::Value::as_u64);
    let length = error.code == "length";
    let (code, message) = match (bound("min"), bound("max")) {
        (Some(min), Some(max)) if length => ("invalid_length", format!("must be {min} to {max} long")),
        (Some(min), None) if length => ("too_short", format!("must be at least {min} long")),
        (None, Some(max)) if length => ("too_long", format!("must be at most {max} long")),
        _ => ("", String::new()),
    };
    if !code.is_empty() {
        return FieldError::new(pointer, code, message);
    }
    let message = error.message.as_deref().unwrap_or("is not valid");
    FieldError::new(pointer, error.code.to_string(), message)
}

#[cfg(test)]
mod tests {
    use validator::Validate;

    use super::*;

    #[derive(Validate)]
    struct Inner {
        #[validate(email(message = "must be an e-mail address"))]
        address: String,
    }

    #[derive(Validate)]
    struct Outer {
        #[validate(length(max = 3))]
        name: String,
        #[validate(nested)]
        emails: Vec<Inner>,
        #[validate(nested)]
        patched: crate::Patch<Vec<Inner>>,
    }

    #[test]
    fn all_that_is_wrong_is_listed_with_pointers_and_without_values() {
        let inner = |address: &str| Inner { address: address.to_owned() };
        let outer = Outer {
            name: "secret-name".to_owned(),
            emails: vec![inner("a@b.gr"), inner("not-one")],
            patched: crate::Patch::Value(vec![inner("neither")]),
        };
        let errors = field_errors(&outer.validate().unwrap_err());
        let pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/emails/1/address", "/name", "/patched/0/address"]);
        assert!(!format!("{errors:?}").contains("secret-name"));
    }
}
