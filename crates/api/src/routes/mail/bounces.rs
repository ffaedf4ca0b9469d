//! `/v1/mail-bounces`.

use mail::bounces::{self, Bounce, BounceReport};

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;

/// A message as it came from the mail server (RFC 5322).
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it names the body in the document")]
pub(crate) struct BounceMessage(String);

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_receive_mail_bounce, _, _>(receive_mail_bounce);
}

/// Take in a delivery report
///
/// From the mail server that got it (RFC 3464). A mail that came back for good is `bounced`, and its address gets no mail from then on. A
/// report about no mail of the workspace changes nothing, and the same report twice is as good as once.
#[utoipa::path(post, path = "/v1/mail-bounces", tag = "mail",
    request_body(content = BounceMessage, content_type = "message/rfc822"),
    responses((status = 200, description = "What became of it", body = BounceReport)))]
async fn receive_mail_bounce(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut store::UnitOfWork, message: &[u8]| {
        let bounce = Bounce::read(message)?;
        Answer::ok(&bounces::note(uow, &bounce).await?)
    };
    context.post_bytes(body, "message/rfc822", work).await
}
