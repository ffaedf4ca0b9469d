//! Clients that became part of others.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::Wall;

use crate::table::{Making, both};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // no foreign key: of two that are purged together neither comes first
        let column = ColumnDef::new("merged_into_id").uuid().take();
        manager.alter_table(Table::alter().table("client").add_column(column).take()).await?;
        Making::of_workspace(manager, "client_merge")
            .uuid("survivor_id")
            .belongs_to("survivor_id", "client")
            .uuid("merged_id")
            .belongs_to("merged_id", "client")
            .uuid_null("merged_by")
            .json("fields")
            .json("moved")
            .time_null("undone_at")
            .make(Wall::Workspace)
            .await?;
        for index in [
            "CREATE INDEX client_merged_into ON client (merged_into_id) WHERE merged_into_id IS NOT NULL",
            "CREATE UNIQUE INDEX client_merge_once ON client_merge (merged_id) WHERE undone_at IS NULL",
            "CREATE INDEX client_merge_merged ON client_merge (merged_id)",
            "CREATE INDEX client_merge_survivor ON client_merge (survivor_id)",
        ] {
            both(manager, index).await?;
        }
        Ok(())
    }
}
