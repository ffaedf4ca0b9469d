//! Contacts on the wire.

use kernel::shape::{self, filled};
use kernel::{DateTime, Patch, UserId};
use platform::custom_fields::{CustomValues, CustomValuesGiven};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use validator::Validate;

use crate::clients::ClientBrief;
use crate::rows::{ContactId, ContactMail, ContactRow};
use crate::shape::{TypedEmail, TypedPhone};

/// A person at one or more clients.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Main phone.
    pub phone: Option<String>,
    /// E-mail addresses, the main one first.
    pub emails: Vec<TypedEmail>,
    /// Further phones.
    pub phones: Vec<TypedPhone>,
    /// What the person is.
    pub position: Option<String>,
    /// Language.
    pub locale: String,
    /// Which mails of the client's business it gets, in the order of their names here: `invoices`, `estimates`, `credit_notes`, `contracts`,
    /// `tasks`, `projects`, `tickets`.
    pub mails: Vec<ContactMail>,
    /// The staff account that made it.
    pub created_by: Option<UserId>,
    /// The system it came from.
    pub external_source: Option<String>,
    /// Its id there.
    pub external_id: Option<String>,
    /// The values of its custom fields, by their keys.
    #[schema(value_type = CustomValues)]
    pub custom_fields: Map<String, Value>,
    /// When it was put away.
    pub archived_at: Option<DateTime>,
    /// When it was made.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// The clients it belongs to that the caller may see; with `include=clients`.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<Vec<OfClient>>,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

/// A client that a contact belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OfClient {
    /// The client.
    pub client: ClientBrief,
    /// What the contact does there.
    pub role: Option<String>,
    /// Whether it is the one to speak to.
    pub is_primary: bool,
}

/// What others show of a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactBrief {
    /// Its id.
    pub id: ContactId,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// The main e-mail address.
    pub email: Option<String>,
    /// The main phone.
    pub phone: Option<String>,
    /// What the person is.
    pub position: Option<String>,
}

impl From<ContactRow> for ContactBrief {
    fn from(row: ContactRow) -> Self {
        Self {
            id: row.id,
            given_name: row.given_name,
            family_name: row.family_name,
            email: row.emails.0.into_iter().next().map(|email| email.address),
            phone: row.phone,
            position: row.position,
        }
    }
}

impl From<ContactRow> for Contact {
    fn from(row: ContactRow) -> Self {
        Self {
            id: row.id,
            given_name: row.given_name,
            family_name: row.family_name,
            phone: row.phone,
            emails: row.emails.0,
            phones: row.phones.0,
            position: row.position,
            locale: row.locale,
            mails: row.mails.0,
            created_by: row.created_by,
            external_source: row.external_source,
            external_id: row.external_id,
            custom_fields: row.custom_fields.0,
            archived_at: row.archived_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            clients: None,
            version: row.version,
        }
    }
}

/// The body of `POST /v1/contacts`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateContact {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    #[validate(custom(function = filled), length(max = 100))]
    pub given_name: String,
    /// At most 100 characters.
    #[schema(nullable = false, max_length = 100)]
    #[validate(length(max = 100))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// At most 50 characters.
    #[schema(max_length = 50)]
    #[validate(length(max = 50))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The main one first; at most 20.
    #[schema(nullable = false, max_items = 20)]
    #[validate(nested, length(max = 20))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emails: Option<Vec<TypedEmail>>,
    /// At most 20.
    #[schema(nullable = false, max_items = 20)]
    #[validate(nested, length(max = 20))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phones: Option<Vec<TypedPhone>>,
    /// At most 100 characters.
    #[schema(max_length = 100)]
    #[validate(length(max = 100))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// A language such as `el` or `en-GB`; the workspace's unless given.
    #[schema(nullable = false)]
    #[validate(custom(function = shape::locale))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Which mails of the client's business it gets; all of them unless given.
    #[schema(nullable = false, max_items = 7)]
    #[validate(length(max = 7))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mails: Option<Vec<ContactMail>>,
    /// The system it came from; needs `external_id`.
    #[schema(min_length = 1, max_length = 50)]
    #[validate(length(min = 1, max = 50))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_source: Option<String>,
    /// Its id there; needs `external_source`, and is unique with it.
    #[schema(min_length = 1, max_length = 200)]
    #[validate(length(min = 1, max = 200))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Values of custom fields, by their keys; a null where a default is not wanted.
    #[schema(value_type = Option<CustomValuesGiven>, nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_fields: Option<Map<String, Value>>,
}

/// The body of `PATCH /v1/contacts/{contact_id}`, a JSON merge patch (RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct ContactPatch {
    /// 1 to 100 characters.
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    #[validate(custom(function = filled), length(max = 100))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// At most 100 characters.
    #[schema(nullable = false, max_length = 100)]
    #[validate(length(max = 100))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// At most 50 characters.
    #[schema(value_type = Option<String>, max_length = 50)]
    #[validate(length(max = 50))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub phone: Patch<String>,
    /// All of them, the main one first; null means none.
    #[schema(value_type = Option<Vec<TypedEmail>>, max_items = 20)]
    #[validate(nested, length(max = 20))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub emails: Patch<Vec<TypedEmail>>,
    /// All of them; null means none.
    #[schema(value_type = Option<Vec<TypedPhone>>, max_items = 20)]
    #[validate(nested, length(max = 20))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub phones: Patch<Vec<TypedPhone>>,
    /// At most 100 characters.
    #[schema(value_type = Option<String>, max_length = 100)]
    #[validate(length(max = 100))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub position: Patch<String>,
    /// A language such as `el` or `en-GB`.
    #[schema(nullable = false)]
    #[validate(custom(function = shape::locale))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Which mails of the client's business it gets, all of them.
    #[schema(nullable = false, max_items = 7)]
    #[validate(length(max = 7))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mails: Option<Vec<ContactMail>>,
    /// Values of custom fields, by their keys: those that are absent stay, a null takes one away, and null for all of them takes all away.
    #[schema(value_type = Option<CustomValuesGiven>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub custom_fields: Patch<Map<String, Value>>,
}
