//! Settings of the installation. In a workspace stands from now on what it says itself: of what every workspace had written down, what is the
//! default was said by nobody.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::{self, Wall};

use crate::table::{Making, dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

/// What workspaces had written down where nobody said anything.
const DEFAULTS: [(&str, &str); 3] = [
    ("require_if_match", "false"),
    ("second_factor_roles", "[]"),
    ("file_kinds", r#"["jpeg","png","gif","webp","pdf","word","excel","text","csv"]"#),
];

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Making::record(manager, "installation_settings").json("settings").make(Wall::Installation).await?;
        run(manager, ddl::forget_members(dialect(manager), "workspace", "settings", &DEFAULTS)).await
    }
}
