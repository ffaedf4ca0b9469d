//! What a client buys, and under which of the workspace's faces one speaks to it.

use sea_orm_migration::prelude::*;

use store::dialect::ddl;

use crate::table::{both, dialect};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let product = ColumnDef::new("product").text().take();
        manager.alter_table(Table::alter().table("client").add_column(product).take()).await?;
        both(manager, &ddl::add_reference(dialect(manager), "client", "brand_id", "brand")).await?;
        both(manager, "CREATE INDEX client_brand ON client (workspace_id, brand_id) WHERE brand_id IS NOT NULL").await
    }
}
