//! The job that sends.

use std::time::Duration;

use async_trait::async_trait;
use kernel::{Error, Result, TypedId as _};
use serde::{Deserialize, Serialize};
use store::jobs::{Follower, Handlers, Job, JobContext, JobKind, JobRow, JobState, Queue};
use store::query::{Expr, ExprTrait};
use store::{Change, Record as _, UnitOfWork};

use crate::Mail;
use crate::errors::MAIL_NOT_SENT;
use crate::letter::MailKind;
use crate::rows::{MailId, MailRow, MailState, SuppressionReason};
use crate::suppressions;
use crate::transport::{Delivery, Problem};

/// The window in which mails for one address are counted.
const WINDOW: Duration = Duration::from_hours(1);

/// Sends a mail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendMail {
    /// Which.
    pub mail: MailId,
}

const _: () = store::jobs::fits::<MailId>();

impl JobKind for SendMail {
    const KIND: &'static str = "send_mail";
    const QUEUE: Queue = Queue::Email;

    /// From a second on and sixteen times as long each time: a second, a quarter of a minute, four minutes, over an hour. A mail server
    /// that is started anew is away for longer than five attempts at the usual pace would last.
    fn pause(failures: i64) -> Option<Duration> {
        let exponent = u32::try_from((failures - 1).clamp(0, 3)).unwrap_or(3);
        Some(Duration::from_secs(16_u64.pow(exponent)))
    }
}

/// What is to be done about a mail.
enum Next {
    /// Nothing: it is gone, or was sent, or is not to be.
    Nothing,
    /// It waits until its address may get more.
    Later(Duration),
    /// To be sent.
    Send(Box<MailRow>),
}

impl Mail {
    /// Registers the jobs of this crate.
    pub fn handle_jobs(&self, handlers: &mut Handlers) {
        let mail = self.clone();
        handlers.on(move |context: JobContext, job: SendMail| {
            let mail = mail.clone();
            async move { mail.send(&context, job.mail).await }
        });
        crate::tidy::handle(handlers);
    }

    async fn send(&self, context: &JobContext, id: MailId) -> Result<()> {
        let row = match context.write(async |uow| self.begin(uow, id).await).await? {
            Next::Nothing => return Ok(()),
            Next::Later(wait) => return postpone(context, id, wait).await,
            Next::Send(row) => row,
        };
        context.go_on()?;
        match self.0.transport.deliver(&row).await {
            Delivery::Sent => {
                context.complete(async |uow| end(uow, id, MailState::Sent, None).await).await?;
                count(row.kind, "sent");
            }
            Delivery::Refused { problem, is_address } => {
                let refuse = async |uow: &mut UnitOfWork| {
                    end(uow, id, MailState::Failed, Some(&problem)).await?;
                    if is_address && let Some(workspace) = row.workspace_id {
                        suppressions::add(uow, workspace, &row.to_address, SuppressionReason::Bounce, Some(id)).await?;
                    }
                    Ok(())
                };
                context.complete(refuse).await?;
                count(row.kind, "refused");
            }
            Delivery::NotNow(problem) => {
                let last = context.is_last_attempt();
                context.write(async |uow| not_now(uow, id, &problem, last).await).await?;
                count(row.kind, if last { "failed" } else { "tried" });
                return Err(Error::new(&MAIL_NOT_SENT).with_detail(problem.brief));
            }
        }
        Ok(())
    }

    /// Looks at a mail before an attempt, and counts the attempt.
    async fn begin(&self, uow: &mut UnitOfWork, id: MailId) -> Result<Next> {
        let Some(row) = locked(uow, id).await? else { return Ok(Next::Nothing) };
        // one that failed is sent where an administrator has its job run again
        let is_open = matches!(row.state, MailState::Waiting | MailState::Failed) && !row.body.is_empty();
        if !is_open {
            return Ok(Next::Nothing);
        }
        if let Some(workspace) = row.workspace_id
            && let Some(reason) = suppressions::reason(uow, workspace, &row.to_key).await?
            && (reason == SuppressionReason::Bounce || !row.kind.is_about_safety())
        {
            end(uow, id, MailState::Suppressed, None).await?;
            count(row.kind, "suppressed");
            return Ok(Next::Nothing);
        }
        // once for each mail, not for each attempt
        if row.attempts == 0 && !row.kind.is_about_safety() {
            let place = row.workspace_id.map(|id| id.to_string()).unwrap_or_default();
            let key = format!("mail:{place}:{}", row.to_key);
            let decision = uow.store().shared().hit(&key, 1, self.0.config.per_hour, WINDOW).await;
            if !decision.allowed {
                count(row.kind, "postponed");
                return Ok(Next::Later(Duration::from_secs(decision.reset.into())));
            }
        }
        let tried = MailRow { attempts: row.attempts + 1, ..row.clone() };
        let row = uow.update(&row, tried, Change::plain()).await?;
        Ok(Next::Send(Box::new(row)))
    }
}

/// A mail whose job ends without it is not sent, unless its job is run again.
#[derive(Debug)]
pub struct FollowMails;

#[async_trait]
impl Follower for FollowMails {
    fn kind(&self) -> &'static str {
        SendMail::KIND
    }

    async fn ended(&self, uow: &mut UnitOfWork, job: &JobRow) -> Result<()> {
        let SendMail { mail } = job.given()?;
        let problem = if job.state == JobState::Dead { "it was tried in vain" } else { "it was called off" };
        match locked(uow, mail).await? {
            Some(row) if row.state == MailState::Waiting => not_now(uow, mail, &Problem::new(problem), true).await,
            _ => Ok(()),
        }
    }
}

/// Ends this job in favour of one that comes later.
async fn postpone(context: &JobContext, id: MailId, wait: Duration) -> Result<()> {
    let wait = chrono::Duration::from_std(wait).map_err(Error::internal)?;
    context.complete(async |uow| uow.enqueue(Job::of(&SendMail { mail: id }).unique(id).after(wait)).await.map(|_| ())).await
}

async fn locked(uow: &mut UnitOfWork, id: MailId) -> Result<Option<MailRow>> {
    let mut select = MailRow::select();
    select.and_where(Expr::col(("mail_message", "id")).eq(id.uuid()));
    uow.locked::<MailRow>(select).await
}

/// Writes how a mail ended. What it brought is erased with it: nobody needs it any more, and it may open something.
pub(crate) async fn end(uow: &mut UnitOfWork, id: MailId, state: MailState, problem: Option<&Problem>) -> Result<()> {
    let Some(before) = locked(uow, id).await? else { return Ok(()) };
    let mut after = MailRow { state, last_problem: problem.map(Problem::whole), ..before.clone() };
    if state == MailState::Sent {
        after.sent_at = Some(uow.now());
    }
    if before.kind.brings_secret() {
        after.body = String::new();
        after.html = None;
    }
    let event = match state {
        MailState::Waiting => "mail.written",
        MailState::Sent => "mail.sent",
        MailState::Failed => "mail.failed",
        MailState::Suppressed => "mail.suppressed",
        MailState::Bounced => "mail.bounced",
    };
    uow.update(&before, after, Change::plain().event(event)).await.map(|_| ())
}

/// Writes that an attempt failed. After the last one the mail has failed, and keeps what it brings for a week, in which its job can be run
/// again.
async fn not_now(uow: &mut UnitOfWork, id: MailId, problem: &Problem, is_last: bool) -> Result<()> {
    let Some(before) = locked(uow, id).await? else { return Ok(()) };
    let state = if is_last { MailState::Failed } else { MailState::Waiting };
    let after = MailRow { state, last_problem: Some(problem.whole()), ..before.clone() };
    let event = if is_last { "mail.failed" } else { "mail.postponed" };
    uow.update(&before, after, Change::plain().event(event)).await.map(|_| ())
}

fn count(kind: MailKind, outcome: &'static str) {
    metrics::counter!("pelatis_mails_total", "kind" => kind.as_str(), "outcome" => outcome).increment(1);
}
