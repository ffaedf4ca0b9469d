//! Which records have a value of a custom field is read from the index alone, also behind row security.

use sea_orm_migration::prelude::*;
use store::dialect::ddl;

use crate::table::{dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = ["field_id", "text_key", "number_key", "record_id"];
        run(manager, ddl::cover(dialect(manager), "custom_field_value_sorted", "custom_field_value", &columns)).await
    }
}
