//! Clients, contacts, and who belongs to whom.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::{self, Wall};

use crate::table::{Making, both, dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Making::searched(manager, "client")
            .text("kind")
            .text("name")
            .sortable("name_key")
            .text_null("legal_name")
            .sortable_null("tax_number")
            .text_null("website")
            .sortable_null("email_key")
            .text_null("phone")
            .json("emails")
            .json("phones")
            .json_null("main_address")
            .json_null("billing_address")
            .json_null("shipping_address")
            .sortable_null("country")
            .text_null("sector")
            .text_null("size")
            .text("currency")
            .text("locale")
            .text("status")
            .json("roles")
            .uuid_null("parent_id")
            .references("parent_id", "client")
            .uuid_null("owner_id")
            .uuid_null("created_by")
            .sortable_null("acquisition_stage")
            .text_null("source")
            .text_null("lead_category")
            .text_null("external_source")
            .text_null("external_id")
            .time_null("archived_at")
            .make(Wall::Workspace)
            .await?;
        for index in [
            "CREATE INDEX client_created ON client (workspace_id, created_at, id)",
            "CREATE INDEX client_updated ON client (workspace_id, updated_at, id)",
            "CREATE INDEX client_name ON client (workspace_id, name_key, id)",
            "CREATE INDEX client_owner ON client (workspace_id, owner_id, created_at, id)",
            "CREATE INDEX client_status ON client (workspace_id, status, created_at, id)",
            "CREATE INDEX client_email ON client (workspace_id, email_key)",
            "CREATE INDEX client_tax_number ON client (workspace_id, tax_number)",
            "CREATE INDEX client_parent ON client (parent_id)",
            "CREATE UNIQUE INDEX client_external ON client (workspace_id, external_source, external_id) WHERE external_id IS NOT NULL",
        ] {
            both(manager, index).await?;
        }
        run(manager, ddl::search_index(dialect(manager), "client")).await?;

        Making::searched(manager, "contact")
            .text("given_name")
            .text("family_name")
            .sortable("name_key")
            .sortable_null("email_key")
            .text_null("phone")
            .json("emails")
            .json("phones")
            .text_null("position")
            .text("locale")
            .uuid_null("created_by")
            .text_null("external_source")
            .text_null("external_id")
            .time_null("archived_at")
            .make(Wall::Workspace)
            .await?;
        for index in [
            "CREATE INDEX contact_created ON contact (workspace_id, created_at, id)",
            "CREATE INDEX contact_updated ON contact (workspace_id, updated_at, id)",
            "CREATE INDEX contact_name ON contact (workspace_id, name_key, id)",
            "CREATE INDEX contact_email ON contact (workspace_id, email_key)",
            "CREATE UNIQUE INDEX contact_external ON contact (workspace_id, external_source, external_id) WHERE external_id IS NOT NULL",
        ] {
            both(manager, index).await?;
        }
        run(manager, ddl::search_index(dialect(manager), "contact")).await?;

        Making::of_workspace(manager, "client_contact")
            .uuid("client_id")
            .belongs_to("client_id", "client")
            .uuid("contact_id")
            .belongs_to("contact_id", "contact")
            .text_null("role")
            .boolean("is_primary")
            .text("influence")
            .date_null("since")
            .date_null("until")
            .make(Wall::Workspace)
            .await?;
        for index in [
            "CREATE UNIQUE INDEX client_contact_once ON client_contact (client_id, contact_id)",
            "CREATE INDEX client_contact_contact ON client_contact (contact_id)",
            "CREATE UNIQUE INDEX client_contact_primary ON client_contact (client_id) WHERE is_primary",
        ] {
            both(manager, index).await?;
        }
        Ok(())
    }
}
