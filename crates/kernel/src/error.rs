//! One error type for all crates.
//!
//! An [`Error`] has a declared [`ErrorCode`], a `detail` that people outside may read, and a `source` for the log that has no
//! way into an answer. What HTTP status a [`Kind`] becomes is decided in the `api` crate alone.
//!
//! To declare codes, call [`error_codes!`](crate::error_codes) in the crate's `errors.rs` and add the table to
//! `api::problem::CODES`, from which the reference of codes is made.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::panic::Location;

use serde::Serialize;
use serde_json::{Map, Value};

/// The result of anything that can fail for a caller.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of failure a code stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request cannot be read.
    Unreadable,
    /// It is not known who asks.
    Unauthenticated,
    /// The permission is lacking.
    Forbidden,
    /// There is no such thing, or it is out of the caller's scope.
    NotFound,
    /// The thing is there, the method is not.
    MethodNotAllowed,
    /// The caller reads nothing that there is.
    NotAcceptable,
    /// The thing is elsewhere now, where a read may go on and a write may not.
    Moved,
    /// The present state does not allow it.
    Conflict,
    /// The caller's copy is stale.
    Stale,
    /// The request is too large.
    TooLarge,
    /// The content type is not understood.
    UnsupportedMedia,
    /// The part that is asked for is not there.
    RangeNotSatisfiable,
    /// Read, but not valid.
    Invalid,
    /// The workspace requires `If-Match` and it is missing.
    PreconditionRequired,
    /// Too many requests.
    RateLimited,
    /// Our fault.
    Internal,
    /// Not now; the same request may succeed later.
    Unavailable,
    /// The disk is full.
    StorageFull,
}

/// A stable, documented, machine-readable code. Declared with [`error_codes!`](crate::error_codes) only.
#[derive(Debug, PartialEq, Eq)]
pub struct ErrorCode {
    /// The code as it stands in answers. It never changes.
    pub code: &'static str,
    /// What sort of failure it is.
    pub kind: Kind,
    /// A short sentence for people, the same for every occurrence.
    pub title: &'static str,
}

/// Declares error codes and a table `ALL` of them.
#[macro_export]
macro_rules! error_codes {
    ($($(#[$doc:meta])+ $name:ident = $code:literal, $kind:ident, $title:literal;)+) => {
        $($(#[$doc])+ pub static $name: $crate::ErrorCode =
            $crate::ErrorCode { code: $code, kind: $crate::Kind::$kind, title: $title };)+
        /// Every code that this table declares.
        pub static ALL: &[&$crate::ErrorCode] = &[$(&$name),+];
    };
}

/// The codes that any crate may use.
pub mod codes {
    error_codes! {
        /// The body or a parameter cannot be parsed.
        UNREADABLE = "unreadable", Unreadable, "The request cannot be read";
        /// A path id is no UUID.
        INVALID_ID = "invalid_id", Unreadable, "The id in the path is not a UUID";
        /// Credentials are missing or no longer good.
        UNAUTHENTICATED = "unauthenticated", Unauthenticated, "Sign in first";
        /// The caller is known and lacks the permission.
        FORBIDDEN = "forbidden", Forbidden, "The permission is lacking";
        /// The caller belongs to no workspace.
        NO_WORKSPACE = "no_workspace", Forbidden, "The account belongs to no workspace";
        /// No client lets the contact into its portal, or not the one that they chose.
        NO_PORTAL_CLIENT = "no_portal_client", Forbidden, "The contact is in no client's portal";
        /// The contact may not do this for the client whose portal they are in.
        PORTAL_PERMISSION_NEEDED = "portal_permission_needed", Forbidden, "The contact may not do this for the client";
        /// Nothing of this id is there for the caller.
        NOT_FOUND = "not_found", NotFound, "There is no such record";
        /// No operation has this path.
        ROUTE_NOT_FOUND = "route_not_found", NotFound, "There is no such route";
        /// The path exists, the method does not.
        METHOD_NOT_ALLOWED = "method_not_allowed", MethodNotAllowed, "The method is not allowed here";
        /// The caller accepts no form in which it could be answered.
        NOT_ACCEPTABLE = "not_acceptable", NotAcceptable, "No such form of the answer";
        /// The record was changed by someone else at the same time.
        CONFLICT = "conflict", Conflict, "The present state does not allow it";
        /// A unique value is taken.
        ALREADY_EXISTS = "already_exists", Conflict, "Such a record exists already";
        /// `If-Match` names an older version.
        STALE = "stale", Stale, "The record has changed since it was read";
        /// The workspace requires `If-Match`.
        IF_MATCH_REQUIRED = "if_match_required", PreconditionRequired, "If-Match is required here";
        /// The body is larger than allowed.
        TOO_LARGE = "too_large", TooLarge, "The request is too large";
        /// The content type is not one that this operation reads.
        UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", UnsupportedMedia, "The content type is not supported";
        /// The input was read and is not valid; `errors` lists everything that is wrong.
        VALIDATION_FAILED = "validation_failed", Invalid, "The input is not valid";
        /// The caller belongs to several workspaces and named none.
        WORKSPACE_REQUIRED = "workspace_required", Unreadable, "Name a workspace with X-Workspace";
        /// Too many requests in too short a time.
        RATE_LIMITED = "rate_limited", RateLimited, "Too many requests";
        /// Something failed that the caller cannot help.
        INTERNAL = "internal", Internal, "Something went wrong on our side";
        /// The database or another part is busy or away; try again.
        UNAVAILABLE = "unavailable", Unavailable, "Not available right now";
        /// The disk is full; reads go on.
        STORAGE_FULL = "storage_full", StorageFull, "There is no space left to write";
    }
}

/// One thing that is wrong with the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// A JSON pointer (RFC 6901) into the body, or `?name` for a query parameter, or the name of a header.
    pub pointer: String,
    /// Stable and machine-readable, such as `required` or `too_long`.
    pub code: Cow<'static, str>,
    /// A sentence for people. It never repeats the value.
    pub message: String,
}

impl FieldError {
    /// One thing that is wrong.
    pub fn new(pointer: impl Into<String>, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: code.into(), message: message.into() }
    }
}

/// What went wrong: for the caller, and, apart from it, for the log.
pub struct Error(Box<Inner>);

struct Inner {
    code: &'static ErrorCode,
    detail: Option<String>,
    fields: Vec<FieldError>,
    extra: Map<String, Value>,
    retry_after: Option<u32>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    at: &'static Location<'static>,
}

impl Error {
    /// A failure of a declared code.
    #[track_caller]
    pub fn new(code: &'static ErrorCode) -> Self {
        Self(Box::new(Inner {
            code,
            detail: None,
            fields: Vec::new(),
            extra: Map::new(),
            retry_after: None,
            source: None,
            at: Location::caller(),
        }))
    }

    /// A failure of our own, with its cause for the log.
    #[track_caller]
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(&codes::INTERNAL).with_source(source)
    }

    /// Nothing of that id is there for the caller.
    #[track_caller]
    pub fn not_found() -> Self {
        Self::new(&codes::NOT_FOUND)
    }

    /// The input is not valid, in these ways.
    #[track_caller]
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        let mut error = Self::new(&codes::VALIDATION_FAILED);
        error.0.fields = fields;
        error
    }

    /// The input is not valid, in one way.
    #[track_caller]
    pub fn invalid_field(pointer: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(pointer, code, message)])
    }

    /// Adds what people outside may read.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds one thing that is wrong with the input.
    #[must_use]
    pub fn with_field(mut self, field: FieldError) -> Self {
        self.0.fields.push(field);
        self
    }

    /// Adds a member to the answer, such as the choices there are.
    #[must_use]
    pub fn with_extra(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.extra.insert(name.to_owned(), value.into());
        self
    }

    /// Says in how many seconds it is worth trying again.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// Adds the cause, for the log only.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Puts `prefix` before every pointer, for input that is part of a larger one.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        for field in &mut self.0.fields {
            field.pointer.insert_str(0, prefix);
        }
        self
    }

    /// Takes `prefix` off every pointer, for input that was made part of a larger one.
    #[must_use]
    pub fn without_prefix(mut self, prefix: &str) -> Self {
        for field in &mut self.0.fields {
            if let Some(rest) = field.pointer.strip_prefix(prefix) {
                field.pointer = rest.to_owned();
            }
        }
        self
    }

    /// The declared code.
    pub fn code(&self) -> &'static ErrorCode {
        self.0.code
    }

    /// What sort of failure it is.
    pub fn kind(&self) -> Kind {
        self.0.code.kind
    }

    /// What people outside may read about this occurrence.
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// What is wrong with the input, one by one.
    pub fn fields(&self) -> &[FieldError] {
        &self.0.fields
    }

    /// Further members of the answer.
    pub fn extra(&self) -> &Map<String, Value> {
        &self.0.extra
    }

    /// In how many seconds it is worth trying again.
    pub fn retry_after(&self) -> Option<u32> {
        self.0.retry_after
    }

    /// Where in the code it was made, for the log.
    pub fn at(&self) -> &'static Location<'static> {
        self.0.at
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0.code.code)?;
        if let Some(detail) = &self.0.detail {
            write!(out, ": {detail}")?;
        }
        for field in &self.0.fields {
            write!(out, "; {} {}", field.pointer, field.message)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self} (at {})", self.0.at)?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(out, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}

/// Gathers everything that is wrong before it says so.
#[derive(Debug, Default)]
pub struct Faults(Vec<FieldError>);

impl Faults {
    /// Nothing wrong yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more thing that is wrong.
    pub fn add(&mut self, pointer: impl Into<String>, code: impl Into<Cow<'static, str>>, message: impl Into<String>) {
        self.0.push(FieldError::new(pointer, code, message));
    }

    /// Takes over what another check found.
    pub fn extend(&mut self, fields: impl IntoIterator<Item = FieldError>) {
        self.0.extend(fields);
    }

    /// Keeps the value, or notes what is wrong with it. Any failure but bad input is returned at once.
    pub fn keep<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.kind() == Kind::Invalid => {
                self.0.extend(error.fields().iter().cloned());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All that is wrong, if anything is.
    #[track_caller]
    pub fn into_result(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::invalid(self.0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_never_shows_in_what_people_read() {
        let error = Error::internal("password=secret").with_detail("try later");
        assert_eq!(error.to_string(), "internal: try later");
        assert!(format!("{error:?}").contains("password=secret"));
    }

    #[test]
    fn faults_are_gathered() {
        let mut faults = Faults::new();
        faults.add("/a", "required", "is missing");
        let kept: Option<u8> = faults.keep(Err(Error::invalid_field("/b", "wrong", "is wrong"))).unwrap();
        assert!(kept.is_none());
        let error = faults.into_result().unwrap_err();
        assert_eq!(error.fields().len(), 2);
    }
}
