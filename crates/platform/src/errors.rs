//! What can go wrong with tags, notes and imports.

kernel::error_codes! {
    /// Another tag of the workspace has this name.
    TAG_NAME_TAKEN = "tag_name_taken", Conflict, "Another tag has this name";
}
