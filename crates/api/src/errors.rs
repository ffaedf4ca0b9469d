//! What can go wrong at the edge itself.

kernel::error_codes! {
    /// One operation of an atomic bulk failed, so none was done; `results` says which.
    BULK_ROLLED_BACK = "bulk_rolled_back", Invalid, "Nothing was done, because one operation failed";
    /// A part of a file is asked for that it does not have; `Content-Range` says how long it is.
    RANGE_NOT_SATISFIABLE = "range_not_satisfiable", RangeNotSatisfiable, "The file has no such part";
}
