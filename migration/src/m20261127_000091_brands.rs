//! Brands, of which at most one in a workspace is the default.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::Wall;

use crate::table::{Making, both};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Making::of_workspace(manager, "brand")
            .text("name")
            .sortable("name_key")
            .text_null("accent_color")
            .text_null("secondary_color")
            .text_null("tagline")
            .text_null("reply_to_email")
            .text_null("legal_name")
            .text_null("tax_number")
            .uuid_null("logo_light_file_id")
            .references("logo_light_file_id", "file")
            .uuid_null("logo_dark_file_id")
            .references("logo_dark_file_id", "file")
            .uuid_null("logo_circular_file_id")
            .references("logo_circular_file_id", "file")
            .boolean("is_default")
            .time_null("archived_at")
            .make(Wall::Workspace)
            .await?;
        for index in [
            "CREATE UNIQUE INDEX brand_default ON brand (workspace_id) WHERE is_default",
            "CREATE UNIQUE INDEX brand_name ON brand (workspace_id, name_key) WHERE archived_at IS NULL",
            // for what is purged of files
            "CREATE INDEX brand_logo_light ON brand (logo_light_file_id) WHERE logo_light_file_id IS NOT NULL",
            "CREATE INDEX brand_logo_dark ON brand (logo_dark_file_id) WHERE logo_dark_file_id IS NOT NULL",
            "CREATE INDEX brand_logo_circular ON brand (logo_circular_file_id) WHERE logo_circular_file_id IS NOT NULL",
        ] {
            both(manager, index).await?;
        }
        Ok(())
    }
}
