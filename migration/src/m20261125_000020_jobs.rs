//! Jobs, the workers that run them, and when recurring ones are next due.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::Wall;

use crate::table::{Making, both};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Making::record(manager, "job")
            .uuid_null("workspace_id")
            .references("workspace_id", "workspace")
            .text("queue")
            .text("kind")
            .json("payload")
            .text("state")
            .boolean("is_due")
            .time("run_at")
            .integer("attempt")
            .integer("failures")
            .integer("max_attempts")
            .integer("lost")
            .uuid_null("worker_id")
            .integer("progress")
            .col(ColumnDef::new("total").big_integer())
            .text_null("unique_key")
            .boolean("is_cancelled")
            .text_null("last_error")
            .time_null("started_at")
            .time_null("finished_at")
            .make(Wall::WorkspaceOrSuperAdmin)
            .await?;
        for index in [
            "CREATE INDEX job_due ON job (queue, run_at, id) WHERE state = 'waiting' AND is_due",
            "CREATE INDEX job_later ON job (run_at) WHERE state = 'waiting' AND NOT is_due",
            "CREATE INDEX job_running ON job (worker_id) WHERE state = 'running'",
            "CREATE UNIQUE INDEX job_unique ON job (unique_key) WHERE state = 'waiting' AND unique_key IS NOT NULL",
            "CREATE INDEX job_ended ON job (state, finished_at) WHERE finished_at IS NOT NULL",
            "CREATE INDEX job_created ON job (workspace_id, created_at, id)",
        ] {
            both(manager, index).await?;
        }

        Making::bare(manager, "job_worker")
            .col(ColumnDef::new("id").uuid().not_null().primary_key())
            .integer("beat")
            .time("started_at")
            .make_bare(Wall::Installation)
            .await?;

        Making::bare(manager, "job_schedule")
            .text("name")
            .text("place")
            .text("basis")
            .time("next_due")
            .make_bare(Wall::Installation)
            .await?;
        both(manager, "CREATE UNIQUE INDEX job_schedule_name ON job_schedule (name, place)").await?;
        both(manager, "CREATE INDEX job_schedule_due ON job_schedule (next_due)").await
    }
}
