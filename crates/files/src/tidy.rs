//! What is cleaned up in the background.

use store::jobs::schedule::When;
use store::jobs::{Handlers, JobContext};

use crate::{Files, cleanup, files, thumbnails};

store::job_kind! {
    /// Removes what uploads left over that ended more than a day ago without a file, on the disk of this worker and in every storage, and
    /// the objects of files that were purged while their storage was away.
    pub struct FileCleanup as "file_cleanup" on Maintenance {}
}

impl Files {
    /// Registers the jobs of this crate.
    pub fn handle_jobs(&self, handlers: &mut Handlers) {
        thumbnails::handle(self, handlers);
        let own = self.clone();
        handlers.on(move |context: JobContext, FileCleanup {}| {
            let files = own.clone();
            async move {
                let cleaned = cleanup::clean_up(&files).await?;
                let swept = files::sweep(&files, context.caller()).await?;
                tracing::info!(cleaned.spooled, cleaned.orphans, swept, "what uploads left over was removed");
                Ok(())
            }
        });
        handlers.recurring("temp-file-cleanup", When::Daily(3, 30), FileCleanup {});
    }
}
