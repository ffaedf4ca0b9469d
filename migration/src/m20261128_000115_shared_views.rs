//! Whoever manages the views that are shared reaches those of teams too.

use sea_orm_migration::prelude::*;
use store::dialect::ddl;

use crate::table::{dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, ddl::shared_views(dialect(manager))).await
    }
}
