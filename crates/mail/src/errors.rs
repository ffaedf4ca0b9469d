//! What can go wrong with mail.

kernel::error_codes! {
    /// A mail could not be sent this time. A job fails with it, nobody is answered with it.
    MAIL_NOT_SENT = "mail_not_sent", Unavailable, "The mail could not be sent";
    /// The workspace has a template of its own for this kind and language already.
    MAIL_TEMPLATE_TAKEN = "mail_template_taken", Conflict, "There is a template for this kind and language already";
    /// The address is on the list already.
    ALREADY_SUPPRESSED = "already_suppressed", Conflict, "The address is suppressed already";
    /// What came in is no delivery report (RFC 3464).
    BOUNCE_UNREADABLE = "bounce_unreadable", Invalid, "This is not a delivery report";
}
