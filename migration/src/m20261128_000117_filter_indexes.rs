//! What may be empty is found by its index on PostgreSQL also behind row security.

use sea_orm_migration::prelude::*;
use store::dialect::ddl;
use store::list::FieldKind;

use crate::table::{dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = dialect(manager);
        for (index, table, column, kind) in [
            ("client_email", "client", "email_key", FieldKind::Text),
            ("client_tax_number", "client", "tax_number", FieldKind::Text),
            ("client_country", "client", "country", FieldKind::Text),
            ("client_stage", "client", "acquisition_stage", FieldKind::Text),
            ("contact_email", "contact", "email_key", FieldKind::Text),
            ("client_relationship_until", "client_relationship", "valid_until", FieldKind::Date),
        ] {
            run(manager, ddl::sort_index_anew(dialect, index, table, column, kind)).await?;
        }
        for table in ["client", "contact", "client_relationship"] {
            run(manager, ddl::analyze(dialect, table)).await?;
        }
        Ok(())
    }
}
