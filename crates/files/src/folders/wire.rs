//! Folders on the wire.

use kernel::{DateTime, Patch, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::rows::{FolderId, FolderRow};

/// A folder.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Folder {
    /// Its id.
    pub id: FolderId,
    /// Its name, unique in what it lies in, without regard to case and accents.
    pub name: String,
    /// The folder that it lies in.
    pub parent_id: Option<FolderId>,
    /// The type of the record that it is on; none where it is the workspace's.
    pub rel_type: Option<String>,
    /// The record that it is on.
    pub rel_id: Option<Uuid>,
    /// Who made it.
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl From<FolderRow> for Folder {
    fn from(row: FolderRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            parent_id: row.parent_id,
            rel_type: row.rel_type,
            rel_id: row.rel_id,
            created_by: row.created_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// The body of `POST /v1/folders`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateFolder {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    #[validate(custom(function = kernel::shape::filled))]
    pub name: String,
    /// The folder that it is to lie in, whose record it is then on too.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<FolderId>,
    /// The type of the record that it is to be on; with `rel_id`.
    #[schema(nullable = false, min_length = 1, max_length = 50)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rel_type: Option<String>,
    /// The record that it is to be on.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rel_id: Option<Uuid>,
}

/// The body of `PATCH /v1/folders/{folder_id}`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct FolderPatch {
    /// 1 to 100 characters.
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    #[validate(custom(function = kernel::shape::filled))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The folder that it is to lie in, of the same record; null for none.
    #[schema(value_type = Option<Uuid>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub parent_id: Patch<FolderId>,
}
