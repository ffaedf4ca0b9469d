//! Who still uses names that go.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::Wall;

use crate::table::{Making, both};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Making::bare(manager, "deprecated_use")
            .uuid("workspace_id")
            .references("workspace_id", "workspace")
            .text("name")
            .text("caller_kind")
            .uuid("caller_id")
            .uuid_null("user_id")
            .integer("uses")
            .time("first_used_at")
            .time("last_used_at")
            .make_bare(Wall::WorkspaceOrInstallation)
            .await?;
        let once = "CREATE UNIQUE INDEX deprecated_use_of ON deprecated_use (workspace_id, name, caller_kind, caller_id)";
        both(manager, once).await?;
        both(manager, "CREATE INDEX deprecated_use_last ON deprecated_use (workspace_id, name, last_used_at)").await
    }
}
