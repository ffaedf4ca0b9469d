//! Mail that comes back: delivery reports (RFC 3464), as a mail server sends them.
//!
//! A report is believed when it names a mail of ours by its Message-ID, which only whoever carried or got that mail knows, and the address
//! that it went to. Everything else changes nothing.

use kernel::{Error, FieldError, Permission, Result, TypedId as _};
use mail_parser::{Message, MessageParser, MimeHeaders as _, PartType};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait};
use store::{Change, Record as _, UnitOfWork};
use utoipa::ToSchema;

use crate::errors::BOUNCE_UNREADABLE;
use crate::rows::{MailId, MailRow, MailState, SuppressionReason, address_key};
use crate::transport::Problem;
use crate::{send, suppressions};

store::text_enum! {
    /// What became of a report.
    pub enum BounceOutcome {
        /// The mail came back for good.
        Bounced = "bounced",
        /// The mail is late; this was noted.
        Delayed = "delayed",
        /// It was known already: nothing changed.
        Known = "known",
        /// It is about no mail of ours: nothing changed.
        Unknown = "unknown",
    }
}

/// What became of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BounceReport {
    /// What.
    pub outcome: BounceOutcome,
    /// The mail that it is about.
    pub mail_id: Option<MailId>,
}

/// A report that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounce {
    message_id: String,
    recipients: Vec<Reported>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Reported {
    addresses: Vec<String>,
    action: String,
    status: String,
    said: String,
}

fn unreadable(message: &str) -> Error {
    Error::new(&BOUNCE_UNREADABLE).with_field(FieldError::new("", "unreadable", message))
}

fn is_of(part: &mail_parser::MessagePart<'_>, kind: &str, subtype: &str) -> bool {
    part.content_type().is_some_and(|found| {
        found.ctype().eq_ignore_ascii_case(kind) && found.subtype().is_some_and(|found| found.eq_ignore_ascii_case(subtype))
    })
}

impl Bounce {
    /// Reads a report.
    ///
    /// # Errors
    /// `bounce_unreadable`.
    pub fn read(raw: &[u8]) -> Result<Self> {
        let message = MessageParser::default().parse(raw).ok_or_else(|| unreadable("is no message"))?;
        let root = message.parts.first().ok_or_else(|| unreadable("is no message"))?;
        if !is_of(root, "multipart", "report") {
            return Err(unreadable("must be multipart/report"));
        }
        let status = message.parts.iter().find(|part| is_of(part, "message", "delivery-status"));
        let status = status.ok_or_else(|| unreadable("has no part message/delivery-status"))?;
        let recipients = recipients(&String::from_utf8_lossy(status.contents()));
        if recipients.is_empty() {
            return Err(unreadable("reports on no recipient"));
        }
        let message_id =
            message.parts.iter().find_map(original_id).ok_or_else(|| unreadable("does not hold the message that came back"))?;
        Ok(Self { message_id, recipients })
    }
}

/// The id of the message that came back: whole, or its head alone.
fn original_id(part: &mail_parser::MessagePart<'_>) -> Option<String> {
    let id = |message: &Message<'_>| message.message_id().map(|id| format!("<{id}>"));
    match &part.body {
        PartType::Message(message) => id(message),
        _ if is_of(part, "text", "rfc822-headers") => id(&MessageParser::default().parse(part.contents())?),
        _ => None,
    }
}

/// The recipients of a delivery status: groups of fields, the first of which is about the message.
fn recipients(text: &str) -> Vec<Reported> {
    let text = text.replace("\r\n", "\n");
    let mut found = Vec::new();
    for group in text.split("\n\n") {
        let mut reported = Reported::default();
        for line in unfolded(group) {
            let Some((name, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "final-recipient" | "original-recipient" => {
                    let address = value.split_once(';').map_or(value, |(_, address)| address);
                    reported.addresses.push(address_key(address.trim().trim_start_matches('<').trim_end_matches('>')));
                }
                "action" => reported.action = value.to_ascii_lowercase(),
                "status" => reported.status = value.split_whitespace().next().unwrap_or_default().to_owned(),
                "diagnostic-code" => reported.said = value.chars().filter(|letter| !letter.is_control()).take(300).collect(),
                _ => {}
            }
        }
        if !reported.addresses.is_empty() && !reported.action.is_empty() {
            found.push(reported);
        }
    }
    found
}

fn unfolded(group: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in group.lines() {
        match lines.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

impl Reported {
    fn is_final(&self) -> bool {
        self.action == "failed" && self.status.starts_with("5.")
    }

    /// Whether we were refused rather than the address (RFC 3463, X.7.X): the mail came back, and the address may work.
    fn is_policy(&self) -> bool {
        self.status.starts_with("5.7.")
    }
}

/// Notes a report. Twice is as good as once.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`.
pub async fn note(uow: &mut UnitOfWork, bounce: &Bounce) -> Result<BounceReport> {
    let caller = uow.caller();
    caller.require(Permission::AdminManageSettings)?;
    let unknown = BounceReport { outcome: BounceOutcome::Unknown, mail_id: None };
    let mut select = MailRow::select();
    select.and_where(Expr::col(("mail_message", "message_id")).eq(bounce.message_id.as_str()));
    if let Some(workspace) = caller.workspace {
        select.and_where(Expr::col(("mail_message", "workspace_id")).eq(workspace.uuid()));
    }
    let Some(mail) = uow.locked::<MailRow>(select).await? else { return Ok(unknown) };
    let Some(reported) = bounce.recipients.iter().find(|one| one.addresses.contains(&mail.to_key)) else { return Ok(unknown) };
    let report = |outcome| Ok(BounceReport { outcome, mail_id: Some(mail.id) });
    if mail.state == MailState::Bounced {
        return report(BounceOutcome::Known);
    }
    let problem =
        Problem { brief: format!("came back: {} {}", reported.action, reported.status), said: Some(reported.said.clone()) };
    if !reported.is_final() {
        let after = MailRow { last_problem: Some(problem.whole()), ..mail.clone() };
        let is_new = after.last_problem != mail.last_problem;
        uow.update(&mail, after, Change::plain().event("mail.delayed")).await?;
        return report(if is_new { BounceOutcome::Delayed } else { BounceOutcome::Known });
    }
    let outside = uow.workspace().ok();
    uow.enter(mail.workspace_id).await?;
    send::end(uow, mail.id, MailState::Bounced, Some(&problem)).await?;
    if let Some(workspace) = mail.workspace_id
        && !reported.is_policy()
    {
        suppressions::add(uow, workspace, &mail.to_address, SuppressionReason::Bounce, Some(mail.id)).await?;
    }
    uow.enter(outside).await?;
    metrics::counter!("pelatis_mails_total", "kind" => mail.kind.as_str(), "outcome" => "bounced").increment(1);
    report(BounceOutcome::Bounced)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "From: MAILER-DAEMON@mx.example.com\r\nTo: no-reply@crm.example\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
        It failed.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\n\
        Final-Recipient: rfc822; Nobody@Example.com\r\nAction: failed\r\nStatus: 5.1.1 (bad mailbox)\r\n\
        Diagnostic-Code: smtp; 550 5.1.1\r\n  no such user\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n\
        Message-ID: <01@crm.example>\r\nSubject: x\r\n\r\n--b--\r\n";

    #[test]
    fn reports_are_read_and_everything_else_is_refused() {
        let bounce = Bounce::read(REPORT.as_bytes()).unwrap();
        assert_eq!(bounce.message_id, "<01@crm.example>");
        assert_eq!(
            bounce.recipients,
            [Reported {
                addresses: vec!["nobody@example.com".to_owned()],
                action: "failed".to_owned(),
                status: "5.1.1".to_owned(),
                said: "smtp; 550 5.1.1 no such user".to_owned(),
            }]
        );
        assert!(bounce.recipients[0].is_final() && !bounce.recipients[0].is_policy());
        let whole = REPORT.replace("text/rfc822-headers", "message/rfc822");
        assert_eq!(Bounce::read(whole.as_bytes()).unwrap(), bounce);
        for wrong in [
            String::new(),
            "garbage".to_owned(),
            "\u{0}\u{1}".repeat(500),
            REPORT.replace("multipart/report", "multipart/mixed"),
            REPORT.replace("message/delivery-status", "text/x-other"),
            REPORT.replace("Final-Recipient", "Nobody"),
            REPORT.replace("Message-ID", "X-Other"),
        ] {
            let error = Bounce::read(wrong.as_bytes()).unwrap_err();
            assert_eq!(error.code().code, "bounce_unreadable", "{wrong}");
        }
    }
}
