//! What somebody wants to see first of a list may be a view that others made, so it is kept by itself. And views that somebody keeps for
//! themselves are freed of fields that go.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::{self, Wall};

use crate::table::{Making, both, dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // it has the name of the table
        both(manager, "DROP INDEX saved_view_default").await?;
        Making::of_workspace(manager, "saved_view_default")
            .uuid("user_id")
            .belongs_to("user_id", "user_account")
            .text("list")
            .uuid("view_id")
            .belongs_to("view_id", "saved_view")
            .make(Wall::Own)
            .await?;
        both(manager, "CREATE UNIQUE INDEX saved_view_default_list ON saved_view_default (workspace_id, user_id, list)").await?;
        both(manager, "CREATE INDEX saved_view_default_view ON saved_view_default (view_id)").await?;
        // a view was the default of its owner alone, so its id does for the row
        let moved = "INSERT INTO saved_view_default (id, workspace_id, user_id, list, view_id, version, created_at, updated_at) \
             SELECT id, workspace_id, user_id, list, id, 1, updated_at, updated_at FROM saved_view WHERE is_default";
        let tables = ["saved_view", "saved_view_default"];
        run(manager, ddl::of_everybody(dialect(manager), &tables, vec![moved.to_owned()])).await?;
        both(manager, "ALTER TABLE saved_view DROP COLUMN is_default").await?;
        run(manager, ddl::views_of_all(dialect(manager))).await
    }
}
