//! Mail: written in the transaction that needs it, sent by a job, to an SMTP server or into a folder.
//!
//! What must always hold:
//! - A mail is one message: its id, date, text and every other byte are settled when it is written. An attempt whose end is unclear is
//!   repeated as the same message, which mail programs and servers show once.
//! - A job knows a mail's id and nothing else; addresses, subjects and bodies stand in no log.
//! - A mail that brings a secret (a link that works once) is kept without its bodies from the moment that nothing more will be done for
//!   it: sent, refused, suppressed, bounced, or a week after it failed. The journal never has them.
//! - What a workspace writes into its templates can name values and ask whether they are there, and nothing else: no loop, no text that
//!   grows. So what it costs to render one is bounded by its length.
//!
//! How a new kind of mail is made: a variant of [`Letter`] with its facts and sample, a word of [`MailKind`], and its files in
//! `template/defaults`, in every language. The tests of rendered mail go through all kinds.
//!
//! Libraries: `lettre` speaks SMTP and writes messages; its connection is driven step by step, because only the step that was refused
//! tells whether it was the address. `minijinja` renders templates, `ammonia` cleans what workspaces write, `mail-parser` reads bounces.

pub mod bounces;
mod config;
pub mod errors;
mod face;
mod language;
mod letter;
mod message;
pub mod messages;
pub mod people;
mod post;
mod rows;
mod send;
pub mod suppressions;
mod template;
pub mod templates;
mod tidy;
mod transport;

use std::sync::Arc;

use kernel::Result;
use store::Store;

pub use config::{MailConfig, MailWay, Sender, SmtpUrl};
pub use face::{FaceSettings, FaceSettingsPatch};
pub use language::Language;
pub use letter::{Act, Letter, MailKind};
pub use post::Recipient;
pub use rows::{MailId, MailState, MailTemplateId, SuppressionId, SuppressionReason};
pub use send::{FollowMails, SendMail};
pub use tidy::MailCleanup;
pub use transport::Health;

/// Mail as a service. Cheap to clone.
#[derive(Clone)]
pub struct Mail(Arc<Inner>);

struct Inner {
    store: Store,
    config: MailConfig,
    transport: transport::Transport,
}

impl Mail {
    /// Takes the way out into use. It need not be there.
    ///
    /// # Errors
    /// `internal` where the certificates of one's own cannot be read.
    pub fn open(store: Store, config: MailConfig) -> Result<Self> {
        let transport = transport::Transport::new(&config)?;
        Ok(Self(Arc::new(Inner { store, config, transport })))
    }

    /// How mail goes out.
    pub fn config(&self) -> &MailConfig {
        &self.0.config
    }

    /// Whether mail can go out, as it was a few seconds ago at most.
    pub async fn health(&self) -> Health {
        self.0.transport.health(self.0.store.runtime()).await
    }
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Mail({})", self.0.transport.name())
    }
}
