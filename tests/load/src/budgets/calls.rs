//! How each operation is asked so that it does what it is for. What it needs is made before, and not timed.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::{Result, http};

/// A request that is to be timed.
pub(super) struct Call {
    pub path: String,
    pub body: Option<Value>,
    /// Whose token goes with it, where it is not the administrator's.
    pub token: Option<String>,
    /// A body that is no JSON, with its type.
    pub raw: Option<(&'static str, Vec<u8>)>,
}

impl Call {
    pub(super) fn to(path: impl Into<String>) -> Self {
        Self { path: path.into(), body: None, token: None, raw: None }
    }

    pub(super) fn with(path: impl Into<String>, body: Value) -> Self {
        Self { body: Some(body), ..Self::to(path) }
    }
}

/// What is there to be asked for.
pub(super) struct Calls {
    pub server: SocketAddr,
    pub token: String,
    email: String,
    password: String,
    pub(super) client: String,
    pub(super) contact: String,
    note: String,
    tag: String,
    file: String,
    image: String,
    folder: String,
    api_token: String,
    invitation: String,
    import: String,
    membership: String,
    user: String,
    pub(super) workspace: String,
    backup: String,
    any_job: String,
    mail: String,
    message_id: String,
    suppression: String,
    /// Counts what must have a name of its own.
    numbered: Cell<u32>,
    /// Secrets of invitations that wait to be accepted.
    invited: RefCell<Vec<String>>,
}

/// A password that nobody guesses.
pub(super) const PASSWORD: &str = "five red ships sail by Φ9";

impl Calls {
    pub fn new(server: SocketAddr, token: String, program: &Path, email: &str, password: &str, times: u32) -> Result<Self> {
        let empty = String::new;
        let mut calls = Self {
            server,
            token,
            email: email.to_owned(),
            password: password.to_owned(),
            client: empty(),
            contact: empty(),
            note: empty(),
            tag: empty(),
            file: empty(),
            image: empty(),
            folder: empty(),
            api_token: empty(),
            invitation: empty(),
            import: empty(),
            membership: empty(),
            user: empty(),
            workspace: empty(),
            backup: empty(),
            any_job: empty(),
            mail: empty(),
            message_id: empty(),
            suppression: empty(),
            numbered: Cell::new(0),
            invited: RefCell::default(),
        };
        let me = calls.ask("GET", "/v1/me", None)?;
        calls.user = text(&me, "/user/id")?;
        calls.client = calls.client()?;
        calls.contact = calls.contact()?;
        calls.link(&calls.client, &calls.contact)?;
        calls.note = calls.note()?;
        calls.tag = calls.tag("fixed")?;
        calls.file = calls.file()?;
        calls.image = calls.image_with_a_thumbnail()?;
        calls.folder = calls.folder("fixed")?;
        calls.api_token = calls.api_token()?;
        calls.invitation = calls.invite("waits")?;
        calls.import = text(&calls.ask("GET", "/v1/imports", None)?, "/data/0/id")?;
        calls.workspace = text(&calls.ask("GET", "/v1/workspaces", None)?, "/data/0/id")?;
        // those who are to be members, and as many again who accept under the clock
        for number in 0..=2 * times {
            calls.invite(&format!("member-{number}"))?;
        }
        calls.invite_to_portal()?;
        calls.invited = RefCell::new(secrets(program, "/accept-invitation")?);
        let portal = secrets(program, "/portal/set-password")?;
        calls.accept_portal(portal.first().ok_or("nobody is invited to the portal")?)?;
        calls.membership = calls.member()?;
        calls.backup = calls.made("/v1/admin/backups", &json!({}))?;
        calls.any_job = text(&calls.ask("GET", "/v1/admin/jobs", None)?, "/data/0/id")?;
        let mails = calls.ask("GET", "/v1/mail-messages", None)?;
        (calls.mail, calls.message_id) = (text(&mails, "/data/0/id")?, text(&mails, "/data/0/message_id")?);
        calls.suppression = calls.made("/v1/mail-suppressions", &a_suppression("fixed"))?;
        calls.settle()?;
        Ok(calls)
    }

    /// Waits until nothing is due any more of what the making has left to be done, which would be timed with what is asked.
    fn settle(&self) -> Result<()> {
        for _ in 0..3000 {
            let queues = self.ask("GET", "/v1/admin/queues", None)?;
            let is_zero = |queue: &Value, name: &str| queue.get(name).and_then(Value::as_u64) == Some(0);
            let is_idle = |queue: &Value| is_zero(queue, "waiting") && is_zero(queue, "running");
            if queues.get("data").and_then(Value::as_array).is_some_and(|queues| queues.iter().all(is_idle)) {
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Err("the queues do not come to rest".into())
    }

    /// How an operation is asked.
    pub fn of(&self, id: &str, number: u32) -> Result<Call> {
        if let Some(call) = self.of_portal(id, number)? {
            return Ok(call);
        }
        let (client, contact, note, tag) = (&self.client, &self.contact, &self.note, &self.tag);
        let (file, folder) = (&self.file, &self.folder);
        let own = format!("/v1/clients/{client}");
        Ok(match id {
            "jwks" => Call::to("/.well-known/jwks.json"),
            "health_live" => Call::to("/health/live"),
            "health_ready" => Call::to("/health/ready"),
            "metrics" => Call::to("/metrics"),
            "openapi" => Call::to("/openapi.json"),
            "get_me" => Call::to("/v1/me"),
            "list_backups" => Call::to("/v1/admin/backups"),
            "get_backup" => Call::to(format!("/v1/admin/backups/{}", self.backup)),
            "get_job" => Call::to(format!("/v1/admin/jobs/{}", self.any_job)),
            "discard_job" => Call::to(self.job(number)?),
            "cancel_job" => Call::to(format!("{}/cancel", self.job(number)?)),
            "retry_job" => Call::to(format!("{}/retry", self.job(number)?)),
            "get_mail_kinds" => Call::to("/v1/mail-kinds"),
            "list_mail_messages" => Call::to("/v1/mail-messages"),
            "get_mail_message" => Call::to(format!("/v1/mail-messages/{}", self.mail)),
            "receive_mail_bounce" => {
                Call { raw: Some(("message/rfc822", a_bounce(&self.message_id).into_bytes())), ..Call::to("/v1/mail-bounces") }
            }
            "list_mail_suppressions" => Call::to("/v1/mail-suppressions"),
            "get_mail_suppression" => Call::to(format!("/v1/mail-suppressions/{}", self.suppression)),
            "create_mail_suppression" => Call::with("/v1/mail-suppressions", a_suppression(&format!("made-{number}"))),
            "delete_mail_suppression" => Call::to(format!("/v1/mail-suppressions/{}", self.suppression(number)?)),
            "list_mail_templates" => Call::to("/v1/mail-templates"),
            "get_mail_template" => Call::to(format!("/v1/mail-templates/{}", self.own_template()?)),
            "preview_mail_template" => Call::with("/v1/mail-templates/preview", a_template()),
            "create_mail_template" => {
                // there is one of a kind and language at most
                if let Some(id) = self.template()? {
                    self.ask("DELETE", &format!("/v1/mail-templates/{id}"), None)?;
                }
                Call::with("/v1/mail-templates", a_template())
            }
            "update_mail_template" => {
                let subject = json!({ "subject": format!("Changed {number}") });
                Call::with(format!("/v1/mail-templates/{}", self.own_template()?), subject)
            }
            "delete_mail_template" => Call::to(format!("/v1/mail-templates/{}", self.own_template()?)),
            "start_client_import" => Call { raw: Some(a_table(number)), ..Call::to("/v1/clients/imports") },
            "list_import_rows" => Call::to(format!("/v1/imports/{}/rows", self.import)),
            "get_import_report" => Call::to(format!("/v1/imports/{}/report", self.import)),
            "update_import" => Call::with(self.import_that_is("staged", number)?, json!({ "source": "other" })),
            "approve_import" => Call::to(format!("{}/approve", self.import_that_is("staged", number)?)),
            "cancel_import" => Call::to(format!("{}/cancel", self.import_that_is("staged", number)?)),
            "undo_import" => Call::to(format!("{}/undo", self.import_that_is("finished", number)?)),
            "purge_import" => Call::to(format!("{}/purge", self.import_that_is("finished", number)?)),
            "forgot_password" => Call::with("/v1/auth/forgot-password", json!({ "email": self.email })),
            "change_my_password" => {
                let same = json!({ "current_password": self.password, "new_password": self.password });
                Call::with("/v1/me/password", same)
            }
            "get_my_second_factor" => Call::to("/v1/me/second-factor"),
            "begin_my_second_factor" => Call::with("/v1/me/second-factor", json!({ "password": self.password })),
            "list_user_sessions" => Call::to(format!("/v1/users/{}/sessions", self.user)),
            "end_my_session" | "end_user_session" => {
                let token = self.session()?.0;
                let seen = self.ask("GET", "/v1/me/sessions?sort=-created_at&limit=1", None)?;
                let path = format!("/sessions/{}", text(&seen, "/data/0/id")?);
                match id {
                    "end_my_session" => Call { token: Some(token), ..Call::to(format!("/v1/me{path}")) },
                    _ => Call::to(format!("/v1/users/{}{path}", self.user)),
                }
            }
            "end_user_sessions" => {
                let user = self.ask("GET", &format!("/v1/memberships/{}", self.membership), None)?;
                Call::to(format!("/v1/users/{}/sessions/end", text(&user, "/user_id")?))
            }
            "get_my_profile" => Call::to("/v1/me/profile"),
            "update_my_profile" => Call::with("/v1/me/profile", json!({ "signature": number.to_string() })),
            "list_my_sessions" => Call::to("/v1/me/sessions"),
            // somebody else's, as the session that everything is asked on goes on
            "end_my_sessions" => Call {
                token: Some(self.session_of_member()?),
                ..Call::with("/v1/me/sessions/end", json!({ "keep_current": false }))
            },
            "list_jobs" => Call::to("/v1/admin/jobs"),
            "list_saved_views" => Call::to("/v1/saved-views"),
            "get_saved_view" | "delete_saved_view" => Call::to(format!("/v1/saved-views/{}", self.view()?)),
            "create_saved_view" => Call::with("/v1/saved-views", self.a_view()),
            "update_saved_view" => {
                let query = json!({ "query": { "filters": { "status": "inactive" } } });
                Call::with(format!("/v1/saved-views/{}", self.view()?), query)
            }
            "merge_tag" => {
                let other = self.tag(&format!("merged {number}"))?;
                self.ask("POST", &format!("{own}/tags"), Some(&json!({ "tag_id": other })))?;
                Call::with(format!("/v1/tags/{other}/merge"), json!({ "into": tag }))
            }
            "get_deprecations" => Call::to("/v1/deprecations"),
            "get_queues" => Call::to("/v1/admin/queues"),
            "list_my_audit" => Call::to("/v1/me/audit"),
            "list_audit" | "list_clients" | "list_colleagues" | "list_contacts" | "list_imports" | "list_invitations"
            | "list_memberships" | "list_roles" | "list_tags" | "list_teams" | "list_tokens" | "list_users"
            | "list_workspaces" => Call::to(format!("/v1/{}", id.trim_start_matches("list_"))),
            "list_files" | "list_folders" => Call::to(format!("/v1/{}", id.trim_start_matches("list_"))),
            "list_client_files" => Call::to(format!("{own}/files")),
            "list_contact_files" => Call::to(format!("/v1/contacts/{contact}/files")),
            "get_file" => Call::to(format!("/v1/files/{file}")),
            "get_file_content" => Call::to(format!("/v1/files/{file}/content")),
            "get_file_thumbnail" => Call::to(format!("/v1/files/{}/thumbnail", self.image)),
            "follow_file_link" => Call::to(self.link_to(file)?),
            "get_folder" => Call::to(format!("/v1/folders/{folder}")),
            "upload_file" => Call { raw: Some(a_file()), ..Call::to("/v1/files") },
            "create_file_link" => Call::with(format!("/v1/files/{file}/links"), json!({})),
            "update_file" => Call::with(format!("/v1/files/{file}"), json!({ "subject": number.to_string() })),
            "archive_file" => Call::to(format!("/v1/files/{}", self.file()?)),
            "restore_file" => Call::to(format!("{}/restore", self.archived("/v1/files", &self.file()?)?)),
            "purge_file" => Call::to(format!("{}/purge", self.archived("/v1/files", &self.file()?)?)),
            "create_folder" => Call::with("/v1/folders", json!({ "name": format!("made {number}") })),
            "update_folder" => Call::with(format!("/v1/folders/{folder}"), json!({ "name": format!("changed {number}") })),
            "delete_folder" => Call::to(format!("/v1/folders/{}", self.folder(&format!("goes {number}"))?)),
            "list_client_admins" => Call::to(format!("{own}/admins")),
            "add_client_admin" => Call::with(format!("/v1/clients/{}/admins", self.client()?), json!({ "user_id": self.user })),
            "remove_client_admin" => {
                let path = format!("/v1/clients/{}/admins", self.client()?);
                self.ask("POST", &path, Some(&json!({ "user_id": self.user })))?;
                Call::to(format!("{path}/{}", self.user))
            }
            "get_acquisition_stages" => Call::to("/v1/acquisition-stages"),
            "create_acquisition_stage" => {
                // a workspace has fifty at most
                let path = self.stage()?;
                self.ask("DELETE", &path, None)?;
                Call::with("/v1/acquisition-stages", json!({ "key": format!("made_{}", self.next()), "name": "Επίδειξη" }))
            }
            "get_acquisition_stage" | "delete_acquisition_stage" => Call::to(self.stage()?),
            "update_acquisition_stage" => {
                Call::with(self.stage()?, json!({ "name": format!("Επίδειξη {number}"), "position": number % 6 }))
            }
            "list_client_stages" => Call::to(format!("{own}/stages")),
            "list_client_groups" => Call::to("/v1/client-groups"),
            "get_client_group" | "delete_client_group" => Call::to(format!("/v1/client-groups/{}", self.group()?)),
            "create_client_group" => Call::with("/v1/client-groups", self.a_group()),
            "update_client_group" => {
                Call::with(format!("/v1/client-groups/{}", self.group()?), json!({ "description": number.to_string() }))
            }
            "add_client_to_group" => Call::with(format!("{own}/groups"), json!({ "client_group_id": self.group()? })),
            "remove_client_from_group" => {
                let (path, group) = (format!("{own}/groups"), self.group()?);
                self.ask("POST", &path, Some(&json!({ "client_group_id": group })))?;
                Call::to(format!("{path}/{group}"))
            }
            "list_client_relationships" => Call::to("/v1/client-relationships"),
            "get_client_relationship" | "delete_client_relationship" => Call::to(self.relationship()?),
            "create_client_relationship" => Call::with("/v1/client-relationships", self.a_relationship()?),
            "update_client_relationship" => Call::with(self.relationship()?, json!({ "note": number.to_string() })),
            "list_interactions" => Call::to("/v1/interactions"),
            "list_due_interactions" => Call::to("/v1/interactions/due"),
            "get_interaction" | "archive_interaction" => Call::to(format!("/v1/interactions/{}", self.interaction()?)),
            "restore_interaction" => Call::to(format!("{}/restore", self.archived("/v1/interactions", &self.interaction()?)?)),
            "create_interaction" => Call::with("/v1/interactions", an_interaction(client)),
            "update_interaction" => {
                let path = format!("/v1/interactions/{}", self.interaction()?);
                Call::with(path, json!({ "subject": number.to_string() }))
            }
            // how long a whole one takes depends on how much there is; this is what it takes before that
            "export_clients" => Call::to("/v1/clients/export?created_at[gte]=2999-01-01"),
            "export_contacts" => Call::to("/v1/contacts/export?created_at[gte]=2999-01-01"),
            "get_client" => Call::to(own),
            "transfer_clients" => {
                let clients = [self.client()?, self.client()?, self.client()?];
                Call::with("/v1/clients/transfer", json!({ "client_ids": clients, "to_user_id": self.user }))
            }
            "check_client_duplicates" => {
                let body = json!({ "name": "Οικονόμου Εμπορική", "tax_number": "EL100000001", "phone": "210 1234567" });
                Call::with("/v1/clients/duplicates", body)
            }
            "find_client_duplicates" => Call::to(format!("{own}/duplicates")),
            "list_client_duplicates" => Call::to("/v1/client-duplicates"),
            "search_client_duplicates" | "get_client_duplicate_search" => Call::to("/v1/client-duplicates/search"),
            "get_client_duplicate" | "dismiss_client_duplicate" => Call::to(self.duplicate()?),
            "restore_client_duplicate" => {
                let path = self.duplicate()?;
                self.ask("DELETE", &path, None)?;
                Call::to(format!("{path}/restore"))
            }
            "preview_client_merge" => Call::with(format!("{own}/merge/preview"), json!({ "merged_id": self.client()? })),
            // the addresses of a hundred clients are more than one may have
            "merge_client" => {
                let fields = json!({ "emails": "survivor", "phones": "survivor" });
                Call::with(format!("{own}/merge"), json!({ "merged_id": self.client()?, "fields": fields }))
            }
            "undo_client_merge" => {
                let (one, other) = (self.client()?, self.client()?);
                let merged = json!({ "merged_id": other });
                self.ask("POST", &format!("/v1/clients/{one}/merge"), Some(&merged))?;
                Call::with(format!("/v1/clients/{one}/merge/undo"), merged)
            }
            "list_client_timeline" => Call::to(format!("{own}/timeline")),
            "list_client_audit" => Call::to(format!("{own}/audit")),
            "list_client_contacts" => Call::to(format!("{own}/contacts")),
            "get_client_contact" => Call::to(format!("{own}/contacts/{contact}")),
            "list_client_notes" => Call::to(format!("{own}/notes")),
            "get_client_note" => Call::to(format!("{own}/notes/{note}")),
            "get_client_summary" => Call::to(format!("{own}/summary")),
            "get_contact" => Call::to(format!("/v1/contacts/{contact}")),
            "list_contact_audit" => Call::to(format!("/v1/contacts/{contact}/audit")),
            "get_import" => Call::to(format!("/v1/imports/{}", self.import)),
            "list_import_issues" => Call::to(format!("/v1/imports/{}/issues", self.import)),
            "get_invitation" => Call::to(format!("/v1/invitations/{}", self.invitation)),
            "get_membership" => Call::to(format!("/v1/memberships/{}", self.membership)),
            "get_settings" => Call::to("/v1/settings"),
            "get_installation_settings" => Call::to("/v1/installation/settings"),
            "update_settings" => Call::with("/v1/settings", json!({ "mail.tagline": number.to_string() })),
            "update_installation_settings" => {
                Call::with("/v1/installation/settings", json!({ "tokens.max_days": 3000 + number }))
            }
            "list_custom_fields" => Call::to("/v1/custom-fields"),
            "get_custom_field" => Call::to(self.custom_field()?),
            "create_custom_field" => {
                // one at a time, or the jobs that tell all contacts of each would be in everybody's way
                self.purge_custom_field()?;
                Call::with("/v1/custom-fields", self.a_custom_field())
            }
            "update_custom_field" => Call::with(self.custom_field()?, json!({ "description": number.to_string() })),
            "archive_custom_field" => {
                let path = self.custom_field()?;
                self.ask("POST", &format!("{path}/restore"), None)?;
                Call::to(path)
            }
            "restore_custom_field" => Call::to(format!("{}/restore", self.archived_custom_field()?)),
            "purge_custom_field" => Call::to(format!("{}/purge", self.archived_custom_field()?)),
            "list_brands" => Call::to("/v1/brands"),
            "get_brand" => Call::to(self.brand()?),
            "create_brand" => Call::with("/v1/brands", self.a_brand()),
            "update_brand" => Call::with(self.brand()?, json!({ "tagline": number.to_string() })),
            "archive_brand" => Call::to(self.brand()?),
            "restore_brand" => Call::to(format!("{}/restore", self.archived_brand()?)),
            "purge_brand" => Call::to(format!("{}/purge", self.archived_brand()?)),
            "get_tag" => Call::to(format!("/v1/tags/{tag}")),
            "get_token" => Call::to(format!("/v1/tokens/{}", self.api_token)),
            "get_token_usage" => Call::to(format!("/v1/tokens/{}/usage", self.api_token)),
            "rotate_token" => Call::with(format!("/v1/tokens/{}/rotate", self.api_token), json!({ "overlap_hours": 1 })),
            "get_role" => Call::to(format!("/v1/roles/{}", self.role()?)),
            "get_role_override" | "delete_role_override" => Call::to(self.overridden()?),
            "get_team" => Call::to(format!("/v1/teams/{}", self.team()?)),
            "list_team_members" => Call::to(format!("/v1/teams/{}/members", self.team()?)),
            "get_team_member" => Call::to(self.in_team()?),
            "get_user" => Call::to(format!("/v1/users/{}", self.user)),
            "get_workspace" => Call::to(format!("/v1/workspaces/{}", self.workspace)),

            "login" => Call::with("/v1/auth/login", self.credentials()),
            "refresh" => Call::with("/v1/auth/refresh", json!({ "refresh_token": self.session()?.1 })),
            "logout" => Call { token: Some(self.session()?.0), ..Call::to("/v1/auth/logout") },
            "accept_invitation" => Call::with("/v1/auth/accept-invitation", self.acceptance()?),

            "create_client" => Call::with("/v1/clients", self.a_client()),
            "create_contact" => Call::with("/v1/contacts", a_contact()),
            "create_client_note" => Call::with(format!("{own}/notes"), json!({ "body": "Τηλεφώνησε" })),
            "create_tag" => Call::with("/v1/tags", json!({ "name": format!("made {number}") })),
            "create_role" => Call::with("/v1/roles", self.a_role()),
            "create_team" => Call::with("/v1/teams", self.a_team()),
            "add_team_member" => Call::with(format!("/v1/teams/{}/members", self.team()?), json!({ "user_id": self.user })),
            "load_team_members" => {
                let table = format!("email\n{}\n", self.email).into_bytes();
                Call { raw: Some(("text/csv", table)), ..Call::to(format!("/v1/teams/{}/members/load", self.team()?)) }
            }
            "create_token" => Call::with("/v1/tokens", a_token()),
            "create_invitation" => Call::with("/v1/invitations", an_invitation(&format!("made-{number}"))),
            "create_workspace" => Call::with("/v1/workspaces", json!({ "slug": format!("made-{number}"), "name": "Made" })),
            "link_client_contact" => Call::with(format!("{own}/contacts"), json!({ "contact_id": self.contact()? })),
            "tag_client" => Call::with(format!("/v1/clients/{}/tags", self.client()?), json!({ "tag_id": tag })),
            "bulk_clients" => Call::with("/v1/clients/bulk", bulk(&self.a_client())),
            "bulk_contacts" => Call::with("/v1/contacts/bulk", bulk(&a_contact())),

            "update_client" => Call::with(own, json!({ "name": format!("Αλλαγμένη {number}") })),
            "update_contact" => Call::with(format!("/v1/contacts/{contact}"), json!({ "position": number.to_string() })),
            "update_client_contact" => Call::with(format!("{own}/contacts/{contact}"), json!({ "role": number.to_string() })),
            "update_client_note" => Call::with(format!("{own}/notes/{note}"), json!({ "body": number.to_string() })),
            "update_role" => Call::with(format!("/v1/roles/{}", self.role()?), json!({ "name": number.to_string() })),
            "update_role_override" => {
                Call::with(self.overridden()?, json!({ "permissions": { "leads": { "delete": number.is_multiple_of(2) } } }))
            }
            "update_team" => Call::with(format!("/v1/teams/{}", self.team()?), json!({ "description": number.to_string() })),
            "update_team_member" => Call::with(self.in_team()?, json!({ "role": "lead" })),
            "update_tag" => Call::with(format!("/v1/tags/{tag}"), json!({ "name": format!("changed {number}") })),
            "update_token" => Call::with(format!("/v1/tokens/{}", self.api_token), json!({ "name": number.to_string() })),
            "update_user" => Call::with(format!("/v1/users/{}", self.user), json!({ "given_name": format!("M{number}") })),
            "update_workspace" => {
                Call::with(format!("/v1/workspaces/{}", self.workspace), json!({ "name": format!("W{number}") }))
            }
            "update_membership" => {
                let role = if number.is_multiple_of(2) { "viewer" } else { "sales_agent" };
                Call::with(format!("/v1/memberships/{}", self.membership), json!({ "role": role }))
            }

            "archive_client" => Call::to(format!("/v1/clients/{}", self.client()?)),
            "restore_client" => Call::to(format!("{}/restore", self.archived("/v1/clients", &self.client()?)?)),
            "purge_client" => Call::to(format!("{}/purge", self.archived("/v1/clients", &self.client()?)?)),
            "archive_contact" => Call::to(format!("/v1/contacts/{}", self.contact()?)),
            "restore_contact" => Call::to(format!("{}/restore", self.archived("/v1/contacts", &self.contact()?)?)),
            "purge_contact" => Call::to(format!("{}/purge", self.archived("/v1/contacts", &self.contact()?)?)),
            "archive_client_note" => Call::to(format!("{own}/notes/{}", self.note()?)),
            "restore_client_note" => Call::to(format!("{}/restore", self.archived(&format!("{own}/notes"), &self.note()?)?)),
            "unlink_client_contact" => {
                let other = self.contact()?;
                self.link(client, &other)?;
                Call::to(format!("{own}/contacts/{other}"))
            }
            "untag_client" => {
                let other = self.client()?;
                self.ask("POST", &format!("/v1/clients/{other}/tags"), Some(&json!({ "tag_id": tag })))?;
                Call::to(format!("/v1/clients/{other}/tags/{tag}"))
            }
            "delete_role" => Call::to(format!("/v1/roles/{}", self.role()?)),
            "delete_team" => Call::to(format!("/v1/teams/{}", self.team()?)),
            "remove_team_member" => Call::to(self.in_team()?),
            "delete_tag" => Call::to(format!("/v1/tags/{}", self.tag(&format!("goes {number}"))?)),
            "delete_token" => Call::to(format!("/v1/tokens/{}", self.api_token()?)),
            "revoke_invitation" => Call::to(format!("/v1/invitations/{}", self.invite(&format!("goes-{number}"))?)),
            "delete_membership" => Call::to(format!("/v1/memberships/{}", self.member()?)),
            _ => return Err(format!("nothing here knows how to ask {id}").into()),
        })
    }

    pub(super) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let answer = http::send(self.server, method, path, Some(&self.token), body)?;
        if answer.status == 204 {
            Ok(Value::Null)
        } else {
            answer.json().map_err(|error| format!("{method} {path} {error}").into())
        }
    }

    pub(super) fn made(&self, path: &str, body: &Value) -> Result<String> {
        text(&self.ask("POST", path, Some(body))?, "/id")
    }

    /// A client that is none of those that are there.
    fn a_client(&self) -> Value {
        let number = self.next();
        json!({
            "kind": "company", "name": format!("Αφοί Παπά {number}"), "phone": format!("+30 210 {}", 1_000_000 + number),
            "emails": [{ "kind": "work", "address": format!("info@papa{number}.example") }], "roles": ["customer"],
        })
    }

    fn client(&self) -> Result<String> {
        self.made("/v1/clients", &self.a_client())
    }

    pub(super) fn contact(&self) -> Result<String> {
        self.made("/v1/contacts", &a_contact())
    }

    /// The path of a pair of clients that may be one.
    fn duplicate(&self) -> Result<String> {
        let twin = json!({ "kind": "company", "name": format!("Δίδυμος {}", self.next()) });
        self.made("/v1/clients", &twin)?;
        let other = self.made("/v1/clients", &twin)?;
        let pairs = self.ask("GET", &format!("/v1/client-duplicates?client_id={other}"), None)?;
        Ok(format!("/v1/client-duplicates/{}", text(&pairs, "/data/0/id")?))
    }

    fn note(&self) -> Result<String> {
        self.made(&format!("/v1/clients/{}/notes", self.client), &json!({ "body": "Τηλεφώνησε" }))
    }

    fn a_group(&self) -> Value {
        json!({ "name": format!("Made {}", self.next()) })
    }

    /// The path of the last stage, which no client is in; one is made where there are but those of the beginning.
    fn stage(&self) -> Result<String> {
        let stages = self.ask("GET", "/v1/acquisition-stages", None)?;
        let made = stages.get("data").and_then(Value::as_array).and_then(|stages| stages.get(6..)?.last());
        let id = match made {
            Some(stage) => text(stage, "/id")?,
            None => {
                let stage = json!({ "key": format!("demo_{}", self.next()), "name": "Επίδειξη" });
                self.made("/v1/acquisition-stages", &stage)?
            }
        };
        Ok(format!("/v1/acquisition-stages/{id}"))
    }

    fn group(&self) -> Result<String> {
        self.made("/v1/client-groups", &self.a_group())
    }

    fn interaction(&self) -> Result<String> {
        self.made("/v1/interactions", &an_interaction(&self.client))
    }

    fn a_relationship(&self) -> Result<Value> {
        Ok(json!({ "kind": "partner", "from_client_id": self.client()?, "to_client_id": self.client()? }))
    }

    /// The path of how two clients relate.
    fn relationship(&self) -> Result<String> {
        Ok(format!("/v1/client-relationships/{}", self.made("/v1/client-relationships", &self.a_relationship()?)?))
    }

    fn file(&self) -> Result<String> {
        self.uploaded("/v1/files", &a_file())
    }

    fn uploaded(&self, path: &str, (kind, body): &(&str, Vec<u8>)) -> Result<String> {
        let answer = http::send_as(self.server, "POST", path, Some(&self.token), (kind, body))?;
        text(&answer.json().map_err(|error| format!("POST {path} {error}"))?, "/id")
    }

    fn image_with_a_thumbnail(&self) -> Result<String> {
        let id = self.uploaded("/v1/files", &an_image()?)?;
        self.until(&format!("/v1/files/{id}"), "/thumbnail", "ready")?;
        Ok(id)
    }

    /// The path of an import that has come to a state: `staged`, or `finished` when it was approved.
    fn import_that_is(&self, state: &str, number: u32) -> Result<String> {
        let path = format!("/v1/imports/{}", self.uploaded("/v1/clients/imports", &a_table(number))?);
        self.until(&path, "/state", "staged")?;
        if state == "finished" {
            self.ask("POST", &format!("{path}/approve"), None)?;
            self.until(&path, "/state", state)?;
        }
        Ok(path)
    }

    /// Waits until what is at a path says this.
    fn until(&self, path: &str, at: &str, state: &str) -> Result<()> {
        for _ in 0..1000 {
            if text(&self.ask("GET", path, None)?, at)? == state {
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Err(format!("{path} does not come to be {state}").into())
    }

    /// The path of a job that is put off: an invitation, which finds no mail server.
    fn job(&self, number: u32) -> Result<String> {
        self.invite(&format!("job-{number}-{}", self.next()))?;
        let path = "/v1/admin/jobs?kind=send_mail&state=waiting&limit=1";
        for _ in 0..1000 {
            let newest = self.ask("GET", path, None)?;
            // once it was tried it is put off
            if newest.pointer("/data/0/failures").and_then(Value::as_i64).is_some_and(|failures| failures > 0) {
                return Ok(format!("/v1/admin/jobs/{}", text(&newest, "/data/0/id")?));
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Err("no mail was put off; is there a mail server?".into())
    }

    fn suppression(&self, number: u32) -> Result<String> {
        self.made("/v1/mail-suppressions", &a_suppression(&format!("goes-{number}")))
    }

    /// The template that the workspace has of its own, or none.
    fn template(&self) -> Result<Option<String>> {
        let all = self.ask("GET", "/v1/mail-templates", None)?;
        Ok(all.pointer("/data/0/id").and_then(Value::as_str).map(str::to_owned))
    }

    fn own_template(&self) -> Result<String> {
        match self.template()? {
            Some(id) => Ok(id),
            None => self.made("/v1/mail-templates", &a_template()),
        }
    }

    fn folder(&self, name: &str) -> Result<String> {
        self.made("/v1/folders", &json!({ "name": name }))
    }

    /// The path of a link to a file.
    fn link_to(&self, file: &str) -> Result<String> {
        let url = text(&self.ask("POST", &format!("/v1/files/{file}/links"), Some(&json!({})))?, "/url")?;
        let at = url.find("/public/").ok_or("a link leads elsewhere")?;
        Ok(url.split_at(at).1.to_owned())
    }

    fn tag(&self, name: &str) -> Result<String> {
        self.made("/v1/tags", &json!({ "name": name }))
    }

    pub(super) fn next(&self) -> u32 {
        self.numbered.replace(self.numbered.get() + 1)
    }

    fn a_role(&self) -> Value {
        json!({ "key": format!("made_{}", self.next()), "name": "Made", "permissions": ["clients.view_all"] })
    }

    fn a_team(&self) -> Value {
        json!({ "name": format!("Made {}", self.next()) })
    }

    fn a_view(&self) -> Value {
        let query = json!({ "filters": { "status": "active" }, "sort": ["-created_at"], "columns": ["name"] });
        json!({ "list": "clients", "name": format!("Made {}", self.next()), "sharing": "workspace", "query": query })
    }

    fn view(&self) -> Result<String> {
        self.made("/v1/saved-views", &self.a_view())
    }

    fn a_custom_field(&self) -> Value {
        let key = format!("made_{}", self.next());
        json!({ "record_type": "contact", "key": key, "label": "Made", "field_type": "number" })
    }

    /// The path of a custom field that is there, or is made where none is.
    fn custom_field(&self) -> Result<String> {
        let fields = self.ask("GET", "/v1/custom-fields?record_type=contact&archived=true&state[ne]=purging", None)?;
        let id = match fields.pointer("/data/0/id").and_then(Value::as_str) {
            Some(id) => id.to_owned(),
            None => self.made("/v1/custom-fields", &self.a_custom_field())?,
        };
        Ok(format!("/v1/custom-fields/{id}"))
    }

    fn archived_custom_field(&self) -> Result<String> {
        let path = self.custom_field()?;
        self.ask("DELETE", &path, None)?;
        Ok(path)
    }

    fn purge_custom_field(&self) -> Result<()> {
        let path = self.archived_custom_field()?;
        self.ask("POST", &format!("{path}/purge"), None)?;
        // until it is gone it counts among those that there may be
        self.settle()
    }

    fn a_brand(&self) -> Value {
        json!({ "name": format!("Made {}", self.next()) })
    }

    /// The path of a brand that is not the default.
    fn brand(&self) -> Result<String> {
        // the first there is would be it
        self.made("/v1/brands", &self.a_brand())?;
        Ok(format!("/v1/brands/{}", self.made("/v1/brands", &self.a_brand())?))
    }

    fn archived_brand(&self) -> Result<String> {
        let path = self.brand()?;
        self.ask("DELETE", &path, None)?;
        Ok(path)
    }

    fn role(&self) -> Result<String> {
        self.made("/v1/roles", &self.a_role())
    }

    fn team(&self) -> Result<String> {
        self.made("/v1/teams", &self.a_team())
    }

    /// The path of somebody in a team.
    fn in_team(&self) -> Result<String> {
        let path = format!("/v1/teams/{}/members", self.team()?);
        self.ask("POST", &path, Some(&json!({ "user_id": self.user })))?;
        Ok(format!("{path}/{}", self.user))
    }

    /// The path of what lies over a role.
    fn overridden(&self) -> Result<String> {
        let roles = self.ask("GET", "/v1/roles", None)?;
        let is_viewer = |role: &&Value| role.get("key").is_some_and(|key| key == "viewer");
        let viewer = roles.get("data").and_then(Value::as_array).and_then(|roles| roles.iter().find(is_viewer));
        let path = format!("/v1/roles/{}/override", text(viewer.ok_or("there are no viewers")?, "/id")?);
        self.ask("PATCH", &path, Some(&json!({ "permissions": { "leads": { "delete": true } } })))?;
        Ok(path)
    }

    fn api_token(&self) -> Result<String> {
        self.made("/v1/tokens", &a_token())
    }

    fn invite(&self, name: &str) -> Result<String> {
        self.made("/v1/invitations", &an_invitation(name))
    }

    pub(super) fn link(&self, client: &str, contact: &str) -> Result<()> {
        self.ask("POST", &format!("/v1/clients/{client}/contacts"), Some(&json!({ "contact_id": contact }))).map(|_| ())
    }

    /// The path of a record that was put away.
    fn archived(&self, records: &str, id: &str) -> Result<String> {
        let path = format!("{records}/{id}");
        self.ask("DELETE", &path, None)?;
        Ok(path)
    }

    /// The membership of somebody new.
    fn member(&self) -> Result<String> {
        let user = text(&self.ask("POST", "/v1/auth/accept-invitation", Some(&self.acceptance()?))?, "/id")?;
        text(&self.ask("GET", &format!("/v1/memberships?user_id={user}"), None)?, "/data/0/id")
    }

    fn acceptance(&self) -> Result<Value> {
        let secret = self.invited.borrow_mut().pop().ok_or("no invitation is left")?;
        Ok(json!({ "token": secret, "password": PASSWORD, "given_name": "Νίκος", "family_name": "Νέος" }))
    }

    fn credentials(&self) -> Value {
        json!({ "email": self.email, "password": self.password })
    }

    /// The access token of a session of a member.
    fn session_of_member(&self) -> Result<String> {
        let membership = self.ask("GET", &format!("/v1/memberships/{}", self.membership), None)?;
        let user = self.ask("GET", &format!("/v1/users/{}", text(&membership, "/user_id")?), None)?;
        let credentials = json!({ "email": text(&user, "/email")?, "password": PASSWORD });
        text(&self.ask("POST", "/v1/auth/login", Some(&credentials))?, "/access_token")
    }

    /// Access and refresh token of a session of its own.
    fn session(&self) -> Result<(String, String)> {
        let tokens = self.ask("POST", "/v1/auth/login", Some(&self.credentials()))?;
        Ok((text(&tokens, "/access_token")?, text(&tokens, "/refresh_token")?))
    }
}

pub(super) fn text(value: &Value, at: &str) -> Result<String> {
    value.pointer(at).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| format!("there is no {at} in {value}").into())
}

/// A megabyte of text.
fn a_file() -> (&'static str, Vec<u8>) {
    (http::FORM, http::form("load.txt", "Αφοί Παπά, Σταδίου 1\n".repeat(1_000_000 / 36).as_bytes()))
}

/// A picture of two megapixels, as a telephone's is scaled down to.
fn an_image() -> Result<(&'static str, Vec<u8>)> {
    let picture = image::RgbImage::from_fn(1600, 1200, |x, y| image::Rgb([x, y, x ^ y].map(|shade| shade.to_le_bytes()[0])));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Jpeg)?;
    Ok((http::FORM, http::form("load.jpg", bytes.get_ref())))
}

/// A table of one client, another one each time.
fn a_table(number: u32) -> (&'static str, Vec<u8>) {
    (http::FORM, http::form("load.csv", format!("external_id;name\nbudget-{number};Αφοί Παπά {number}\n").as_bytes()))
}

fn a_suppression(name: &str) -> Value {
    json!({ "address": format!("{name}@suppressed.example") })
}

fn a_template() -> Value {
    let html = "<h1>Καλώς ήρθατε</h1><p><a href=\"{{ link }}\">Αποδεχτείτε την πρόσκληση</a></p>";
    json!({ "kind": "invitation", "language": "el", "subject": "Καλώς ήρθατε", "text": "Αποδεχτείτε: {{ link }}", "html": html })
}

/// A report that a mail is late, which is noted each time.
fn a_bounce(message_id: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example.com\r\nSubject: Delivery report\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
         See below.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\n\
         Final-Recipient: rfc822; late@budget.example\r\nAction: delayed\r\nStatus: 4.4.1\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
         Message-ID: {message_id}\r\nSubject: x\r\nFrom: a@crm.example\r\n\r\nx\r\n--b--\r\n"
    )
}

fn an_interaction(client: &str) -> Value {
    json!({
        "client_id": client, "channel": "phone", "direction": "inbound", "note": "Τηλεφώνησε",
        "follow_up_at": "2026-11-21T09:30:00Z",
    })
}

fn a_contact() -> Value {
    json!({ "given_name": "Ελένη", "family_name": "Παπά", "emails": [{ "kind": "work", "address": "eleni@papa.example" }] })
}

fn a_token() -> Value {
    json!({ "name": "load", "scopes": ["clients.view_all"] })
}

fn an_invitation(name: &str) -> Value {
    json!({ "email": format!("{name}@budget.example"), "role": "viewer" })
}

/// A hundred records at once.
fn bulk(record: &Value) -> Value {
    json!({ "operations": vec![json!({ "op": "create", "data": record }); 100] })
}

/// The secrets of the invitations that wait to be sent, as the program shows them: of those whose link leads to this page.
fn secrets(program: &Path, page: &str) -> Result<Vec<String>> {
    let output = Command::new(program).arg("mail").output().map_err(|error| format!("{}: {error}", program.display()))?;
    let said = String::from_utf8(output.stdout)?;
    let links = said.split_whitespace().filter_map(|word| word.split_once("?token="));
    Ok(links.filter(|(link, _)| link.ends_with(page)).map(|(_, secret)| secret.to_owned()).collect())
}
