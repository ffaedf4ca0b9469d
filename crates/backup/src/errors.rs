//! What can go wrong with backups.

kernel::error_codes! {
    /// The archive is not whole, was changed, or cannot be opened with the keys that were given.
    BACKUP_DAMAGED = "backup_damaged", Invalid, "The backup cannot be read";
    /// It was made by another engine, by a newer program, or of an installation with another secret.
    BACKUP_NOT_FOR_HERE = "backup_not_for_here", Conflict, "The backup does not fit here";
    /// What is there would be lost; a backup is brought back into an empty place.
    PLACE_NOT_EMPTY = "place_not_empty", Conflict, "The place is not empty";
    /// There is no such backup in the target.
    NO_BACKUP = "no_backup", NotFound, "There is no such backup";
    /// One is being made already.
    BACKUP_RUNS = "backup_runs", Conflict, "A backup is being made";
}
