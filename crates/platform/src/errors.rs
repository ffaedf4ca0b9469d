//! What can go wrong with tags, notes, brands, custom fields, saved views and imports.

kernel::error_codes! {
    /// Another tag of the workspace has this name.
    TAG_NAME_TAKEN = "tag_name_taken", Conflict, "Another tag has this name";
    /// Another view of the account and list has this name.
    VIEW_NAME_TAKEN = "view_name_taken", Conflict, "Another view has this name";
    /// Another brand in use has this name.
    BRAND_NAME_TAKEN = "brand_name_taken", Conflict, "Another brand has this name";
    /// The default brand is followed by another, which is made the default; it does not go by itself.
    BRAND_IS_DEFAULT = "brand_is_default", Conflict, "The brand is the default: make another the default first";
    /// An archived brand is not changed; restore it first.
    BRAND_ARCHIVED = "brand_archived", Conflict, "The brand is archived";
    /// Only what is archived can be purged.
    BRAND_NOT_ARCHIVED = "brand_not_archived", Conflict, "Only an archived brand can be purged";
    /// Another custom field of the record type has this key.
    CUSTOM_FIELD_KEY_TAKEN = "custom_field_key_taken", Conflict, "Another custom field has this key";
    /// An option that records have cannot be taken away from a custom field.
    CUSTOM_FIELD_OPTION_IN_USE = "custom_field_option_in_use", Conflict, "Records have this option";
    /// Views that the workspace shares ask for the custom field.
    CUSTOM_FIELD_IN_USE = "custom_field_in_use", Conflict, "Shared views ask for the custom field";
    /// Only what is archived can be purged.
    CUSTOM_FIELD_NOT_ARCHIVED = "custom_field_not_archived", Conflict, "Only an archived custom field can be purged";
    /// A value of a custom field that must be unique is another record's.
    CUSTOM_VALUE_TAKEN = "custom_value_taken", Conflict, "Another record has this value";
    /// What was asked cannot be done to a job that is as far as this one.
    JOB_STATE = "job_state", Conflict, "The job is too far for that";
    /// Another job for the same thing waits already.
    JOB_WAITS = "job_waits", Conflict, "Another job for the same thing waits already";
    /// The import is not as far as that, or too far.
    IMPORT_STATE = "import_state", Conflict, "The import is not in a state for that";
}
