//! A value that fits its definition.

use chrono::{Datelike as _, NaiveDate, SubsecRound as _};
use kernel::{DateTime, FieldError, Money};
use serde_json::Value;
use uuid::Uuid;
use validator::{ValidateEmail as _, ValidateUrl as _};

use super::number::Number;
use super::shape::{FieldShape, FieldType};

const LONGEST_TEXT: usize = 2_000;
const LONGEST_EMAIL: usize = 254;
/// What stands for having no value, in lists, is made of it.
pub(super) const LAST: char = '\u{10FFFF}';

/// A value of a custom field.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue {
    /// Text, without blanks around it.
    Text(String),
    /// A number.
    Number(Number),
    /// An amount.
    Money(Money),
    /// A day, in a year of four digits at most.
    Date(NaiveDate),
    /// Yes or no.
    Boolean(bool),
    /// The key of an option.
    Select(String),
    /// The keys of some options, each once, in the order of the definition.
    MultiSelect(Vec<String>),
    /// An address of the web.
    Url(String),
    /// An e-mail address.
    Email(String),
    /// A moment, to the microsecond.
    Datetime(DateTime),
    /// The id of another record. That there is such a record is for whoever has a database.
    Reference(Uuid),
}

impl FieldValue {
    /// Reads a value as it stands on the wire, or in a record.
    ///
    /// # Errors
    /// What is wrong with it, at this pointer.
    pub fn read(shape: &FieldShape, json: &Value, pointer: &str) -> Result<Self, FieldError> {
        let wrong = |(code, message): Wrong| FieldError::new(pointer, code, message);
        match shape.field_type {
            FieldType::Text => text(json).map(Self::Text),
            FieldType::Number => number(json).map(Self::Number),
            FieldType::Money => money(json).map(Self::Money),
            FieldType::Date => date(json).map(Self::Date),
            FieldType::Boolean => json.as_bool().map(Self::Boolean).ok_or(("invalid_type", "must be true or false")),
            FieldType::Select => option(shape, json).map(Self::Select),
            FieldType::MultiSelect => return options(shape, json, pointer).map(Self::MultiSelect),
            FieldType::Url => url(json).map(Self::Url),
            FieldType::Email => email(json).map(Self::Email),
            FieldType::Datetime => datetime(json).map(Self::Datetime),
            FieldType::Reference => reference(json).map(Self::Reference),
        }
        .map_err(wrong)
    }

    /// The value on the wire, and in a record. Read again, it is the same value.
    pub fn json(&self) -> Value {
        match self {
            Self::Text(text) | Self::Select(text) | Self::Url(text) | Self::Email(text) => Value::from(text.as_str()),
            Self::Number(number) => number.json(),
            Self::Money(money) => serde_json::to_value(money).unwrap_or_default(),
            Self::Date(date) => Value::from(date.to_string()),
            Self::Boolean(yes) => Value::from(*yes),
            Self::MultiSelect(keys) => Value::from(keys.as_slice()),
            Self::Datetime(at) => serde_json::to_value(at).unwrap_or_default(),
            Self::Reference(id) => Value::from(id.to_string()),
        }
    }
}

type Wrong = (&'static str, &'static str);
type Read<T> = Result<T, Wrong>;

/// A text that is not blank and that both databases can hold.
fn text(json: &Value) -> Read<String> {
    let text = json.as_str().ok_or(("invalid_type", "must be text"))?.trim();
    if text.is_empty() {
        return Err(("blank", "must not be blank; null takes the value away"));
    }
    if text.chars().count() > LONGEST_TEXT {
        return Err(("length", "can have 2000 characters at most"));
    }
    if text.contains(['\0', LAST]) {
        return Err(("invalid_character", "must not contain the characters U+0000 and U+10FFFF"));
    }
    Ok(text.to_owned())
}

fn number(json: &Value) -> Read<Number> {
    let Value::Number(number) = json else { return Err(("invalid_type", "must be a number")) };
    Number::read(number).ok_or(("invalid_number", "must have four decimals at most, and be less than 100000000000 from 0"))
}

fn money(json: &Value) -> Read<Money> {
    let wrong =
        |_| ("invalid_amount", "must be an amount in a currency, such as {\"amount\": \"1234.50\", \"currency\": \"EUR\"}");
    serde_json::from_value(json.clone()).map_err(wrong)
}

fn date(json: &Value) -> Read<NaiveDate> {
    let wrong = ("invalid_date", "must be a day, such as 2026-03-31");
    let text = json.as_str().filter(|text| text.len() == "2026-03-31".len()).ok_or(wrong)?;
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| wrong)?;
    if (1..=9999).contains(&date.year()) { Ok(date) } else { Err(wrong) }
}

fn datetime(json: &Value) -> Read<DateTime> {
    let wrong = ("invalid_datetime", "must be a moment of RFC 3339, such as 2026-03-31T12:00:00Z");
    let at = json.as_str().and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok()).ok_or(wrong)?.to_utc();
    if (1..=9999).contains(&at.year()) { Ok(at.trunc_subsecs(6)) } else { Err(wrong) }
}

fn url(json: &Value) -> Read<String> {
    let text = text(json)?;
    let of_the_web = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
    if of_the_web && text.validate_url() {
        Ok(text)
    } else {
        Err(("invalid_url", "must be an address that begins with http:// or https://"))
    }
}

fn email(json: &Value) -> Read<String> {
    let text = text(json)?;
    let fits = text.len() <= LONGEST_EMAIL && text.validate_email();
    if fits { Ok(text) } else { Err(("email", "must be an e-mail address")) }
}

fn reference(json: &Value) -> Read<Uuid> {
    json.as_str().and_then(|text| Uuid::try_parse(text).ok()).ok_or(("invalid_id", "must be the id of a record"))
}

fn option(shape: &FieldShape, json: &Value) -> Read<String> {
    let key = json.as_str().ok_or(("invalid_type", "must be the key of an option"))?;
    let known = shape.options.iter().find(|option| option.key == key).ok_or(UNKNOWN_OPTION)?;
    Ok(known.key.clone())
}

const UNKNOWN_OPTION: Wrong = ("unknown_option", "must be the key of one of the field's options");

/// The fault of the first item that is wrong, at its own pointer.
fn options(shape: &FieldShape, json: &Value, pointer: &str) -> Result<Vec<String>, FieldError> {
    let not_a_list = || FieldError::new(pointer, "invalid_type", "must be a list of keys of options");
    let items = json.as_array().ok_or_else(not_a_list)?;
    if items.is_empty() {
        return Err(FieldError::new(pointer, "empty", "must not be empty; null takes the value away"));
    }
    let mut chosen = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let wrong = |(code, message): Wrong| FieldError::new(format!("{pointer}/{place}"), code, message);
        let key = option(shape, item).map_err(wrong)?;
        if chosen.contains(&key) {
            return Err(wrong(("duplicate", "is there twice")));
        }
        chosen.push(key);
    }
    let in_order = shape.options.iter().map(|option| &option.key).filter(|key| chosen.contains(key));
    Ok(in_order.cloned().collect())
}
