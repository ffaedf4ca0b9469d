//! What the database says, in the words of the kernel.

use kernel::error::codes;
use kernel::{Error, ErrorCode};

use crate::dialect;

kernel::error_codes! {
    /// Two transactions got in each other's way; the unit of work runs again by itself, and this is seen only when that did not help.
    BUSY = "busy", Unavailable, "The database is busy";
    /// Another request with the same idempotency key still runs.
    IDEMPOTENCY_IN_FLIGHT = "idempotency_in_flight", Conflict, "The first request with this key still runs";
    /// The key was used for another request.
    IDEMPOTENCY_MISMATCH = "idempotency_key_reused", Invalid, "The idempotency key was used for another request";
    /// The cursor is forged, or belongs to another list, filter or sort.
    INVALID_CURSOR = "invalid_cursor", Invalid, "The cursor does not belong to this list";
    /// A record of the same kind stands for some of that time.
    OVERLAP = "overlap", Conflict, "Another record stands for that time";
    /// A record that others still need cannot go.
    IN_USE = "in_use", Conflict, "The record is still in use";
}

/// Says what a database error means. Its text goes to the log and nowhere else.
#[track_caller]
pub(crate) fn from_sqlx(error: sqlx::Error) -> Error {
    let (code, retry) = classify(&error);
    let mapped = Error::new(code).with_source(error);
    match retry {
        Some(seconds) => mapped.with_retry_after(seconds),
        None => mapped,
    }
}

fn classify(error: &sqlx::Error) -> (&'static ErrorCode, Option<u32>) {
    match error {
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            match code.as_ref() {
                // PostgreSQL: appendix A of its manual. SQLite: extended result codes, sqlite.org/rescode.html.
                "23505" | "1555" | "2067" => (&codes::ALREADY_EXISTS, None),
                "23P01" => (&OVERLAP, None),
                "1811" if database.message().ends_with(dialect::triggers::OVERLAP) => (&OVERLAP, None),
                "23503" | "787" | "1811" => (&IN_USE, None),
                "40001" | "40P01" | "5" | "6" | "261" | "517" | "262" => (&BUSY, Some(1)),
                "55P03" => (&IDEMPOTENCY_IN_FLIGHT, Some(1)),
                "53100" | "13" | "778" | "1034" => (&codes::STORAGE_FULL, None),
                "57P01" | "57P02" | "57P03" | "53300" | "53200" | "08006" | "08003" | "25006" => (&codes::UNAVAILABLE, Some(1)),
                "57014" => (&codes::UNAVAILABLE, Some(5)),
                _ => (&codes::INTERNAL, None),
            }
        }
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => (&codes::UNAVAILABLE, Some(1)),
        _ => (&codes::INTERNAL, None),
    }
}

/// Turns what a constraint refused into what it means here.
pub trait OnUnique<T> {
    /// Replaces the failure of a unique constraint; every other failure passes.
    ///
    /// # Errors
    /// The replacement, or what failed before.
    fn on_unique(self, replacement: impl FnOnce() -> Error) -> kernel::Result<T>;

    /// Replaces the failure of a reference to what is not there, or is still needed; every other failure passes.
    ///
    /// # Errors
    /// The replacement, or what failed before.
    fn on_in_use(self, replacement: impl FnOnce() -> Error) -> kernel::Result<T>;

    /// Replaces the failure of a rule that no two records stand for the same time; every other failure passes.
    ///
    /// # Errors
    /// The replacement, or what failed before.
    fn on_overlap(self, replacement: impl FnOnce() -> Error) -> kernel::Result<T>;
}

impl<T> OnUnique<T> for kernel::Result<T> {
    fn on_unique(self, replacement: impl FnOnce() -> Error) -> Self {
        self.map_err(|error| if *error.code() == codes::ALREADY_EXISTS { replacement() } else { error })
    }
    fn on_in_use(self, replacement: impl FnOnce() -> Error) -> Self {
        self.map_err(|error| if *error.code() == IN_USE { replacement() } else { error })
    }
    fn on_overlap(self, replacement: impl FnOnce() -> Error) -> Self {
        self.map_err(|error| if *error.code() == OVERLAP { replacement() } else { error })
    }
}
