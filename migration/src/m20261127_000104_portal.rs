//! How contacts sign in to the portal, and what they reach.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::Wall;
use store::dialect::portal;

use crate::table::{Making, both, dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        accounts(manager).await?;
        access(manager).await?;
        let dialect = dialect(manager);
        run(manager, portal::sessions_of_contacts(dialect)).await?;
        run(manager, portal::open_to_contacts(dialect)).await
    }
}

async fn accounts(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Making::of_workspace(manager, "portal_account")
        .col(ColumnDef::new("contact_id").uuid().not_null().unique_key())
        .references("contact_id", "contact")
        .text("email")
        .text("email_key")
        .text("name")
        .text("locale")
        .boolean("is_active")
        .text_null("hash")
        .time_null("password_changed_at")
        .text_null("token_hash")
        .time_null("token_expires_at")
        .time_null("invited_at")
        .time_null("last_login_at")
        .make(Wall::WorkspaceOrInstallation)
        .await?;
    both(manager, "CREATE UNIQUE INDEX portal_account_email ON portal_account (workspace_id, email_key)").await?;
    both(manager, "CREATE UNIQUE INDEX portal_account_token ON portal_account (token_hash) WHERE token_hash IS NOT NULL").await
}

async fn access(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Making::of_workspace(manager, "portal_access")
        .uuid("contact_id")
        .references("contact_id", "contact")
        .uuid("client_id")
        .references("client_id", "client")
        .json("permissions")
        .make(Wall::WorkspaceOrInstallation)
        .await?;
    both(manager, "CREATE UNIQUE INDEX portal_access_of ON portal_access (contact_id, client_id)").await?;
    both(manager, "CREATE INDEX portal_access_client ON portal_access (client_id)").await
}
