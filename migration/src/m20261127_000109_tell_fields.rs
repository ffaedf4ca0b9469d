//! The database itself says of new clients and contacts that they have no value of a custom field.

use sea_orm_migration::prelude::*;
use store::dialect::triggers;

use crate::table::{dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["client", "contact"] {
            run(manager, triggers::tell_fields(dialect(manager), table)).await?;
        }
        Ok(())
    }
}
