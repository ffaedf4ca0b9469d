//! `/v1/mail-messages`.

use mail::MailId;
use mail::messages::{self, MAIL_LIST, MailMessage};

use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of mails.
    MailMessagePage of MailMessage
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_mail_messages, _, _>(list_mail_messages).list(&MAIL_LIST);
    registry.add::<__path_get_mail_message, _, _>(get_mail_message).record(&MAIL_LIST);
}

/// List mails
///
/// What the workspace sent, what waits, and what came back; not what the mails say.
#[utoipa::path(get, path = "/v1/mail-messages", tag = "mail",
    responses((status = 200, description = "A page of mails", body = MailMessagePage)))]
async fn list_mail_messages(context: Context) -> ApiResult {
    let query = context.list_query(&MAIL_LIST)?;
    let page = context.read(async |conn, caller| messages::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}

/// Get a mail
#[utoipa::path(get, path = "/v1/mail-messages/{mail_message_id}", tag = "mail",
    responses((status = 200, description = "The mail", body = MailMessage)))]
async fn get_mail_message(context: Context) -> ApiResult {
    let id: MailId = context.id("mail_message_id")?;
    let query = context.record_query(&MAIL_LIST)?;
    let mail = context.read(async |conn, caller| messages::get(conn, caller, id).await).await?;
    context.record(&mail, mail.version, &query)
}
