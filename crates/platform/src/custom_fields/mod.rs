//! Custom fields: what a workspace adds to the records of a type.
//!
//! A definition ([`CustomField`]) says what its values are. The values of a record are one JSON object in it, `custom_fields`, by the keys of
//! their definitions: reading a record asks nothing more. Beside that, each value stands in the form in which lists compare it
//! ([`store::list::HeldValue`]), and where a record has none, so does that: therefore a list sorts and filters by a custom field along one
//! index, as by a built-in one. Records that were there before their field are told so by a job ([`fill`]), and until it has been through,
//! the field cannot be sorted by.
//!
//! A record type has custom fields where its list says so ([`store::list::ListSpec::custom_fields`]); its domain lays what it is given over
//! what a record has ([`Fields::lay`]), and then keeps the values ([`keep`]).
//!
//! Nothing here writes an amount, a number or a mail address anew: [`kernel::Money`] and the crate `validator` know them.

mod asked;
mod cell;
mod commands;
mod fields;
mod fill;
mod holder;
pub mod keep;
mod number;
mod purge;
mod read;
mod set;
mod shape;
mod sorted;
mod value;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use kernel::DateTime;
use store::Json;

pub use commands::{archive, create, restore, update};
pub use fields::{Fields, Reference};
pub use fill::FillCustomField;
pub use fill::handle;
pub use holder::{FieldHolder, FieldHolders};
pub use number::Number;
pub use purge::{PurgeCustomField, purge};
pub use read::{CUSTOM_FIELD_LIST, check_still_there, get, list, resolve};
pub use set::Occasion;
pub use shape::{FieldOption, FieldShape, FieldType, KEY_PATTERN, check_key};
pub use value::FieldValue;
pub use wire::{
    CreateCustomField, CustomAmount, CustomField, CustomFieldPatch, CustomValue, CustomValueGiven, CustomValues,
    CustomValuesGiven,
};

kernel::typed_id! {
    /// Names a custom field.
    pub CustomFieldId
}
store::id_fields!(CustomFieldId);

store::text_enum! {
    /// How far a custom field has come.
    pub enum FieldState {
        /// Records that were there before it are being told of it: it takes values and can be filtered by, and not yet sorted by.
        Preparing = "preparing",
        /// All of it can be used.
        Ready = "ready",
        /// It is being taken off all records, and then is no more.
        Purging = "purging",
    }
}

store::text_enum! {
    /// What a value of type `reference` names.
    pub enum FieldTarget {
        /// A client.
        Client = "client",
        /// A contact.
        Contact = "contact",
        /// A member of the workspace.
        User = "user",
    }
}

store::record! {
    pub(crate) struct CustomFieldRow in "custom_field" of workspace {
        id: CustomFieldId;
        record_type: String,
        key: String,
        label: String,
        description: Option<String>,
        field_type: FieldType,
        is_required: bool,
        is_unique: bool,
        default_value: Option<Json<serde_json::Value>>,
        options: Json<Vec<FieldOption>>,
        target: Option<FieldTarget>,
        position: i64,
        state: FieldState => Derived,
        archived_at: Option<DateTime>,
    }
}

impl CustomFieldRow {
    fn shape(&self) -> FieldShape {
        FieldShape {
            key: self.key.clone(),
            field_type: self.field_type,
            required: self.is_required,
            default: self.default_value.as_ref().map(|json| json.0.clone()),
            options: self.options.0.clone(),
            archived: self.archived_at.is_some(),
        }
    }
}

/// Words of a record's values, for its full-text search: what is written in text and the keys of options, and not days, moments and ids.
pub fn searched(values: &serde_json::Map<String, serde_json::Value>) -> impl Iterator<Item = &str> {
    let is_written = |text: &&str| {
        let is_time = text.parse::<chrono::NaiveDate>().is_ok() || chrono::DateTime::parse_from_rfc3339(text).is_ok();
        !is_time && text.parse::<uuid::Uuid>().is_err()
    };
    // in an order of their own: PostgreSQL gives back members in another one than they were written in
    let sorted: BTreeMap<&String, &serde_json::Value> = values.iter().collect();
    let texts = sorted.into_values().flat_map(|value| match value {
        serde_json::Value::Array(several) => several.as_slice(),
        one => std::slice::from_ref(one),
    });
    texts.filter_map(serde_json::Value::as_str).filter(is_written)
}
