//! Where personal data lies: every column that is declared as personal, whose it is, and what becomes of it when a contact is told what is
//! known of them, or erased. A column that is new and not here fails a test.

/// Whose data a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// A contact's: it is in the export, and erased.
    Contact,
    /// Staff's, who are members and not clients' people.
    Staff,
    /// A client's. Of one that is a person it is told and erased as a contact's.
    Client,
    /// What staff wrote, in which anybody may be named: an erasure says where to look.
    FreeText,
}

/// What of a table outlives the erasure of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Nothing that is theirs.
    Nothing,
    /// This, for this reason.
    Because(&'static str),
}

/// A table with personal columns.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// The table.
    pub table: &'static str,
    /// Its personal columns: those that the journal keeps on its erasable side, and others that the records do not have.
    pub columns: &'static [&'static str],
    /// Whose they are.
    pub whose: Whose,
    /// Under which member of a contact's export they stand; none where they are not a contact's.
    pub exported: Option<&'static str>,
    /// Under which member of the export of a client that is a person; none where they are not a client's.
    pub of_client: Option<&'static str>,
    /// What is kept.
    pub kept: Kept,
}

const fn held(table: &'static str, columns: &'static [&'static str], whose: Whose, exported: Option<&'static str>) -> Held {
    Held { table, columns, whose, exported, of_client: None, kept: Kept::Nothing }
}

impl Held {
    const fn of_client(self, member: &'static str) -> Self {
        Self { of_client: Some(member), ..self }
    }

    const fn because(self, why: &'static str) -> Self {
        Self { kept: Kept::Because(why), ..self }
    }
}

use Whose::{Client, Contact, FreeText, Staff};

/// All of them.
pub static HELD: &[Held] = &[
    held(
        "contact",
        &["given_name", "family_name", "phone", "emails", "phones", "position", "external_id", "custom_fields"],
        Contact,
        Some("contact"),
    ),
    held("portal_account", &["email", "name"], Contact, Some("portal")),
    held("session", &["ip", "user_agent"], Contact, Some("sessions")),
    held("mail_message", &["reply_to", "to_address", "to_name", "subject", "last_problem"], Contact, Some("mails"))
        .of_client("mails")
        .because("What went to an address that others have too is theirs; mail is deleted after its time."),
    held("mail_suppression", &["address"], Contact, Some("suppressions"))
        .of_client("suppressions")
        .because("An address that wants no mail is remembered, so that it gets none."),
    held("import_row", &["cells", "differences"], Contact, Some("imported_rows")).of_client("imported_rows"),
    held("import_run", &[], Contact, None).because("The file of an import is deleted thirty days after it ended."),
    held("journal_personal", &["changes", "ip", "user_agent"], Contact, Some("history")).of_client("history"),
    held("journal_entry", &[], Contact, Some("history"))
        .of_client("history")
        .because("That something was done, when and by whom is kept for ten years, with nothing in it that is personal."),
    held("interaction", &["subject", "note", "participants"], FreeText, Some("interactions"))
        .of_client("interactions")
        .because("What was said with a client is the client's too; it names the person no more."),
    held("note", &["body"], FreeText, None).of_client("notes"),
    held("file", &["subject", "description", "filename"], Contact, Some("files")).of_client("files"),
    held("idempotency_record", &["body"], Contact, None)
        .because("Answers to requests are kept for seven days, and then deleted."),
    held("backup_run", &[], Contact, None)
        .because("Backups are encrypted and end after their time; whoever restores one erases again whom it brings back."),
    held(
        "client",
        &[
            "name",
            "legal_name",
            "tax_number",
            "website",
            "phone",
            "emails",
            "phones",
            "main_address",
            "billing_address",
            "shipping_address",
            "external_id",
            "custom_fields",
        ],
        Client,
        None,
    )
    .of_client("client"),
    held("client_relationship", &["note"], FreeText, None).of_client("relationships"),
    held("folder", &["name"], FreeText, None).of_client("folders"),
    held("saved_view", &["name", "query"], Staff, None),
    held("user_account", &["email", "given_name", "family_name", "phone", "signature", "preferences"], Staff, None),
    held("invitation", &["email", "given_name", "family_name"], Staff, None),
];

/// Texts that staff wrote on a client, which are read when one of its contacts is erased: somebody may be named in them.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// The table.
    pub table: &'static str,
    /// The column that names the client.
    pub of: &'static str,
    /// Whether that may name a record of another type, which `rel_type` says.
    pub of_any: bool,
    /// The columns with the texts.
    pub texts: &'static [&'static str],
}

const fn written(table: &'static str, of: &'static str, texts: &'static [&'static str]) -> Written {
    Written { table, of, of_any: false, texts }
}

/// All of them.
pub static WRITTEN: &[Written] = &[
    Written { of_any: true, ..written("note", "rel_id", &["body"]) },
    written("interaction", "client_id", &["subject", "note", "participants"]),
    written("client_relationship", "from_client_id", &["note"]),
    written("client_relationship", "to_client_id", &["note"]),
    Written { of_any: true, ..written("folder", "rel_id", &["name"]) },
    Written { of_any: true, ..written("file", "rel_id", &["subject", "description", "filename"]) },
];
