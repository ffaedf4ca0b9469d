//! Devices that contacts signed in to the portal from.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::Wall;

use crate::table::{Making, both};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Making::bare(manager, "portal_device")
            .uuid("portal_account_id")
            .belongs_to("portal_account_id", "portal_account")
            .text("digest")
            .time("last_seen_at")
            .make_bare(Wall::Installation)
            .await?;
        both(manager, "CREATE UNIQUE INDEX portal_device_once ON portal_device (portal_account_id, digest)").await?;
        both(manager, "CREATE INDEX portal_device_seen ON portal_device (last_seen_at)").await
    }
}
