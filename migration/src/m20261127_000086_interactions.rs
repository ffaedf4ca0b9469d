//! What was said or done with clients and contacts.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::Wall;

use crate::table::{Making, both};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Making::of_workspace(manager, "interaction")
            .uuid_null("client_id")
            .references("client_id", "client")
            .uuid_null("contact_id")
            .references("contact_id", "contact")
            .text("type")
            .text("channel")
            .text_null("direction")
            .text_null("subject")
            .text_null("note")
            .time("occurred_at")
            .uuid("place")
            .integer_null("duration")
            .json("participants")
            .time_null("follow_up_at")
            .uuid_null("follow_up_by")
            .time_null("followed_up_at")
            .time_null("due_at")
            .uuid_null("author_id")
            .time_null("archived_at")
            .make(Wall::Workspace)
            .await?;
        for index in [
            "CREATE INDEX interaction_occurred ON interaction (workspace_id, occurred_at, id)",
            "CREATE INDEX interaction_created ON interaction (workspace_id, created_at, id)",
            "CREATE INDEX interaction_updated ON interaction (workspace_id, updated_at, id)",
            "CREATE INDEX interaction_client ON interaction (workspace_id, client_id, occurred_at, id)",
            "CREATE INDEX interaction_contact ON interaction (workspace_id, contact_id, occurred_at, id)",
            "CREATE INDEX interaction_author ON interaction (workspace_id, author_id, occurred_at, id)",
            "CREATE INDEX interaction_due ON interaction (workspace_id, due_at, id)",
            "CREATE INDEX interaction_due_by ON interaction (workspace_id, follow_up_by, due_at, id)",
            // for the timeline, and for what is purged
            "CREATE INDEX interaction_place ON interaction (client_id, place)",
            "CREATE INDEX note_place ON note (rel_id, id)",
            "CREATE INDEX interaction_of_contact ON interaction (contact_id)",
        ] {
            both(manager, index).await?;
        }
        // what the column of participants says of contacts
        Making::bare(manager, "interaction_participant")
            .uuid("workspace_id")
            .references("workspace_id", "workspace")
            .uuid("interaction_id")
            .belongs_to("interaction_id", "interaction")
            .uuid("contact_id")
            .belongs_to("contact_id", "contact")
            .make_bare(Wall::Workspace)
            .await?;
        both(manager, "CREATE UNIQUE INDEX interaction_participant_once ON interaction_participant (interaction_id, contact_id)")
            .await?;
        both(manager, "CREATE INDEX interaction_participant_contact ON interaction_participant (contact_id)").await
    }
}
