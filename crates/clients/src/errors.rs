//! What can go wrong with clients and contacts.

kernel::error_codes! {
    /// The key belongs to another stage of the workspace.
    STAGE_KEY_TAKEN = "stage_key_taken", Conflict, "The key is taken";
    /// Clients are in the stage.
    STAGE_IN_USE = "stage_in_use", Conflict, "Clients are in the stage";
    /// Another client or contact came from that place under that id.
    EXTERNAL_ID_TAKEN = "external_id_taken", Conflict, "Another record has this external id";
    /// The client may be there already, as one of those in `duplicates`, and the workspace wants that decided first.
    LIKELY_DUPLICATE = "likely_duplicate", Conflict, "The client may be there already";
    /// A client would become its own ancestor.
    PARENT_CYCLE = "parent_cycle", Conflict, "A client cannot stand above itself";
    /// The contact belongs to the client already.
    ALREADY_LINKED = "already_linked", Conflict, "The contact belongs to the client already";
    /// A client that has contacts has exactly one primary one.
    PRIMARY_REQUIRED = "primary_required", Conflict, "Make another contact the primary one instead";
    /// Only what is archived can be purged.
    NOT_ARCHIVED = "not_archived", Conflict, "Only an archived record can be purged";
    /// Somebody is responsible for the client already.
    ALREADY_RESPONSIBLE = "already_responsible", Conflict, "They are responsible for the client already";
    /// Another group of clients has that name.
    GROUP_NAME_TAKEN = "client_group_name_taken", Conflict, "Another group of clients has this name";
    /// Of the same two clients, kind and territory one holds for that time.
    RELATIONSHIP_OVERLAP = "relationship_overlap", Conflict, "Such a relationship holds for that time already";
    /// A relationship holds, or is to hold, for which the client must be a principal or a distributor.
    RELATIONSHIP_NEEDS_ROLE = "relationship_needs_role", Conflict, "A relationship of the client needs this role";
    /// The client became part of another, which `survivor_id` names.
    CLIENT_MERGED = "client_merged", Moved, "The client became part of another";
    /// Two clients that relate to each other are not merged: a client does not relate to itself.
    MERGE_RELATED = "merge_related", Conflict, "The clients relate to each other";
    /// A merge is not taken back once something newer stands on it.
    MERGE_BUILT_ON = "merge_built_on", Conflict, "Something newer stands on the merge";
    /// A company has no personal data.
    NOT_A_PERSON = "not_a_person", Conflict, "The client is a company";
    /// A person who was erased is not brought back from a backup.
    PERSON_ERASED = "person_erased", Conflict, "The person was erased";
    /// An archived record is not changed; restore it first.
    ARCHIVED = "archived", Conflict, "The record is archived";
}
