//! Thumbnails of images. What was put in before this step has none.

use sea_orm_migration::prelude::*;

use crate::table::both;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in [
            "ALTER TABLE file ADD COLUMN thumbnail text NOT NULL DEFAULT 'none'",
            "ALTER TABLE file ADD COLUMN thumbnail_key text",
            "ALTER TABLE file ADD COLUMN thumbnail_bytes bigint",
            "ALTER TABLE file ADD COLUMN thumbnail_sha256 text",
            // for the clean-up, which asks whose an object is
            "CREATE UNIQUE INDEX file_thumbnail ON file (thumbnail_key, storage_bucket)",
        ] {
            both(manager, statement).await?;
        }
        Ok(())
    }
}
