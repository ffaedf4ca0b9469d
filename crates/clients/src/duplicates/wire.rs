//! Duplicates on the wire.

use kernel::shape::filled;
use kernel::{DateTime, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::find::Found;
use super::score::DuplicateReason;
use super::{DuplicateCandidateId, DuplicateSearchRow};
use crate::clients::ClientBrief;
use crate::rows::ClientKind;
use crate::shape::{TypedEmail, TypedPhone};

/// A client that another may be the same as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClientDuplicate {
    /// It.
    pub client: ClientBrief,
    /// How likely it is, of 100.
    #[schema(minimum = 60, maximum = 100)]
    pub score: i64,
    /// Why.
    #[schema(min_items = 1)]
    pub reasons: Vec<DuplicateReason>,
}

impl From<Found> for ClientDuplicate {
    fn from(found: Found) -> Self {
        let Found { row, likeness } = found;
        Self {
            client: ClientBrief { id: row.id, kind: row.kind, name: row.name },
            score: likeness.score,
            reasons: likeness.reasons,
        }
    }
}

/// The clients that one may be the same as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClientDuplicates {
    /// They, the likeliest first; at most 10.
    #[schema(max_items = 10)]
    pub data: Vec<ClientDuplicate>,
}

/// The body of `POST /v1/clients/duplicates`: what is known of a client before it is made. At least one member says who it is.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct CheckDuplicates {
    /// Company or person; company unless given.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ClientKind>,
    /// 1 to 200 characters.
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    #[validate(custom(function = filled), length(max = 200))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// At most 200 characters.
    #[schema(max_length = 200)]
    #[validate(length(max = 200))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal_name: Option<String>,
    /// At most 40 characters.
    #[schema(max_length = 40)]
    #[validate(length(max = 40))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_number: Option<String>,
    /// At most 300 characters.
    #[schema(max_length = 300)]
    #[validate(length(max = 300))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// At most 50 characters.
    #[schema(max_length = 50)]
    #[validate(length(max = 50))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// At most 20.
    #[schema(nullable = false, max_items = 20)]
    #[validate(nested, length(max = 20))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emails: Option<Vec<TypedEmail>>,
    /// At most 20.
    #[schema(nullable = false, max_items = 20)]
    #[validate(nested, length(max = 20))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phones: Option<Vec<TypedPhone>>,
    /// The country of phone numbers without a code (ISO 3166-1); the workspace's unless given.
    #[schema(nullable = false, pattern = "^[A-Z]{2}$")]
    #[validate(custom(function = kernel::shape::country))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// Two clients that may be one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DuplicateCandidate {
    /// Its id.
    pub id: DuplicateCandidateId,
    /// The older of the two.
    pub client: ClientBrief,
    /// The younger one.
    pub other: ClientBrief,
    /// How likely it was when it was found, of 100; 0 where somebody said that they are not before it was found.
    #[schema(minimum = 0, maximum = 100)]
    pub score: i64,
    /// Why.
    pub reasons: Vec<DuplicateReason>,
    /// When somebody said that they are two.
    pub archived_at: Option<DateTime>,
    /// Who did.
    pub dismissed_by: Option<UserId>,
    /// When it was found.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

/// How far the workspace was looked through for clients that may be one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DuplicateSearch {
    /// Whether it is going on, or waits for its turn.
    pub is_running: bool,
    /// Clients that were looked at so far.
    #[schema(minimum = 0)]
    pub looked_at: i64,
    /// Pairs that were found so far.
    #[schema(minimum = 0)]
    pub found: i64,
    /// When it began; null where none did yet.
    pub started_at: Option<DateTime>,
    /// When the last one that came to its end did.
    pub finished_at: Option<DateTime>,
}

impl From<&DuplicateSearchRow> for DuplicateSearch {
    fn from(row: &DuplicateSearchRow) -> Self {
        Self {
            is_running: row.is_running(),
            looked_at: row.looked_at,
            found: row.found,
            started_at: row.started_at,
            finished_at: row.finished_at,
        }
    }
}
