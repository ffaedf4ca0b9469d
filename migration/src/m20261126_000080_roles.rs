//! Roles of a workspace's own, and what a workspace lays over those of the installation.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::{self, Wall};

use crate::table::{Making, both, dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in [
            ddl::add_workspace(dialect(manager), "role"),
            "DROP INDEX role_key".to_owned(),
            "CREATE UNIQUE INDEX role_key ON role (key) WHERE workspace_id IS NULL".to_owned(),
            "CREATE UNIQUE INDEX role_own_key ON role (workspace_id, key) WHERE workspace_id IS NOT NULL".to_owned(),
        ] {
            both(manager, &statement).await?;
        }
        run(manager, ddl::wall(dialect(manager), "role", Wall::WorkspaceOrShared)).await?;

        Making::of_workspace(manager, "role_override")
            .uuid("role_id")
            .belongs_to("role_id", "role")
            .json("permissions")
            .make(Wall::WorkspaceOrInstallation)
            .await?;
        both(manager, "CREATE UNIQUE INDEX role_override_of ON role_override (workspace_id, role_id)").await
    }
}
