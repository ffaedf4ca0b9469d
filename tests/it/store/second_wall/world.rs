//! Rows of every kind in every table, and those who ask for them.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::Arc;

use harness::{Engine, Session, TestApp};
use kernel::{Caller, Cause, TypedId as _, WorkspaceId};
use serde_json::{Value, json};

use super::tables::{Kept, TABLES};

/// Whose row it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Whose {
    /// Of the workspace that most callers are in, and of another account.
    Ours,
    /// Of another workspace, and of another account.
    Theirs,
    /// Of another workspace, and of the caller's own account.
    Mine,
    /// Of our workspace and another account, and seen by nobody else.
    Private,
    /// Of our workspace and another account, and seen by a team that the caller's account is in.
    Teams,
    /// Of our workspace and another account, and seen by a team that the caller's account is not in.
    OtherTeams,
    /// Of no workspace, and of another account.
    Nowhere,
    /// Of a table that does not ask.
    Any,
}

/// What a transaction says of its caller.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    pub name: &'static str,
    pub workspace: String,
    pub account: String,
    pub kind: &'static str,
    /// What it manages.
    pub manages: &'static str,
    /// Whether the account belongs to the other workspace too.
    pub belongs_to_theirs: bool,
    /// Whether the account belongs to ours.
    pub belongs_to_ours: bool,
}

impl Asking {
    /// Whether it is in our workspace.
    pub(super) fn in_ours(&self, world: &World) -> bool {
        self.workspace == world.ours
    }

    /// Whether it manages these.
    pub(super) fn manages(&self, what: &str) -> bool {
        self.manages.split(' ').any(|one| one == what)
    }

    /// The installation itself, at work in no workspace.
    pub(super) fn is_installation(&self) -> bool {
        self.kind == "job" && self.workspace.is_empty()
    }
}

/// Two workspaces with rows in every table.
pub(super) struct World {
    pub app: TestApp,
    pub ours: String,
    pub theirs: String,
    admin: String,
    agent: String,
}

/// Rows of every table of a workspace, made through the API.
async fn fill(app: &TestApp, session: &Session, name: &str) -> String {
    let client = app.client(session, name).await;
    let contact = app.contact(session, name).await;
    app.post(&format!("/v1/clients/{client}/contacts"), session, &json!({ "contact_id": contact })).await.expect(201);
    app.post(&format!("/v1/clients/{client}/notes"), session, &json!({ "body": name })).await.expect(201);
    let group = app.post("/v1/client-groups", session, &json!({ "name": name })).await.expect(201).id();
    app.post(&format!("/v1/clients/{client}/groups"), session, &json!({ "client_group_id": group })).await.expect(200);
    app.post(&format!("/v1/clients/{client}/admins"), session, &json!({ "user_id": session.user_id })).await.expect(201);
    let other = app.client(session, name).await;
    let related = json!({ "kind": "partner", "from_client_id": client, "to_client_id": other });
    app.post("/v1/client-relationships", session, &related).await.expect(201);
    app.post(
        "/v1/interactions",
        session,
        &json!({ "client_id": client, "channel": "phone", "participants": [{ "contact_id": contact }] }),
    )
    .await
    .expect(201);
    let (one, twin) = (app.client(session, name).await, app.client(session, name).await);
    app.post(&format!("/v1/clients/{one}/merge"), session, &json!({ "merged_id": twin })).await.expect(200);
    app.act("/v1/client-duplicates/search", session).await.expect(202);
    app.post("/v1/folders", session, &json!({ "name": name })).await.expect(201);
    app.upload(session, &[("subject", name)], "kept.txt", b"kept").await.expect(201);
    let tag = app.post("/v1/tags", session, &json!({ "name": name })).await.expect(201).id();
    app.post(&format!("/v1/clients/{client}/tags"), session, &json!({ "tag_id": tag })).await.expect(200);
    let field = json!({ "record_type": "client", "key": "note", "label": "Note", "field_type": "text" });
    app.post("/v1/custom-fields", session, &field).await.expect(201);
    app.post("/v1/brands", session, &json!({ "name": name })).await.expect(201);
    app.token(session, &["clients.view_all"]).await;
    app.get("/v1/customers", session).await.expect(200);
    app.post_once("/v1/clients", session, name, &json!({ "kind": "company", "name": name, "roles": ["vendor"] }))
        .await
        .expect(201);
    let invitation = json!({ "email": format!("{name}@example.com"), "role": "viewer" });
    app.post("/v1/invitations", session, &invitation).await.expect(201);
    app.role(session, name, &["clients.view_all"]).await;
    let viewer = app.system_role(session, "viewer").await;
    let over = json!({ "permissions": { "clients": { "export": true } } });
    app.patch(&format!("/v1/roles/{viewer}/override"), session, &over).await.expect(200);
    let team = app.post("/v1/teams", session, &json!({ "name": name })).await.expect(201).id();
    let member = json!({ "user_id": session.user_id });
    app.post(&format!("/v1/teams/{team}/members"), session, &member).await.expect(201);
    let person = json!({ "given_name": name, "emails": [{ "kind": "work", "address": "same@portal.example" }] });
    let person = app.post("/v1/contacts", session, &person).await.expect(201).id();
    app.post(&format!("/v1/clients/{client}/contacts"), session, &json!({ "contact_id": person })).await.expect(201);
    app.post(&format!("/v1/contacts/{person}/portal/invitation"), session, &json!({})).await.expect(200);
    let device = "INSERT INTO portal_device SELECT id, 'x', now() FROM portal_account ON CONFLICT DO NOTHING";
    app.db.execute(device).await.unwrap();
    app.post("/v1/mail-suppressions", session, &json!({ "address": format!("{name}@gone.example") })).await.expect(201);
    let template = json!({ "kind": "lock_out", "language": "en", "subject": name, "text": name, "html": name });
    app.post("/v1/mail-templates", session, &template).await.expect(201);
    let workspace = app.db.scalar(&format!("SELECT workspace_id::text FROM client WHERE id = '{client}'")).await.unwrap();
    let run = app.store().await.runtime().uuid();
    let importer = Arc::new(Caller::job(run, Some(WorkspaceId::from_uuid(workspace.parse().unwrap())), Cause::Import(run)));
    let options = clients::import::ImportOptions {
        csv: platform::csv_source::Options::default(),
        source: name.to_owned(),
        file_name: "x.csv".to_owned(),
    };
    let file = Cursor::new("name,unknown\nx,y\n");
    clients::import::import_csv(&app.store().await, &importer, file, &options, |_| {}, |_| {}).await.unwrap();
    crate::permissions::stage_row(app, &run.to_string()).await;
    workspace
}

/// Views of everybody in a workspace, shared in every way; teams of both, of one of them, and of neither.
async fn views(app: &TestApp, agent: &Session, admin: &Session) {
    let third = app.member(admin, "super_admin", "third@example.com").await;
    let everybody = [agent, admin, &third];
    for (maker, name) in everybody.into_iter().zip(["agent", "admin", "third"]) {
        let team = app.post("/v1/teams", admin, &json!({ "name": format!("{name} alone") })).await.expect(201).id();
        let both = app.post("/v1/teams", admin, &json!({ "name": format!("{name} and all") })).await.expect(201).id();
        app.post(&format!("/v1/teams/{team}/members"), admin, &json!({ "user_id": maker.user_id })).await.expect(201);
        for session in everybody {
            app.post(&format!("/v1/teams/{both}/members"), admin, &json!({ "user_id": session.user_id })).await.expect(201);
        }
        for (sharing, team) in [("private", None), ("workspace", None), ("team", Some(&team)), ("team", Some(&both))] {
            let name = format!("{sharing} {team:?}");
            let view = json!({ "list": "clients", "name": name, "sharing": sharing, "team_id": team, "is_default": true });
            app.post("/v1/saved-views", maker, &view).await.expect(201);
        }
    }
}

impl World {
    /// None on SQLite, which has no row security.
    pub(super) async fn make() -> Option<Self> {
        if Engine::chosen() == Engine::Sqlite {
            return None;
        }
        let app = TestApp::spawn().await;
        let other = app.second_workspace("other").await;
        let agent = app.member(&app.admin.in_workspace("main"), "super_admin", "agent@example.com").await;
        let stranger = app.member(&other, "super_admin", "stranger@example.com").await;
        let ours = fill(&app, &agent, "ours").await;
        let theirs = fill(&app, &stranger, "theirs").await;
        for workspace in [&other, &app.admin.in_workspace("main")] {
            let client = app.client(workspace, "responsible").await;
            let responsible = json!({ "user_id": app.admin.user_id });
            app.post(&format!("/v1/clients/{client}/admins"), workspace, &responsible).await.expect(201);
            app.token(workspace, &["clients.view_all"]).await;
            app.get("/v1/customers", workspace).await.expect(200);
            // which is written down by then
            app.get("/v1/deprecations", workspace).await.expect(200);
            let team = app.get("/v1/teams", workspace).await.expect(200).body["data"][0]["id"].as_str().unwrap().to_owned();
            let member = json!({ "user_id": app.admin.user_id });
            app.post(&format!("/v1/teams/{team}/members"), workspace, &member).await.expect(201);
        }
        views(&app, &agent, &app.admin.in_workspace("main")).await;
        let foreign = json!({ "list": "clients", "name": "theirs", "sharing": "workspace", "is_default": true });
        app.post("/v1/saved-views", &stranger, &foreign).await.expect(201);
        // rows of no workspace: an answer to nobody that is kept, a failure of nobody we know, a mail that is nobody's
        let nobody = Session::nobody();
        let login = json!({ "email": "stranger@example.com", "password": harness::PASSWORD });
        app.post_once("/v1/auth/login", &nobody, "kept", &login).await.expect(200);
        let wrong = json!({ "email": "nobody@example.com", "password": "wrong" });
        app.post("/v1/auth/login", &nobody, &wrong).await.expect(401);
        app.db
            .execute(
                "INSERT INTO mail_message (id, kind, to_address, subject, body, message_id, version, created_at, updated_at) \
                 SELECT gen_random_uuid(), kind, to_address, subject, body, 'nowhere', version, created_at, updated_at \
                 FROM mail_message LIMIT 1",
            )
            .await
            .unwrap();
        // objects that are still to be removed
        app.db
            .execute(
                "INSERT INTO file_removal (id, workspace_id, storage_bucket, storage_key, created_at) \
                 SELECT gen_random_uuid(), workspace_id, storage_bucket, storage_key, created_at FROM file",
            )
            .await
            .unwrap();
        let jobs = "INSERT INTO job (id, workspace_id, queue, kind, payload, state, is_due, run_at, attempt, failures, max_attempts, lost, \
                    progress, is_cancelled, version, created_at, updated_at) \
                    SELECT gen_random_uuid(), place, 'maintenance', 'noop', '{}', 'waiting', true, now(), 0, 0, 3, 0, 0, false, 1, now(), now() \
                    FROM (SELECT id AS place FROM workspace UNION ALL SELECT NULL) AS places";
        app.db.execute(jobs).await.unwrap();
        app.db
            .execute(
                "INSERT INTO password_reset (user_id, token_hash, expires_at, created_at) \
                 SELECT id, id::text, now(), now() FROM user_account",
            )
            .await
            .unwrap();
        let factor = "INSERT INTO second_factor (id, user_id, secret, version, created_at, updated_at) \
                      SELECT gen_random_uuid(), id, '', 1, now(), now() FROM user_account";
        app.db.execute(factor).await.unwrap();
        app.db.execute("INSERT INTO api_token_usage SELECT workspace_id, id, created_at, 1 FROM api_token").await.unwrap();
        app.db.execute("INSERT INTO recovery_code (user_id, hash) SELECT id, '' FROM user_account").await.unwrap();
        let everywhere = json!({ "tokens.require_networks": false });
        app.patch("/v1/installation/settings", &app.admin.in_workspace("main"), &everywhere).await.expect(200);
        app.post("/v1/admin/backups", &app.admin.in_workspace("main"), &json!({})).await.expect(201);
        app.db.execute("INSERT INTO job_worker VALUES (gen_random_uuid(), 1, now())").await.unwrap();
        app.db.execute("INSERT INTO job_schedule VALUES ('x', '', 'daily', now())").await.unwrap();
        let (admin, agent) = (app.admin.user_id.clone(), agent.user_id);
        Some(Self { app, ours, theirs, admin, agent })
    }

    /// Whether it is a super admin of the installation.
    pub(super) fn is_super_admin(&self, asking: &Asking) -> bool {
        asking.account == self.admin
    }

    /// Everybody who can ask.
    pub(super) fn asking(&self) -> Vec<Asking> {
        let none = String::new;
        let elsewhere = || "01900000-0000-7000-8000-000000000000".to_owned();
        let of = |name, workspace, account, kind| Asking {
            name,
            workspace,
            belongs_to_theirs: account == self.admin,
            belongs_to_ours: account == self.admin || account == self.agent,
            account,
            kind,
            manages: if kind == "job" { "accounts tokens views" } else { "" },
        };
        let managing = |name, manages| Asking { manages, ..of(name, self.ours.clone(), self.agent.clone(), "user") };
        vec![
            managing("who manages accounts", "accounts"),
            managing("who manages tokens", "tokens"),
            managing("who manages views", "views"),
            of("a member", self.ours.clone(), self.agent.clone(), "user"),
            of("a member of both", self.ours.clone(), self.admin.clone(), "user"),
            of("a token", self.ours.clone(), self.agent.clone(), "token"),
            of("a job in ours", self.ours.clone(), none(), "job"),
            of("the installation", none(), none(), "job"),
            of("a member outside", none(), self.agent.clone(), "user"),
            of("nobody", none(), none(), "anonymous"),
            of("one who says nothing", none(), none(), ""),
            of("a stranger", elsewhere(), elsewhere(), "user"),
        ]
    }

    /// The condition that a row of a table is such a one for the caller.
    pub(super) fn condition(&self, table: &str, columns: &[&str], whose: Whose, asking: &Asking) -> String {
        let key = if table == "workspace" { "id" } else { "workspace_id" };
        let account = match asking.account.as_str() {
            "" => "NULL::uuid".to_owned(),
            account => format!("'{account}'::uuid"),
        };
        if TABLES.iter().any(|known| known.table == table && known.kept == Kept::ByAccount) {
            let of_ours = format!("user_id IN (SELECT user_id FROM membership WHERE workspace_id = '{}')", self.ours);
            return match whose {
                Whose::Mine => format!("user_id = {account}"),
                Whose::Ours => format!("{of_ours} AND coalesce(user_id <> {account}, true)"),
                _ => format!("NOT {of_ours}"),
            };
        }
        let is_kept = |kept: Kept| TABLES.iter().any(|known| known.table == table && known.kept == kept);
        if is_kept(Kept::AsAccount) {
            // memberships are walled themselves
            return match whose {
                Whose::Mine => format!("id = {account}"),
                Whose::Ours => "email_key = 'third@example.com'".to_owned(),
                _ => "email_key = 'stranger@example.com'".to_owned(),
            };
        }
        if is_kept(Kept::ByOwner) || is_kept(Kept::Own) {
            let anothers = format!("coalesce(user_id <> {account}, true)");
            return match whose {
                Whose::Mine => format!("workspace_id = '{}' AND user_id = {account}", self.ours),
                Whose::Ours => format!("workspace_id = '{}' AND {anothers}", self.ours),
                _ => format!("workspace_id = '{}'", self.theirs),
            };
        }
        if TABLES.iter().any(|known| known.table == table && known.kept == Kept::BySharing) {
            let (ours, anothers) = (format!("workspace_id = '{}'", self.ours), format!("coalesce(user_id <> {account}, true)"));
            let teams = format!("team_id IN (SELECT team_id FROM team_member WHERE user_id = {account})");
            return match whose {
                Whose::Theirs => format!("workspace_id = '{}'", self.theirs),
                Whose::Mine => format!("{ours} AND user_id = {account}"),
                Whose::Private => format!("{ours} AND {anothers} AND NOT is_shared AND team_id IS NULL"),
                Whose::Teams => format!("{ours} AND {anothers} AND NOT is_shared AND {teams}"),
                Whose::OtherTeams => format!("{ours} AND {anothers} AND NOT is_shared AND team_id IS NOT NULL AND NOT {teams}"),
                _ => format!("{ours} AND {anothers} AND is_shared"),
            };
        }
        let of_another = format!("coalesce(user_id <> {account}, true)");
        let (workspace, account) = match whose {
            Whose::Any => return "true".to_owned(),
            Whose::Ours => (format!("{key} = '{}'", self.ours), of_another),
            Whose::Theirs => (format!("{key} = '{}'", self.theirs), of_another),
            Whose::Mine => (format!("{key} = '{}'", self.theirs), format!("user_id = {account}")),
            Whose::Nowhere => (format!("{key} IS NULL"), of_another),
            Whose::Private | Whose::Teams | Whose::OtherTeams => unreachable!("of tables that are kept by sharing"),
        };
        if columns.contains(&"user_id") { format!("{workspace} AND {account}") } else { workspace }
    }

    /// One such row of every table and kind, to be inserted once more. Fetched before anything is locked.
    pub(super) async fn samples(&self) -> Samples {
        let mut samples = Samples::new();
        for table in TABLES {
            for asking in self.asking() {
                for whose in table.whose(&asking) {
                    let (name, condition) = (table.table, self.condition(table.table, table.columns, whose, &asking));
                    if samples.contains_key(&(name, condition.clone())) {
                        continue;
                    }
                    let sql = format!("SELECT row_to_json(t)::text FROM {name} t WHERE {condition} LIMIT 1");
                    let row = self.app.db.scalar(&sql).await;
                    let row = row.unwrap_or_else(|| panic!("no row of {name} where {condition}: let the world make one"));
                    samples.insert((name, condition), serde_json::from_str(&row).unwrap());
                }
            }
        }
        samples
    }
}

/// A row by its table and condition.
pub(super) type Samples = HashMap<(&'static str, String), Value>;
