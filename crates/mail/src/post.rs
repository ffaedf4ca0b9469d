//! Writing a mail, in the unit of work that needs it.

use chrono_tz::Tz;
use kernel::{Error, Result, TypedId as _, WorkspaceId};
use store::jobs::Job;
use store::query::{Expr, ExprTrait};
use store::{Change, Conn, Record as _, UnitOfWork};

use crate::Mail;
use crate::face::{self, Face};
use crate::language::Language;
use crate::letter::{Facts, Letter, MailKind, one_line};
use crate::rows::{MailId, MailRow, MailState, TemplateRow, address_key};
use crate::send::SendMail;
use crate::template::{Rendered, Template};

/// To whom.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recipient<'a> {
    /// The address.
    pub address: &'a str,
    /// The name, where it is known.
    pub name: Option<&'a str>,
    /// The language, where it is known; otherwise it is the workspace's.
    pub locale: Option<&'a str>,
    /// The time zone, where it is known; otherwise it is the workspace's.
    pub timezone: Option<&'a str>,
}

impl Mail {
    /// Writes a mail of the workspace that the unit of work is in, or of the installation where it is in none. It goes out when the unit of
    /// work commits, and otherwise was never there.
    ///
    /// # Errors
    /// What the database says.
    pub async fn post(&self, uow: &mut UnitOfWork, to: Recipient<'_>, letter: &Letter<'_>) -> Result<MailId> {
        let (workspace, kind, now) = (uow.workspace().ok(), letter.kind(), uow.now());
        let face = face::of(uow, workspace).await?;
        let language = Language::of(to.locale.into_iter().chain([face.locale.as_str()]));
        let zone = to.timezone.and_then(|name| name.parse().ok()).unwrap_or(face.zone);
        let name = to.name.map(one_line).filter(|name| !name.is_empty());
        let facts = self.facts(letter, &face, name.as_deref(), language, zone);
        let own = match workspace {
            Some(workspace) => own_template(uow, workspace, kind, language).await?,
            None => None,
        };
        let rendered = rendered(own, kind, &facts, &face, language)?;
        let id: MailId = uow.id();
        let row = MailRow {
            id,
            workspace_id: workspace,
            kind,
            language,
            from_name: one_line(&face.name),
            reply_to: face.reply_to,
            to_address: to.address.trim().to_owned(),
            to_name: name,
            to_key: address_key(to.address),
            subject: rendered.subject,
            body: rendered.text,
            html: Some(rendered.html),
            message_id: format!("<{id}@{}>", self.0.config.sender.domain()),
            state: MailState::Waiting,
            attempts: 0,
            last_problem: None,
            sent_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        uow.insert(&row, Change::plain().event("mail.written")).await?;
        // whatever wakes it twice finds one that waits
        uow.enqueue(Job::of(&SendMail { mail: id }).unique(id)).await?;
        Ok(id)
    }

    /// All that a letter says.
    pub(crate) fn facts(&self, letter: &Letter<'_>, face: &Face, name: Option<&str>, language: Language, zone: Tz) -> Facts {
        let mut facts = letter.facts(&self.0.config.frontend_url, language, zone);
        facts.insert("workspace_name", one_line(&face.name));
        facts.insert("tagline", one_line(&face.tagline));
        facts.insert("recipient_name", name.unwrap_or_default().to_owned());
        facts
    }
}

/// The template that the workspace has of its own.
pub(crate) async fn own_template(
    conn: &mut Conn,
    workspace: WorkspaceId,
    kind: MailKind,
    language: Language,
) -> Result<Option<Template>> {
    let mut select = TemplateRow::select();
    select
        .and_where(Expr::col(("mail_template", "workspace_id")).eq(workspace.uuid()))
        .and_where(Expr::col(("mail_template", "kind")).eq(kind.as_str()))
        .and_where(Expr::col(("mail_template", "language")).eq(language.as_str()));
    let row = conn.one::<TemplateRow>(&select).await?;
    Ok(row.map(|row| Template { subject: row.subject, text: row.text, html: row.html, is_own: true }))
}

/// A template that was good when it was written may name what an older program had: then the usual one says what is to be said.
fn rendered(own: Option<Template>, kind: MailKind, facts: &Facts, face: &Face, language: Language) -> Result<Rendered> {
    if let Some(own) = own {
        match own.render(facts, face, language) {
            Ok(rendered) => return Ok(rendered),
            Err(error) => {
                tracing::warn!(kind = kind.as_str(), language = language.as_str(), %error, "a template of a workspace does not work")
            }
        }
    }
    Template::usual(kind, language).render(facts, face, language).map_err(Error::internal)
}
