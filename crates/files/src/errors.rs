//! What can go wrong with files.

kernel::error_codes! {
    /// The storage of the file is away, or takes too long; `Retry-After` says when to try again.
    STORAGE_UNAVAILABLE = "storage_unavailable", Unavailable, "The file storage does not answer";
    /// The virus scanner is configured and does not answer, so nothing is taken in.
    SCANNER_UNAVAILABLE = "scanner_unavailable", Unavailable, "The virus scanner does not answer";
    /// The virus scanner found something.
    FILE_INFECTED = "file_infected", Invalid, "The file is infected";
    /// The content is of a type that the workspace does not take.
    FILE_TYPE_NOT_ALLOWED = "file_type_not_allowed", Invalid, "Files of this type are not taken";
    /// The content is not what the name or the declared type says.
    FILE_TYPE_MISMATCH = "file_type_mismatch", Invalid, "The content is not what its name or declared type says";
    /// The content is damaged, or is two things at once.
    FILE_MALFORMED = "file_malformed", Invalid, "The file is damaged or not of one type";
    /// An image of too many pixels, or an archive that would become too large.
    FILE_TOO_DENSE = "file_too_dense", Invalid, "The file would become too large when opened";
    /// The link is past its time, or was not made here.
    LINK_EXPIRED = "link_expired", Forbidden, "The link is no longer good";
    /// Another folder of this name is in the same place.
    FOLDER_NAME_TAKEN = "folder_name_taken", Conflict, "Another folder here has this name";
    /// A folder would come to lie in itself.
    FOLDER_CYCLE = "folder_cycle", Conflict, "A folder cannot lie in itself";
    /// Only an empty folder can be deleted.
    FOLDER_NOT_EMPTY = "folder_not_empty", Conflict, "The folder is not empty";
    /// Only what is archived can be purged.
    FILE_NOT_ARCHIVED = "file_not_archived", Conflict, "Only an archived file can be purged";
    /// An archived file is not changed; restore it first.
    FILE_ARCHIVED = "file_archived", Conflict, "The file is archived";
    /// The file is an image whose thumbnail is being made: ask again in a moment.
    THUMBNAIL_PENDING = "thumbnail_pending", NotFound, "The thumbnail is not made yet";
    /// The file is no image, or one that cannot be read.
    NO_THUMBNAIL = "no_thumbnail", NotFound, "The file has no thumbnail";
    /// The file of an import is neither CSV nor an Excel workbook.
    IMPORT_FILE_TYPE = "import_file_type", UnsupportedMedia, "Only CSV and Excel workbooks can be imported";
}
