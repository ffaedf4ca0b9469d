//! Which clients have which role: a list is filtered by it.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::{self, Wall};
use store::dialect::triggers;

use crate::table::{Making, both, dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

const COLUMNS: [&str; 2] = ["client_id", "role"];

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Making::bare(manager, "client_role")
            .uuid("workspace_id")
            .references("workspace_id", "workspace")
            .uuid("client_id")
            .belongs_to("client_id", "client")
            .text("role")
            .make_bare(Wall::Workspace)
            .await?;
        both(manager, "CREATE UNIQUE INDEX client_role_of ON client_role (client_id, role)").await?;
        both(manager, "CREATE INDEX client_role_has ON client_role (workspace_id, role, client_id)").await?;
        let dialect = dialect(manager);
        run(manager, triggers::keep_words(dialect, "client", "roles", "client_role", COLUMNS)).await?;
        let so_far = triggers::words_so_far(dialect, "client", "roles", "client_role", COLUMNS);
        run(manager, ddl::of_everybody(dialect, &["client", "client_role"], vec![so_far])).await
    }
}
