//! Custom fields, and the values that records have of them.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::Wall;

use crate::table::{Making, both};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Making::of_workspace(manager, "custom_field")
            .text("record_type")
            .text("key")
            .text("label")
            .text_null("description")
            .text("field_type")
            .boolean("is_required")
            .boolean("is_unique")
            .json_null("default_value")
            .json("options")
            .text_null("target")
            .integer("position")
            .text("state")
            .time_null("archived_at")
            .make(Wall::Workspace)
            .await?;
        Making::bare(manager, "custom_field_value")
            .uuid("workspace_id")
            .references("workspace_id", "workspace")
            .uuid("field_id")
            .belongs_to("field_id", "custom_field")
            .uuid("record_id")
            .integer("nth")
            .sortable("text_key")
            .integer("number_key")
            .text_null("whole_text")
            .sortable_null("unique_key")
            .make_bare(Wall::Workspace)
            .await?;
        let has_some = ColumnDef::new("has_custom_fields").boolean().not_null().default(false).take();
        manager.alter_table(Table::alter().table("workspace").add_column(has_some).take()).await?;
        for table in ["client", "contact"] {
            let column = ColumnDef::new("custom_fields").json_binary().not_null().default("{}").take();
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
        }
        for index in [
            "CREATE UNIQUE INDEX custom_field_key ON custom_field (workspace_id, record_type, key)",
            "CREATE INDEX custom_field_sorted ON custom_field (workspace_id, position, id)",
            "CREATE UNIQUE INDEX custom_field_value_of ON custom_field_value (record_id, field_id, nth)",
            "CREATE INDEX custom_field_value_sorted ON custom_field_value (field_id, text_key, number_key, record_id)",
            "CREATE UNIQUE INDEX custom_field_value_unique ON custom_field_value (field_id, unique_key) \
             WHERE unique_key IS NOT NULL",
        ] {
            both(manager, index).await?;
        }
        Ok(())
    }
}
