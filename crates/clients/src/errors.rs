//! What can go wrong with clients and contacts.

kernel::error_codes! {
    /// Another client or contact came from that place under that id.
    EXTERNAL_ID_TAKEN = "external_id_taken", Conflict, "Another record has this external id";
    /// A client would become its own ancestor.
    PARENT_CYCLE = "parent_cycle", Conflict, "A client cannot stand above itself";
    /// The contact belongs to the client already.
    ALREADY_LINKED = "already_linked", Conflict, "The contact belongs to the client already";
    /// A client that has contacts has exactly one primary one.
    PRIMARY_REQUIRED = "primary_required", Conflict, "Make another contact the primary one instead";
    /// Only what is archived can be purged.
    NOT_ARCHIVED = "not_archived", Conflict, "Only an archived record can be purged";
    /// An archived record is not changed; restore it first.
    ARCHIVED = "archived", Conflict, "The record is archived";
}
