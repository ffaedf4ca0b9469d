//! Templates that a workspace has of its own, in the place of those that come with the program.

use kernel::error::Faults;
use kernel::{Caller, DateTime, Error, FieldError, Page, Permission, Result, TypedId as _};
use serde::{Deserialize, Serialize};
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, SelectStatement};
use store::{Change, Conn, OnUnique as _, Record as _, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use crate::errors::MAIL_TEMPLATE_TAKEN;
use crate::language::Language;
use crate::letter::{Letter, MailKind};
use crate::rows::{MailTemplateId, TemplateRow};
use crate::template::{Template, check};
use crate::{Mail, face, post};

/// A template of a workspace's own.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MailTemplate {
    /// Its id.
    pub id: MailTemplateId,
    /// The kind of mail that it is for.
    pub kind: MailKind,
    /// The language that it is in.
    pub language: Language,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The content of the HTML, which stands in the common layout.
    pub html: String,
    /// When it was made.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl From<TemplateRow> for MailTemplate {
    fn from(row: TemplateRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            language: row.language,
            subject: row.subject,
            text: row.text,
            html: row.html,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// The body of `POST /v1/mail-templates`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateMailTemplate {
    /// The kind of mail that it is for.
    pub kind: MailKind,
    /// The language that it is in.
    pub language: Language,
    /// The subject, at most 200 characters. It can show `{{ name }}` for each variable of the kind but links and tokens.
    #[schema(min_length = 1, max_length = 200)]
    pub subject: String,
    /// The text. It can show `{{ name }}`, and hold `{% if name %}…{% else %}…{% endif %}`; nothing else.
    #[schema(min_length = 1, max_length = 30_000)]
    pub text: String,
    /// The content of the HTML, as the text: headings, paragraphs, lists and links; what else there is in it is left out.
    #[schema(min_length = 1, max_length = 30_000)]
    pub html: String,
}

/// The body of `PATCH /v1/mail-templates/{mail_template_id}`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct MailTemplatePatch {
    /// The subject.
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The text.
    #[schema(nullable = false, min_length = 1, max_length = 30_000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The content of the HTML.
    #[schema(nullable = false, min_length = 1, max_length = 30_000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
}

/// The body of `POST /v1/mail-templates/preview`. What is left out is as it is in force.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PreviewMailTemplate {
    /// The kind of mail.
    pub kind: MailKind,
    /// The language.
    pub language: Language,
    /// The subject.
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The text.
    #[schema(nullable = false, min_length = 1, max_length = 30_000)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The content of the HTML.
    #[schema(nullable = false, min_length = 1, max_length = 30_000)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
}

/// A mail as it would be, with made-up facts.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MailPreview {
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The whole HTML.
    pub html: String,
}

/// A template that comes with the program.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct UsualTemplate {
    /// The language that it is in.
    pub language: Language,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The content of the HTML.
    pub html: String,
}

/// A kind of mail.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MailKindInfo {
    /// The kind.
    pub kind: MailKind,
    /// What its templates can show.
    pub variables: Vec<String>,
    /// What text and HTML must show.
    pub required: Vec<String>,
    /// The templates that come with the program.
    pub templates: Vec<UsualTemplate>,
}

/// Every kind of mail.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MailKindList {
    /// The kinds.
    pub data: Vec<MailKindInfo>,
}

/// How templates can be listed.
pub static MAIL_TEMPLATE_LIST: ListSpec = ListSpec {
    name: "mail_templates",
    table: "mail_template",
    fields: &[
        ListField::word("kind", MailKind::TEXTS),
        ListField::word("language", Language::TEXTS),
        ListField::time("created_at").sorted(),
        ListField::time("updated_at").sorted(),
    ],
    ..ListSpec::EMPTY
};

fn visible_to(caller: &Caller) -> Result<SelectStatement> {
    caller.require(Permission::AdminManageSettings)?;
    let mut select = TemplateRow::select();
    select.and_where(Expr::col(("mail_template", "workspace_id")).eq(caller.workspace()?.uuid()));
    Ok(select)
}

/// Every kind of mail, with what its templates can show.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`.
pub fn kinds(caller: &Caller) -> Result<MailKindList> {
    caller.require(Permission::AdminManageSettings)?;
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let usual = |kind, language| {
        let template = Template::usual(kind, language);
        UsualTemplate { language, subject: template.subject, text: template.text, html: template.html }
    };
    let info = |kind: MailKind| MailKindInfo {
        kind,
        variables: words(&kind.variables()),
        required: words(kind.needs()),
        templates: Language::ALL.into_iter().map(|language| usual(kind, language)).collect(),
    };
    Ok(MailKindList { data: MailKind::ALL.into_iter().map(info).collect() })
}

/// Templates of the workspace.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<MailTemplate>> {
    let page = store::list::page::<TemplateRow>(conn, caller, visible_to(caller)?, &MAIL_TEMPLATE_LIST, query).await?;
    Ok(page.map(MailTemplate::from))
}

/// One template of the workspace.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: MailTemplateId) -> Result<MailTemplate> {
    let mut select = visible_to(caller)?;
    select.and_where(Expr::col(("mail_template", "id")).eq(id.uuid()));
    conn.one::<TemplateRow>(&select).await?.map(MailTemplate::from).ok_or_else(Error::not_found)
}

fn checked(kind: MailKind, template: &Template) -> Result<()> {
    let mut faults = Faults::new();
    check::check(kind, template, &mut faults);
    faults.into_result()
}

fn template_of(row: &TemplateRow) -> Template {
    Template { subject: row.subject.clone(), text: row.text.clone(), html: row.html.clone(), is_own: true }
}

/// Makes a template.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`; `validation_failed` with everything that is wrong with it; `mail_template_taken`.
pub async fn create(uow: &mut UnitOfWork, input: CreateMailTemplate) -> Result<MailTemplate> {
    uow.caller().require(Permission::AdminManageSettings)?;
    let now = uow.now();
    let row = TemplateRow {
        id: uow.id(),
        workspace_id: uow.workspace()?,
        kind: input.kind,
        language: input.language,
        subject: input.subject,
        text: input.text,
        html: input.html,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    checked(row.kind, &template_of(&row))?;
    uow.insert(&row, Change::plain()).await.on_unique(|| {
        let taken = FieldError::new("/language", "taken", "has a template of this kind already");
        Error::new(&MAIL_TEMPLATE_TAKEN).with_field(taken)
    })?;
    Ok(row.into())
}

async fn find_locked(uow: &mut UnitOfWork, id: MailTemplateId, seen: Option<i64>) -> Result<TemplateRow> {
    let mut select = visible_to(&uow.caller())?;
    select.and_where(Expr::col(("mail_template", "id")).eq(id.uuid()));
    let row = uow.locked::<TemplateRow>(select).await?.ok_or_else(Error::not_found)?;
    match seen {
        Some(seen) if seen != row.version => Err(Error::new(&kernel::error::codes::STALE)),
        _ => Ok(row),
    }
}

/// Changes a template.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`; `not_found`; `stale`; `validation_failed` with everything that is wrong with it.
pub async fn update(
    uow: &mut UnitOfWork,
    id: MailTemplateId,
    seen: Option<i64>,
    patch: MailTemplatePatch,
) -> Result<MailTemplate> {
    let before = find_locked(uow, id, seen).await?;
    let mut after = before.clone();
    for (part, given) in [(&mut after.subject, patch.subject), (&mut after.text, patch.text), (&mut after.html, patch.html)] {
        if let Some(given) = given {
            *part = given;
        }
    }
    checked(after.kind, &template_of(&after))?;
    uow.update(&before, after, Change::plain()).await.map(MailTemplate::from)
}

/// Deletes a template: the one that comes with the program is in force again.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`; `not_found`; `stale`.
pub async fn delete(uow: &mut UnitOfWork, id: MailTemplateId, seen: Option<i64>) -> Result<()> {
    let row = find_locked(uow, id, seen).await?;
    uow.delete(&row, Change::plain()).await
}

impl Mail {
    /// A mail as it would be with a template, with made-up facts. Nothing is sent and nothing is kept.
    ///
    /// # Errors
    /// `forbidden` without `admin.manage_settings`; `validation_failed` with everything that is wrong with the template.
    pub async fn preview(&self, conn: &mut Conn, caller: &Caller, input: PreviewMailTemplate) -> Result<MailPreview> {
        caller.require(Permission::AdminManageSettings)?;
        let (workspace, kind, language) = (caller.workspace()?, input.kind, input.language);
        let own = post::own_template(conn, workspace, kind, language).await?;
        let mut template = own.unwrap_or_else(|| Template::usual(kind, language));
        let parts = [(&mut template.subject, input.subject), (&mut template.text, input.text), (&mut template.html, input.html)];
        let mut is_own = template.is_own;
        for (part, given) in parts {
            if let Some(given) = given {
                *part = given;
                is_own = true;
            }
        }
        template.is_own = is_own;
        checked(kind, &template)?;
        let face = face::of(conn, Some(workspace)).await?;
        let letter = Letter::sample(kind, self.0.store.runtime().now());
        let name = match language {
            Language::English => "Helen Nika",
            Language::Greek => "Ελένη Νίκα",
        };
        let facts = self.facts(&letter, &face, Some(name), language, face.zone);
        let rendered = template.render(&facts, &face, language)?;
        Ok(MailPreview { subject: rendered.subject, text: rendered.text, html: rendered.html })
    }
}
