//! What is somebody's own within a workspace is walled as such: accounts, API tokens, saved views.

use sea_orm_migration::prelude::*;
use store::dialect::ddl;

use crate::table::{dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, ddl::own_rows(dialect(manager))).await
    }
}
