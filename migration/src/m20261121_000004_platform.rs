//! What any record can have, mail that waits, and imports.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::Wall;

use crate::table::{Making, both};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Making::of_workspace(manager, "tag").text("name").sortable("name_key").text_null("colour").make(Wall::Workspace).await?;
        both(manager, "CREATE UNIQUE INDEX tag_name ON tag (workspace_id, name_key)").await?;

        Making::of_workspace(manager, "tagging")
            .uuid("tag_id")
            .belongs_to("tag_id", "tag")
            .text("rel_type")
            .uuid("rel_id")
            .make(Wall::Workspace)
            .await?;
        both(manager, "CREATE UNIQUE INDEX tagging_once ON tagging (rel_id, tag_id)").await?;
        both(manager, "CREATE INDEX tagging_tag ON tagging (tag_id, rel_id)").await?;

        Making::of_workspace(manager, "note")
            .text("rel_type")
            .uuid("rel_id")
            .uuid_null("author_id")
            .text("body")
            .boolean("is_private")
            .time_null("archived_at")
            .make(Wall::Workspace)
            .await?;
        both(manager, "CREATE INDEX note_of ON note (rel_id, created_at, id)").await?;
        both(manager, "CREATE INDEX note_workspace ON note (workspace_id, created_at, id)").await?;

        Making::record(manager, "mail_message")
            .uuid_null("workspace_id")
            .text("kind")
            .text("to_address")
            .text("subject")
            .text("body")
            .text("message_id")
            .time_null("sent_at")
            .make(Wall::WorkspaceOrInstallation)
            .await?;
        both(manager, "CREATE INDEX mail_message_waiting ON mail_message (created_at) WHERE sent_at IS NULL").await?;

        Making::of_workspace(manager, "import_run")
            .text("kind")
            .text("source_name")
            .text("state")
            .integer("rows_read")
            .integer("created")
            .integer("changed")
            .integer("unchanged")
            .integer("wrong")
            .time_null("finished_at")
            .make(Wall::Workspace)
            .await?;

        Making::of_workspace(manager, "import_issue")
            .uuid("import_run_id")
            .belongs_to("import_run_id", "import_run")
            .integer("line")
            .text_null("column_name")
            .text("code")
            .text("reason")
            .make(Wall::Workspace)
            .await?;
        both(manager, "CREATE INDEX import_issue_run ON import_issue (import_run_id, line)").await
    }
}
