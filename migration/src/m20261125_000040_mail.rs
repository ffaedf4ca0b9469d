//! Mail that goes out: more of each mail, addresses that get none, templates of a workspace's own; and what resetting passwords and
//! knowing devices need.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::{self, Wall};

use crate::table::{Making, both, dialect};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // what was written so far, and what an older binary writes beside this schema, was shown to the operator, who passed it on; nobody
        // expects it to go out, hence the defaults
        let sortable = ddl::sortable_text(dialect(manager));
        for column in [
            "language text NOT NULL DEFAULT 'en'".to_owned(),
            "from_name text NOT NULL DEFAULT ''".to_owned(),
            "reply_to text".to_owned(),
            "to_name text".to_owned(),
            format!("to_key {sortable} NOT NULL DEFAULT ''"),
            "html text".to_owned(),
            "state text NOT NULL DEFAULT 'failed'".to_owned(),
            "attempts bigint NOT NULL DEFAULT 0".to_owned(),
            "last_problem text DEFAULT 'was written by a program that does not send mail'".to_owned(),
        ] {
            both(manager, &format!("ALTER TABLE mail_message ADD COLUMN {column}")).await?;
        }
        for statement in [
            "DROP INDEX mail_message_waiting",
            "CREATE INDEX mail_message_created ON mail_message (workspace_id, created_at, id)",
            "CREATE INDEX mail_message_state ON mail_message (workspace_id, state, created_at, id)",
            "CREATE INDEX mail_message_to ON mail_message (workspace_id, to_key, created_at, id)",
            "CREATE INDEX mail_message_by_id ON mail_message (message_id)",
            // what is tidied up is found by its age, whatever its workspace
            "CREATE INDEX mail_message_ended ON mail_message (created_at) WHERE state <> 'waiting'",
        ] {
            both(manager, statement).await?;
        }

        Making::of_workspace(manager, "mail_suppression")
            .text("address")
            .sortable("address_key")
            .text("reason")
            .uuid_null("mail_id")
            .uuid_null("created_by")
            .make(Wall::Workspace)
            .await?;
        both(manager, "CREATE UNIQUE INDEX mail_suppression_once ON mail_suppression (workspace_id, address_key)").await?;
        both(manager, "CREATE INDEX mail_suppression_sorted ON mail_suppression (workspace_id, address_key, id)").await?;
        both(manager, "CREATE INDEX mail_suppression_created ON mail_suppression (workspace_id, created_at, id)").await?;

        Making::of_workspace(manager, "mail_template")
            .text("kind")
            .text("language")
            .text("subject")
            .text("text")
            .text("html")
            .make(Wall::Workspace)
            .await?;
        both(manager, "CREATE UNIQUE INDEX mail_template_once ON mail_template (workspace_id, kind, language)").await?;

        Making::bare(manager, "password_reset")
            .col(ColumnDef::new("user_id").uuid().not_null().primary_key())
            .belongs_to("user_id", "user_account")
            .text("token_hash")
            .time("expires_at")
            .time("created_at")
            .make_bare(Wall::Installation)
            .await?;
        both(manager, "CREATE UNIQUE INDEX password_reset_token ON password_reset (token_hash)").await?;
        both(manager, "CREATE INDEX password_reset_expires ON password_reset (expires_at)").await?;

        Making::bare(manager, "known_device")
            .uuid("user_id")
            .belongs_to("user_id", "user_account")
            .text("digest")
            .time("last_seen_at")
            .make_bare(Wall::Installation)
            .await?;
        both(manager, "CREATE UNIQUE INDEX known_device_once ON known_device (user_id, digest)").await?;
        both(manager, "CREATE INDEX known_device_seen ON known_device (last_seen_at)").await
    }
}
