//! How a job can end otherwise than by failing. Handlers return these, nobody is answered with them.

kernel::error_codes! {
    /// The job is called off, or its worker stops or has lost it: the handler stops at a place where this harms nothing.
    JOB_STOPPED = "job_stopped", Conflict, "The job is to stop";
    /// Trying again will not help: the job is dead at once.
    JOB_GIVEN_UP = "job_given_up", Conflict, "The job cannot be done";
}
