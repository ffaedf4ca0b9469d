//! Two workspaces, two owners in one of them, and everybody who reads.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use harness::{Engine, Session, TestApp};
use kernel::{Permission, PermissionSet};
use serde_json::json;

use super::super::callers::ROLES;
use super::super::records::{import, job};

/// Somebody who reads.
pub(super) struct Reader {
    pub name: String,
    pub session: Session,
    /// The account, or the one that the token acts for.
    pub account: String,
    /// The token, where it is one.
    pub token: Option<String>,
    pub permissions: PermissionSet,
    pub workspace: String,
}

impl Reader {
    pub(super) fn can(&self, permission: Permission) -> bool {
        self.permissions.contains(permission)
    }
}

/// What there is to read.
pub(super) struct Data {
    pub app: TestApp,
    pub readers: Vec<Reader>,
    pub clients: Vec<String>,
    pub contacts: Vec<String>,
    pub imports: Vec<String>,
    pub teams: Vec<String>,
    pub accounts: Vec<String>,
    /// Answers of the database, but of the journal, which goes on while it is read.
    known: Mutex<HashMap<String, BTreeSet<String>>>,
}

impl Data {
    /// Ids (or anything else of type uuid) by a query, as bare hexadecimal digits.
    pub(super) async fn ids(&self, column: &str, rest: &str) -> BTreeSet<String> {
        let shown = match self.app.db.engine {
            Engine::Sqlite => format!("lower(hex({column}))"),
            Engine::Postgres => format!("replace({column}::text, '-', '')"),
        };
        let sql = format!("SELECT {shown} FROM {rest}");
        let known = self.known.lock().unwrap().get(&sql).cloned();
        if let Some(known) = known {
            return known;
        }
        let ids: BTreeSet<String> = self.app.db.rows(&sql).await.into_iter().collect();
        if !rest.starts_with("journal_entry") {
            self.known.lock().unwrap().insert(sql, ids.clone());
        }
        ids
    }

    /// An id as it stands in SQL.
    pub(super) fn sql(&self, id: &str) -> String {
        self.app.db.uuid(id)
    }
}

struct Making {
    app: TestApp,
    /// The client that was made last, and in which workspace.
    last: Option<(Option<String>, String)>,
    clients: Vec<String>,
    contacts: Vec<String>,
}

impl Making {
    /// A client with a contact, a note and a tag of its own; every one of them has a mark that nothing else has.
    async fn client(&mut self, by: &Session, tags: &Session, mark: &str, owner: Option<&str>, parent: Option<&str>) -> String {
        let body = json!({ "kind": "company", "name": format!("Παπάς {mark}"), "owner_id": owner, "acquisition_stage": "lead" });
        let client = self.app.post("/v1/clients", by, &body).await.expect(201).id();
        if parent.is_some() {
            // by one who may see it
            self.app.patch(&format!("/v1/clients/{client}"), tags, &json!({ "parent_id": parent })).await.expect(200);
        }
        let contact = json!({ "given_name": "Παπάς", "family_name": format!("contact-{mark}") });
        let contact = self.app.post("/v1/contacts", by, &contact).await.expect(201).id();
        self.link(by, &client, &contact).await;
        let note = json!({ "body": format!("note-{mark}") });
        self.app.post(&format!("/v1/clients/{client}/notes"), by, &note).await.expect(201);
        for of in [json!({ "client_id": client, "contact_id": contact }), json!({ "contact_id": contact })] {
            let mut body = of;
            body["channel"] = json!("phone");
            body["note"] = json!(format!("interaction-{mark}"));
            body["follow_up_at"] = json!("2000-01-01T00:00:00Z");
            // one who does not see the contact by itself is not the one to write it down
            self.app.post("/v1/interactions", tags, &body).await.expect(201);
        }
        if let Some((_, before)) = self.last.take().filter(|(workspace, _)| *workspace == tags.workspace) {
            let body = json!({ "kind": "partner", "from_client_id": before, "to_client_id": client });
            self.app.post("/v1/client-relationships", tags, &body).await.expect(201);
        }
        self.last = Some((tags.workspace.clone(), client.clone()));
        let group = json!({ "name": format!("group-{mark}") });
        let group = self.app.post("/v1/client-groups", tags, &group).await.expect(201).id();
        let groups = format!("/v1/clients/{client}/groups");
        self.app.post(&groups, by, &json!({ "client_group_id": group })).await.expect(200);
        let tag = self.app.post("/v1/tags", tags, &json!({ "name": format!("tag-{mark}") })).await.expect(201).id();
        self.app.post(&format!("/v1/clients/{client}/tags"), by, &json!({ "tag_id": tag })).await.expect(200);
        for (rel_type, rel_id) in [("client", &client), ("contact", &contact)] {
            let members = [("rel_type", rel_type), ("rel_id", rel_id.as_str()), ("subject", "Παπάς")];
            self.app.upload(by, &members, &format!("{mark}.txt"), mark.as_bytes()).await.expect(201);
            let folder = json!({ "name": mark, "rel_type": rel_type, "rel_id": rel_id });
            self.app.post("/v1/folders", by, &folder).await.expect(201);
        }
        self.clients.push(client.clone());
        self.contacts.push(contact);
        client
    }

    async fn link(&self, by: &Session, client: &str, contact: &str) {
        self.app.post(&format!("/v1/clients/{client}/contacts"), by, &json!({ "contact_id": contact })).await.expect(201);
    }
}

/// Makes it all.
pub(super) async fn make() -> Data {
    let app = TestApp::spawn().await;
    let other = app.second_workspace("other").await;
    let main = app.admin.in_workspace("main");
    let mut readers = Vec::new();
    let mut read_as = |name: &str, session: &Session, permissions: PermissionSet| {
        let (account, workspace) = (session.user_id.clone(), app.workspace.clone());
        readers.push(Reader { name: name.to_owned(), session: session.clone(), account, token: None, permissions, workspace });
    };
    for role in ROLES {
        let session = app.member(&main, role, &format!("{role}@example.com")).await;
        read_as(role, &session, auth::roles::system_role_permissions(role).unwrap());
    }
    let agent = auth::roles::system_role_permissions("sales_agent").unwrap();
    let (first, second) = (
        app.member(&main, "sales_agent", "first@example.com").await,
        app.member(&main, "sales_agent", "second@example.com").await,
    );
    read_as("the first owner", &first, agent);
    read_as("the second owner", &second, agent);
    // roles as a workspace may make them: each lacks something that the system roles give together
    let custom: [(&str, &[Permission]); 5] = [
        ("nothing", &[]),
        ("auditor", &[Permission::AdminViewAuditLog]),
        ("own_auditor", &[Permission::AdminViewAuditLog, Permission::ClientsViewOwn, Permission::ContactsView]),
        ("clients_only", &[Permission::ClientsViewAll, Permission::AdminViewAuditLog]),
        ("contacts_only", &[Permission::ContactsView, Permission::AdminViewAuditLog]),
    ];
    let mut own_auditor = Session::nobody();
    for (key, permissions) in custom {
        let names: Vec<&str> = permissions.iter().map(|permission| permission.as_str()).collect();
        app.role(&main, key, &names).await;
        let session = app.member(&main, key, &format!("{key}@example.com")).await;
        read_as(key, &session, permissions.iter().copied().collect());
        if key == "own_auditor" {
            own_auditor = session;
        }
    }
    let director = app.sign_in("director@example.com").await;

    let mut making = Making { app, last: None, clients: Vec::new(), contacts: Vec::new() };
    let below = making.client(&second, &main, "second", None, None).await;
    making.client(&first, &main, "first", None, Some(&below)).await;
    making.client(&main, &main, "given", Some(&first.user_id), None).await;
    let nobodys = making.client(&main, &main, "nobodys", None, None).await;
    // whom another is responsible for, who neither owns nor made it
    let responsible = json!({ "user_id": second.user_id });
    making.app.post(&format!("/v1/clients/{nobodys}/admins"), &main, &responsible).await.expect(201);
    making.client(&main, &main, "audited", Some(&own_auditor.user_id), None).await;
    making.client(&other, &other, "elsewhere", None, None).await;
    let shared = making.contacts[1].clone();
    making.link(&main, &below, &shared).await;
    let alone = making.app.post("/v1/contacts", &main, &json!({ "given_name": "Παπάς", "family_name": "contact-alone" })).await;
    making.contacts.push(alone.expect(201).id());
    let away = making.client(&main, &main, "away", Some(&first.user_id), None).await;
    making.app.delete(&format!("/v1/clients/{away}"), &main).await.expect(204);
    let Making { app, clients, contacts, .. } = making;
    for workspace in [&main, &other] {
        app.upload(workspace, &[("subject", "Παπάς")], "alone.txt", b"alone").await.expect(201);
        let gone = app.upload(workspace, &[("subject", "Παπάς")], "gone.txt", b"gone").await.expect(201).id();
        app.delete(&format!("/v1/files/{gone}"), workspace).await.expect(204);
        app.post("/v1/folders", workspace, &json!({ "name": "alone" })).await.expect(201);
        for record_type in ["client", "contact"] {
            let field = json!({ "record_type": record_type, "key": "note", "label": "Note", "field_type": "text" });
            app.post("/v1/custom-fields", workspace, &field).await.expect(201);
        }
        let brand = app.post("/v1/brands", workspace, &json!({ "name": "Παπάς" })).await.expect(201).id();
        let picture = crate::files::samples::picture(image::ImageFormat::Png, 2, 2);
        let on = [("rel_type", "brand"), ("rel_id", brand.as_str()), ("subject", "Παπάς")];
        app.upload(workspace, &on, "logo.png", &picture).await.expect(201);
        app.post("/v1/mail-suppressions", workspace, &json!({ "address": "gone@example.com" })).await.expect(201);
        app.post("/v1/mail-templates", workspace, &crate::permissions::requests::template(1)).await.expect(201);
    }

    app.patch("/v1/installation/settings", &main, &json!({ "tokens.require_networks": false })).await.expect(200);

    // the director makes something too, here and elsewhere, so that its tokens have acts of their maker to read
    app.client(&director, "Παπάς director").await;
    let elsewhere = json!({ "email": "director@example.com", "role": "director" });
    app.post("/v1/invitations", &other, &elsewhere).await.expect(201);
    let accept = json!({ "token": app.invitation_token("director@example.com").await });
    app.post("/v1/auth/accept-invitation", &Session::nobody(), &accept).await.expect(200);
    app.client(&director.in_workspace("other"), "Παπάς directors elsewhere").await;
    let (main_id, other_id) = (app.workspace.clone(), other_id(&app, &other).await);
    let in_main = director.in_workspace("main");
    for scopes in [
        &["clients.view_own"][..],
        &["products.view"],
        &["admin.view_audit_log"],
        &["admin.view_audit_log", "contacts.view"],
        &["tokens.manage_own", "admin.manage_users"],
    ] {
        let made = app.post("/v1/tokens", &in_main, &json!({ "name": scopes.join(" "), "scopes": scopes })).await.expect(201);
        readers.push(Reader {
            name: format!("a token for {}", scopes.join(" and ")),
            session: Session::bearer(made.body["secret"].as_str().unwrap()),
            account: director.user_id.clone(),
            token: Some(made.id()),
            permissions: scopes.iter().map(|scope| scope.parse::<Permission>().unwrap()).collect(),
            workspace: main_id.clone(),
        });
    }
    for reader in &mut readers {
        if reader.name == "director" {
            reader.session = in_main.clone();
        }
    }
    let stranger = app.member(&other, "director", "stranger@example.com").await;
    readers.push(Reader {
        name: "one of the other workspace".to_owned(),
        account: stranger.user_id.clone(),
        session: stranger,
        token: None,
        permissions: auth::roles::system_role_permissions("director").unwrap(),
        workspace: other_id.clone(),
    });
    for workspace in [&main_id, &other_id] {
        job(&app, workspace, true).await;
    }
    let imports = vec![import(&app, &main_id, "main").await, import(&app, &other_id, "other").await];
    let teams = vec![
        team(&app, &main, &[(&first, "lead"), (&second, "member")]).await,
        team(&app, &main, &[(&in_main, "member")]).await,
        team(&app, &other, &[(&director, "lead")]).await,
    ];
    for (session, team, list) in [
        (&first, Some(&teams[0]), "clients"),
        (&in_main, Some(&teams[1]), "contacts"),
        (&main, None, "clients"),
        (&other, None, "contacts"),
    ] {
        view(&app, session, list, &json!({ "sharing": "private" })).await;
        view(&app, session, list, &json!({ "sharing": "workspace" })).await;
        if let Some(team) = team {
            view(&app, session, list, &json!({ "sharing": "team", "team_id": team })).await;
        }
    }
    let mut accounts: Vec<String> = readers.iter().map(|reader| reader.account.clone()).collect();
    accounts.sort();
    accounts.dedup();
    Data { app, readers, clients, contacts, imports, teams, accounts, known: Mutex::default() }
}

async fn view(app: &TestApp, by: &Session, list: &str, shared: &serde_json::Value) {
    let mut view = json!({ "list": list, "name": shared["sharing"], "query": { "q": "παπας" }, "is_default": true });
    view.as_object_mut().unwrap().extend(shared.as_object().unwrap().clone());
    app.post("/v1/saved-views", by, &view).await.expect(201);
}

async fn team(app: &TestApp, by: &Session, members: &[(&Session, &str)]) -> String {
    let name = json!({ "name": format!("team of {}", members[0].0.user_id) });
    let team = app.post("/v1/teams", by, &name).await.expect(201).id();
    for (session, role) in members {
        let member = json!({ "user_id": session.user_id, "role": role });
        app.post(&format!("/v1/teams/{team}/members"), by, &member).await.expect(201);
    }
    team
}

async fn other_id(app: &TestApp, other: &Session) -> String {
    let list = app.get("/v1/workspaces?slug=other", other).await.expect(200);
    list.body["data"][0]["id"].as_str().unwrap().to_owned()
}
