//! The tables of this crate.

use kernel::{DateTime, UserId, WorkspaceId};

use crate::language::Language;
use crate::letter::MailKind;

kernel::typed_id! {
    /// Names a mail.
    pub MailId
}
kernel::typed_id! {
    /// Names a template of a workspace's own.
    pub MailTemplateId
}
kernel::typed_id! {
    /// Names an address that gets no mail.
    pub SuppressionId
}
store::id_fields!(MailId, MailTemplateId, SuppressionId);

store::text_enum! {
    /// How it is with a mail.
    pub enum MailState {
        /// It waits to be sent, for the first time or again.
        Waiting = "waiting",
        /// The server took it, or it lies in its folder.
        Sent = "sent",
        /// It was refused, or could not be sent after all attempts.
        Failed = "failed",
        /// It is not sent, because the address gets no mail.
        Suppressed = "suppressed",
        /// It was sent and came back.
        Bounced = "bounced",
    }
}

store::text_enum! {
    /// Why an address gets no mail.
    pub enum SuppressionReason {
        /// There is no such mailbox.
        Bounce = "bounce",
        /// The recipient complained.
        Complaint = "complaint",
        /// Somebody here said so.
        Manual = "manual",
    }
}

store::record! {
    pub(crate) struct MailRow in "mail_message" of installation {
        id: MailId;
        workspace_id: Option<WorkspaceId> => Derived,
        kind: MailKind,
        language: Language,
        from_name: String,
        reply_to: Option<String> => Personal,
        to_address: String => Personal,
        to_name: Option<String> => Personal,
        to_key: String => Derived,
        subject: String => Personal,
        body: String => Secret,
        html: Option<String> => Secret,
        message_id: String,
        state: MailState,
        attempts: i64 => Derived,
        last_problem: Option<String> => Personal,
        sent_at: Option<DateTime>,
    }
}

store::record! {
    pub(crate) struct TemplateRow in "mail_template" of workspace {
        id: MailTemplateId;
        kind: MailKind,
        language: Language,
        subject: String,
        text: String,
        html: String,
    }
}

store::record! {
    pub(crate) struct SuppressionRow in "mail_suppression" of workspace {
        id: SuppressionId;
        address: String => Personal,
        address_key: String => Derived,
        reason: SuppressionReason,
        mail_id: Option<MailId>,
        created_by: Option<UserId>,
    }
}

/// An address in the form in which it is compared.
pub(crate) fn address_key(address: &str) -> String {
    address.trim().to_lowercase()
}
