//! The permission matrix: every operation by every kind of caller, over HTTP. What is expected follows from the permission table; what
//! was found is pinned in `tests/permissions.txt`, so that a change of who may do what is seen in review.

use std::fmt::Write as _;
use std::path::Path;

use ::api::access::{Access, OPERATIONS, Operation};
use harness::{Session, TestApp};
use kernel::{Permission, PermissionSet};
use reqwest::Method;
use serde_json::json;

/// A kind of caller, with what it is known to hold in the workspace.
struct Kind {
    name: &'static str,
    session: Session,
    holds: Holds,
}

enum Holds {
    /// These permissions.
    Permissions(PermissionSet),
    /// An account without any workspace.
    NoWorkspace,
    /// An account of another workspace, that names this one.
    Elsewhere,
    /// Nothing that is good.
    Nothing,
}

const ROLES: [&str; 7] = ["super_admin", "director", "sales_manager", "sales_agent", "support_lead", "support_agent", "viewer"];

async fn kinds(app: &TestApp) -> Vec<Kind> {
    let mut kinds = vec![Kind { name: "anonymous", session: Session::nobody(), holds: Holds::Nothing }];
    for role in ROLES {
        let session = app.member(&app.admin, role, &format!("{role}@example.com")).await;
        let permissions = auth::roles::system_role_permissions(role).unwrap();
        kinds.push(Kind { name: role, session, holds: Holds::Permissions(permissions) });
    }
    let holds = |permissions: &[Permission]| Holds::Permissions(permissions.iter().copied().collect());

    let view = app.token(&app.admin, &["clients.view_all"]).await;
    kinds.push(Kind { name: "token:clients.view_all", session: view, holds: holds(&[Permission::ClientsViewAll]) });
    let useless = app.token(&app.admin, &["products.view"]).await;
    kinds.push(Kind { name: "token:products.view", session: useless, holds: holds(&[Permission::ProductsView]) });

    let body = json!({ "name": "short", "scopes": ["clients.view_all"], "expires_at": "2999-01-01T00:00:00Z" });
    let made = app.post("/v1/tokens", &app.admin, &body).await.expect(201);
    let expired = Session::bearer(made.body["secret"].as_str().unwrap());
    let sql = "UPDATE api_token SET expires_at = '2020-01-01T00:00:00+00:00' WHERE name = 'short'";
    app.db.execute(sql).await.unwrap();
    kinds.push(Kind { name: "token:expired", session: expired, holds: Holds::Nothing });

    let made = app.post("/v1/tokens", &app.admin, &json!({ "name": "gone", "scopes": ["clients.view_all"] })).await.expect(201);
    app.delete(&format!("/v1/tokens/{}", made.id()), &app.admin).await.expect(204);
    kinds.push(Kind {
        name: "token:revoked",
        session: Session::bearer(made.body["secret"].as_str().unwrap()),
        holds: Holds::Nothing,
    });

    let deactivated = app.member(&app.admin, "director", "deactivated@example.com").await;
    app.patch(&format!("/v1/users/{}", deactivated.user_id), &app.admin, &json!({ "is_active": false })).await.expect(200);
    kinds.push(Kind { name: "deactivated", session: deactivated, holds: Holds::Nothing });

    let removed = app.member(&app.admin, "director", "removed@example.com").await;
    let list = app.get(&format!("/v1/memberships?user_id={}", removed.user_id), &app.admin).await.expect(200);
    let membership = list.body["data"][0]["id"].as_str().unwrap();
    app.delete(&format!("/v1/memberships/{membership}"), &app.admin).await.expect(204);
    kinds.push(Kind { name: "removed", session: removed, holds: Holds::NoWorkspace });

    let other = app.second_workspace("other").await;
    let stranger = app.member(&other, "super_admin", "stranger@example.com").await.in_workspace("main");
    kinds.push(Kind { name: "elsewhere", session: stranger, holds: Holds::Elsewhere });
    kinds
}

/// What the permission table says: 0 stands for "let through".
fn expected(operation: &Operation, holds: &Holds) -> u16 {
    let allowed = |permissions: &PermissionSet| match operation.access {
        Access::Public | Access::SignedIn | Access::Member => true,
        Access::AnyOf(list) => list.iter().any(|permission| permissions.contains(*permission)),
        Access::AllOf(list) => list.iter().all(|permission| permissions.contains(*permission)),
    };
    match (operation.access, holds) {
        (Access::Public, _) => 0,
        (_, Holds::Nothing) => 401,
        (_, Holds::Elsewhere) => 404,
        (Access::SignedIn, _) => 0,
        (_, Holds::NoWorkspace) => 403,
        (_, Holds::Permissions(permissions)) => {
            if allowed(permissions) {
                0
            } else {
                403
            }
        }
    }
}

/// A request that is let through or refused by the gate, and changes nothing either way: its ids name nothing, its body is empty.
async fn knock(app: &TestApp, method: &Method, path: &str, session: &Session) -> u16 {
    let mut url = String::new();
    for part in path.split('/').skip(1) {
        let part = if part.starts_with('{') { "01938f5c-4f2e-7cc3-98c4-dc0c0c07398f" } else { part };
        write!(url, "/{part}").unwrap();
    }
    let request = app.request(method.clone(), &url, session);
    let request = if *method == Method::POST || *method == Method::PATCH { request.json(&json!({})) } else { request };
    app.send(request).await.status
}

#[tokio::test]
async fn every_operation_lets_each_kind_of_caller_through_as_the_permission_table_says() {
    let app = TestApp::spawn().await;
    let kinds = kinds(&app).await;
    let registry = ::api::routes::registry();
    let mut served: Vec<_> = registry.served.iter().collect();
    // signing out ends the caller's session, so it comes last
    served.sort_by_key(|served| (served.row.id == "logout", served.row.id));
    assert_eq!(served.len(), OPERATIONS.len(), "an operation that the matrix does not know");

    let mut table = String::from("# Who may call what: `yes` is let through, a number is the status of the refusal.\n");
    let width = OPERATIONS.iter().map(|operation| operation.id.len()).max().unwrap();
    writeln!(table, "{:width$}  {}", "", kinds.iter().map(|kind| kind.name).collect::<Vec<_>>().join("  ")).unwrap();
    let mut wrong = Vec::new();
    for served in served {
        let mut line = format!("{:width$}", served.row.id);
        for kind in &kinds {
            let status = knock(&app, &served.method.as_str().parse().unwrap(), &served.path, &kind.session).await;
            let expected = expected(served.row, &kind.holds);
            // an id that names nothing is a 404 for whoever was let through
            let refusal = if expected == 404 { [401, 403, 404].contains(&status) } else { [401, 403].contains(&status) };
            let through = !refusal;
            let found = if through { 0 } else { status };
            if found != expected || status >= 500 {
                wrong.push(format!("{} by {}: {status}, expected {expected}", served.row.id, kind.name));
            }
            let cell = if through { "yes".to_owned() } else { status.to_string() };
            write!(line, "  {cell:^0$}", kind.name.len()).unwrap();
        }
        writeln!(table, "{}", line.trim_end()).unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("permissions.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    let pinned = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        pinned == table,
        "tests/permissions.txt differs; write it anew with: UPDATE=1 cargo nextest run -p pelatis-tests every_operation_lets\n{table}"
    );
}
