//! Workspaces, accounts, and what they sign in with.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::{self, Wall};

use crate::table::{Making, both, dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        workspaces(manager).await?;
        accounts(manager).await?;
        // the wall of workspaces looks at memberships and accounts, so it comes after them
        run(manager, ddl::wall(dialect(manager), "workspace", Wall::Workspaces)).await?;
        credentials(manager).await
    }
}

async fn workspaces(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let making = Making::record(manager, "workspace");
    making
        .sortable("slug")
        .sortable("name")
        .text("default_currency")
        .text("timezone")
        .text("locale")
        .json("settings")
        .boolean("is_active")
        .integer("version")
        .time("created_at")
        .time("updated_at")
        .make_bare(Wall::Later)
        .await?;
    both(manager, "CREATE UNIQUE INDEX workspace_slug ON workspace (slug)").await
}

async fn accounts(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Making::record(manager, "user_account")
        .text("email")
        .sortable("email_key")
        .text("given_name")
        .text("family_name")
        .sortable("name_key")
        .text_null("phone")
        .text("timezone")
        .text("locale")
        .boolean("is_super_admin")
        .boolean("is_active")
        .time_null("last_login_at")
        .uuid_null("default_workspace_id")
        .make(Wall::Installation)
        .await?;
    both(manager, "CREATE UNIQUE INDEX user_account_email ON user_account (email_key)").await?;

    Making::record(manager, "role")
        .sortable("key")
        .text("name")
        .boolean("is_system")
        .json("permissions")
        .make(Wall::Installation)
        .await?;
    both(manager, "CREATE UNIQUE INDEX role_key ON role (key)").await?;

    Making::of_workspace(manager, "membership")
        .uuid("user_id")
        .references("user_id", "user_account")
        .uuid("role_id")
        .references("role_id", "role")
        .make(Wall::WorkspaceAndOwn)
        .await?;
    both(manager, "CREATE UNIQUE INDEX membership_of ON membership (user_id, workspace_id)").await?;
    both(manager, "CREATE INDEX membership_workspace ON membership (workspace_id, created_at, id)").await?;

    Making::of_workspace(manager, "invitation")
        .text("email")
        .text("email_key")
        .text_null("given_name")
        .text_null("family_name")
        .uuid("role_id")
        .references("role_id", "role")
        .uuid("invited_by")
        .text("token_hash")
        .time("expires_at")
        .time_null("accepted_at")
        .time_null("revoked_at")
        .make(Wall::WorkspaceOrInstallation)
        .await?;
    both(manager, "CREATE UNIQUE INDEX invitation_token ON invitation (token_hash)").await?;
    both(manager, "CREATE INDEX invitation_workspace ON invitation (workspace_id, created_at, id)").await?;
    both(
        manager,
        "CREATE UNIQUE INDEX invitation_open ON invitation (workspace_id, email_key) WHERE accepted_at IS NULL AND revoked_at IS NULL",
    )
    .await
}

async fn credentials(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Making::bare(manager, "credential")
        .col(ColumnDef::new("user_id").uuid().not_null().primary_key())
        .belongs_to("user_id", "user_account")
        .text("hash")
        .time("changed_at")
        .make_bare(Wall::Installation)
        .await?;

    Making::record(manager, "session")
        .uuid("user_id")
        .belongs_to("user_id", "user_account")
        .text("kind")
        .text_null("ip")
        .text_null("user_agent")
        .time("expires_at")
        .time_null("revoked_at")
        .text_null("revoked_because")
        .make(Wall::Installation)
        .await?;
    both(manager, "CREATE INDEX session_of ON session (user_id, created_at)").await?;

    Making::bare(manager, "refresh_token")
        .col(ColumnDef::new("hash").text().not_null().primary_key())
        .uuid("session_id")
        .belongs_to("session_id", "session")
        .time("created_at")
        .time("expires_at")
        .time_null("used_at")
        .make_bare(Wall::Installation)
        .await?;
    both(manager, "CREATE INDEX refresh_token_session ON refresh_token (session_id)").await?;

    Making::of_workspace(manager, "api_token")
        .uuid("user_id")
        .belongs_to("user_id", "user_account")
        .text("name")
        .text("prefix")
        .text("hash")
        .json("scopes")
        .json("networks")
        .time_null("expires_at")
        .time_null("last_used_at")
        .boolean("is_active")
        .make(Wall::WorkspaceOrInstallation)
        .await?;
    both(manager, "CREATE UNIQUE INDEX api_token_hash ON api_token (hash)").await?;
    both(manager, "CREATE INDEX api_token_workspace ON api_token (workspace_id, created_at, id)").await
}
