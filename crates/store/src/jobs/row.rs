//! A job as it stands in its table.
#![expect(clippy::allow_attributes, reason = "the macro of records says why, and is of this crate")]

use kernel::{DateTime, WorkspaceId};

use super::queue::Queue;
use crate::Json;

kernel::typed_id! {
    /// Names a job. It is the same through all attempts, so that it can go to whatever the job calls.
    pub JobId
}
crate::id_fields!(JobId);

crate::text_enum! {
    /// How far a job is.
    pub enum JobState {
        /// It waits to be run, now or later.
        Waiting = "waiting",
        /// A worker has it.
        Running = "running",
        /// It was done.
        Done = "done",
        /// It failed for good.
        Dead = "dead",
        /// It was called off.
        Cancelled = "cancelled",
    }
}

crate::record! {
    /// A job.
    pub struct JobRow in "job" of installation {
        id: JobId;
        workspace_id: Option<WorkspaceId>,
        queue: Queue,
        kind: String,
        payload: Json<serde_json::Value>,
        state: JobState,
        // a job that is due runs whatever the clock says meanwhile; one that is not waits for `run_at`
        is_due: bool => Derived,
        run_at: DateTime,
        // how often a worker took it: a new number with each, so that one who lost it changes nothing
        attempt: i64 => Derived,
        failures: i64,
        max_attempts: i64,
        // how often the worker that had it died
        lost: i64 => Derived,
        worker_id: Option<uuid::Uuid> => Derived,
        progress: i64 => Derived,
        total: Option<i64> => Derived,
        unique_key: Option<String>,
        is_cancelled: bool,
        last_error: Option<String>,
        started_at: Option<DateTime>,
        finished_at: Option<DateTime>,
    }
}
