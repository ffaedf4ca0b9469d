//! A value in a cell of a table, as exports write it and imports read it.

use kernel::{FieldError, text};
use serde_json::{Value, json};

use super::number::Number;
use super::shape::{FieldShape, FieldType};
use super::value::FieldValue;

impl FieldValue {
    /// The value in one cell. [`read_cell`](Self::read_cell) reads it as the same value: therefore options are written by their keys.
    pub fn cell(&self) -> String {
        match self {
            Self::Text(text) | Self::Select(text) | Self::Url(text) | Self::Email(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Money(money) => format!("{money} {}", money.currency.code()),
            Self::Date(date) => date.to_string(),
            Self::Boolean(yes) => yes.to_string(),
            Self::MultiSelect(keys) => keys.join(", "),
            Self::Datetime(_) => self.json().as_str().unwrap_or_default().to_owned(),
            Self::Reference(id) => id.to_string(),
        }
    }

    /// Reads a cell, as people write them too: options also by their labels, `yes` and `no`. `None` of one that is empty.
    ///
    /// # Errors
    /// What is wrong with it, at this pointer.
    pub fn read_cell(shape: &FieldShape, cell: &str, pointer: &str) -> Result<Option<Self>, FieldError> {
        let cell = cell.trim();
        if cell.is_empty() {
            return Ok(None);
        }
        let json = match shape.field_type {
            // what is no number is refused for being text
            FieldType::Number => Number::parse(cell).map_or_else(|| Value::from(cell), Number::json),
            FieldType::Money => {
                let (amount, currency) = cell.rsplit_once(char::is_whitespace).unwrap_or((cell, ""));
                json!({"amount": amount.trim_end(), "currency": currency})
            }
            FieldType::Boolean => match cell.to_lowercase().as_str() {
                "true" | "yes" | "1" => Value::Bool(true),
                "false" | "no" | "0" => Value::Bool(false),
                _ => Value::from(cell),
            },
            FieldType::Select => Value::from(shape.option_key(cell)),
            FieldType::MultiSelect => {
                let parts = cell.split([',', ';', '|']).map(str::trim).filter(|part| !part.is_empty());
                parts.map(|part| shape.option_key(part)).collect()
            }
            _ => Value::from(cell),
        };
        Self::read(shape, &json, pointer).map(Some)
    }
}

impl FieldShape {
    /// The key of the option that is meant, the key itself before any label; what is written, where that is none.
    pub(crate) fn option_key<'t>(&'t self, written: &'t str) -> &'t str {
        let by_key = || self.options.iter().find(|option| option.key == written);
        let by_label = || self.options.iter().find(|option| text::fold(&option.label) == text::fold(written));
        by_key().or_else(by_label).map_or(written, |option| option.key.as_str())
    }
}
