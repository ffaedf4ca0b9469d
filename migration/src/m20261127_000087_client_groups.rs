//! Groups of clients, and the staff responsible for them.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::Wall;

use crate::table::{Making, both};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Making::of_workspace(manager, "client_group")
            .text("name")
            .sortable("name_key")
            .text_null("description")
            .make(Wall::Workspace)
            .await?;
        Making::of_workspace(manager, "client_group_member")
            .uuid("client_id")
            .belongs_to("client_id", "client")
            .uuid("client_group_id")
            .belongs_to("client_group_id", "client_group")
            .make(Wall::Workspace)
            .await?;
        Making::of_workspace(manager, "client_admin")
            .uuid("client_id")
            .belongs_to("client_id", "client")
            .uuid("user_id")
            .references("user_id", "user_account")
            .uuid_null("assigned_by")
            .make(Wall::Workspace)
            .await?;
        for index in [
            "CREATE UNIQUE INDEX client_group_name ON client_group (workspace_id, name_key)",
            "CREATE UNIQUE INDEX client_group_member_once ON client_group_member (client_id, client_group_id)",
            "CREATE INDEX client_group_member_group ON client_group_member (client_group_id, client_id)",
            "CREATE UNIQUE INDEX client_admin_once ON client_admin (client_id, user_id)",
            "CREATE INDEX client_admin_user ON client_admin (user_id, client_id)",
        ] {
            both(manager, index).await?;
        }
        Ok(())
    }
}
