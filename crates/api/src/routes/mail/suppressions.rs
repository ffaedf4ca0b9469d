//! `/v1/mail-suppressions`.

use mail::SuppressionId;
use mail::suppressions::{self, CreateSuppression, SUPPRESSION_LIST, Suppression};

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of addresses that get no mail.
    SuppressionPage of Suppression
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_mail_suppressions, _, _>(list_mail_suppressions).list(&SUPPRESSION_LIST);
    registry.add::<__path_create_mail_suppression, _, _>(create_mail_suppression);
    registry.add::<__path_get_mail_suppression, _, _>(get_mail_suppression).record(&SUPPRESSION_LIST);
    registry.add::<__path_delete_mail_suppression, _, _>(delete_mail_suppression);
}

/// List addresses that get no mail
#[utoipa::path(get, path = "/v1/mail-suppressions", tag = "mail",
    responses((status = 200, description = "A page of addresses", body = SuppressionPage)))]
async fn list_mail_suppressions(context: Context) -> ApiResult {
    let query = context.list_query(&SUPPRESSION_LIST)?;
    let page = context.read(async |conn, caller| suppressions::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}

/// Let an address get no mail
///
/// What is written for it from now on is kept as `suppressed`. Mail about the safety of an account goes out all the same, unless the
/// reason is `bounce`.
#[utoipa::path(post, path = "/v1/mail-suppressions", tag = "mail", request_body = CreateSuppression,
    responses((status = 201, description = "The address", body = Suppression)))]
async fn create_mail_suppression(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut store::UnitOfWork, input| {
        let made = suppressions::create(uow, input).await?;
        Ok(Answer::created(format!("/v1/mail-suppressions/{}", made.id), &made)?.version(made.version))
    };
    context.post::<CreateSuppression>(body, work).await
}

/// Get an address that gets no mail
#[utoipa::path(get, path = "/v1/mail-suppressions/{mail_suppression_id}", tag = "mail",
    responses((status = 200, description = "The address", body = Suppression)))]
async fn get_mail_suppression(context: Context) -> ApiResult {
    let id: SuppressionId = context.id("mail_suppression_id")?;
    let query = context.record_query(&SUPPRESSION_LIST)?;
    let found = context.read(async |conn, caller| suppressions::get(conn, caller, id).await).await?;
    context.record(&found, found.version, &query)
}

/// Let an address get mail again
#[utoipa::path(delete, path = "/v1/mail-suppressions/{mail_suppression_id}", tag = "mail",
    responses((status = 204, description = "It gets mail again")))]
async fn delete_mail_suppression(context: Context) -> ApiResult {
    let id: SuppressionId = context.id("mail_suppression_id")?;
    context.delete(async |uow, seen| suppressions::delete(uow, id, seen).await).await
}
