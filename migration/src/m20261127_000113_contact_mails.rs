//! Which mails a contact gets: all of them, as it was before anybody could say.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let all = r#"["invoices", "estimates", "credit_notes", "contracts", "tasks", "projects", "tickets"]"#;
        let mails = ColumnDef::new("mails").json_binary().not_null().default(all).take();
        manager.alter_table(Table::alter().table("contact").add_column(mails).take()).await
    }
}
