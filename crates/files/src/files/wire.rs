//! Files on the wire.

use kernel::{DateTime, Patch, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::rows::{FileId, FileRow, FolderId, Thumbnail};

/// A file. Its content is at `/v1/files/{file_id}/content`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct File {
    /// Its id.
    pub id: FileId,
    /// Its name.
    pub filename: String,
    /// Its type, told from its content.
    pub mime_type: String,
    /// How many bytes it has.
    pub filesize_bytes: i64,
    /// The SHA-256 digest of its content, in hexadecimal digits.
    pub sha256: String,
    /// What sort of paper it is.
    pub category: Option<String>,
    /// What it is about.
    pub subject: Option<String>,
    /// More about it.
    pub description: Option<String>,
    /// The storage that its content is in.
    pub storage_bucket: String,
    /// Who put it here.
    pub uploaded_by: Option<UserId>,
    /// Whether the client sees it in the portal.
    pub visible_to_client: bool,
    /// The type of the record that it is on.
    pub rel_type: Option<String>,
    /// The record that it is on.
    pub rel_id: Option<Uuid>,
    /// The folder that it lies in.
    pub folder_id: Option<FolderId>,
    /// Whether it has a small picture of itself, at `/v1/files/{file_id}/thumbnail`. It comes without a change of the file.
    pub thumbnail: Thumbnail,
    /// When it was put away.
    pub archived_at: Option<DateTime>,
    /// When it came.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl From<FileRow> for File {
    fn from(row: FileRow) -> Self {
        Self {
            id: row.id,
            filename: row.filename,
            mime_type: row.mime_type,
            filesize_bytes: row.filesize_bytes,
            sha256: row.sha256,
            category: row.category,
            subject: row.subject,
            description: row.description,
            storage_bucket: row.storage_bucket,
            uploaded_by: row.uploaded_by,
            visible_to_client: row.visible_to_client,
            rel_type: row.rel_type,
            rel_id: row.rel_id,
            folder_id: row.folder_id,
            thumbnail: row.thumbnail,
            archived_at: row.archived_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// The parts of `POST /v1/files`, in any order. One that is empty says nothing, as forms send what nobody filled in.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct UploadFile {
    /// The file itself.
    #[schema(format = Binary)]
    pub file: String,
    /// The type of the record that it is to be on; with `rel_id`.
    #[schema(nullable = false, min_length = 1, max_length = 50)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rel_type: Option<String>,
    /// The record that it is to be on.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rel_id: Option<Uuid>,
    /// The folder that it is to lie in.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder_id: Option<FolderId>,
    /// What sort of paper it is.
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    #[validate(custom(function = kernel::shape::filled))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// What it is about.
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    #[validate(custom(function = kernel::shape::filled))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// More about it.
    #[schema(nullable = false, max_length = 5000)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether the client sees it in the portal; it does not unless said.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visible_to_client: Option<bool>,
}

/// The body of `PATCH /v1/files/{file_id}`. The content of a file does not change: put in another one.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct FilePatch {
    /// Its name; the ending must fit its type.
    #[schema(nullable = false, min_length = 1, max_length = 255)]
    #[validate(custom(function = kernel::shape::filled))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// What sort of paper it is.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub category: Patch<String>,
    /// What it is about.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub subject: Patch<String>,
    /// More about it.
    #[schema(value_type = Option<String>, max_length = 5000)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub description: Patch<String>,
    /// The folder that it lies in.
    #[schema(value_type = Option<Uuid>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub folder_id: Patch<FolderId>,
    /// Whether the client sees it in the portal.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visible_to_client: Option<bool>,
}
