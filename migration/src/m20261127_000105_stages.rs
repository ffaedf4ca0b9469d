//! Acquisition stages, with those that workspaces begin with for the workspaces that are there.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::Wall;
use store::dialect::provide;

use crate::table::{Making, both, dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

/// As the program provides them to a new workspace: key, and the name in English and in Greek.
const PROVIDED: [(&str, &str, &str); 6] = [
    ("lead", "Lead", "Υποψήφιος"),
    ("qualified", "Qualified", "Κατάλληλος"),
    ("proposal", "Proposal", "Προσφορά"),
    ("negotiation", "Negotiation", "Διαπραγμάτευση"),
    ("closed_won", "Won", "Κερδισμένος"),
    ("closed_lost", "Lost", "Χαμένος"),
];

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Making::of_workspace(manager, "acquisition_stage")
            .text("key")
            .text("name")
            .integer("position")
            .make(Wall::Workspace)
            .await?;
        both(manager, "CREATE UNIQUE INDEX acquisition_stage_key ON acquisition_stage (workspace_id, key)").await?;
        both(manager, "CREATE INDEX acquisition_stage_sorted ON acquisition_stage (workspace_id, position, id)").await?;
        run(manager, provide::stages(dialect(manager), &PROVIDED)).await
    }
}
