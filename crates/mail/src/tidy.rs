//! What outlives its use.

use chrono::Duration;
use kernel::{DateTime, Result};
use store::Field as _;
use store::jobs::schedule::When;
use store::jobs::{Handlers, JobContext};
use store::query::{Condition, Expr, ExprTrait, Query};

use crate::letter::MailKind;
use crate::rows::MailState;

/// How long a mail is kept that nothing more is done for.
const KEPT: Duration = Duration::days(90);
/// How long a mail that failed keeps what it brings: as long as its job is kept, so that it can be run again.
const OPEN: Duration = Duration::days(7);

store::job_kind! {
    /// Deletes mails that were written more than 90 days ago and do not wait, and erases what failed mails bring that were last tried more
    /// than 7 days ago. What waits stays.
    pub struct MailCleanup as "mail_cleanup" on Maintenance {}
}

pub(crate) fn handle(handlers: &mut Handlers) {
    handlers.on(|context: JobContext, MailCleanup {}| clean(context));
    handlers.recurring("mail-cleanup", When::Daily(3, 20), MailCleanup {});
}

async fn clean(context: JobContext) -> Result<()> {
    let now = context.store().runtime().now();
    erase(&context, now - OPEN).await?;
    // in these words, because they are those of the index
    let ended = || Condition::all().add(Expr::cust("state <> 'waiting'"));
    context.delete_before("mail_message", "created_at", now - KEPT, ended).await.map(|_| ())
}

async fn erase(context: &JobContext, before: DateTime) -> Result<()> {
    let secret = MailKind::ALL.into_iter().filter(|kind| kind.brings_secret()).map(MailKind::as_str);
    let mut update = Query::update();
    update
        .table("mail_message")
        .value("body", "")
        .value("html", Option::<String>::None.value())
        .and_where(Expr::col("state").eq(MailState::Failed.as_str()))
        .and_where(Expr::col("kind").is_in(secret))
        .and_where(Expr::col("updated_at").lt(before.value()))
        .and_where(Expr::col("body").ne(""));
    context.write(async |uow| uow.execute(&update).await).await.map(|_| ())
}
