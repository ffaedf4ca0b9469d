//! Clients that may be one and the same.
//!
//! A client has *keys* ([`subject`]): its tax number, addresses, phones and name in forms in which spelling makes no difference. They stand in a
//! table that is nothing but its key ([`keep`]), so that who shares one is found in a few steps however many clients there are. Those who share
//! enough are read and compared ([`find`]), and what speaks for it is told with a score ([`score`]).
//!
//! It is looked for when a client is made ([`on_create`]), for one client when somebody asks, and among all by a job ([`search`]), which keeps the
//! pairs that it finds. Somebody who knows better dismisses a pair, and it is not found again.

mod commands;
mod find;
mod keep;
mod names;
mod on_create;
mod score;
mod search;
mod subject;
mod wire;

use kernel::{DateTime, UserId};
use store::Json;

use crate::rows::ClientId;

pub use commands::{CANDIDATE_LIST, check, dismiss, get, list, of_client, restore};
pub(crate) use keep::{forget, settle};
pub(crate) use on_create::{Looking, check_denied, keep_pairs, put_again};
pub use score::{DuplicateReason, DuplicateReasonKind};
pub use search::{FollowSearch, SearchDuplicates, get_search, handle, start_search};
pub use wire::{CheckDuplicates, ClientDuplicate, ClientDuplicates, DuplicateCandidate, DuplicateSearch};

kernel::typed_id! {
    /// Names a pair of clients that may be one.
    pub DuplicateCandidateId
}
kernel::typed_id! {
    /// Names how far a workspace was looked through for such pairs.
    pub DuplicateSearchId
}
store::id_fields!(DuplicateCandidateId, DuplicateSearchId);

store::record! {
    /// The older client of the two is `client_id`.
    pub(crate) struct DuplicateCandidateRow in "duplicate_candidate" of workspace {
        id: DuplicateCandidateId;
        client_id: ClientId,
        other_id: ClientId,
        score: i64,
        reasons: Json<Vec<DuplicateReason>>,
        archived_at: Option<DateTime>,
        dismissed_by: Option<UserId>,
    }
}

store::record! {
    pub(crate) struct DuplicateSearchRow in "duplicate_search" of workspace {
        id: DuplicateSearchId;
        keys: i64 => Derived,
        looked_at: i64 => Derived,
        found: i64 => Derived,
        started_at: Option<DateTime>,
        finished_at: Option<DateTime> => Derived,
    }
}
