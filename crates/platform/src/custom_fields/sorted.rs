//! In which form a value is compared.

use chrono::Datelike as _;
use kernel::text;
use store::list::ValueKey;
use xxhash_rust::xxh3::xxh3_128;

use super::value::{FieldValue, LAST};

/// How many bytes of a text are compared: an entry of an index has its bounds, on PostgreSQL some 2,700 bytes.
const LONGEST: usize = 360;

/// A value in the form in which values are compared, with the whole of a text of which that is only the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Compared {
    pub key: ValueKey,
    pub whole_text: Option<String>,
}

impl Compared {
    fn text(text: String) -> Self {
        let Some(beginning) = text.get(..text.floor_char_boundary(LONGEST)).filter(|beginning| beginning.len() < text.len())
        else {
            return Self { key: ValueKey { text, number: 0 }, whole_text: None };
        };
        // two long texts that begin alike are two, and the same ones are the same
        let key = format!("{beginning}{:032x}", xxh3_128(text.as_bytes()));
        Self { key: ValueKey { text: key, number: 0 }, whole_text: Some(text) }
    }

    fn word(text: &str) -> Self {
        Self { key: ValueKey { text: text.to_owned(), number: 0 }, whole_text: None }
    }

    fn number(number: i64) -> Self {
        Self { key: ValueKey { text: String::new(), number }, whole_text: None }
    }

    /// A text as texts are compared: without regard to case and accents.
    pub fn folded(text: &str) -> Self {
        Self::text(text::fold(text.trim()).replace(LAST, ""))
    }

    /// The forms of a value: one, or as many as a `multi_select` has options chosen.
    pub fn of(value: &FieldValue) -> Vec<Self> {
        vec![match value {
            FieldValue::MultiSelect(keys) => return keys.iter().map(|key| Self::word(key)).collect(),
            FieldValue::Text(text) | FieldValue::Url(text) | FieldValue::Email(text) => Self::folded(text),
            FieldValue::Select(key) => Self::word(key),
            FieldValue::Number(number) => Self::number(number.units()),
            // amounts of one currency have an order among themselves, those of two have none
            FieldValue::Money(money) => {
                Self { key: ValueKey { text: money.currency.code().to_owned(), number: money.minor }, whole_text: None }
            }
            FieldValue::Date(date) => Self::number(i64::from(date.num_days_from_ce())),
            FieldValue::Boolean(yes) => Self::number(i64::from(*yes)),
            FieldValue::Datetime(at) => Self::number(at.timestamp_micros()),
            FieldValue::Reference(id) => Self::word(&id.to_string()),
        }]
    }
}
