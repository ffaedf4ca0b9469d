//! What contacts reach through row security on PostgreSQL, and the tables of their sign-in.
//!
//! A contact is in no workspace as row security knows it, so that every table is closed to them but those that are named here.

use super::Dialect;
use super::wall::{ACCOUNT, INSTALLATION, WORKSPACE};

/// The workspace of whoever asks, be it staff or a contact.
const PLACE: &str = "(SELECT coalesce(nullif(current_setting('pelatis.workspace', true), ''), \
                     nullif(current_setting('pelatis.place', true), ''))::uuid)";
/// The contact that asks; none where it is anybody else.
const CONTACT: &str = "(SELECT nullif(current_setting('pelatis.contact', true), '')::uuid)";

/// Opens to contacts what is theirs: their clients, to read and to change; themselves, their sessions, and what they may do, to read; what
/// is kept of their requests; and the journal, to write to.
pub fn open_to_contacts(dialect: Dialect) -> Vec<String> {
    if dialect == Dialect::Sqlite {
        return Vec::new();
    }
    let of_contact = "SELECT a.client_id FROM portal_access a WHERE a.contact_id =";
    let clients = format!("workspace_id = {PLACE} AND ({CONTACT} IS NULL OR id IN ({of_contact} {CONTACT}))");
    let sessions = format!(
        "user_id = {ACCOUNT} OR contact_id = {CONTACT} OR {INSTALLATION} \
         OR EXISTS (SELECT 1 FROM membership m WHERE m.user_id = session.user_id AND m.workspace_id = {WORKSPACE}) \
         OR EXISTS (SELECT 1 FROM portal_account p WHERE p.contact_id = session.contact_id AND p.workspace_id = {WORKSPACE})"
    );
    // a contact's keys begin with who it is
    let kept = format!(
        "(workspace_id IS NOT DISTINCT FROM {PLACE} AND ({CONTACT} IS NULL OR starts_with(owner, 'contact:' || {CONTACT}))) \
         OR {INSTALLATION}"
    );
    let to_write = format!("workspace_id IS NOT DISTINCT FROM {PLACE} OR {INSTALLATION}");
    let mut statements = vec![
        format!("ALTER POLICY client_select ON client USING ({clients})"),
        format!("ALTER POLICY client_update ON client USING ({clients}) WITH CHECK ({clients})"),
        format!(
            "ALTER POLICY contact_select ON contact USING (workspace_id = {PLACE} AND ({CONTACT} IS NULL OR id = {CONTACT}))"
        ),
        format!(
            "ALTER POLICY portal_access_select ON portal_access USING (workspace_id = {WORKSPACE} OR contact_id = {CONTACT} OR {INSTALLATION})"
        ),
        format!("ALTER POLICY session_select ON session USING ({sessions})"),
        format!("ALTER POLICY session_update ON session USING ({sessions}) WITH CHECK ({sessions})"),
        format!("ALTER POLICY session_delete ON session USING ({sessions})"),
    ];
    for (command, has_using, has_check) in
        [("select", true, false), ("insert", false, true), ("update", true, true), ("delete", true, false)]
    {
        let using = if has_using { format!(" USING ({kept})") } else { String::new() };
        let check = if has_check { format!(" WITH CHECK ({kept})") } else { String::new() };
        statements.push(format!("ALTER POLICY idempotency_record_{command} ON idempotency_record{using}{check}"));
    }
    for table in ["journal_entry", "journal_personal"] {
        statements.push(format!("ALTER POLICY {table}_insert ON {table} WITH CHECK ({to_write})"));
    }
    statements
}

/// Opens to contacts, in a table of what is kept of clients beside them, the rows of their clients: whoever changes a client changes these.
pub fn open_beside_clients(dialect: Dialect, table: &str) -> Vec<String> {
    if dialect == Dialect::Sqlite {
        return Vec::new();
    }
    let own = format!("SELECT a.client_id FROM portal_access a WHERE a.contact_id = {CONTACT}");
    let theirs = format!("workspace_id = {PLACE} AND ({CONTACT} IS NULL OR client_id IN ({own}))");
    vec![
        format!("ALTER POLICY {table}_select ON {table} USING ({theirs})"),
        format!("ALTER POLICY {table}_insert ON {table} WITH CHECK ({theirs})"),
        format!("ALTER POLICY {table}_update ON {table} USING ({theirs}) WITH CHECK ({theirs})"),
        format!("ALTER POLICY {table}_delete ON {table} USING ({theirs})"),
    ]
}

/// Makes room in the table of sessions for those of contacts: a session is a staff account's or a contact's. SQLite cannot loosen a column,
/// so the table is made anew there, and with it the one that refers to it.
pub fn sessions_of_contacts(dialect: Dialect) -> Vec<String> {
    let one_owner = "CHECK ((user_id IS NULL) <> (contact_id IS NULL))";
    let statements: Vec<String> = match dialect {
        Dialect::Postgres => vec![
            "ALTER TABLE session ALTER COLUMN user_id DROP NOT NULL".to_owned(),
            "ALTER TABLE session ADD COLUMN contact_id uuid REFERENCES portal_account (contact_id) ON DELETE CASCADE".to_owned(),
            "ALTER TABLE session ADD COLUMN client_id uuid".to_owned(),
            format!("ALTER TABLE session ADD CONSTRAINT session_one_owner {one_owner}"),
        ],
        Dialect::Sqlite => {
            let columns = "id, kind, ip, user_agent, expires_at, revoked_at, revoked_because, version, created_at, updated_at, \
                           last_used_at, user_id";
            vec![
                format!(
                    "CREATE TABLE session_new (id uuid_text NOT NULL PRIMARY KEY, \
                     user_id uuid_text REFERENCES user_account (id) ON DELETE CASCADE, \
                     contact_id uuid_text REFERENCES portal_account (contact_id) ON DELETE CASCADE, client_id uuid_text, \
                     kind text NOT NULL, ip text, user_agent text, expires_at timestamp_with_timezone_text NOT NULL, \
                     last_used_at timestamp_with_timezone_text, revoked_at timestamp_with_timezone_text, revoked_because text, \
                     version bigint NOT NULL, created_at timestamp_with_timezone_text NOT NULL, \
                     updated_at timestamp_with_timezone_text NOT NULL, {one_owner})"
                ),
                format!("INSERT INTO session_new ({columns}) SELECT {columns} FROM session"),
                "CREATE TABLE refresh_token_new (hash text NOT NULL PRIMARY KEY, \
                 session_id uuid_text NOT NULL REFERENCES session_new (id) ON DELETE CASCADE, \
                 created_at timestamp_with_timezone_text NOT NULL, expires_at timestamp_with_timezone_text NOT NULL, \
                 used_at timestamp_with_timezone_text)"
                    .to_owned(),
                "INSERT INTO refresh_token_new (hash, session_id, created_at, expires_at, used_at) \
                 SELECT hash, session_id, created_at, expires_at, used_at FROM refresh_token"
                    .to_owned(),
                "DROP TABLE refresh_token".to_owned(),
                "DROP TABLE session".to_owned(),
                // references follow a table that is renamed
                "ALTER TABLE session_new RENAME TO session".to_owned(),
                "ALTER TABLE refresh_token_new RENAME TO refresh_token".to_owned(),
                "CREATE INDEX session_of ON session (user_id, created_at)".to_owned(),
                "CREATE INDEX refresh_token_session ON refresh_token (session_id)".to_owned(),
            ]
        }
    };
    let of_contact = "CREATE INDEX session_of_contact ON session (contact_id, created_at)".to_owned();
    statements.into_iter().chain([of_contact]).collect()
}
