//! Files, the folders that they lie in, and objects that are still to be removed.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::{self, Wall};

use crate::table::{Making, both, dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Making::of_workspace(manager, "folder")
            .text("name")
            .sortable("name_key")
            .uuid("place_id")
            .uuid_null("parent_id")
            .references("parent_id", "folder")
            .text_null("rel_type")
            .uuid_null("rel_id")
            .uuid_null("created_by")
            .make(Wall::Workspace)
            .await?;
        for index in [
            "CREATE UNIQUE INDEX folder_name ON folder (place_id, name_key)",
            "CREATE INDEX folder_sorted ON folder (workspace_id, name_key, id)",
            "CREATE INDEX folder_created ON folder (workspace_id, created_at, id)",
            "CREATE INDEX folder_updated ON folder (workspace_id, updated_at, id)",
            // the parent first, for what looks after references
            "CREATE INDEX folder_parent ON folder (parent_id, workspace_id)",
            "CREATE INDEX folder_of ON folder (workspace_id, rel_id, name_key, id)",
        ] {
            both(manager, index).await?;
        }

        Making::searched(manager, "file")
            .text_null("category")
            .text_null("subject")
            .text_null("description")
            .text("storage_bucket")
            .text("storage_key")
            .text("filename")
            .sortable("filename_key")
            .text("mime_type")
            .integer("filesize_bytes")
            .text("sha256")
            .uuid_null("uploaded_by")
            .boolean("visible_to_client")
            .text_null("rel_type")
            .uuid_null("rel_id")
            .uuid_null("folder_id")
            .references("folder_id", "folder")
            .time_null("archived_at")
            .make(Wall::Workspace)
            .await?;
        for index in [
            "CREATE UNIQUE INDEX file_object ON file (storage_key, storage_bucket)",
            "CREATE INDEX file_created ON file (workspace_id, created_at, id)",
            "CREATE INDEX file_updated ON file (workspace_id, updated_at, id)",
            "CREATE INDEX file_name ON file (workspace_id, filename_key, id)",
            "CREATE INDEX file_size ON file (workspace_id, filesize_bytes, id)",
            "CREATE INDEX file_of ON file (workspace_id, rel_id, created_at, id)",
            "CREATE INDEX file_in ON file (workspace_id, folder_id, created_at, id)",
            "CREATE INDEX file_by ON file (workspace_id, uploaded_by, created_at, id)",
            "CREATE INDEX file_digest ON file (workspace_id, sha256)",
            "CREATE INDEX file_folder ON file (folder_id)",
        ] {
            both(manager, index).await?;
        }
        run(manager, ddl::search_index(dialect(manager), "file")).await?;

        Making::of_workspace(manager, "file_removal")
            .text("storage_bucket")
            .text("storage_key")
            .time("created_at")
            .make_bare(Wall::WorkspaceOrInstallation)
            .await
    }
}
