//! What is known of one person, to be told to them and to be erased (GDPR, articles 15, 17 and 20). The person is a contact, or a client that is no company.
//!
//! Where it lies, [`map`] says, column by column; a test holds the map against everything that is declared as personal.

mod client;
mod erase;
mod export;
mod former;
pub mod map;

pub use client::{ClientErasureReport, ClientPersonalData, erase_client, export_client};
pub use erase::{ErasedPart, Erasure, ErasureReport, KeptPart, Mention, erase};
pub use export::{BelongsTo, PersonalData, export};
