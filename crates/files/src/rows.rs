//! The tables of this crate. A row never leaves it.

use kernel::{DateTime, UserId};
use uuid::Uuid;

kernel::typed_id! {
    /// Names a file.
    pub FileId
}
kernel::typed_id! {
    /// Names a folder.
    pub FolderId
}
store::id_fields!(FileId, FolderId);

store::text_enum! {
    /// Whether a file has a thumbnail.
    pub enum Thumbnail {
        /// It has none: it is no image, or one that cannot be read.
        None = "none",
        /// It is being made.
        Pending = "pending",
        /// It is there.
        Ready = "ready",
    }
}

store::record! {
    pub(crate) struct FileRow in "file" of workspace {
        id: FileId;
        category: Option<String>,
        subject: Option<String> => Personal,
        description: Option<String> => Personal,
        storage_bucket: String,
        storage_key: String,
        filename: String => Personal,
        filename_key: String => Derived,
        mime_type: String,
        filesize_bytes: i64,
        sha256: String,
        uploaded_by: Option<UserId>,
        visible_to_client: bool,
        rel_type: Option<String>,
        rel_id: Option<Uuid>,
        folder_id: Option<FolderId>,
        archived_at: Option<DateTime>,
        thumbnail: Thumbnail => Derived,
        thumbnail_key: Option<String> => Derived,
        thumbnail_bytes: Option<i64> => Derived,
        thumbnail_sha256: Option<String> => Derived,
        search_text: String => Derived,
    }
}

store::record! {
    pub(crate) struct FolderRow in "folder" of workspace {
        id: FolderId;
        name: String => Personal,
        name_key: String => Derived,
        // what it lies in: a folder, a record or the workspace; names are unique there
        place_id: Uuid => Derived,
        parent_id: Option<FolderId>,
        rel_type: Option<String>,
        rel_id: Option<Uuid>,
        created_by: Option<UserId>,
    }
}
