//! API tokens whose secret changes, and how often they are used.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::Wall;

use crate::table::{Making, both};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let names = ["old_hash", "old_ends_at", "last_used_from"];
        let [mut old_hash, mut old_ends_at, mut last_used_from] = names.map(ColumnDef::new);
        old_hash.text();
        old_ends_at.timestamp_with_time_zone();
        last_used_from.text();
        for column in [old_hash, old_ends_at, last_used_from] {
            manager.alter_table(Table::alter().table("api_token").add_column(column).to_owned()).await?;
        }
        both(manager, "CREATE UNIQUE INDEX api_token_old_hash ON api_token (old_hash) WHERE old_hash IS NOT NULL").await?;

        Making::bare(manager, "api_token_usage")
            .uuid("workspace_id")
            .references("workspace_id", "workspace")
            .uuid("token_id")
            .belongs_to("token_id", "api_token")
            .time("day")
            .integer("uses")
            .make_bare(Wall::WorkspaceOrInstallation)
            .await?;
        both(manager, "CREATE UNIQUE INDEX api_token_usage_of ON api_token_usage (token_id, day)").await?;
        both(manager, "CREATE INDEX api_token_usage_day ON api_token_usage (day)").await
    }
}
