//! How two clients relate, as it goes over the wire.

use chrono::NaiveDate;
use kernel::{DateTime, Patch, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::{ClientRelationshipId, ClientRelationshipRow, RelationshipKind};
use crate::clients::ClientBrief;
use crate::rows::ClientId;

/// How two clients relate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClientRelationship {
    /// Its id.
    pub id: ClientRelationshipId,
    /// How they relate.
    pub kind: RelationshipKind,
    /// The one: the principal, the supplier, or who brought the other.
    pub from_client_id: ClientId,
    /// The other: the distributor, or who is delivered to.
    pub to_client_id: ClientId,
    /// Where a distributor sells; where there is none, wherever no other relationship of the two names a territory.
    pub territory: Option<String>,
    /// What a distributor gets, in hundredths of a percent: 750 is 7.5 %.
    pub commission_basis_points: Option<i64>,
    /// The first day on which it holds; since ever where there is none.
    pub valid_from: Option<NaiveDate>,
    /// The last day on which it holds; until further notice where there is none.
    pub valid_until: Option<NaiveDate>,
    /// What else there is to say.
    pub note: Option<String>,
    /// Who wrote it down.
    pub created_by: Option<UserId>,
    /// When it was written down.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// The one, if the caller may see it; with `include=from_client`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_client: Option<ClientBrief>,
    /// The other, if the caller may see it; with `include=to_client`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_client: Option<ClientBrief>,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl From<ClientRelationshipRow> for ClientRelationship {
    fn from(row: ClientRelationshipRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            from_client_id: row.from_client_id,
            to_client_id: row.to_client_id,
            territory: row.territory,
            commission_basis_points: row.commission_basis_points,
            valid_from: row.valid_from,
            valid_until: row.valid_until,
            note: row.note,
            created_by: row.created_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
            from_client: None,
            to_client: None,
            version: row.version,
        }
    }
}

/// The body of `POST /v1/client-relationships`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateClientRelationship {
    /// How they relate.
    pub kind: RelationshipKind,
    /// The one: the principal, the supplier, or who brought the other.
    pub from_client_id: ClientId,
    /// The other: the distributor, or who is delivered to.
    pub to_client_id: ClientId,
    /// Where a distributor sells, 1 to 100 characters; unless given, wherever no other relationship of the two names a territory.
    #[schema(min_length = 1, max_length = 100)]
    #[validate(custom(function = kernel::shape::filled), length(max = 100))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub territory: Option<String>,
    /// What a distributor gets, in hundredths of a percent: 750 is 7.5 %.
    #[schema(minimum = 0, maximum = 10000)]
    #[validate(range(min = 0, max = 10_000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commission_basis_points: Option<i64>,
    /// The first day on which it holds; since ever unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<NaiveDate>,
    /// The last day on which it holds; until further notice unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<NaiveDate>,
    /// At most 2,000 characters.
    #[schema(max_length = 2000)]
    #[validate(length(max = 2000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The body of `PATCH /v1/client-relationships/{relationship_id}`, a JSON merge patch (RFC 7396). Who relates to whom, and how, stays:
/// another relationship is another record.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct ClientRelationshipPatch {
    /// Where a distributor sells, 1 to 100 characters; null is everywhere.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    #[validate(length(min = 1, max = 100))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub territory: Patch<String>,
    /// What a distributor gets, in hundredths of a percent.
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 10000)]
    #[validate(range(min = 0, max = 10_000))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub commission_basis_points: Patch<i64>,
    /// The first day on which it holds; null is since ever.
    #[schema(value_type = Option<chrono::NaiveDate>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub valid_from: Patch<NaiveDate>,
    /// The last day on which it holds; null is until further notice.
    #[schema(value_type = Option<chrono::NaiveDate>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub valid_until: Patch<NaiveDate>,
    /// At most 2,000 characters.
    #[schema(value_type = Option<String>, max_length = 2000)]
    #[validate(length(max = 2000))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub note: Patch<String>,
}
