//! Values of filters and cursors: from text, and back.

use kernel::{DateTime, Result};
use sea_orm::sea_query::Value;

use super::FieldKind;
use crate::field::{Field, Row};

/// Reads a value of a kind, or says in words what it must be.
///
/// # Errors
/// The words.
pub fn parse_value(kind: FieldKind, text: &str) -> Result<Value, String> {
    match kind {
        FieldKind::Text => Ok(text.to_owned().value()),
        FieldKind::Caseless => Ok(text.trim().to_lowercase().value()),
        FieldKind::Uuid => text.parse::<uuid::Uuid>().map(|uuid| uuid.value()).map_err(|_| "must be a UUID".to_owned()),
        FieldKind::Time => chrono::DateTime::parse_from_rfc3339(text)
            .map(|at| at.to_utc())
            .or_else(|_| text.parse::<chrono::NaiveDate>().map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc()))
            .ok()
            .filter(|at| (1..=9998).contains(&chrono::Datelike::year(at)))
            .map(|at| at.value())
            .ok_or_else(|| "must be a date or a time of RFC 3339, such as 2026-11-21T09:30:00Z".to_owned()),
        FieldKind::Date => text
            .parse::<chrono::NaiveDate>()
            .ok()
            .filter(|day| (1..=9998).contains(&chrono::Datelike::year(day)))
            .map(|day| day.value())
            .ok_or_else(|| "must be a date, such as 2026-11-21".to_owned()),
        FieldKind::Integer => text.parse::<i64>().map(|number| number.value()).map_err(|_| "must be a whole number".to_owned()),
        FieldKind::Boolean => match text {
            "true" => Ok(true.value()),
            "false" => Ok(false.value()),
            _ => Err("must be true or false".to_owned()),
        },
        FieldKind::Word(words) if words.contains(&text) => Ok(text.to_owned().value()),
        FieldKind::Word(words) => Err(format!("must be one of {}", words.join(", "))),
    }
}

/// The text of a key column in a row, as a cursor keeps it.
pub(super) fn key_text(kind: FieldKind, row: &Row, index: usize) -> Result<String> {
    Ok(match kind {
        FieldKind::Text | FieldKind::Caseless | FieldKind::Word(_) => row.get(index)?,
        FieldKind::Uuid => row.get::<uuid::Uuid>(index)?.to_string(),
        FieldKind::Time => row.get::<DateTime>(index)?.timestamp_micros().to_string(),
        FieldKind::Date => row.get::<chrono::NaiveDate>(index)?.to_string(),
        FieldKind::Integer => row.get::<i64>(index)?.to_string(),
        FieldKind::Boolean => row.get::<bool>(index)?.to_string(),
    })
}

/// The parameter that such a text stands for.
pub(super) fn key_value(kind: FieldKind, text: &str) -> Option<Value> {
    match kind {
        FieldKind::Text | FieldKind::Caseless | FieldKind::Word(_) => Some(text.to_owned().value()),
        FieldKind::Time => text.parse().ok().and_then(DateTime::from_timestamp_micros).map(|at| at.value()),
        FieldKind::Date => text.parse::<chrono::NaiveDate>().ok().map(|day| day.value()),
        FieldKind::Uuid | FieldKind::Integer | FieldKind::Boolean => parse_value(kind, text).ok(),
    }
}
