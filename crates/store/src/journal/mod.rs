//! The journal: the one record of every change.
//!
//! A unit of work appends to it by itself; nothing else writes it. The audit trail reads it by record ([`list`]), everything
//! that must react to changes reads it in the order of commits ([`feed`]).

mod append;
mod change;
mod entry;
mod erase;
mod feed;
mod read;

pub(crate) use append::{Beside, append};
pub(crate) use change::changes_between;
pub use change::{Action, Change};
pub(crate) use entry::Entry;
pub use erase::{erase, erase_about, erase_done_by_contact, erase_entries};
pub(crate) use feed::epoch;
pub use feed::{Fed, Position, feed};
pub use read::{JOURNAL_LIST, JournalEntry};
