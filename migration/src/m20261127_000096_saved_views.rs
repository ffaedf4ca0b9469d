//! Saved views.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::Wall;

use crate::table::{Making, both};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Making::of_workspace(manager, "saved_view")
            .uuid("user_id")
            .references("user_id", "user_account")
            .text("list")
            .text("name")
            .sortable("name_key")
            .uuid_null("team_id")
            .looks_to("team_id", "team")
            .boolean("is_shared")
            .boolean("is_default")
            .json("query")
            .make(Wall::OwnOrShared)
            .await?;
        for index in [
            "CREATE UNIQUE INDEX saved_view_name ON saved_view (workspace_id, user_id, list, name_key)",
            "CREATE UNIQUE INDEX saved_view_default ON saved_view (workspace_id, user_id, list) WHERE is_default",
            "CREATE INDEX saved_view_team ON saved_view (team_id)",
            "CREATE INDEX saved_view_sorted ON saved_view (workspace_id, name_key, id)",
            "CREATE INDEX saved_view_created ON saved_view (workspace_id, created_at, id)",
        ] {
            both(manager, index).await?;
        }
        Ok(())
    }
}
