//! The installation itself, its keys, and what requests leave behind.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::{self, Wall};

use crate::table::{Making, both, dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, ddl::app_role(dialect(manager))).await?;

        Making::bare(manager, "installation")
            .col(ColumnDef::new("id").integer().not_null().primary_key())
            .col(ColumnDef::new("journal_epoch").integer().not_null())
            .text_null("setup_code_hash")
            .time_null("set_up_at")
            .make_bare(Wall::Installation)
            .await?;
        both(manager, "INSERT INTO installation (id, journal_epoch) VALUES (1, 0)").await?;

        Making::bare(manager, "signing_key")
            .col(ColumnDef::new("id").text().not_null().primary_key())
            .text("public_key")
            .col(ColumnDef::new("private_key_sealed").binary().not_null())
            .time("created_at")
            .time_null("retired_at")
            .make_bare(Wall::Installation)
            .await?;

        Making::bare(manager, "idempotency_record")
            .text("owner")
            .text("key")
            .uuid_null("workspace_id")
            .text("fingerprint")
            .col(ColumnDef::new("status").integer())
            .json_null("headers")
            .col(ColumnDef::new("body").binary())
            .time("created_at")
            .make_bare(Wall::WorkspaceOrNone)
            .await?;
        both(manager, "CREATE UNIQUE INDEX idempotency_record_key ON idempotency_record (owner, key)").await?;
        both(manager, "CREATE INDEX idempotency_record_age ON idempotency_record (created_at)").await
    }
}
