//! The kinds of caller, each with what it is known to hold.

use std::collections::HashMap;

use ::api::access::{Access, Operation, Reach};
use harness::{Session, TestApp};
use kernel::{Permission, PermissionSet, PortalPermission};
use serde_json::json;

/// The system roles.
pub(crate) const ROLES: [&str; 7] =
    ["super_admin", "director", "sales_manager", "sales_agent", "support_lead", "support_agent", "viewer"];

/// What a kind of caller holds in the workspace `main`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Holds {
    /// These permissions.
    Permissions(PermissionSet),
    /// Everything everywhere: a super admin of the installation.
    SuperAdmin,
    /// An account without any workspace.
    NoWorkspace,
    /// An account of another workspace, that names this one.
    Elsewhere,
    /// A contact in the portal of a client, who may do these things there.
    Contact(&'static [PortalPermission]),
    /// A token that is good, but not from here.
    ForbiddenNetwork,
    /// Nothing that is good.
    Nothing,
}

/// Chooses what a token for an operation is given.
type Choose = fn(&Operation) -> PermissionSet;

/// Where a kind of caller's bearer token comes from.
enum Bearer {
    /// Always the same.
    Fixed(Session),
    /// An API token that is made for the operation, with the permissions that this chooses.
    Made(Choose),
}

/// A kind of caller.
pub(crate) struct Kind {
    /// Its name in the table.
    pub name: &'static str,
    /// The account behind it, and how it signs in once more; none for nobody.
    pub email: Option<String>,
    holds: Holds,
    bearer: Bearer,
}

/// All kinds of caller, and the tokens that were made for operations.
pub(crate) struct Callers {
    /// In the order of the table's columns.
    pub kinds: Vec<Kind>,
    /// Whose tokens the API tokens are: an account that holds everything in `main`.
    pub maker: Session,
    tokens: HashMap<String, Session>,
}

fn named(operation: &Operation) -> PermissionSet {
    match operation.access {
        Access::AnyOf(list) | Access::AllOf(list) => list.iter().copied().collect(),
        _ => PermissionSet::none(),
    }
}

/// Every permission that the operation names, and what it takes to see all records that it reaches.
fn with_the_scope(operation: &Operation) -> PermissionSet {
    let mut set = named(operation);
    if operation.reach == Reach::WorkspaceOrOwn && !operation.id.contains("token") {
        set.insert(Permission::ClientsViewAll);
        set.insert(Permission::ContactsView);
    }
    set
}

/// The same, but it sees only what is its maker's.
fn with_the_scope_own(operation: &Operation) -> PermissionSet {
    let mut set = with_the_scope(operation);
    set.remove(Permission::AdminManageTokens);
    if set.contains(Permission::ClientsViewAll) {
        set.remove(Permission::ClientsViewAll);
        set.insert(Permission::ClientsViewOwn);
    }
    set
}

/// Everything there is but what the operation names; of several that it needs together, the last alone is lacking.
fn without_the_scope(operation: &Operation) -> PermissionSet {
    let mut set = PermissionSet::all();
    match operation.access {
        Access::AnyOf(list) => list.iter().for_each(|permission| set.remove(*permission)),
        Access::AllOf(list) => set.remove(*list.last().unwrap()),
        _ => {}
    }
    set
}

impl Callers {
    pub(crate) async fn make(app: &TestApp) -> Self {
        // an account of its own, as it changes its password; no operation makes a super admin of the installation yet
        let installation = app.member(&app.admin, "super_admin", "installation@example.com").await;
        let id = app.db.uuid(&installation.user_id);
        assert_eq!(app.db.execute(&format!("UPDATE user_account SET is_super_admin = true WHERE id = {id}")).await, Ok(1));
        let installation = app.sign_in("installation@example.com").await.in_workspace("main");
        let mut kinds = vec![
            Kind::fixed("anonymous", None, Session::nobody(), Holds::Nothing),
            Kind::fixed("installation", Some("installation@example.com".to_owned()), installation, Holds::SuperAdmin),
        ];
        let mut maker = Session::nobody();
        for role in ROLES {
            let email = format!("{role}@example.com");
            let session = app.member(&app.admin, role, &email).await;
            if role == "super_admin" {
                maker = session.clone();
            }
            let permissions = auth::roles::system_role_permissions(role).unwrap();
            kinds.push(Kind::fixed(role, Some(email), session, Holds::Permissions(permissions)));
        }
        app.role(&app.admin, "nothing", &[]).await;
        let nothing = app.member(&app.admin, "nothing", "nothing@example.com").await;
        let holds = Holds::Permissions(PermissionSet::none());
        kinds.push(Kind::fixed("nothing", Some("nothing@example.com".to_owned()), nothing, holds));

        let other = app.second_workspace("other").await;
        app.role(&other, "nothing", &[]).await;
        let stranger = app.member(&other, "super_admin", "stranger@example.com").await.in_workspace("main");
        kinds.push(Kind::fixed("elsewhere", None, stranger, Holds::Elsewhere));

        // of one client with everything, of another with nothing but the menu
        let contacts: [(&str, &'static [PortalPermission]); 2] =
            [("contact", &PortalPermission::ALL), ("contact:other", &[PortalPermission::Invoices, PortalPermission::Support])];
        for (name, permissions) in contacts {
            let client = app.client(&app.admin.in_workspace("main"), name).await;
            let email = format!("{}@portal.example", name.replace(':', "-"));
            let names: Vec<&str> = permissions.iter().map(|permission| permission.as_str()).collect();
            let session = app.contact_in_portal(&app.admin.in_workspace("main"), &client, &email, &names).await;
            kinds.push(Kind::fixed(name, Some(email), session, Holds::Contact(permissions)));
        }

        let made: [(&str, Choose); 3] =
            [("token", with_the_scope), ("token:own", with_the_scope_own), ("token:lacking", without_the_scope)];
        for (name, choose) in made {
            kinds.push(Kind { name, email: None, holds: Holds::Nothing, bearer: Bearer::Made(choose) });
        }
        for (name, session) in bad_tokens(app, &maker).await {
            let holds = if name == "token:network" { Holds::ForbiddenNetwork } else { Holds::Nothing };
            kinds.push(Kind::fixed(name, None, session, holds));
        }

        let deactivated = app.member(&app.admin, "super_admin", "deactivated@example.com").await;
        let removed = app.member(&app.admin, "super_admin", "removed@example.com").await;
        let admin = app.admin.in_workspace("main");
        let list = app.get(&format!("/v1/memberships?user_id={}", removed.user_id), &admin).await.expect(200);
        let membership = list.body["data"][0]["id"].as_str().unwrap();
        // who was just known is not believed for the seconds that it is remembered
        app.get("/v1/clients", &deactivated).await.expect(200);
        let off = json!({ "is_active": false });
        app.patch(&format!("/v1/users/{}", deactivated.user_id), &admin, &off).await.expect(200);
        app.get("/v1/clients", &deactivated).await.expect(401);
        app.get("/v1/clients", &removed).await.expect(200);
        app.delete(&format!("/v1/memberships/{membership}"), &admin).await.expect(204);
        app.get("/v1/clients", &removed).await.expect_problem(403, "no_workspace");
        kinds.push(Kind::fixed("deactivated", None, deactivated, Holds::Nothing));
        kinds.push(Kind::fixed("removed", Some("removed@example.com".to_owned()), removed, Holds::NoWorkspace));
        Self { kinds, maker, tokens: HashMap::new() }
    }

    /// How a kind of caller speaks to an operation, as whom it owns records, and what it holds.
    pub(crate) async fn speak(&mut self, app: &TestApp, at: usize, operation: &Operation) -> (Session, Session, Holds) {
        let kind = &self.kinds[at];
        let choose = match &kind.bearer {
            Bearer::Fixed(session) => return (session.clone(), session.clone(), kind.holds),
            Bearer::Made(choose) => choose,
        };
        let mut permissions = choose(operation);
        if permissions.is_empty() {
            // a token has at least one scope; this one opens nothing yet
            permissions.insert(Permission::ProductsView);
        }
        let scopes: Vec<&str> = permissions.iter().map(Permission::as_str).collect();
        let key = scopes.join(" ");
        if !self.tokens.contains_key(&key) {
            let token = app.token(&self.maker, &scopes).await;
            self.tokens.insert(key.clone(), token);
        }
        (self.tokens[&key].clone(), self.maker.clone(), Holds::Permissions(permissions))
    }
}

impl Kind {
    fn fixed(name: &'static str, email: Option<String>, session: Session, holds: Holds) -> Self {
        Self { name, email, holds, bearer: Bearer::Fixed(session) }
    }
}

/// Tokens that hold everything and are no good, each for its own reason. Each was good once where it can be.
async fn bad_tokens(app: &TestApp, maker: &Session) -> [(&'static str, Session); 3] {
    let everything: Vec<&str> = Permission::ALL.iter().map(|permission| permission.as_str()).collect();
    let body = json!({ "name": "short", "scopes": everything, "expires_at": "2999-01-01T00:00:00Z" });
    let made = app.post("/v1/tokens", maker, &body).await.expect(201);
    let expired = Session::bearer(made.body["secret"].as_str().unwrap());
    let sql = "UPDATE api_token SET expires_at = '2020-01-01T00:00:00+00:00' WHERE name = 'short'";
    app.db.execute(sql).await.unwrap();

    let made = app.post("/v1/tokens", maker, &json!({ "name": "gone", "scopes": everything })).await.expect(201);
    let revoked = Session::bearer(made.body["secret"].as_str().unwrap());
    app.get("/v1/clients", &revoked).await.expect(200);
    app.delete(&format!("/v1/tokens/{}", made.id()), maker).await.expect(204);
    app.get("/v1/clients", &revoked).await.expect(401);

    let body = json!({ "name": "far", "scopes": everything, "networks": ["203.0.113.0/24"] });
    let made = app.post("/v1/tokens", maker, &body).await.expect(201);
    let far = Session::bearer(made.body["secret"].as_str().unwrap());
    [("token:expired", expired), ("token:revoked", revoked), ("token:network", far)]
}
