//! What outlives its use.

use chrono::Duration;
use kernel::Result;
use store::jobs::schedule::When;
use store::jobs::{Handlers, JobContext};
use store::query::Condition;

use crate::password_reset::SendReset;
use crate::portal::SendPortalReset;
use crate::sessions::SendLockOut;
use crate::{Auth, api_tokens, devices};

/// How long a session is kept that nobody can go on with.
const ENDED: Duration = Duration::days(7);
/// How long a device is known that no one signs in from.
const UNSEEN: Duration = Duration::days(180);

store::job_kind! {
    /// Deletes sessions that expired or were revoked more than 7 days ago, with their refresh tokens. A session that can still be gone on
    /// with stays with all its tokens, used ones too, because one that comes again must be known. Further: tokens to set a new password
    /// with that no longer work, devices that nobody signed in from for 180 days, and how often tokens were used on days that nobody is
    /// told of any more.
    pub struct SessionCleanup as "session_cleanup" on Maintenance {}
}

impl Auth {
    /// Registers the jobs of this crate.
    pub fn handle_jobs(&self, handlers: &mut Handlers) {
        handlers.on(|context: JobContext, SessionCleanup {}| clean_sessions(context));
        let auth = self.clone();
        handlers.on(move |context: JobContext, job: SendReset| {
            let auth = auth.clone();
            async move { auth.send_reset(&context, job.user).await }
        });
        let auth = self.clone();
        handlers.on(move |context: JobContext, job: SendLockOut| {
            let auth = auth.clone();
            async move { auth.send_lock_out(&context, &job).await }
        });
        let auth = self.clone();
        handlers.on(move |context: JobContext, job: SendPortalReset| {
            let auth = auth.clone();
            async move { auth.send_portal_reset(&context, job.contact).await }
        });
        self.mail().handle_jobs(handlers);
        handlers.recurring("session-cleanup", When::Daily(3, 0), SessionCleanup {});
    }
}

async fn clean_sessions(context: JobContext) -> Result<()> {
    let now = context.store().runtime().now();
    let before = now - ENDED;
    context.delete_before("session", "expires_at", before, Condition::all).await?;
    context.delete_before("session", "revoked_at", before, Condition::all).await?;
    context.delete_before("password_reset", "expires_at", now, Condition::all).await?;
    devices::tidy(&context, now - UNSEEN).await?;
    context.delete_before("api_token_usage", "day", api_tokens::first_day(now), Condition::all).await.map(|_| ())
}
