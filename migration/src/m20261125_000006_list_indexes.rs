//! An index for every sort and for every filter that few records pass.

use sea_orm_migration::prelude::*;
use store::dialect::ddl;
use store::list::FieldKind;

use crate::table::{both, dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for old in [
            "client_status",
            "client_email",
            "client_tax_number",
            "client_parent",
            "client_external",
            "contact_email",
            "contact_external",
        ] {
            both(manager, &format!("DROP INDEX {old}")).await?;
        }
        for new in [
            "CREATE INDEX client_kind_name ON client (workspace_id, kind, name_key, id)",
            "CREATE INDEX client_status ON client (workspace_id, status, id)",
            "CREATE INDEX client_creator ON client (workspace_id, created_by)",
            // the parent first, for what looks after references
            "CREATE INDEX client_parent ON client (parent_id, workspace_id)",
            "CREATE UNIQUE INDEX client_external ON client (workspace_id, external_id, external_source) WHERE external_id IS NOT NULL",
            "CREATE INDEX contact_creator ON contact (workspace_id, created_by)",
            "CREATE UNIQUE INDEX contact_external ON contact (workspace_id, external_id, external_source) WHERE external_id IS NOT NULL",
        ] {
            both(manager, new).await?;
        }
        let dialect = dialect(manager);
        for (name, table, column) in [
            ("client_email", "client", "email_key"),
            ("client_tax_number", "client", "tax_number"),
            ("client_country", "client", "country"),
            ("client_stage", "client", "acquisition_stage"),
            ("contact_email", "contact", "email_key"),
        ] {
            run(manager, vec![ddl::sort_index(dialect, name, table, column, FieldKind::Text)]).await?;
        }
        Ok(())
    }
}
