//! What is left of a contact elsewhere is found by an index: rows of imports that brought them, whichever client these were of, and what they did.
//! And their account in the portal has the name and the language that they have now.

use sea_orm_migration::prelude::*;
use store::dialect::ddl;

use crate::table::{both, dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let further = ColumnDef::new("further_id").uuid().take();
        manager.alter_table(Table::alter().table("import_row").add_column(further).take()).await?;
        run(manager, ddl::uuid_from_member(dialect(manager), "import_row", "further_id", ("further", "contact"))).await?;
        both(manager, "CREATE INDEX import_row_further ON import_row (further_id) WHERE further_id IS NOT NULL").await?;
        both(manager, "CREATE INDEX journal_entry_contact ON journal_entry (actor_id) WHERE actor_kind = 'contact'").await?;
        let now = |value: &str| format!("(SELECT {value} FROM contact c WHERE c.id = portal_account.contact_id)");
        let settled = format!(
            "UPDATE portal_account SET name = {}, locale = {} WHERE EXISTS (SELECT 1 FROM contact c WHERE c.id = portal_account.contact_id)",
            now("trim(c.given_name || ' ' || c.family_name)"),
            now("c.locale")
        );
        run(manager, ddl::of_everybody(dialect(manager), &["portal_account", "contact"], vec![settled])).await
    }
}
