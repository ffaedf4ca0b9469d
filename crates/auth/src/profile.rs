//! One's own profile: what an account says of itself, and how it likes things shown.

use kernel::{Caller, DateTime, Error, Patch, Result, UserId, WorkspaceId, patch};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::{Change, Conn, Json, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use crate::identify::Identity;
use crate::rows::UserRow;
use crate::{shape, signed_in, users};

/// Bytes of preferences at most, as JSON.
const MOST_PREFERENCES: usize = 16 * 1024;

/// What an account says of itself.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Profile {
    /// The account's id.
    pub id: UserId,
    /// Its address. Whoever manages users changes it.
    pub email: String,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Phone.
    pub phone: Option<String>,
    /// What stands below what it writes.
    pub signature: Option<String>,
    /// Its time zone, of the IANA database.
    pub timezone: String,
    /// Its language.
    pub locale: String,
    /// Where it is when `X-Workspace` is not sent and it belongs to several.
    pub default_workspace_id: Option<WorkspaceId>,
    /// Whatever a frontend keeps of how it likes things shown.
    #[schema(value_type = Object)]
    pub preferences: Map<String, Value>,
    /// When it was made.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl From<UserRow> for Profile {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id,
            email: row.email,
            given_name: row.given_name,
            family_name: row.family_name,
            phone: row.phone,
            signature: row.signature,
            timezone: row.timezone,
            locale: row.locale,
            default_workspace_id: row.default_workspace_id,
            preferences: row.preferences.0,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// The body of `PATCH /v1/me/profile`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct ProfilePatch {
    /// Given name, 1 to 100 characters.
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    #[validate(custom(function = shape::filled))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Family name, 1 to 100 characters.
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    #[validate(custom(function = shape::filled))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Phone, at most 50 characters.
    #[schema(value_type = Option<String>, max_length = 50)]
    #[validate(length(max = 50))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub phone: Patch<String>,
    /// What stands below what it writes, at most 5,000 characters.
    #[schema(value_type = Option<String>, max_length = 5000)]
    #[validate(length(max = 5000))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub signature: Patch<String>,
    /// Of the IANA database.
    #[schema(nullable = false)]
    #[validate(custom(function = shape::timezone))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// A language such as `el` or `en-GB`.
    #[schema(nullable = false)]
    #[validate(custom(function = shape::locale))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// One that it belongs to; null for none.
    #[schema(value_type = Option<WorkspaceId>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub default_workspace_id: Patch<WorkspaceId>,
    /// Merged into what there is, as deep as it goes (RFC 7396); at most 16 KiB in all.
    #[schema(value_type = Option<Object>, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferences: Option<Map<String, Value>>,
}

/// One's own profile.
///
/// # Errors
/// `sign_in_needed` for a token.
pub async fn get(conn: &mut Conn, caller: &Caller) -> Result<Profile> {
    let (user, _) = signed_in(caller)?;
    users::find(conn, user).await?.map(Profile::from).ok_or_else(Error::not_found)
}

/// Changes one's own profile.
///
/// # Errors
/// `sign_in_needed` for a token; `stale`; `validation_failed`.
pub async fn update(uow: &mut UnitOfWork, identity: &Identity, seen: Option<i64>, patch: ProfilePatch) -> Result<Profile> {
    let (user, _) = signed_in(&uow.caller())?;
    let before = users::find_locked(uow, user).await?.ok_or_else(Error::not_found)?;
    crate::check_seen(seen, before.version)?;
    let mut after = before.clone();
    if let Some(name) = patch.given_name {
        name.trim().clone_into(&mut after.given_name);
    }
    if let Some(name) = patch.family_name {
        name.trim().clone_into(&mut after.family_name);
    }
    patch.phone.apply(&mut after.phone);
    patch.signature.apply(&mut after.signature);
    after.timezone = patch.timezone.unwrap_or(after.timezone);
    after.locale = patch.locale.unwrap_or(after.locale);
    if let Some(wanted) = patch.default_workspace_id.value()
        && identity.places.iter().all(|place| place.id != *wanted)
    {
        return Err(Error::invalid_field("/default_workspace_id", "not_found", "must be a workspace that you belong to"));
    }
    patch.default_workspace_id.apply(&mut after.default_workspace_id);
    if let Some(preferences) = patch.preferences {
        let mut merged = Value::Object(std::mem::take(&mut after.preferences.0));
        patch::merge(&mut merged, Value::Object(preferences));
        if merged.to_string().len() > MOST_PREFERENCES {
            return Err(Error::invalid_field("/preferences", "too_long", "must be at most 16 KiB in all"));
        }
        after.preferences = Json(merged.as_object().cloned().unwrap_or_default());
    }
    after.name_key = shape::name_key(&after.given_name, &after.family_name);
    uow.update(&before, after, Change::plain()).await.map(Profile::from)
}
