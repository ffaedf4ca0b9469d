//! Sessions as their owners see them: when each was last used, and a wall around those of each account.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::{self, Wall};

use crate::table::{dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = ColumnDef::new("last_used_at");
        column.timestamp_with_time_zone();
        manager.alter_table(Table::alter().table("session").add_column(column).to_owned()).await?;
        run(manager, ddl::wall(dialect(manager), "session", Wall::Account)).await
    }
}
