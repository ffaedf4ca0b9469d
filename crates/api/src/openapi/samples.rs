//! Examples, by the name of the schema. A test checks each against its schema.

use serde_json::{Value, json};

pub(super) const CLIENT: &str = "01938f5c-4f2e-7cc3-98c4-dc0c0c070001";
pub(super) const CONTACT: &str = "01938f5c-4f2e-7cc3-98c4-dc0c0c070002";
const USER: &str = "01938f5c-4f2e-7cc3-98c4-dc0c0c070003";
pub(super) const WORKSPACE: &str = "01938f5c-4f2e-7cc3-98c4-dc0c0c070004";
const RECORD: &str = "01938f5c-4f2e-7cc3-98c4-dc0c0c070005";
const FILE: &str = "01938f5c-4f2e-7cc3-98c4-dc0c0c070006";
const FOLDER: &str = "01938f5c-4f2e-7cc3-98c4-dc0c0c070007";
pub(super) const AT: &str = "2026-11-21T09:30:00.123456Z";

fn page(record: &Value) -> Value {
    json!({ "data": [record], "page": { "next_cursor": null, "has_more": false } })
}

fn of(name: &str) -> Value {
    sample(name).unwrap_or_default()
}

/// The example of a schema; none for what only stands inside others.
pub fn sample(name: &str) -> Option<Value> {
    of_meta(name)
        .or_else(|| of_auth(name))
        .or_else(|| of_platform(name))
        .or_else(|| of_imports(name))
        .or_else(|| of_files(name))
        .or_else(|| of_clients(name))
        .or_else(|| of_mail(name))
        .or_else(|| super::samples_of_portal::sample_of(name))
        .or_else(|| super::samples_of_duplicates::sample_of(name))
        .or_else(|| super::samples_of_custom_fields::sample_of(name))
}

fn of_meta(name: &str) -> Option<Value> {
    Some(match name {
        "Alive" => json!({ "status": "healthy" }),
        "Health" => json!({
            "status": "healthy",
            "services": [{ "name": "database", "status": "healthy", "latency_ms": 1, "detail": "postgres" }],
        }),
        "Jwks" => json!({ "keys": [{
            "kty": "OKP", "crv": "Ed25519", "kid": RECORD, "use": "sig", "alg": "EdDSA",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        }] }),
        "Bulk" => json!({ "atomic": true, "operations": [
            { "op": "update", "id": CLIENT, "if_match": "\"v3\"", "data": { "status": "inactive" } },
        ] }),
        "Deprecations" => json!({ "data": [{
            "name": "/v1/customers", "replacement": "/v1/clients", "since": "2026-11-27T00:00:00Z", "sunset": "2027-06-01T00:00:00Z",
            "uses": 12, "caller_count": 1, "callers": [{
                "caller": { "kind": "token", "id": RECORD, "user_id": USER }, "uses": 12, "first_used_at": AT, "last_used_at": AT,
            }],
        }] }),
        "BulkResults" => json!({ "results": [{ "status": 204, "id": CLIENT }] }),
        _ => return None,
    })
}

fn of_auth(name: &str) -> Option<Value> {
    Some(match name {
        "SetUp" => json!({
            "code": "k4VxQm9…", "email": "maria@example.com", "password": "πέντε κόκκινα καράβια",
            "given_name": "Μαρία", "family_name": "Παπαδοπούλου", "workspace": of("CreateWorkspace"),
        }),
        "SetUpDone" => json!({ "user": of("User"), "workspace": of("Workspace") }),
        "Login" => json!({ "email": "maria@example.com", "password": "πέντε κόκκινα καράβια", "kind": "browser" }),
        "Refresh" => json!({ "refresh_token": "plr_…" }),
        "Tokens" => json!({
            "access_token": "eyJ…", "token_type": "Bearer", "expires_in": 900, "refresh_token": "plr_…",
            "session_expires_at": AT, "user": of("User"),
        }),
        "ForgotPassword" => json!({ "email": "maria@example.com" }),
        "ResetAsked" => json!({ "detail": "If there is an account of this address, a mail is on its way to it." }),
        "ResetPassword" => json!({ "token": "plp_…", "password": "τρία πράσινα άλογα τρέχουν" }),
        "ChangePassword" => json!({
            "current_password": "πέντε κόκκινα καράβια", "new_password": "τρία πράσινα άλογα τρέχουν",
        }),
        "AcceptInvitation" => json!({
            "token": "pli_…", "password": "τρία πράσινα άλογα τρέχουν", "given_name": "Νίκος", "family_name": "Γεωργίου",
        }),
        "Profile" => json!({
            "id": USER, "email": "maria@example.com", "given_name": "Μαρία", "family_name": "Παπαδοπούλου", "phone": null,
            "signature": "Μαρία Παπαδοπούλου, πωλήσεις", "timezone": "Europe/Athens", "locale": "el", "default_workspace_id": WORKSPACE,
            "preferences": { "theme": "dark" }, "created_at": AT, "updated_at": AT,
        }),
        "ProfilePatch" => json!({ "signature": null, "preferences": { "theme": "light" } }),
        "SecondFactor" => json!({ "is_on": true, "is_required": false, "confirmed_at": AT, "recovery_codes_left": 9 }),
        "OwnPassword" => json!({ "password": "πέντε κόκκινα καράβια" }),
        "CodeInput" => json!({ "code": "287082" }),
        "DisableSecondFactor" => json!({ "password": "πέντε κόκκινα καράβια", "code": "287082" }),
        "BegunSecondFactor" => json!({
            "secret": "GEZDGNBVGY3TQOJQ…", "otpauth_url": "otpauth://totp/Pelatis:maria%40example.com?secret=GEZDGNBVGY3TQOJQ…",
        }),
        "RecoveryCodes" => json!({ "recovery_codes": ["b2hk-9d3m-x7q4", "p5wn-c8e2-j6ts"] }),
        "Session" => json!({
            "id": RECORD, "kind": "browser", "ip": "203.0.113.9", "user_agent": "Mozilla/5.0", "is_current": true,
            "last_used_at": AT, "expires_at": AT, "created_at": AT,
        }),
        "SessionPage" => page(&of("Session")),
        "EndSessions" => json!({ "keep_current": true }),
        "EndedSessions" => json!({ "ended": 2 }),
        "User" => json!({
            "id": USER, "email": "maria@example.com", "given_name": "Μαρία", "family_name": "Παπαδοπούλου", "phone": null,
            "timezone": "Europe/Athens", "locale": "el", "is_super_admin": true, "is_active": true, "last_login_at": AT,
            "created_at": AT, "updated_at": AT,
        }),
        "UserPage" => page(&of("User")),
        "UserPatch" => json!({ "email": "maria.pappa@example.com", "phone": "+30 210 1234567", "is_active": false }),
        "Colleague" => json!({
            "id": USER, "given_name": "Μαρία", "family_name": "Παπαδοπούλου", "is_active": true, "role": "sales_agent",
            "role_name": "Sales agent",
        }),
        "ColleaguePage" => page(&of("Colleague")),
        "Me" => json!({ "kind": "user", "user": of("User"), "workspaces": [{
            "id": WORKSPACE, "slug": "athens", "name": "Αθήνα", "role": "viewer", "permissions": ["clients.view_all"],
            "default_currency": "EUR", "timezone": "Europe/Athens", "locale": "el",
            "teams": [{ "id": RECORD, "name": "Πωλήσεις", "role": "lead" }], "is_default": true,
        }] }),
        "Workspace" => json!({
            "id": WORKSPACE, "slug": "athens", "name": "Αθήνα", "default_currency": "EUR", "timezone": "Europe/Athens",
            "settings": {
                "require_if_match": false, "second_factor_roles": ["super_admin"], "file_kinds": ["jpeg", "png", "pdf", "zip"],
                "mail": { "accent_color": "#0b6b53", "tagline": null, "reply_to": "info@athens.example" },
                "tokens": { "max_days": 90, "require_networks": false },
            },
            "locale": "el", "is_active": true, "created_at": AT, "updated_at": AT,
        }),
        "SettingList" => json!({ "data": [{
            "key": "tokens.max_days", "description": "The longest life of a new API token, in days.", "kind": "integer", "level": "both",
            "value": 90, "default": null, "source": "workspace", "minimum": 1, "maximum": 3650, "options": null,
        }] }),
        "SettingsPatch" => json!({ "tokens.max_days": 90, "second_factor_roles": ["super_admin"], "mail.tagline": null }),
        "InstallationSettingsPatch" => json!({ "second_factor_roles": ["super_admin"], "tokens.max_days": null }),
        "WorkspacePage" => page(&of("Workspace")),
        "CreateWorkspace" => json!({ "slug": "athens", "name": "Αθήνα", "default_currency": "EUR" }),
        "WorkspacePatch" => json!({ "name": "Αθήνα και Πειραιάς" }),
        "Role" => json!({
            "id": RECORD, "key": "support_agent", "name": "Support agent", "is_system": true, "permissions": ["tickets.view_own"],
            "is_overridden": false, "created_at": AT, "updated_at": AT,
        }),
        "RoleList" => json!({ "data": [of("Role")] }),
        "CreateRole" => {
            json!({ "key": "bookkeeper", "name": "Bookkeeper", "permissions": ["clients.view_all", "clients.export"] })
        }
        "RolePatch" => json!({ "permissions": ["clients.view_all"] }),
        "RoleOverride" => json!({
            "role_id": RECORD, "permissions": { "clients": { "delete": true, "export": false } }, "created_at": AT, "updated_at": AT,
        }),
        "RoleOverridePatch" => json!({ "permissions": { "clients": { "delete": true, "export": null } } }),
        "Team" => json!({ "id": RECORD, "name": "Πωλήσεις", "description": null, "created_at": AT, "updated_at": AT }),
        "TeamPage" => page(&of("Team")),
        "CreateTeam" => json!({ "name": "Πωλήσεις" }),
        "TeamPatch" => json!({ "description": "Νησιά και λιμάνια" }),
        "TeamMember" => json!({ "user_id": USER, "role": "member", "created_at": AT, "updated_at": AT }),
        "TeamMemberPage" => page(&of("TeamMember")),
        "AddTeamMember" => json!({ "user_id": USER, "role": "lead" }),
        "TeamMemberPatch" => json!({ "role": "lead" }),
        "MemberTable" => json!("email;role\nmaria@example.com;lead\n"),
        "LoadedMembers" => json!({
            "added": 39, "changed": 0, "unchanged": 1, "wrong": 1, "problems": [of("MemberProblem")],
        }),
        "MemberProblem" => json!({
            "line": 17, "column": "email", "code": "unknown_member", "message": "belongs to no member of the workspace",
        }),
        "Membership" => json!({ "id": RECORD, "user_id": USER, "role": "sales_agent", "created_at": AT, "updated_at": AT }),
        "MembershipPage" => page(&of("Membership")),
        "MembershipPatch" => json!({ "role": "sales_manager" }),
        "Invitation" => json!({
            "id": RECORD, "email": "nikos@example.com", "given_name": "Νίκος", "family_name": null, "role": "sales_agent",
            "invited_by": USER, "expires_at": AT, "accepted_at": null, "revoked_at": null, "created_at": AT, "updated_at": AT,
        }),
        "InvitationPage" => page(&of("Invitation")),
        "CreateInvitation" => json!({ "email": "nikos@example.com", "role": "sales_agent", "given_name": "Νίκος" }),
        "ApiToken" => json!({
            "id": RECORD, "name": "Nightly export", "prefix": "plt_9Jx2aQ4m", "old_secret_ends_at": null, "user_id": USER, "scopes": ["clients.view_all"],
            "networks": ["192.0.2.0/24"], "expires_at": AT, "last_used_at": null, "is_active": true, "created_at": AT,
            "updated_at": AT,
        }),
        "ApiTokenPage" => page(&of("ApiToken")),
        "NewApiToken" => {
            let mut token = of("ApiToken");
            if let Some(members) = token.as_object_mut() {
                members.insert("secret".to_owned(), "plt_9Jx2aQ4m…".into());
            }
            token
        }
        "CreateApiToken" => json!({ "name": "Nightly export", "scopes": ["clients.view_all"], "networks": ["192.0.2.0/24"] }),
        "ApiTokenPatch" => json!({ "is_active": false }),
        "RotateApiToken" => json!({ "overlap_hours": 24 }),
        "TokenUsage" => json!({
            "last_used_at": AT, "last_used_from": "203.0.113.9", "uses": 412, "days": [{ "day": "2026-11-21", "uses": 412 }],
        }),
        _ => return None,
    })
}

fn of_platform(name: &str) -> Option<Value> {
    Some(match name {
        "Tag" => json!({ "id": RECORD, "name": "VIP", "colour": "#d4af37", "created_at": AT, "updated_at": AT }),
        "TagPage" => page(&of("Tag")),
        "CreateTag" => json!({ "name": "VIP", "colour": "#d4af37" }),
        "TagPatch" => json!({ "colour": null }),
        "MergeTag" => json!({ "into": RECORD }),
        "SavedView" => json!({
            "id": RECORD, "list": "clients", "name": "Ενεργοί στην Ελλάδα", "owner_id": USER, "sharing": "team", "team_id": RECORD,
            "is_default": true, "query": of("ViewQuery"),
            "query_string": "country=GR&status=active&sort=-created_at&fields=name%2Cstatus", "created_at": AT, "updated_at": AT,
        }),
        "SavedViewPage" => page(&of("SavedView")),
        "ViewQuery" => json!({
            "filters": { "country": "GR", "status": "active" }, "sort": ["-created_at"], "columns": ["name", "status"],
        }),
        "CreateSavedView" => json!({
            "list": "clients", "name": "Ενεργοί στην Ελλάδα", "sharing": "team", "team_id": RECORD, "query": of("ViewQuery"),
        }),
        "SavedViewPatch" => json!({ "query": { "filters": { "country": null } }, "is_default": true }),
        "Brand" => json!({
            "id": RECORD, "name": "Αιγαίο", "accent_color": "#1b4f8f", "secondary_color": "#d4af37", "tagline": "Ο κόσμος της θάλασσας",
            "reply_to_email": "hello@aegean.example", "legal_name": "Αιγαίο ΑΕ", "tax_number": "094012345", "logo_light_file_id": FILE,
            "logo_dark_file_id": null, "logo_circular_file_id": null, "is_default": true, "archived_at": null, "created_at": AT,
            "updated_at": AT,
        }),
        "BrandPage" => page(&of("Brand")),
        "CreateBrand" => json!({ "name": "Αιγαίο", "accent_color": "#1b4f8f", "reply_to_email": "hello@aegean.example" }),
        "BrandPatch" => json!({ "logo_light_file_id": FILE, "tagline": null, "is_default": true }),
        "AddTag" => json!({ "tag_id": RECORD }),
        "Note" => json!({
            "id": RECORD, "rel_type": "client", "rel_id": CLIENT, "author_id": USER, "body": "Καλεί μετά τις πέντε.",
            "is_private": true, "archived_at": null, "created_at": AT, "updated_at": AT,
        }),
        "NotePage" => page(&of("Note")),
        "CreateNote" => json!({ "body": "Καλεί μετά τις πέντε." }),
        "NotePatch" => json!({ "is_private": false }),
        "JobView" => json!({
            "id": RECORD, "workspace_id": WORKSPACE, "queue": "email", "kind": "send_mail", "payload": { "mail": RECORD },
            "state": "dead", "run_at": AT, "failures": 5, "max_attempts": 5, "progress": 0, "total": null, "is_cancelled": false,
            "last_error": "unavailable", "started_at": AT, "finished_at": AT, "created_at": AT, "updated_at": AT,
        }),
        "JobPage" => page(&of("JobView")),
        "BackupPage" => page(&of("Backup")),
        "Backup" => json!({
            "id": RECORD, "state": "finished", "asked_by": null, "name": "pelatis-20261125T020007Z-3f9a1c2e.tar.zst", "bytes": 18_350_211,
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "is_encrypted": false, "has_files": true,
            "record_count": 412_908, "file_count": 1204, "damaged_count": 0, "problem": null, "started_at": AT, "finished_at": AT,
            "copied_at": AT, "created_at": AT, "updated_at": AT,
        }),
        "QueueList" => json!({ "data": [
            { "queue": "email", "waiting": 2, "later": 1, "running": 5, "dead": 1, "oldest_seconds": 3 },
        ] }),
        "AuditEntryPage" => page(&json!({
            "id": RECORD, "number": 42, "at": AT, "actor": { "kind": "user", "id": USER, "user_id": USER }, "cause": "request",
            "cause_id": null, "request_id": RECORD, "ip": "203.0.113.9", "user_agent": "curl/8", "record_type": "client",
            "record_id": CLIENT, "subject_type": null, "subject_id": null, "action": "update", "event": "client.updated",
            "changes": { "status": { "from": "active", "to": "inactive" } },
        })),
        _ => return None,
    })
}

fn of_imports(name: &str) -> Option<Value> {
    Some(match name {
        "ImportRun" => json!({
            "id": RECORD, "kind": "clients", "source_name": "clients.csv", "state": "staged", "rows_read": 702, "created": 0,
            "changed": 0, "unchanged": 0, "wrong": 0, "finished_at": null, "created_at": AT, "updated_at": AT, "started_by": USER,
            "approved_by": null, "source": "csv", "file_type": "csv", "filesize_bytes": 48123,
            "staged": { "new": 650, "changed": 40, "same": 10, "wrong": 2 }, "progress": { "done": 702, "total": 702 },
            "changed_meanwhile": 0, "undone": 0, "kept": 0, "failure": null, "staged_at": AT, "approved_at": null, "undone_at": null,
            "removed_at": null,
            "file": {
                "headers": ["Επωνυμία", "E-mail", "Άλλο"], "mapping": { "Επωνυμία": "name", "E-mail": "email" },
                "unknown_columns": ["Άλλο"], "repeated_columns": [], "encoding": "windows-1253", "delimiter": "semicolon",
                "sheet": null, "sheets": [], "preview": [["Αφοί Παπά ΟΕ", "info@papa.example", ""]],
            },
        }),
        "ImportRunPage" => page(&of("ImportRun")),
        "NotedIssuePage" => page(&json!({
            "id": RECORD, "line": 703, "column": "email", "code": "email", "reason": "must be an e-mail address",
        })),
        "ImportRowPage" => page(&json!({
            "id": RECORD, "line": 2, "outcome": "changed", "exception": null, "record_id": CLIENT,
            "values": { "name": "Αφοί Παπά ΟΕ", "city": "Αθήνα" },
            "differences": { "main_address.city": { "from": "Πειραιάς", "to": "Αθήνα" } }, "issues": [],
        })),
        "StartImport" => {
            json!({ "file": "name;email\nΑφοί Παπά ΟΕ;info@papa.example\n", "source": "old-crm", "delimiter": "semicolon" })
        }
        "ImportPatch" => json!({ "encoding": "windows-1253", "mapping": null }),
        "ImportReport" => json!(format!("line,outcome,record_id,column,code,reason\n2,created,{CLIENT},,,\n")),
        _ => return None,
    })
}

fn of_files(name: &str) -> Option<Value> {
    Some(match name {
        "File" => json!({
            "id": FILE, "filename": "Σύμβαση.pdf", "mime_type": "application/pdf", "filesize_bytes": 48123,
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "category": "contract",
            "subject": "Σύμβαση συντήρησης", "description": null, "storage_bucket": "local", "uploaded_by": USER,
            "visible_to_client": false, "rel_type": "client", "rel_id": CLIENT, "folder_id": FOLDER, "thumbnail": "none",
            "archived_at": null, "created_at": AT, "updated_at": AT,
        }),
        "FilePage" => page(&of("File")),
        "UploadFile" => json!({
            "file": "%PDF-1.7…", "rel_type": "client", "rel_id": CLIENT, "category": "contract", "subject": "Σύμβαση συντήρησης",
        }),
        "FilePatch" => json!({ "filename": "Σύμβαση 2026.pdf", "folder_id": FOLDER, "description": null }),
        "ExportedTable" => json!("id,name\r\n01938f5c-4f2e-7cc3-98c4-dc0c0c070001,Αθήνα ΑΕ\r\n"),
        // the first bytes of an archive (APPNOTE.TXT, 4.3.7)
        "PersonalArchive" => json!("PK\u{3}\u{4}…"),
        "FileContent" => json!("%PDF-1.7…"),
        "LinkRequest" => json!({ "disposition": "inline" }),
        "FileLink" => json!({
            "url": format!("https://crm.example.com/public/v1/files/{FILE}?workspace={WORKSPACE}&expires=1795253400\
                &disposition=inline&signature=Zm9…"),
            "expires_at": AT,
        }),
        "Folder" => json!({
            "id": FOLDER, "name": "Συμβάσεις", "parent_id": null, "rel_type": "client", "rel_id": CLIENT, "created_by": USER,
            "created_at": AT, "updated_at": AT,
        }),
        "FolderPage" => page(&of("Folder")),
        "CreateFolder" => json!({ "name": "Συμβάσεις", "rel_type": "client", "rel_id": CLIENT }),
        "FolderPatch" => json!({ "name": "Παλιές συμβάσεις", "parent_id": null }),
        _ => return None,
    })
}

fn of_clients(name: &str) -> Option<Value> {
    Some(match name {
        "Client" => json!({
            "id": CLIENT, "kind": "company", "name": "Αφοί Παπά ΟΕ", "legal_name": null, "tax_number": "094012345",
            "website": "https://papa.example", "phone": "+30 210 1234567",
            "emails": [{ "kind": "work", "address": "info@papa.example" }], "phones": [],
            "main_address": { "line1": "Σταδίου 1", "city": "Αθήνα", "postal_code": "10562", "country": "GR" },
            "billing_address": null, "shipping_address": null, "sector": "retail", "size": "10-50", "product": null, "currency": "EUR",
            "locale": "el", "brand_id": null, "status": "active", "roles": ["customer"], "parent_id": null, "owner_id": USER, "created_by": USER,
            "acquisition_stage": "qualified", "source": "referral", "lead_category": "warm", "external_source": null,
            "external_id": null, "custom_fields": { "vat_regime": "normal", "since_year": 1998 }, "archived_at": null,
            "created_at": AT, "updated_at": AT,
        }),
        "ClientPage" => page(&of("Client")),
        "CreateClient" => json!({
            "kind": "company", "name": "Αφοί Παπά ΟΕ", "tax_number": "094012345",
            "emails": [{ "kind": "work", "address": "info@papa.example" }],
            "main_address": { "line1": "Σταδίου 1", "city": "Αθήνα", "country": "GR" }, "roles": ["customer"],
            "custom_fields": { "vat_regime": "normal" },
        }),
        "ClientPatch" => json!({ "status": "inactive", "main_address": { "postal_code": "10562" }, "legal_name": null }),
        "ClientSummary" => json!({
            "counts": {
                "contacts": 2, "open_tickets": 0, "tickets": 0, "projects": 0, "open_tasks": 0, "invoices": 0, "estimates": 0,
                "proposals": 0, "contracts": 0, "files": 0, "notes": 3,
            },
            "invoices": [],
        }),
        "LinkedContact" => json!({
            "client_id": CLIENT,
            "contact": {
                "id": CONTACT, "given_name": "Ελένη", "family_name": "Παπά", "email": "eleni@papa.example", "phone": null,
                "position": "Owner",
            },
            "role": "Billing", "is_primary": true, "influence": "decision_maker", "since": "2024-01-01", "until": null,
            "created_at": AT, "updated_at": AT,
        }),
        "LinkedContactList" => json!({ "data": [of("LinkedContact")] }),
        "LinkContact" => json!({ "contact_id": CONTACT, "role": "Billing", "since": "2024-01-01" }),
        "LinkPatch" => json!({ "is_primary": true }),
        "MergeClients" => json!({ "merged_id": RECORD, "fields": { "name": "merged", "emails": "both" } }),
        "UndoMerge" => json!({ "merged_id": RECORD }),
        "FieldOutcome" => json!({ "field": "name", "side": "merged", "survivor": "Papas", "merged": "Papas SA" }),
        "MovedRecords" => json!({ "record_type": "note", "moved": 12, "had_both": 0 }),
        "MergePreview" => json!({ "client": of("Client"), "fields": [of("FieldOutcome")], "moved": [of("MovedRecords")] }),
        "MergedClients" => json!({
            "client": of("Client"), "merged_id": RECORD, "fields": [of("FieldOutcome")], "moved": [of("MovedRecords")],
        }),
        "TransferClients" => json!({ "from_user_id": RECORD, "to_user_id": USER }),
        "TransferredClients" => json!({ "transferred": 37, "has_more": false }),
        "TimelinePage" => page(&json!({ "id": RECORD, "at": AT, "kind": "note", "note": of("Note") })),
        "ClientAdmin" => json!({
            "client_id": CLIENT, "user_id": USER, "assigned_by": null, "created_at": AT,
            "user": { "id": USER, "given_name": "Μαρία", "family_name": "Παπαδοπούλου", "is_active": true },
        }),
        "ClientAdminList" => json!({ "data": [of("ClientAdmin")] }),
        "AddClientAdmin" => json!({ "user_id": USER }),
        "ClientGroup" => json!({ "id": RECORD, "name": "Χονδρική", "description": null, "created_at": AT, "updated_at": AT }),
        "ClientGroupPage" => page(&of("ClientGroup")),
        "CreateClientGroup" => json!({ "name": "Χονδρική" }),
        "ClientGroupPatch" => json!({ "description": "Με έκπτωση" }),
        "AddToGroup" => json!({ "client_group_id": RECORD }),
        "ClientRelationship" => json!({
            "id": RECORD, "kind": "principal_distributor", "from_client_id": CLIENT, "to_client_id": FOLDER,
            "territory": "Πελοπόννησος", "commission_basis_points": 750, "valid_from": "2026-01-01", "valid_until": "2026-12-31",
            "note": null, "created_by": USER, "created_at": AT, "updated_at": AT,
        }),
        "ClientRelationshipPage" => page(&of("ClientRelationship")),
        "CreateClientRelationship" => json!({
            "kind": "principal_distributor", "from_client_id": CLIENT, "to_client_id": FOLDER, "territory": "Πελοπόννησος",
            "commission_basis_points": 750, "valid_from": "2026-01-01", "valid_until": "2026-12-31",
        }),
        "ClientRelationshipPatch" => json!({ "commission_basis_points": 800, "valid_until": null }),
        "Interaction" => json!({
            "id": RECORD, "client_id": CLIENT, "contact_id": CONTACT, "type": "conversation", "channel": "phone",
            "direction": "inbound", "subject": "Ανανέωση", "note": "Ζήτησε νέα προσφορά.", "occurred_at": AT,
            "duration": 15, "participants": [{ "contact_id": CONTACT }, { "name": "Ο λογιστής" }], "follow_up_at": AT,
            "follow_up_by": USER, "followed_up_at": null, "author_id": USER, "archived_at": null, "created_at": AT,
            "updated_at": AT,
        }),
        "InteractionPage" => page(&of("Interaction")),
        "CreateInteraction" => json!({
            "client_id": CLIENT, "channel": "phone", "direction": "inbound", "note": "Ζήτησε νέα προσφορά.", "follow_up_at": AT,
        }),
        "InteractionPatch" => json!({ "followed_up_at": AT }),
        "Contact" => json!({
            "id": CONTACT, "given_name": "Ελένη", "family_name": "Παπά", "phone": null,
            "emails": [{ "kind": "work", "address": "eleni@papa.example" }], "phones": [], "position": "Owner", "locale": "el",
            "mails": ["invoices", "estimates", "tickets"], "created_by": USER, "external_source": null, "external_id": null,
            "custom_fields": {}, "archived_at": null,
            "created_at": AT, "updated_at": AT,
        }),
        "ContactPage" => page(&of("Contact")),
        "CreateContact" => json!({
            "given_name": "Ελένη", "family_name": "Παπά", "emails": [{ "kind": "work", "address": "eleni@papa.example" }],
        }),
        "ContactPatch" => json!({ "position": "Owner", "phone": null }),
        _ => return None,
    })
}

fn of_mail(name: &str) -> Option<Value> {
    const TEXT: &str = "Γεια σας {{ recipient_name }},\n\nαποδεχτείτε την πρόσκληση εδώ:\n{{ link }}";
    const HTML: &str = "<h1>Καλώς ήρθατε</h1><p><a href=\"{{ link }}\">Αποδεχτείτε την πρόσκληση</a></p>";
    Some(match name {
        "MailMessage" => json!({
            "id": RECORD, "kind": "invitation", "language": "el", "to": "nikos@example.com", "to_name": "Νίκος Γεωργίου",
            "subject": "Σας προσκαλούν στον χώρο Αθήνα", "message_id": format!("<{RECORD}@crm.example.com>"), "state": "sent",
            "attempts": 1, "last_problem": null, "sent_at": AT, "created_at": AT, "updated_at": AT,
        }),
        "MailMessagePage" => page(&of("MailMessage")),
        "Suppression" => json!({
            "id": RECORD, "address": "nobody@example.com", "reason": "bounce", "mail_id": null, "created_at": AT, "updated_at": AT,
        }),
        "SuppressionPage" => page(&of("Suppression")),
        "CreateSuppression" => json!({ "address": "nobody@example.com", "reason": "complaint" }),
        "MailTemplate" => json!({
            "id": RECORD, "kind": "invitation", "language": "el", "subject": "Καλώς ήρθατε στον χώρο {{ workspace_name }}",
            "text": TEXT, "html": HTML, "created_at": AT, "updated_at": AT,
        }),
        "MailTemplatePage" => page(&of("MailTemplate")),
        "CreateMailTemplate" => json!({
            "kind": "invitation", "language": "el", "subject": "Καλώς ήρθατε στον χώρο {{ workspace_name }}", "text": TEXT,
            "html": HTML,
        }),
        "MailTemplatePatch" => json!({ "subject": "Ελάτε στον χώρο {{ workspace_name }}" }),
        "PreviewMailTemplate" => json!({ "kind": "invitation", "language": "el", "text": TEXT }),
        "MailPreview" => json!({
            "subject": "Καλώς ήρθατε στον χώρο Αθήνα", "text": "Γεια σας Ελένη Νίκα, …", "html": "<!DOCTYPE html>…",
        }),
        "MailKindList" => json!({ "data": [{
            "kind": "invitation", "variables": ["workspace_name", "tagline", "recipient_name", "inviter_name", "link", "token",
                "expires_at"],
            "required": ["link"],
            "templates": [{ "language": "el", "subject": "Σας προσκαλούν στον χώρο {{ workspace_name }}", "text": TEXT, "html": HTML }],
        }] }),
        "BounceMessage" => json!("Content-Type: multipart/report; report-type=delivery-status; boundary=…"),
        "BounceReport" => json!({ "outcome": "bounced", "mail_id": RECORD }),
        _ => return None,
    })
}
