//! What a definition says of its values.

use kernel::error::Faults;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::value::FieldValue;

store::text_enum! {
    /// What sort of value a custom field has.
    pub enum FieldType {
        /// Text of one line or several.
        Text = "text",
        /// A number with up to four decimals.
        Number = "number",
        /// An amount in a currency.
        Money = "money",
        /// A day.
        Date = "date",
        /// Yes or no.
        Boolean = "boolean",
        /// One of the options.
        Select = "select",
        /// Some of the options.
        MultiSelect = "multi_select",
        /// An address of the web.
        Url = "url",
        /// An e-mail address.
        Email = "email",
        /// A moment.
        Datetime = "datetime",
        /// Another record, by its id.
        Reference = "reference",
    }
}

impl FieldType {
    /// Whether its values are chosen from options.
    pub const fn has_options(self) -> bool {
        matches!(self, Self::Select | Self::MultiSelect)
    }

    /// Whether a field of it can be unique and can have an order: one that holds several values at once cannot.
    pub const fn is_single(self) -> bool {
        !matches!(self, Self::MultiSelect)
    }
}

/// One of the values of a select.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldOption {
    /// What records hold, in the form of a field's own key. It never changes, so that an option with another label is the same one.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,49}$")]
    pub key: String,
    /// What people read.
    #[schema(min_length = 1, max_length = 100)]
    pub label: String,
}

/// What a definition says of its values.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldShape {
    /// The name of its values in JSON, filters and exports.
    pub key: String,
    /// What sort of value it has.
    pub field_type: FieldType,
    /// Whether every record must have one.
    pub required: bool,
    /// What a new record gets that names none.
    pub default: Option<Value>,
    /// The options, of a select.
    pub options: Vec<FieldOption>,
    /// Whether it has been put away: values stay, and are given no more.
    pub archived: bool,
}

/// The form of a key.
pub const KEY_PATTERN: &str = "^[a-z][a-z0-9_]{0,49}$";
const LONGEST_KEY: usize = 50;
const MOST_OPTIONS: usize = 200;
const LONGEST_LABEL: usize = 100;

/// Whether a text can be the key of a field or option: [`KEY_PATTERN`].
pub fn check_key(key: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    key.len() <= LONGEST_KEY && key.starts_with(|first: char| first.is_ascii_lowercase()) && key.bytes().all(fits)
}

impl FieldShape {
    /// Says everything that is wrong with a definition: its key, options that are missing, too many, twice, or of a type that has none, and a
    /// default that does not fit.
    pub fn check(&self, faults: &mut Faults) {
        if !check_key(&self.key) {
            faults.add("/key", "invalid_key", KEY_RULE);
        }
        self.check_options(faults);
        if let Some(default) = &self.default
            && let Err(fault) = FieldValue::read(self, default, "/default")
        {
            faults.extend([fault]);
        }
    }

    fn check_options(&self, faults: &mut Faults) {
        match (self.field_type.has_options(), self.options.len()) {
            (true, 0) => faults.add("/options", "required", "a select needs options"),
            (true, count) if count > MOST_OPTIONS => {
                faults.add("/options", "too_many", format!("can have {MOST_OPTIONS} at most"));
            }
            (false, 1..) => faults.add("/options", "not_allowed", "only select and multi_select have options"),
            _ => {}
        }
        let mut seen = std::collections::HashSet::new();
        for (place, option) in self.options.iter().enumerate() {
            if !check_key(&option.key) {
                faults.add(format!("/options/{place}/key"), "invalid_key", KEY_RULE);
            } else if !seen.insert(option.key.as_str()) {
                faults.add(format!("/options/{place}/key"), "duplicate", "another option has this key");
            }
            if option.label.trim().is_empty() {
                faults.add(format!("/options/{place}/label"), "blank", "must not be blank");
            } else if option.label.chars().count() > LONGEST_LABEL {
                faults.add(format!("/options/{place}/label"), "length", format!("can have {LONGEST_LABEL} characters at most"));
            }
        }
    }
}

const KEY_RULE: &str = "must be 1 to 50 small letters, digits and underscores, and begin with a letter";
