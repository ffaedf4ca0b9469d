//! What can go wrong with tags, notes, saved views and imports.

kernel::error_codes! {
    /// Another tag of the workspace has this name.
    TAG_NAME_TAKEN = "tag_name_taken", Conflict, "Another tag has this name";
    /// Another view of the account and list has this name.
    VIEW_NAME_TAKEN = "view_name_taken", Conflict, "Another view has this name";
    /// What was asked cannot be done to a job that is as far as this one.
    JOB_STATE = "job_state", Conflict, "The job is too far for that";
    /// Another job for the same thing waits already.
    JOB_WAITS = "job_waits", Conflict, "Another job for the same thing waits already";
    /// The import is not as far as that, or too far.
    IMPORT_STATE = "import_state", Conflict, "The import is not in a state for that";
}
