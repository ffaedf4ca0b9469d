//! Interactions on the wire.

use kernel::{DateTime, Patch, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::{InteractionChannel, InteractionDirection, InteractionId, InteractionRow, InteractionType};
use crate::clients::ClientBrief;
use crate::contacts::ContactBrief;
use crate::rows::{ClientId, ContactId};

/// Somebody who took part: a contact, a member of the workspace, or somebody by name. Exactly one of the three is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Participant {
    /// A contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<ContactId>,
    /// A member of the workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Somebody else, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    #[validate(custom(function = kernel::shape::filled), length(max = 200))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What was said or done with a client or a contact.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Interaction {
    /// Its id.
    pub id: InteractionId,
    /// The client.
    pub client_id: Option<ClientId>,
    /// The contact.
    pub contact_id: Option<ContactId>,
    /// What sort of interaction it was.
    pub r#type: InteractionType,
    /// By what it took place.
    pub channel: InteractionChannel,
    /// Who began it.
    pub direction: Option<InteractionDirection>,
    /// What it was about.
    pub subject: Option<String>,
    /// What was said or done.
    pub note: Option<String>,
    /// When it took place.
    pub occurred_at: DateTime,
    /// How long it took, in minutes.
    pub duration: Option<i64>,
    /// Who took part.
    pub participants: Vec<Participant>,
    /// When something is to follow.
    pub follow_up_at: Option<DateTime>,
    /// Who is to see to that.
    pub follow_up_by: Option<UserId>,
    /// When that was done.
    pub followed_up_at: Option<DateTime>,
    /// Who wrote it down.
    pub author_id: Option<UserId>,
    /// When it was put away.
    pub archived_at: Option<DateTime>,
    /// When it was written down.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// The client; with `include=client`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientBrief>,
    /// The contact, if the caller may see it; with `include=contact`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactBrief>,
    /// Who wrote it down; with `include=author`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<auth::users::UserBrief>,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl From<InteractionRow> for Interaction {
    fn from(row: InteractionRow) -> Self {
        Self {
            id: row.id,
            client_id: row.client_id,
            contact_id: row.contact_id,
            r#type: row.r#type,
            channel: row.channel,
            direction: row.direction,
            subject: row.subject,
            note: row.note,
            occurred_at: row.occurred_at,
            duration: row.duration,
            participants: row.participants.0,
            follow_up_at: row.follow_up_at,
            follow_up_by: row.follow_up_by,
            followed_up_at: row.followed_up_at,
            author_id: row.author_id,
            archived_at: row.archived_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            client: None,
            contact: None,
            author: None,
            version: row.version,
        }
    }
}

/// The body of `POST /v1/interactions`. It is of a client, of a contact, or of both.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateInteraction {
    /// The client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// The contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<ContactId>,
    /// What sort of interaction it was; `conversation` unless given.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<InteractionType>,
    /// By what it took place.
    pub channel: InteractionChannel,
    /// Who began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<InteractionDirection>,
    /// What it was about; at most 200 characters.
    #[schema(max_length = 200)]
    #[validate(length(max = 200))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What was said or done; at most 20,000 characters.
    #[schema(max_length = 20000)]
    #[validate(length(max = 20_000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it took place, from 1970 on; now unless given.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<DateTime>,
    /// How long it took, in minutes: at most a week.
    #[schema(minimum = 0, maximum = 10080)]
    #[validate(range(min = 0, max = 10_080))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<i64>,
    /// Who took part; at most 50.
    #[schema(nullable = false, max_items = 50)]
    #[validate(nested, length(max = 50))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participants: Option<Vec<Participant>>,
    /// When something is to follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up_at: Option<DateTime>,
    /// Who is to see to that, a member of the workspace; whoever writes it down unless given. Needs `follow_up_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up_by: Option<UserId>,
}

/// The body of `PATCH /v1/interactions/{interaction_id}`, a JSON merge patch (RFC 7396). Of whom it is stays.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct InteractionPatch {
    /// What sort of interaction it was.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<InteractionType>,
    /// By what it took place.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<InteractionChannel>,
    /// Who began it.
    #[schema(value_type = Option<InteractionDirection>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub direction: Patch<InteractionDirection>,
    /// What it was about; at most 200 characters.
    #[schema(value_type = Option<String>, max_length = 200)]
    #[validate(length(max = 200))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub subject: Patch<String>,
    /// What was said or done; at most 20,000 characters.
    #[schema(value_type = Option<String>, max_length = 20000)]
    #[validate(length(max = 20_000))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub note: Patch<String>,
    /// When it took place.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<DateTime>,
    /// How long it took, in minutes: at most a week.
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 10080)]
    #[validate(range(min = 0, max = 10_080))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub duration: Patch<i64>,
    /// Who took part, all of them; null means nobody.
    #[schema(value_type = Option<Vec<Participant>>, max_items = 50)]
    #[validate(nested, length(max = 50))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub participants: Patch<Vec<Participant>>,
    /// When something is to follow; null means nothing is. A new moment is to be followed up anew.
    #[schema(value_type = Option<kernel::DateTime>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub follow_up_at: Patch<DateTime>,
    /// Who is to see to that, a member of the workspace.
    #[schema(value_type = Option<uuid::Uuid>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub follow_up_by: Patch<UserId>,
    /// When that was done; null means that it is still to be done.
    #[schema(value_type = Option<kernel::DateTime>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub followed_up_at: Patch<DateTime>,
}
