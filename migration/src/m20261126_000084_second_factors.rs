//! Second factors and the recovery codes that stand in for them.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::Wall;

use crate::table::{Making, both};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Making::record(manager, "second_factor")
            .uuid("user_id")
            .belongs_to("user_id", "user_account")
            .text("secret")
            .time_null("confirmed_at")
            .col(ColumnDef::new("last_step").big_integer())
            .make(Wall::Account)
            .await?;
        both(manager, "CREATE UNIQUE INDEX second_factor_of ON second_factor (user_id)").await?;

        Making::bare(manager, "recovery_code")
            .uuid("user_id")
            .belongs_to("user_id", "user_account")
            .text("hash")
            .time_null("used_at")
            .make_bare(Wall::Account)
            .await?;
        both(manager, "CREATE UNIQUE INDEX recovery_code_of ON recovery_code (user_id, hash)").await
    }
}
