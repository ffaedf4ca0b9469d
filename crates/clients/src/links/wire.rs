//! Who belongs to whom, as it goes over the wire.

use chrono::NaiveDate;
use kernel::{DateTime, Patch};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::contacts::ContactBrief;
use crate::rows::{ClientId, ContactId, Influence};

/// A contact as it belongs to a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LinkedContact {
    /// The client.
    pub client_id: ClientId,
    /// The contact.
    pub contact: ContactBrief,
    /// What the contact does there.
    pub role: Option<String>,
    /// Whether it is the one to speak to.
    pub is_primary: bool,
    /// How much it has to say.
    pub influence: Influence,
    /// Since when.
    pub since: Option<NaiveDate>,
    /// Until when.
    pub until: Option<NaiveDate>,
    /// When it was made to belong.
    pub created_at: DateTime,
    /// When that last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

/// The body of `POST /v1/clients/{client_id}/contacts`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct LinkContact {
    /// The contact.
    pub contact_id: ContactId,
    /// What the contact does there; at most 100 characters.
    #[schema(max_length = 100)]
    #[validate(length(max = 100))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whether it is the one to speak to; the first contact of a client always is.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_primary: Option<bool>,
    /// How much it has to say; `unknown` unless given.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub influence: Option<Influence>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<NaiveDate>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
}

/// The body of `PATCH /v1/clients/{client_id}/contacts/{contact_id}`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct LinkPatch {
    /// What the contact does there; at most 100 characters.
    #[schema(value_type = Option<String>, max_length = 100)]
    #[validate(length(max = 100))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub role: Patch<String>,
    /// True makes it the one to speak to in place of the one who was.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_primary: Option<bool>,
    /// How much it has to say.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub influence: Option<Influence>,
    /// Since when.
    #[schema(value_type = Option<chrono::NaiveDate>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub since: Patch<NaiveDate>,
    /// Until when.
    #[schema(value_type = Option<chrono::NaiveDate>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub until: Patch<NaiveDate>,
}
