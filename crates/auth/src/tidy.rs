//! What outlives its use.

use chrono::Duration;
use kernel::Result;
use store::jobs::schedule::When;
use store::jobs::{Handlers, JobContext};
use store::query::Condition;

use crate::Auth;

/// How long a session is kept that nobody can go on with.
const ENDED: Duration = Duration::days(7);

store::job_kind! {
    /// Deletes sessions that expired or were revoked more than 7 days ago, with their refresh tokens. A session that can still be gone on
    /// with stays with all its tokens, used ones too, because one that comes again must be known.
    pub struct SessionCleanup as "session_cleanup" on Maintenance {}
}

impl Auth {
    /// Registers the jobs of this crate.
    pub fn handle_jobs(&self, handlers: &mut Handlers) {
        handlers.on(|context: JobContext, SessionCleanup {}| clean_sessions(context));
        handlers.recurring("session-cleanup", When::Daily(3, 0), SessionCleanup {});
    }
}

async fn clean_sessions(context: JobContext) -> Result<()> {
    let before = context.store().runtime().now() - ENDED;
    context.delete_before("session", "expires_at", before, Condition::all).await?;
    context.delete_before("session", "revoked_at", before, Condition::all).await.map(|_| ())
}
