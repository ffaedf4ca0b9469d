//! Clients and contacts, and who belongs to whom.
//!
//! What must always hold:
//! - A record that came from another system is there once: `external_source` and `external_id` are unique together.
//! - A client that has contacts has exactly one primary one.
//! - No client stands above itself.
//! - Only what is archived can be purged; purging erases what the journal holds of the person.
//! - The id of a client that became part of another leads to that one.
//! - Of two clients no two relationships of a kind hold at a time for the same territory.
//!
//! - A client is found by the keys that its values make now: whoever writes one settles them.
//!
//! Libraries: `any_ascii` writes names of any alphabet in Latin letters, `strsim` says by how many letters two differ; `phonenumber`, Google's libphonenumber in Rust, with its metadata: what a number is, is not for us to know.

pub mod admins;
mod attachable;
pub mod clients;
pub mod contacts;
mod custom;
pub mod duplicates;
pub mod errors;
pub mod groups;
pub mod import;
pub mod interactions;
pub mod links;
pub mod merge;
mod phones;
pub mod portal;
pub mod privacy;
pub mod relationships;
mod rows;
mod shape;
pub mod stages;

pub use attachable::ATTACHABLES;
pub use custom::{ClientFields, ContactFields};
pub use duplicates::DuplicateCandidateId;
pub use groups::ClientGroupId;
pub use interactions::InteractionId;
pub use merge::ClientMergeId;
pub use relationships::ClientRelationshipId;
pub use rows::{ClientId, ClientKind, ClientRole, ClientSource, ClientStatus, ContactId, ContactMail, Influence, LeadCategory};
pub use shape::{Address, AddressPatch, ChannelKind, TypedEmail, TypedPhone};
