//! Sessions, second factors and recovery codes are put there by their account and by the installation alone.

use sea_orm_migration::prelude::*;
use store::dialect::ddl;

use crate::table::{dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["session", "second_factor", "recovery_code"] {
            run(manager, ddl::only_own_come_in(dialect(manager), table)).await?;
        }
        Ok(())
    }
}
