//! The vocabulary of Pelatis: what every other crate speaks, and nothing that touches a disk or a network.
//!
//! - [`id`]: typed UUID v7 ids, so that a client's id is never taken for a contact's.
//! - [`money`]: integer minor units with the exponents of ISO 4217.
//! - [`permission`], [`portal`] and [`caller`]: what can be allowed, to staff and to contacts, and who asks.
//! - [`error`]: one error type with declared codes; what people outside may read is kept apart from what the log holds.
//! - [`page`], [`patch`], [`text`]: shapes that lists, changes and searches share.
//! - [`percent`][]: percent-encoding.
//! - [`runtime`]: time and randomness, as inputs.

pub mod caller;
pub mod currency;
pub mod error;
pub mod id;
pub mod money;
pub mod page;
pub mod patch;
pub mod percent;
pub mod permission;
pub mod portal;
pub mod runtime;
pub mod shape;
pub mod text;
pub mod validation;

pub use caller::{Actor, Caller, Cause, Company, Defaults, OnDuplicate, Origin, Scope};
pub use currency::Currency;
pub use error::{Error, ErrorCode, FieldError, Kind, Result};
pub use id::{TypedId, UserId, WorkspaceId};
pub use money::Money;
pub use page::{Page, PageInfo};
pub use patch::Patch;
pub use permission::{Permission, PermissionSet};
pub use portal::PortalPermission;
pub use runtime::{Clock, Entropy, Runtime};

/// A moment in UTC with a precision of microseconds, which is what both databases keep.
pub type DateTime = chrono::DateTime<chrono::Utc>;
