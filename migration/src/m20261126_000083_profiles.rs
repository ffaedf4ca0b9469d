//! What accounts say of themselves: a signature, and how they like things shown.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (mut signature, mut preferences) = (ColumnDef::new("signature"), ColumnDef::new("preferences"));
        signature.text();
        preferences.json_binary().not_null().default("{}");
        for column in [signature, preferences] {
            manager.alter_table(Table::alter().table("user_account").add_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
