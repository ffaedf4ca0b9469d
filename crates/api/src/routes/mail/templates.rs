//! `/v1/mail-templates` and `/v1/mail-kinds`.

use mail::MailTemplateId;
use mail::templates::{
    self, CreateMailTemplate, MAIL_TEMPLATE_LIST, MailKindList, MailPreview, MailTemplate, MailTemplatePatch, PreviewMailTemplate,
};

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of templates.
    MailTemplatePage of MailTemplate
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_get_mail_kinds, _, _>(get_mail_kinds);
    registry.add::<__path_list_mail_templates, _, _>(list_mail_templates).list(&MAIL_TEMPLATE_LIST);
    registry.add::<__path_create_mail_template, _, _>(create_mail_template);
    registry.add::<__path_preview_mail_template, _, _>(preview_mail_template);
    registry.add::<__path_get_mail_template, _, _>(get_mail_template).record(&MAIL_TEMPLATE_LIST);
    registry.add::<__path_update_mail_template, _, _>(update_mail_template);
    registry.add::<__path_delete_mail_template, _, _>(delete_mail_template);
}

/// Get the kinds of mail
///
/// What the templates of each can show, and the ones that come with the program.
#[utoipa::path(get, path = "/v1/mail-kinds", tag = "mail",
    responses((status = 200, description = "The kinds", body = MailKindList)))]
async fn get_mail_kinds(context: Context) -> ApiResult {
    let kinds = templates::kinds(context.caller()).map_err(|error| context.fail(error))?;
    context.plain(&kinds)
}

/// List templates of mail
///
/// Those that the workspace has of its own. For every other kind and language the one that comes with the program is in force.
#[utoipa::path(get, path = "/v1/mail-templates", tag = "mail",
    responses((status = 200, description = "A page of templates", body = MailTemplatePage)))]
async fn list_mail_templates(context: Context) -> ApiResult {
    let query = context.list_query(&MAIL_TEMPLATE_LIST)?;
    let page = context.read(async |conn, caller| templates::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}

/// Create a template of mail
///
/// It is in force at once, for mails that are written from now on.
#[utoipa::path(post, path = "/v1/mail-templates", tag = "mail", request_body = CreateMailTemplate,
    responses((status = 201, description = "The template", body = MailTemplate)))]
async fn create_mail_template(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut store::UnitOfWork, input| {
        let template = templates::create(uow, input).await?;
        Ok(Answer::created(format!("/v1/mail-templates/{}", template.id), &template)?.version(template.version))
    };
    context.post::<CreateMailTemplate>(body, work).await
}

/// Preview a mail
///
/// As it would be with made-up facts. Nothing is sent and nothing is kept.
#[utoipa::path(post, path = "/v1/mail-templates/preview", tag = "mail", request_body = PreviewMailTemplate,
    responses((status = 200, description = "The mail", body = MailPreview)))]
async fn preview_mail_template(context: Context, body: Body) -> ApiResult {
    let (mail, caller) = (&context.state.mail, context.caller());
    let work = async |uow: &mut store::UnitOfWork, input| Answer::ok(&mail.preview(uow, caller, input).await?);
    context.post::<PreviewMailTemplate>(body, work).await
}

/// Get a template of mail
#[utoipa::path(get, path = "/v1/mail-templates/{mail_template_id}", tag = "mail",
    responses((status = 200, description = "The template", body = MailTemplate)))]
async fn get_mail_template(context: Context) -> ApiResult {
    let id: MailTemplateId = context.id("mail_template_id")?;
    let query = context.record_query(&MAIL_TEMPLATE_LIST)?;
    let template = context.read(async |conn, caller| templates::get(conn, caller, id).await).await?;
    context.record(&template, template.version, &query)
}

/// Change a template of mail
#[utoipa::path(patch, path = "/v1/mail-templates/{mail_template_id}", tag = "mail", request_body = MailTemplatePatch,
    responses((status = 200, description = "The template", body = MailTemplate)))]
async fn update_mail_template(context: Context, body: Body) -> ApiResult {
    let id: MailTemplateId = context.id("mail_template_id")?;
    let work = async |uow: &mut store::UnitOfWork, seen, patch| {
        let template = templates::update(uow, id, seen, patch).await?;
        Ok(Answer::ok(&template)?.version(template.version))
    };
    context.patch::<MailTemplatePatch>(body, work).await
}

/// Delete a template of mail
///
/// The one that comes with the program is in force again.
#[utoipa::path(delete, path = "/v1/mail-templates/{mail_template_id}", tag = "mail",
    responses((status = 204, description = "Deleted")))]
async fn delete_mail_template(context: Context) -> ApiResult {
    let id: MailTemplateId = context.id("mail_template_id")?;
    context.delete(async |uow, seen| templates::delete(uow, id, seen).await).await
}
