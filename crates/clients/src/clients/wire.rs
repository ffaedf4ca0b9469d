//! Clients on the wire.

use kernel::shape::{self, filled};
use kernel::{Currency, DateTime, Patch, UserId};
use platform::brands::BrandId;
use platform::custom_fields::{CustomValues, CustomValuesGiven};
use platform::tags::Tag;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use validator::Validate;

use crate::admins::ClientAdmin;
use crate::duplicates::ClientDuplicate;
use crate::groups::ClientGroup;
use crate::links::LinkedContact;
use crate::rows::{ClientId, ClientKind, ClientRole, ClientRow, ClientSource, ClientStatus, LeadCategory};
use crate::shape::{Address, AddressPatch, TypedEmail, TypedPhone};

/// A company or a person one does business with.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// Company or person.
    pub kind: ClientKind,
    /// Its name.
    pub name: String,
    /// Its name in law, where it differs.
    pub legal_name: Option<String>,
    /// Its tax number.
    pub tax_number: Option<String>,
    /// Its website.
    pub website: Option<String>,
    /// Its main phone.
    pub phone: Option<String>,
    /// E-mail addresses, the main one first.
    pub emails: Vec<TypedEmail>,
    /// Further phones.
    pub phones: Vec<TypedPhone>,
    /// Where it is.
    pub main_address: Option<Address>,
    /// Where invoices go.
    pub billing_address: Option<Address>,
    /// Where goods go.
    pub shipping_address: Option<Address>,
    /// What it works in.
    pub sector: Option<String>,
    /// How large it is.
    pub size: Option<String>,
    /// What it buys, or asks for.
    pub product: Option<String>,
    /// The currency of its documents.
    #[schema(value_type = String)]
    pub currency: Currency,
    /// Its language.
    pub locale: String,
    /// Under which brand one speaks to it (`/v1/brands`); under the workspace's default where there is none.
    pub brand_id: Option<BrandId>,
    /// Whether business goes on.
    pub status: ClientStatus,
    /// What it is to us.
    pub roles: Vec<ClientRole>,
    /// The client above it.
    pub parent_id: Option<ClientId>,
    /// The staff account it belongs to.
    pub owner_id: Option<UserId>,
    /// The staff account that made it.
    pub created_by: Option<UserId>,
    /// How far it has come: the key of one of the workspace's stages (`/v1/acquisition-stages`).
    pub acquisition_stage: Option<String>,
    /// How it came to us.
    pub source: Option<ClientSource>,
    /// How near a sale is.
    pub lead_category: Option<LeadCategory>,
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
    /// Its contacts, the primary one first; with `include=contacts`.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contacts: Option<Vec<LinkedContact>>,
    /// The account it belongs to; with `include=owner`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<auth::users::UserBrief>,
    /// The client above it, if the caller may see it; with `include=parent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ClientBrief>,
    /// The groups that it is in, by name; with `include=groups`.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<ClientGroup>>,
    /// Who is responsible for it beside its owner; with `include=admins`.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admins: Option<Vec<ClientAdmin>>,
    /// Its tags; with `include=tags`.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
    /// The clients that it may be the same as; in the answer to its creation, where there are some.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<Vec<ClientDuplicate>>,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

/// What others show of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClientBrief {
    /// Its id.
    pub id: ClientId,
    /// Company or person.
    pub kind: ClientKind,
    /// Its name.
    pub name: String,
}

impl From<ClientRow> for Client {
    fn from(row: ClientRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            name: row.name,
            legal_name: row.legal_name,
            tax_number: row.tax_number,
            website: row.website,
            phone: row.phone,
            emails: row.emails.0,
            phones: row.phones.0,
            main_address: row.main_address.map(|json| json.0),
            billing_address: row.billing_address.map(|json| json.0),
            shipping_address: row.shipping_address.map(|json| json.0),
            sector: row.sector,
            size: row.size,
            product: row.product,
            currency: row.currency,
            locale: row.locale,
            brand_id: row.brand_id,
            status: row.status,
            roles: row.roles.0,
            parent_id: row.parent_id,
            owner_id: row.owner_id,
            created_by: row.created_by,
            acquisition_stage: row.acquisition_stage,
            source: row.source,
            lead_category: row.lead_category,
            external_source: row.external_source,
            external_id: row.external_id,
            custom_fields: row.custom_fields.0,
            archived_at: row.archived_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            contacts: None,
            owner: None,
            parent: None,
            groups: None,
            admins: None,
            tags: None,
            duplicates: None,
            version: row.version,
        }
    }
}

/// The body of `POST /v1/clients`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateClient {
    /// Company or person.
    pub kind: ClientKind,
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    #[validate(custom(function = filled), length(max = 200))]
    pub name: String,
    /// At most 200 characters.
    #[schema(max_length = 200)]
    #[validate(length(max = 200))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_name: Option<String>,
    /// At most 40 characters.
    #[schema(max_length = 40)]
    #[validate(length(max = 40))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_number: Option<String>,
    /// At most 300 characters.
    #[schema(max_length = 300)]
    #[validate(length(max = 300))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
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
    /// Where it is.
    #[validate(nested)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub main_address: Option<Address>,
    /// Where invoices go.
    #[validate(nested)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<Address>,
    /// Where goods go.
    #[validate(nested)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<Address>,
    /// At most 100 characters.
    #[schema(max_length = 100)]
    #[validate(length(max = 100))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector: Option<String>,
    /// At most 50 characters.
    #[schema(max_length = 50)]
    #[validate(length(max = 50))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// At most 200 characters.
    #[schema(max_length = 200)]
    #[validate(length(max = 200))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// ISO 4217; the workspace's unless given.
    #[schema(nullable = false, pattern = "^[A-Z]{3}$")]
    #[validate(custom(function = shape::currency))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// A language such as `el` or `en-GB`; the workspace's unless given.
    #[schema(nullable = false)]
    #[validate(custom(function = shape::locale))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// A brand of the workspace that is in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand_id: Option<BrandId>,
    /// `active` unless given.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ClientStatus>,
    /// What it is to us, each once.
    #[schema(nullable = false, max_items = 6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<ClientRole>>,
    /// The client above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<ClientId>,
    /// The staff account it belongs to, a member of the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<UserId>,
    /// The key of one of the workspace's stages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acquisition_stage: Option<String>,
    /// How it came to us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<ClientSource>,
    /// How near a sale is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_category: Option<LeadCategory>,
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
    /// Clients of which somebody has seen that it is none: it is not told that it may be one of them, nor refused for it. At most 20, each once.
    #[schema(value_type = Option<Vec<uuid::Uuid>>, nullable = false, max_items = 20)]
    #[validate(length(max = 20))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_duplicate_of: Option<Vec<ClientId>>,
}

/// The body of `PATCH /v1/clients/{client_id}`, a JSON merge patch (RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct ClientPatch {
    /// Company or person.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ClientKind>,
    /// 1 to 200 characters.
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    #[validate(custom(function = filled), length(max = 200))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// At most 200 characters.
    #[schema(value_type = Option<String>, max_length = 200)]
    #[validate(length(max = 200))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub legal_name: Patch<String>,
    /// At most 40 characters.
    #[schema(value_type = Option<String>, max_length = 40)]
    #[validate(length(max = 40))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub tax_number: Patch<String>,
    /// At most 300 characters.
    #[schema(value_type = Option<String>, max_length = 300)]
    #[validate(length(max = 300))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub website: Patch<String>,
    /// At most 50 characters.
    #[schema(value_type = Option<String>, max_length = 50)]
    #[validate(length(max = 50))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub phone: Patch<String>,
    /// All of them, the main one first; null means none.
    #[schema(max_items = 20)]
    #[validate(nested, length(max = 20))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Vec<TypedEmail>>)]
    pub emails: Patch<Vec<TypedEmail>>,
    /// All of them; null means none.
    #[schema(value_type = Option<Vec<TypedPhone>>, max_items = 20)]
    #[validate(nested, length(max = 20))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub phones: Patch<Vec<TypedPhone>>,
    /// Where it is; its members are merged.
    #[schema(value_type = Option<AddressPatch>)]
    #[validate(nested)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub main_address: Patch<AddressPatch>,
    /// Where invoices go; its members are merged.
    #[schema(value_type = Option<AddressPatch>)]
    #[validate(nested)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub billing_address: Patch<AddressPatch>,
    /// Where goods go; its members are merged.
    #[schema(value_type = Option<AddressPatch>)]
    #[validate(nested)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub shipping_address: Patch<AddressPatch>,
    /// At most 100 characters.
    #[schema(value_type = Option<String>, max_length = 100)]
    #[validate(length(max = 100))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub sector: Patch<String>,
    /// At most 50 characters.
    #[schema(value_type = Option<String>, max_length = 50)]
    #[validate(length(max = 50))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub size: Patch<String>,
    /// At most 200 characters.
    #[schema(value_type = Option<String>, max_length = 200)]
    #[validate(length(max = 200))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub product: Patch<String>,
    /// ISO 4217.
    #[schema(nullable = false, pattern = "^[A-Z]{3}$")]
    #[validate(custom(function = shape::currency))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// A language such as `el` or `en-GB`.
    #[schema(nullable = false)]
    #[validate(custom(function = shape::locale))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// A brand of the workspace that is in use.
    #[schema(value_type = Option<uuid::Uuid>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub brand_id: Patch<BrandId>,
    /// Whether business goes on.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ClientStatus>,
    /// What it is to us, each once; null means none.
    #[schema(value_type = Option<Vec<ClientRole>>, max_items = 6)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub roles: Patch<Vec<ClientRole>>,
    /// The client above it.
    #[schema(value_type = Option<uuid::Uuid>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub parent_id: Patch<ClientId>,
    /// The staff account it belongs to, a member of the workspace.
    #[schema(value_type = Option<uuid::Uuid>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub owner_id: Patch<UserId>,
    /// The key of one of the workspace's stages.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub acquisition_stage: Patch<String>,
    /// How it came to us.
    #[schema(value_type = Option<ClientSource>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub source: Patch<ClientSource>,
    /// How near a sale is.
    #[schema(value_type = Option<LeadCategory>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub lead_category: Patch<LeadCategory>,
    /// Values of custom fields, by their keys: those that are absent stay, a null takes one away, and null for all of them takes all away.
    #[schema(value_type = Option<CustomValuesGiven>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub custom_fields: Patch<Map<String, Value>>,
}
