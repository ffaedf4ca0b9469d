//! The records that calls are about: two workspaces, an owner for each caller and a colleague, and members above and below.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::Arc;

use harness::{PASSWORD, Session, TestApp};
use kernel::{Caller, Cause, TypedId as _, WorkspaceId};
use serde_json::{Value, json};
use store::jobs::{Job, Noop};

use super::requests::Target;

/// The ids that a call needs, by the name of the parameter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records {
    ids: HashMap<&'static str, String>,
    /// What nobody but this call is to change.
    watched: Vec<String>,
}

impl Records {
    /// An id.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.ids.get(name).unwrap_or_else(|| panic!("the matrix makes no {name}: teach it to, in records.rs"))
    }

    fn put(&mut self, name: &'static str, id: String) {
        self.watched.push(id.clone());
        self.ids.insert(name, id);
    }

    fn put_standing(&mut self, name: &'static str, id: &str) {
        self.ids.insert(name, id.to_owned());
    }

    /// How often the journal speaks of these records: a call that was refused adds nothing.
    pub(crate) async fn entries(&self, app: &TestApp) -> i64 {
        if self.watched.is_empty() {
            return 0;
        }
        let ids = self.watched.iter().map(|id| app.db.uuid(id)).collect::<Vec<_>>().join(", ");
        app.count(&format!("journal_entry WHERE record_id IN ({ids}) OR subject_id IN ({ids})")).await
    }
}

/// What stands for the whole test.
pub(crate) struct World {
    pub app: TestApp,
    main: Session,
    other: Session,
    other_id: String,
    colleague: Session,
    /// Account and address of the members below, above and elsewhere.
    members: HashMap<Target, (String, &'static str)>,
    imports: [String; 2],
    refresh_token: String,
    /// A contact of a client, signed in to the portal.
    contact: Session,
    number: usize,
}

/// An import of one wrong row.
pub(crate) async fn import(app: &TestApp, workspace: &str, source: &str) -> String {
    let store = app.store().await;
    let run = store.runtime().uuid();
    let importer = Arc::new(Caller::job(run, Some(WorkspaceId::from_uuid(workspace.parse().unwrap())), Cause::Import(run)));
    let options = clients::import::ImportOptions {
        csv: platform::csv_source::Options::default(),
        source: source.to_owned(),
        file_name: "wrong.csv".to_owned(),
    };
    let file = Cursor::new("name,email\nx,not-an-address\n");
    clients::import::import_csv(&store, &importer, file, &options, |_| {}, |_| {}).await.unwrap();
    stage_row(app, &run.to_string()).await;
    run.to_string()
}

/// A row of an import, straight into the database: over the command line nothing is staged.
pub(crate) async fn stage_row(app: &TestApp, run: &str) {
    let (id, run) = (app.db.uuid(&kernel::Runtime::system().uuid().to_string()), app.db.uuid(run));
    let kind = if app.db.engine == harness::Engine::Postgres { "::jsonb" } else { "" };
    let sql = format!(
        "INSERT INTO import_row (id, workspace_id, import_run_id, line, outcome, cells, version, created_at, updated_at) \
         SELECT {id}, workspace_id, id, 2, 'wrong', '{{}}'{kind}, 1, created_at, updated_at FROM import_run WHERE id = {run}"
    );
    assert_eq!(app.db.execute(&sql).await, Ok(1));
}

/// A job that is put off, or dead.
pub(crate) async fn job(app: &TestApp, workspace: &str, is_dead: bool) -> String {
    let store = app.store().await;
    let worker =
        Arc::new(Caller::job(store.runtime().uuid(), Some(WorkspaceId::from_uuid(workspace.parse().unwrap())), Cause::Command));
    let job = || Job::of(&Noop {}).after(chrono::Duration::days(9));
    let id = store.write(&worker, async |uow| uow.enqueue(job()).await).await.unwrap().unwrap().to_string();
    if is_dead {
        let sql = format!("UPDATE job SET state = 'dead' WHERE id = {}", app.db.uuid(&id));
        app.db.execute(&sql).await.unwrap();
    }
    id
}

/// The state that an import must be in for an operation that changes it.
fn state_for(operation: &str) -> Option<&'static str> {
    Some(match operation {
        "update_import" | "cancel_import" => "staging",
        "approve_import" | "purge_import" => "staged",
        "undo_import" => "finished",
        _ => return None,
    })
}

impl World {
    /// To be called when the kinds of caller are there, which made the workspace `other`.
    pub(crate) async fn make(app: TestApp) -> Self {
        let (main, other) = (app.admin.in_workspace("main"), app.admin.in_workspace("other"));
        let colleague = app.member(&main, "sales_agent", "colleague@example.com").await;
        let below = app.member(&main, "nothing", "below@example.com").await;
        let above = app.member(&main, "super_admin", "above@example.com").await;
        let elsewhere = app.member(&other, "viewer", "elsewhere@example.com").await;
        let members = HashMap::from([
            (Target::Below, (below.user_id, "below@example.com")),
            (Target::Above, (above.user_id, "above@example.com")),
            (Target::Elsewhere, (elsewhere.user_id, "elsewhere@example.com")),
        ]);
        let list = app.get("/v1/workspaces?slug=other", &other).await.expect(200);
        let other_id = list.body["data"][0]["id"].as_str().unwrap().to_owned();
        let imports = [import(&app, &app.workspace, "main").await, import(&app, &other_id, "other").await];
        let refresh_token = app.sign_in("colleague@example.com").await.refresh_token;
        let client = app.client(&main, "Portal").await;
        let contact = app.contact_in_portal(&main, &client, "records@portal.example", &["invoices"]).await;
        Self { app, main, other, other_id, colleague, members, imports, refresh_token, contact, number: 0 }
    }

    /// A number that no other call has.
    pub(crate) fn number(&mut self) -> usize {
        self.number += 1;
        self.number
    }

    /// The next refresh token: one works once.
    pub(crate) fn refreshed(&mut self, answer: &Value) {
        if let Some(token) = answer["refresh_token"].as_str() {
            let kept = if answer["user"].is_null() { &mut self.contact.refresh_token } else { &mut self.refresh_token };
            *kept = token.to_owned();
        }
    }

    /// Records for one call of an operation, in the state that it needs.
    pub(crate) async fn records(&mut self, operation: &str, path: &str, target: Target, owner: &Session) -> Records {
        let mut records = Records::default();
        let by = if target == Target::Elsewhere { self.other.clone() } else { self.main.clone() };
        let needs = |name: &str| path.contains(&format!("{{{name}}}"));
        let owner_id = match target {
            Target::Own => Some(owner.user_id.clone()),
            Target::Colleagues => Some(self.colleague.user_id.clone()),
            _ => None,
        };
        let on_client = needs("file_id") || needs("folder_id") || matches!(operation, "upload_file" | "create_folder");
        let of_client = needs("interaction_id")
            || needs("relationship_id")
            || matches!(operation, "create_interaction" | "create_client_relationship" | "transfer_clients");
        if needs("client_id") || operation == "bulk_clients" || on_client || of_client {
            let kind = if matches!(operation, "export_client" | "erase_client") { "person" } else { "company" };
            records.put("client_id", self.client_of_kind(kind, &by, owner_id.as_deref()).await);
        }
        if needs("contact_id") || operation == "bulk_contacts" {
            let client = match records.ids.get("client_id") {
                Some(client) => client.clone(),
                None => self.client(&by, owner_id.as_deref()).await,
            };
            records.put("contact_id", self.contact_of(&by, &client).await);
        }
        if operation == "link_client_contact" {
            let sibling = self.client(&by, owner_id.as_deref()).await;
            records.put("free_contact", self.contact_of(&by, &sibling).await);
        }
        if needs("client_duplicate_id") {
            let name = format!("Twin {}", self.number());
            for _ in 0..2 {
                let body = json!({ "kind": "company", "name": name, "owner_id": owner_id });
                records.put("client_id", self.app.post("/v1/clients", &by, &body).await.expect(201).id());
            }
            let path = format!("/v1/client-duplicates?client_id={}", records.get("client_id"));
            let pairs = self.app.get(&path, &by).await.expect(200);
            records.put("client_duplicate_id", pairs.body["data"][0]["id"].as_str().unwrap().to_owned());
        }
        if needs("interaction_id") {
            let body = json!({ "client_id": records.get("client_id"), "channel": "phone" });
            records.put("interaction_id", self.app.post("/v1/interactions", &by, &body).await.expect(201).id());
        }
        if needs("relationship_id") || operation == "create_client_relationship" {
            let other = self.client(&by, owner_id.as_deref()).await;
            if operation != "create_client_relationship" {
                let body = json!({ "kind": "partner", "from_client_id": records.get("client_id"), "to_client_id": other });
                records.put("relationship_id", self.app.post("/v1/client-relationships", &by, &body).await.expect(201).id());
            }
            records.put("other_client_id", other);
        }
        if needs("note_id") {
            let path = format!("/v1/clients/{}/notes", records.get("client_id"));
            records.put("note_id", self.app.post(&path, &by, &json!({ "body": "note" })).await.expect(201).id());
        }
        if needs("file_id") {
            let on = [("rel_type", "client"), ("rel_id", records.get("client_id"))];
            records.put("file_id", self.app.upload(&by, &on, "file.txt", b"file").await.expect(201).id());
        }
        if needs("folder_id") {
            let folder =
                json!({ "name": format!("folder {}", self.number()), "rel_type": "client", "rel_id": records.get("client_id") });
            records.put("folder_id", self.app.post("/v1/folders", &by, &folder).await.expect(201).id());
        }
        if needs("tag_id") || operation == "tag_client" {
            let tag = json!({ "name": format!("tag {}", self.number()) });
            records.put("tag_id", self.app.post("/v1/tags", &by, &tag).await.expect(201).id());
        }
        if operation == "create_acquisition_stage" {
            // there are fifty at most
            let made = "DELETE FROM acquisition_stage WHERE key LIKE 'made_%'";
            self.app.db.execute(made).await.unwrap();
        }
        if needs("acquisition_stage_id") {
            let stage = json!({ "key": format!("made_of_{}", self.number()), "name": "Stage" });
            records.put("acquisition_stage_id", self.app.post("/v1/acquisition-stages", &by, &stage).await.expect(201).id());
        }
        if needs("client_group_id") || operation == "add_client_to_group" {
            let group = json!({ "name": format!("group {}", self.number()) });
            records.put("client_group_id", self.app.post("/v1/client-groups", &by, &group).await.expect(201).id());
        }
        if operation == "remove_client_from_group" {
            let path = format!("/v1/clients/{}/groups", records.get("client_id"));
            let group = json!({ "client_group_id": records.get("client_group_id") });
            self.app.post(&path, &by, &group).await.expect(200);
        }
        if matches!(operation, "add_client_admin" | "remove_client_admin" | "transfer_clients") {
            let another = if by.workspace == self.other.workspace { Target::Elsewhere } else { Target::Above };
            let user = self.members[&another].0.clone();
            if operation == "remove_client_admin" {
                let path = format!("/v1/clients/{}/admins", records.get("client_id"));
                self.app.post(&path, &by, &json!({ "user_id": user })).await.expect(201);
            }
            records.put_standing("user_id", &user);
        }
        if matches!(operation, "preview_client_merge" | "merge_client" | "undo_client_merge") {
            let twin = self.client(&by, owner_id.as_deref()).await;
            if operation == "undo_client_merge" {
                let path = format!("/v1/clients/{}/merge", records.get("client_id"));
                self.app.post(&path, &by, &json!({ "merged_id": twin })).await.expect(200);
            }
            records.put_standing("twin_client", &twin);
        }
        if operation == "merge_tag" {
            let tag = json!({ "name": format!("tag {}", self.number()) });
            records.put_standing("other_tag", &self.app.post("/v1/tags", &self.main, &tag).await.expect(201).id());
        }
        if needs("view_id") {
            let maker = match target {
                Target::Own => owner.clone(),
                Target::Colleagues => self.app.sign_in("colleague@example.com").await,
                _ => by.clone(),
            };
            let view = json!({ "list": "clients", "name": format!("view {}", self.number()) });
            records.put("view_id", self.app.post("/v1/saved-views", &maker, &view).await.expect(201).id());
        }
        if operation == "create_custom_field" {
            // a record type has a hundred at most
            self.app.db.execute("DELETE FROM custom_field WHERE key LIKE 'made_%'").await.unwrap();
        }
        if needs("custom_field_id") {
            self.app.db.execute("DELETE FROM custom_field WHERE position > 60").await.unwrap();
            let field = json!({ "record_type": "client", "key": format!("own_{}", self.number()), "label": "Own", "field_type": "number" });
            records.put("custom_field_id", self.app.post("/v1/custom-fields", &by, &field).await.expect(201).id());
        }
        if needs("brand_id") {
            // one that is there before is the default, which goes last
            let brand = json!({ "name": format!("brand {}", self.number()) });
            self.app.post("/v1/brands", &by, &brand).await.expect(201);
            let brand = json!({ "name": format!("brand {}", self.number()) });
            records.put("brand_id", self.app.post("/v1/brands", &by, &brand).await.expect(201).id());
        }
        if operation == "untag_client" {
            let path = format!("/v1/clients/{}/tags", records.get("client_id"));
            self.app.post(&path, &by, &json!({ "tag_id": records.get("tag_id") })).await.expect(200);
        }
        if needs("token_id") {
            let maker = if target == Target::Own { owner } else { &by };
            let token = json!({ "name": "target", "scopes": ["tokens.manage_own"] });
            records.put("token_id", self.app.post("/v1/tokens", maker, &token).await.expect(201).id());
        }
        if operation.ends_with("_role_override") {
            let id = self.app.system_role(&by, "viewer").await;
            let over = json!({ "permissions": { "admin": { "manage_roles": false } } });
            self.app.patch(&format!("/v1/roles/{id}/override"), &by, &over).await.expect(200);
            // one for all calls, some of which change it
            records.put_standing("role_id", &id);
        } else if needs("role_id") {
            let key = format!("target_{}", self.number());
            records.put("role_id", self.app.role(&by, &key, &[]).await);
        }
        if needs("invitation_id") {
            let invitation = json!({ "email": format!("asked{}@example.com", self.number()), "role": "nothing" });
            records.put("invitation_id", self.app.post("/v1/invitations", &by, &invitation).await.expect(201).id());
        }
        if operation == "confirm_my_second_factor" && !owner.user_id.is_empty() {
            let password = json!({ "password": PASSWORD });
            self.app.post("/v1/me/second-factor", owner, &password).await.expect(200);
        }
        if operation == "reset_user_second_factor" {
            self.second_factor(&self.members[&target].0).await;
        }
        if operation == "end_portal_session" {
            records.put("session_id", self.portal_session(owner).await);
        } else if needs("session_id") {
            let user = match target {
                Target::Own => &owner.user_id,
                Target::Colleagues => &self.colleague.user_id,
                member => &self.members[&member].0,
            };
            records.put("session_id", self.session(user).await);
        }
        if needs("team_id") {
            self.team(&mut records, &by, operation, owner_id.as_deref()).await;
        } else if (needs("user_id") && !needs("client_id")) || needs("membership_id") {
            self.member(&mut records, &by, target).await;
        }
        if needs("workspace_id") {
            let id = if target == Target::Elsewhere { &self.other_id } else { &self.app.workspace };
            records.put_standing("workspace_id", id);
        }
        if let Some(state) = state_for(operation) {
            let file = format!("name\nMade {}\n", self.number());
            let begun = self.app.importing(&by, &[], "clients.csv", file.as_bytes());
            let id = self.app.send(begun).await.expect(202).id();
            let moment = "staged_at = created_at, approved_at = created_at";
            let sql = format!("UPDATE import_run SET state = '{state}', {moment} WHERE id = {}", self.app.db.uuid(&id));
            assert_eq!(self.app.db.execute(&sql).await, Ok(1));
            records.put("import_id", id);
        } else if needs("import_id") {
            records.put_standing("import_id", &self.imports[usize::from(target == Target::Elsewhere)]);
        }
        if needs("job_id") {
            let workspace = if target == Target::Elsewhere { &self.other_id } else { &self.app.workspace };
            records.put("job_id", job(&self.app, workspace, operation == "retry_job").await);
        }
        if operation == "request_backup" {
            // while one waits there is no other
            self.app.db.execute("DELETE FROM job WHERE kind = 'back_up'").await.unwrap();
        }
        if needs("backup_id") {
            records.put("backup_id", self.backup().await);
        }
        if needs("mail_message_id") {
            // of the invitations that made the members
            let list = self.app.get("/v1/mail-messages?limit=1", &by).await.expect(200);
            records.put_standing("mail_message_id", list.body["data"][0]["id"].as_str().unwrap());
        }
        if needs("mail_suppression_id") {
            let address = json!({ "address": format!("suppressed{}@example.com", self.number()) });
            records.put("mail_suppression_id", self.app.post("/v1/mail-suppressions", &by, &address).await.expect(201).id());
        }
        if needs("mail_template_id") || operation == "create_mail_template" {
            // there is one of each kind and language at most
            let list = self.app.get("/v1/mail-templates", &by).await.expect(200);
            let there = list.body["data"][0]["id"].as_str().map(str::to_owned);
            if operation == "create_mail_template" {
                if let Some(id) = there {
                    self.app.delete(&format!("/v1/mail-templates/{id}"), &by).await.expect(204);
                }
            } else {
                let id = match there {
                    Some(id) => id,
                    None => {
                        let template = super::requests::template(self.number());
                        self.app.post("/v1/mail-templates", &by, &template).await.expect(201).id()
                    }
                };
                records.put_standing("mail_template_id", &id);
            }
        }
        if operation == "reset_password" {
            let token = format!("plp_matrix-{}", self.number());
            let (user, _) = &self.members[&Target::Elsewhere];
            let user = self.app.db.uuid(user);
            self.app.db.execute(&format!("DELETE FROM password_reset WHERE user_id = {user}")).await.unwrap();
            let late = match self.app.db.engine {
                harness::Engine::Sqlite => "'2099-01-01T00:00:00+00:00'",
                harness::Engine::Postgres => "'2099-01-01T00:00:00+00:00'::timestamptz",
            };
            let hash = store::digest(token.as_bytes());
            let sql = format!(
                "INSERT INTO password_reset (user_id, token_hash, expires_at, created_at) VALUES ({user}, '{hash}', {late}, {late})"
            );
            assert_eq!(self.app.db.execute(&sql).await, Ok(1));
            records.put_standing("reset_token", &token);
        }
        if operation == "update_contact_portal" {
            let path = format!("/v1/contacts/{}/portal/invitation", records.get("contact_id"));
            let email = json!({ "email": format!("update{}@portal.example", self.number()) });
            self.app.post(&path, &by, &email).await.expect(200);
        }
        if operation == "set_portal_password" {
            let path = format!("/v1/contacts/{}/portal/invitation", self.contact.user_id);
            self.app.post(&path, &self.main, &json!({})).await.expect(200);
            records.put_standing("portal_token", &self.app.invitation_token("records@portal.example").await);
        }
        if operation == "portal_refresh" {
            if self.contact.refresh_token.is_empty() {
                self.contact = self.app.sign_in_to_portal("main", "records@portal.example").await;
            }
            records.put_standing("portal_refresh_token", &self.contact.refresh_token);
        }
        if operation == "switch_portal_client" {
            let portal_of = |id: &str| format!("/v1/contacts/{id}/portal");
            let mut portal = self.app.get(&portal_of(&owner.user_id), &self.main).await;
            if portal.status != 200 {
                portal = self.app.get(&portal_of(&self.contact.user_id), &self.main).await.expect(200);
            }
            let client = portal.body["clients"][0]["client"]["id"].as_str().unwrap().to_owned();
            records.put_standing("portal_client", &client);
        }
        if operation == "refresh" {
            records.put_standing("refresh_token", &self.refresh_token);
        }
        if operation == "accept_invitation" {
            let email = format!("accepts{}@example.com", self.number());
            let invitation = json!({ "email": email, "role": "nothing", "given_name": "New", "family_name": "Member" });
            self.app.post("/v1/invitations", &by, &invitation).await.expect(201);
            records.put_standing("invitation_token", &self.app.invitation_token(&email).await);
        }
        self.put_away(operation, &records, &by).await;
        records
    }

    /// A backup, which waits for ever: no worker is here.
    async fn backup(&self) -> String {
        let all = self.app.get("/v1/admin/backups", &self.app.admin).await.expect(200);
        match all.body["data"][0]["id"].as_str() {
            Some(id) => id.to_owned(),
            None => self.app.post("/v1/admin/backups", &self.app.admin, &json!({})).await.expect(201).id(),
        }
    }

    /// Archives what is to be restored or purged.
    async fn put_away(&self, operation: &str, records: &Records, by: &Session) {
        let path = match operation {
            "restore_client" | "purge_client" => format!("/v1/clients/{}", records.get("client_id")),
            "restore_contact" | "purge_contact" => format!("/v1/contacts/{}", records.get("contact_id")),
            "restore_file" | "purge_file" => format!("/v1/files/{}", records.get("file_id")),
            "restore_custom_field" | "purge_custom_field" => format!("/v1/custom-fields/{}", records.get("custom_field_id")),
            "restore_brand" | "purge_brand" => format!("/v1/brands/{}", records.get("brand_id")),
            "restore_client_note" => {
                format!("/v1/clients/{}/notes/{}", records.get("client_id"), records.get("note_id"))
            }
            "restore_interaction" => format!("/v1/interactions/{}", records.get("interaction_id")),
            _ => return,
        };
        self.app.delete(&path, by).await.expect(204);
    }

    /// A second factor of an account, straight into the database, that takes nobody's code.
    async fn second_factor(&self, user: &str) {
        let (id, user) = (self.app.db.uuid(&kernel::Runtime::system().uuid().to_string()), self.app.db.uuid(user));
        self.app.db.execute(&format!("DELETE FROM second_factor WHERE user_id = {user}")).await.unwrap();
        let sql = format!(
            "INSERT INTO second_factor (id, user_id, secret, version, created_at, updated_at) \
             SELECT {id}, {user}, '', 1, created_at, updated_at FROM user_account WHERE id = {user}"
        );
        assert_eq!(self.app.db.execute(&sql).await, Ok(1));
    }

    /// One more session of an account, straight into the database: to sign in costs a hash.
    async fn session(&self, user: &str) -> String {
        let id = kernel::Runtime::system().uuid().to_string();
        let (new, user) = (self.app.db.uuid(&id), self.app.db.uuid(user));
        let sql = format!(
            "INSERT INTO session (id, user_id, kind, expires_at, version, created_at, updated_at) \
             SELECT {new}, {user}, kind, expires_at, 1, created_at, updated_at FROM session WHERE revoked_at IS NULL LIMIT 1"
        );
        assert_eq!(self.app.db.execute(&sql).await, Ok(1));
        id
    }

    /// One more session of a contact, or of another where nobody of the portal asks.
    async fn portal_session(&self, owner: &Session) -> String {
        let id = kernel::Runtime::system().uuid().to_string();
        let another = self.app.db.uuid(&self.contact.user_id);
        let owner = if owner.user_id.is_empty() { another.clone() } else { self.app.db.uuid(&owner.user_id) };
        let new = self.app.db.uuid(&id);
        let sql = format!(
            "INSERT INTO session (id, contact_id, kind, expires_at, version, created_at, updated_at) \
             SELECT {new}, contact_id, kind, expires_at, 1, created_at, updated_at FROM session \
             WHERE revoked_at IS NULL AND contact_id IN ({owner}, {another}) ORDER BY contact_id = {owner} DESC LIMIT 1"
        );
        assert_eq!(self.app.db.execute(&sql).await, Ok(1));
        id
    }

    /// A team that the caller leads, or the colleague, with another in it unless that one is still to come.
    async fn team(&mut self, records: &mut Records, by: &Session, operation: &str, lead: Option<&str>) {
        let name = json!({ "name": format!("team {}", self.number()) });
        let team = self.app.post("/v1/teams", by, &name).await.expect(201).id();
        let members = format!("/v1/teams/{team}/members");
        if let Some(lead) = lead {
            let member = json!({ "user_id": lead, "role": "lead" });
            self.app.post(&members, by, &member).await.expect(201);
        }
        let another = if by.workspace == self.other.workspace { Target::Elsewhere } else { Target::Above };
        let (user, _) = &self.members[&another];
        if operation != "add_team_member" {
            self.app.post(&members, by, &json!({ "user_id": user })).await.expect(201);
        }
        records.put_standing("user_id", user);
        records.put("team_id", team);
    }

    async fn client(&self, by: &Session, owner: Option<&str>) -> String {
        self.client_of_kind("company", by, owner).await
    }

    async fn client_of_kind(&self, kind: &str, by: &Session, owner: Option<&str>) -> String {
        let name = if kind == "person" { "Person".to_owned() } else { format!("Client {}", kernel::Runtime::system().uuid()) };
        let body = json!({ "kind": kind, "name": name, "owner_id": owner });
        self.app.post("/v1/clients", by, &body).await.expect(201).id()
    }

    async fn contact_of(&self, by: &Session, client: &str) -> String {
        let contact = self.app.contact(by, "Contact").await;
        let link = json!({ "contact_id": contact });
        self.app.post(&format!("/v1/clients/{client}/contacts"), by, &link).await.expect(201);
        contact
    }

    /// A member, who is invited once more where an earlier call took them out.
    async fn member(&self, records: &mut Records, by: &Session, target: Target) {
        let (user, email) = &self.members[&target];
        let role = match target {
            Target::Above => "super_admin",
            Target::Elsewhere => "viewer",
            _ => "nothing",
        };
        let path = format!("/v1/memberships?user_id={user}");
        let mut list = self.app.get(&path, by).await.expect(200);
        if list.body["data"] == json!([]) {
            self.app.post("/v1/invitations", by, &json!({ "email": email, "role": role })).await.expect(201);
            let token = self.app.invitation_token(email).await;
            let accept = json!({ "token": token, "password": PASSWORD });
            self.app.post("/v1/auth/accept-invitation", &Session::nobody(), &accept).await.expect(200);
            list = self.app.get(&path, by).await.expect(200);
        }
        records.put_standing("user_id", user);
        records.put_standing("membership_id", list.body["data"][0]["id"].as_str().unwrap());
        records.put_standing("role", role);
    }
}
