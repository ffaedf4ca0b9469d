//! Custom fields on the wire.

use std::collections::BTreeMap;

use kernel::shape::filled;
use kernel::{DateTime, Patch};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use validator::Validate;

use super::{CustomFieldId, CustomFieldRow, FieldOption, FieldState, FieldTarget, FieldType};

/// What a workspace adds to the records of a type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CustomField {
    /// Its id.
    pub id: CustomFieldId,
    /// Whose it is: `client` or `contact`.
    pub record_type: String,
    /// The name of its values: in `custom_fields` of a record, in `cf[key]` of a list, in columns of exports and imports.
    pub key: String,
    /// What people read.
    pub label: String,
    /// What it is for.
    pub description: Option<String>,
    /// What sort of value it has.
    pub field_type: FieldType,
    /// Whether a record must have a value. Of records that were there before, and of imported ones, it is not asked.
    pub is_required: bool,
    /// Whether no two records may have the same value, texts without regard to case and accents.
    pub is_unique: bool,
    /// What a new record gets that names none.
    #[schema(value_type = Option<CustomValue>)]
    pub default: Option<Value>,
    /// What a `select` or `multi_select` chooses from, in their order.
    pub options: Vec<FieldOption>,
    /// What a `reference` names.
    pub target: Option<FieldTarget>,
    /// Its place among those of its record type, from 0.
    pub position: i64,
    /// How far it has come.
    pub state: FieldState,
    /// When it was put away: records keep their values, and are given no more.
    pub archived_at: Option<DateTime>,
    /// When it was made.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl From<CustomFieldRow> for CustomField {
    fn from(row: CustomFieldRow) -> Self {
        Self {
            id: row.id,
            record_type: row.record_type,
            key: row.key,
            label: row.label,
            description: row.description,
            field_type: row.field_type,
            is_required: row.is_required,
            is_unique: row.is_unique,
            default: row.default_value.map(|json| json.0),
            options: row.options.0,
            target: row.target,
            position: row.position,
            state: row.state,
            archived_at: row.archived_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// A value of a custom field; which of these it is, its type says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum CustomValue {
    /// Text, a day, a moment, the key of an option, an address, or the id of a record.
    Text(String),
    /// A number with up to four decimals.
    Number(f64),
    /// Yes or no.
    Boolean(bool),
    /// The keys of options.
    Several(Vec<String>),
    /// An amount in a currency.
    Amount(CustomAmount),
}

/// An amount in a currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CustomAmount {
    /// The amount, with the decimals of its currency.
    #[schema(example = "1234.50")]
    pub amount: String,
    /// ISO 4217.
    #[schema(example = "EUR")]
    pub currency: String,
}

/// The values of a record, by the keys of their custom fields (`/v1/custom-fields`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CustomValues(pub BTreeMap<String, CustomValue>);

/// Values that a record is given, by the keys of their custom fields; null takes one away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CustomValuesGiven(pub BTreeMap<String, CustomValueGiven>);

/// A value that a record is given, or null for none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CustomValueGiven(pub Option<CustomValue>);

/// The body of `POST /v1/custom-fields`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateCustomField {
    /// Whose it is: `client` or `contact`.
    #[schema(max_length = 60)]
    pub record_type: String,
    /// The name of its values, which stays: lower-case letters, digits and underscores.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,49}$")]
    pub key: String,
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    #[validate(custom(function = filled), length(max = 100))]
    pub label: String,
    /// At most 500 characters.
    #[schema(max_length = 500)]
    #[validate(length(max = 500))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What sort of value it has, which stays.
    pub field_type: FieldType,
    /// Whether a record must have a value; not unless given.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_required: Option<bool>,
    /// Whether no two records may have the same value, which stays; not unless given. A `multi_select` cannot be.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_unique: Option<bool>,
    /// What a new record gets that names none.
    #[schema(value_type = Option<CustomValue>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// What a `select` or `multi_select` chooses from; at most 200.
    #[schema(nullable = false, max_items = 200)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<FieldOption>>,
    /// What a `reference` names, which stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<FieldTarget>,
    /// Its place, from 0; the last unless given.
    #[schema(nullable = false, minimum = 0, maximum = 99)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
}

/// The body of `PATCH /v1/custom-fields/{custom_field_id}`. Key and type stay: views, integrations and values rely on them.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct CustomFieldPatch {
    /// 1 to 100 characters.
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    #[validate(custom(function = filled), length(max = 100))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// At most 500 characters.
    #[schema(value_type = Option<String>, max_length = 500)]
    #[validate(length(max = 500))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub description: Patch<String>,
    /// Whether a record must have a value, from its next change of it on.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_required: Option<bool>,
    /// What a new record gets that names none; null means nothing.
    #[schema(value_type = Option<CustomValue>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub default: Patch<Value>,
    /// All options, in their order. One that records have cannot be left out.
    #[schema(nullable = false, max_items = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<FieldOption>>,
    /// Its place, from 0: the others make room.
    #[schema(nullable = false, minimum = 0, maximum = 99)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
}
