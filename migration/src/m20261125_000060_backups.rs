//! What became of each backup.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::{self, Wall};

use crate::table::{Making, both, dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Making::record(manager, "backup_run")
            .text("state")
            .uuid_null("asked_by")
            .text_null("name")
            .col(ColumnDef::new("bytes").big_integer())
            .text_null("sha256")
            .boolean("is_encrypted")
            .boolean("has_files")
            .col(ColumnDef::new("record_count").big_integer())
            .col(ColumnDef::new("file_count").big_integer())
            .col(ColumnDef::new("damaged_count").big_integer())
            .text_null("problem")
            .time_null("started_at")
            .time_null("finished_at")
            .time_null("copied_at")
            .make(Wall::Installation)
            .await?;
        both(manager, "CREATE INDEX backup_run_created ON backup_run (created_at, id)").await?;
        run(manager, ddl::show_steps(dialect(manager))).await
    }
}
