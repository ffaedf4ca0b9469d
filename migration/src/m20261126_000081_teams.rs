//! Teams and who is in them.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::Wall;

use crate::table::{Making, both};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Making::of_workspace(manager, "team")
            .text("name")
            .sortable("name_key")
            .text_null("description")
            .make(Wall::WorkspaceOrInstallation)
            .await?;
        both(manager, "CREATE UNIQUE INDEX team_name ON team (workspace_id, name_key)").await?;
        both(manager, "CREATE INDEX team_created ON team (workspace_id, created_at, id)").await?;

        Making::of_workspace(manager, "team_member")
            .uuid("team_id")
            .belongs_to("team_id", "team")
            .uuid("user_id")
            .references("user_id", "user_account")
            .text("role")
            .make(Wall::WorkspaceOrInstallation)
            .await?;
        both(manager, "CREATE UNIQUE INDEX team_member_once ON team_member (team_id, user_id)").await?;
        both(manager, "CREATE INDEX team_member_of ON team_member (user_id)").await?;
        both(manager, "CREATE INDEX team_member_created ON team_member (workspace_id, created_at, id)").await
    }
}
