//! Bodies are checked against the same schemas that the OpenAPI document publishes, so what it says is what is enforced, and
//! everything that is wrong is found at once. What a schema cannot say, `validator` checks after it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, RwLock};

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use kernel::error::{Faults, codes};
use kernel::{Error, Result};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

/// The schemas of the document, each compiled when it is first needed.
#[derive(Default)]
pub struct Schemas(RwLock<HashMap<String, Arc<Validator>>>);

impl std::fmt::Debug for Schemas {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Schemas")
    }
}

impl Schemas {
    fn validator<T: ToSchema>(&self) -> Result<Arc<Validator>> {
        let name = T::name();
        if let Ok(compiled) = self.0.read()
            && let Some(validator) = compiled.get(name.as_ref())
        {
            return Ok(validator.clone());
        }
        let mut named = vec![(name.clone().into_owned(), T::schema())];
        T::schemas(&mut named);
        let named: BTreeMap<String, RefOr<Schema>> = named.into_iter().collect();
        let schema = json!({ "$ref": format!("{SCHEMAS}{name}"), "components": { "schemas": named } });
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            .build(&schema)
            .map_err(|error| Error::internal(error.to_string()))?;
        let validator = Arc::new(validator);
        if let Ok(mut compiled) = self.0.write() {
            compiled.insert(name.into_owned(), validator.clone());
        }
        Ok(validator)
    }

    /// Checks a value against the schema of a type.
    ///
    /// # Errors
    /// `validation_failed` with everything that is wrong, never with a value.
    pub fn check<T: ToSchema>(&self, value: &Value) -> Result<()> {
        let validator = self.validator::<T>()?;
        if validator.is_valid(value) {
            return Ok(());
        }
        let mut faults = Faults::new();
        let errors: Vec<_> = validator.iter_errors(value).collect();
        // of what is not even of the right type nothing else needs saying
        let mistyped: Vec<String> =
            errors.iter().filter(|error| is_type(error)).map(|error| error.instance_path().to_string()).collect();
        for error in errors {
            if is_type(&error) || !mistyped.contains(&error.instance_path().to_string()) {
                note(&error, &mut faults);
            }
        }
        faults.into_result()
    }
}

/// Where a document has its schemas.
const SCHEMAS: &str = "#/components/schemas/";

/// The NUL character as JSON writes it.
const NUL: &[u8] = b"\\u0000";

/// Refuses the NUL character anywhere: PostgreSQL cannot hold it, and nobody means it.
fn refuse_nul(value: &Value) -> Result<()> {
    fn walk(value: &Value, at: &str, faults: &mut Faults) {
        match value {
            Value::String(text) if text.contains('\0') => {
                faults.add(at, "nul_character", "must not contain the NUL character");
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(place, item)| walk(item, &format!("{at}/{place}"), faults));
            }
            Value::Object(members) => {
                for (name, member) in members {
                    let here = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                    if name.contains('\0') {
                        faults.add(at, "nul_character", "must not contain the NUL character");
                    }
                    walk(member, &here, faults);
                }
            }
            _ => {}
        }
    }
    let mut faults = Faults::new();
    walk(value, "", &mut faults);
    faults.into_result()
}

fn note(error: &ValidationError<'_>, faults: &mut Faults) {
    let at = error.instance_path().to_string();
    let list = |value: &Value| {
        let words = value.as_array().map(Vec::as_slice).unwrap_or_default();
        words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
    };
    let (code, message): (&'static str, String) = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            for name in unexpected {
                faults.add(format!("{at}/{name}"), "unknown_field", format!("there is no field {name}"));
            }
            return;
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            faults.add(format!("{at}/{name}"), "required", "is missing");
            return;
        }
        // a value or null: what is wrong is what is wrong with the value
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
            let branches = context.iter().filter(|branch| !branch.iter().any(wants_null));
            let mut found = false;
            for error in branches.flatten() {
                found = true;
                note(error, faults);
            }
            if !found {
                faults.add(at, "wrong_type", "is of the wrong type");
            }
            return;
        }
        ValidationErrorKind::Type { kind } => ("wrong_type", format!("must be {}", type_words(kind))),
        ValidationErrorKind::Enum { options } => ("unknown_value", format!("must be one of {}", list(options))),
        ValidationErrorKind::MaxLength { limit } => ("too_long", format!("must be at most {limit} characters")),
        ValidationErrorKind::MinLength { limit } => ("too_short", format!("must be at least {limit} characters")),
        ValidationErrorKind::MaxItems { limit } => ("too_many_items", format!("must be at most {limit} items")),
        ValidationErrorKind::MinItems { limit } => ("too_few_items", format!("must be at least {limit} items")),
        ValidationErrorKind::Maximum { limit } => ("too_large", format!("must be at most {limit}")),
        ValidationErrorKind::Minimum { limit } => ("too_small", format!("must be at least {limit}")),
        ValidationErrorKind::Pattern { pattern } => ("invalid_format", format!("must match {pattern}")),
        ValidationErrorKind::Format { format } => ("invalid_format", format!("must be a valid {format}")),
        _ => ("invalid", "is not valid".to_owned()),
    };
    faults.add(at, code, message);
}

fn is_type(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), ValidationErrorKind::Type { .. })
}

fn wants_null(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), ValidationErrorKind::Type { kind: TypeKind::Single(kind) } if kind.to_string() == "null")
}

fn type_words(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(kind) => kind.to_string(),
        TypeKind::Multiple(kinds) => kinds.iter().map(|kind| kind.to_string()).collect::<Vec<_>>().join(" or "),
    }
}

/// Reads JSON: UTF-8, of bounded depth (128, `serde_json`'s own), without NUL.
///
/// # Errors
/// `unreadable` with line and column; `validation_failed` for NUL.
pub fn read_json(body: &[u8]) -> Result<Value> {
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Eof => "The JSON ends too early",
            _ if error.to_string().contains("recursion limit") => "The JSON is nested too deeply",
            _ => "The body is not JSON",
        };
        Error::new(&codes::UNREADABLE).with_detail(format!("{what} (line {}, column {}).", error.line(), error.column()))
    })?;
    // in JSON it can only stand escaped, so most bodies need not be walked through
    if body.windows(NUL.len()).any(|part| part == NUL) {
        refuse_nul(&value)?;
    }
    Ok(value)
}
