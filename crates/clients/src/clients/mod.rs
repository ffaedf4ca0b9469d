//! Clients: a company or a person one does business with.

mod bring_back;
mod create;
mod export;
mod list;
mod put_away;
mod tags_and_notes;
mod transfer;
mod update;
mod wire;

pub use bring_back::{BroughtBack, LostClient, bring_back, check_lost, find_lost};
pub use create::{create, create_many};
pub(crate) use create::{create_as, fill_derived};
pub use export::ClientExport;
pub use list::{CLIENT_LIST, VIEWABLE, check_visible, get, list, select_visible};
pub(crate) use list::{
    briefs, find_all_locked, find_by_external, find_editable, find_locked, get_row, lock_all, lock_with_children, own,
    reached_by, visible_among, visible_to,
};
pub(crate) use put_away::{ERASED, forget};
pub use put_away::{archive, purge, restore};
pub(crate) use tags_and_notes::on;
pub use tags_and_notes::{add_note, audit, get_note, list_files, list_notes, set_note_archived, tag, untag, update_note};
pub use transfer::{TransferClients, TransferredClients, transfer};
pub use update::update;
pub(crate) use update::{stands_above_itself, update_row};
pub use wire::{Client, ClientBrief, ClientPatch, CreateClient};
