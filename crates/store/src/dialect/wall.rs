//! Row security: who reaches which rows of a table on PostgreSQL, whatever the application asks for.

use super::Dialect;
use super::ddl::APP_ROLE;

pub(super) const WORKSPACE: &str = "(SELECT nullif(current_setting('pelatis.workspace', true), '')::uuid)";
pub(super) const ACCOUNT: &str = "(SELECT nullif(current_setting('pelatis.account', true), '')::uuid)";
/// The installation itself: sign-in, tokens, migrations of data. It is in no workspace.
pub(super) const INSTALLATION: &str =
    "(SELECT current_setting('pelatis.kind', true) = 'job' AND coalesce(current_setting('pelatis.workspace', true), '') = '')";

/// Work of the installation's own, in a workspace or in none: nobody's request.
const JOB: &str = "(SELECT coalesce(current_setting('pelatis.kind', true), '') = 'job')";

/// Everybody but contacts.
const NO_CONTACT: &str = "(SELECT coalesce(current_setting('pelatis.kind', true), '') <> 'contact')";

/// Who may touch a table at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wall {
    /// None yet: the step gives it one when the tables that it looks at are there.
    Later,
    /// Belongs to the installation: grants, no row security.
    Installation,
    /// Rows of the transaction's workspace, and nothing else.
    Workspace,
    /// As `Workspace`; the account sees its own rows everywhere, the installation sees all. For what signing in needs.
    WorkspaceAndOwn,
    /// As `Workspace`; the installation sees all. For what is looked up before a workspace is known.
    WorkspaceOrInstallation,
    /// As `WorkspaceOrInstallation`; whoever is in no workspace sees the rows of none. For what is kept for callers who are in none.
    WorkspaceOrNone,
    /// Rows of the account, and of accounts that belong to the transaction's workspace; the installation sees all. For sessions, which
    /// whoever manages users may end where the account belongs to no other workspace. Nobody but the account and the installation puts one there.
    Account,
    /// As `WorkspaceOrInstallation`; everybody sees the rows of no workspace. For what the installation provides and a workspace adds to.
    WorkspaceOrShared,
    /// As `Workspace`, and of that the rows that everybody shares, the account's own, and, to read, those of its teams. Saved views began
    /// so; [`shared_views`] says what holds of them now.
    OwnOrShared,
    /// The account's own rows of the transaction's workspace; jobs of the workspace read all of them, the installation reaches all. For what
    /// somebody chose for themselves.
    Own,
    /// As `WorkspaceOrInstallation`; a super admin of the installation reaches the rows of no workspace too. For jobs.
    WorkspaceOrSuperAdmin,
    /// The journal: as `WorkspaceOrNone` to write, with the account's own to read, and nobody may change or delete.
    Journal,
    /// The workspaces themselves.
    Workspaces,
}

/// Grants and row security of a table.
pub fn wall(dialect: Dialect, table: &str, wall: Wall) -> Vec<String> {
    if dialect == Dialect::Sqlite {
        return Vec::new();
    }
    let same = format!("workspace_id = {WORKSPACE}");
    let (read, write) = match wall {
        Wall::Later => return Vec::new(),
        Wall::Installation => {
            return vec![format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP_ROLE}")];
        }
        Wall::Workspace => (same.clone(), same),
        Wall::WorkspaceAndOwn => {
            (format!("{same} OR user_id = {ACCOUNT} OR {INSTALLATION}"), format!("{same} OR {INSTALLATION}"))
        }
        Wall::WorkspaceOrInstallation => {
            let both = format!("{same} OR {INSTALLATION}");
            (both.clone(), both)
        }
        Wall::Account => {
            let both = format!(
                "user_id = {ACCOUNT} OR {INSTALLATION} \
                 OR EXISTS (SELECT 1 FROM membership m WHERE m.user_id = {table}.user_id AND m.workspace_id = {WORKSPACE})"
            );
            (both.clone(), both)
        }
        Wall::OwnOrShared => {
            let own = format!("{same} AND (is_shared OR user_id = {ACCOUNT}");
            let of_team = format!("team_id IN (SELECT m.team_id FROM team_member m WHERE m.user_id = {ACCOUNT})");
            (format!("{own} OR {of_team})"), format!("{own})"))
        }
        Wall::Own => (
            format!("{same} AND (user_id = {ACCOUNT} OR {JOB}) OR {INSTALLATION}"),
            format!("{same} AND user_id = {ACCOUNT} OR {INSTALLATION}"),
        ),
        Wall::WorkspaceOrShared => {
            (format!("workspace_id IS NULL OR {same} OR {INSTALLATION}"), format!("{same} OR {INSTALLATION}"))
        }
        Wall::WorkspaceOrNone => {
            let both = format!("workspace_id IS NOT DISTINCT FROM {WORKSPACE} OR {INSTALLATION}");
            (both.clone(), both)
        }
        Wall::WorkspaceOrSuperAdmin => {
            let both = format!(
                "{same} OR {INSTALLATION} OR (workspace_id IS NULL \
                 AND EXISTS (SELECT 1 FROM user_account u WHERE u.id = {ACCOUNT} AND u.is_super_admin AND u.is_active))"
            );
            (both.clone(), both)
        }
        Wall::Journal => {
            let own = format!("workspace_id = {WORKSPACE} OR user_id = {ACCOUNT} OR {INSTALLATION}");
            (own, format!("workspace_id IS NOT DISTINCT FROM {WORKSPACE} OR {INSTALLATION}"))
        }
        Wall::Workspaces => (
            format!(
                "id = {WORKSPACE} OR {INSTALLATION} \
                 OR EXISTS (SELECT 1 FROM membership m WHERE m.workspace_id = workspace.id AND m.user_id = {ACCOUNT}) \
                 OR EXISTS (SELECT 1 FROM user_account u WHERE u.id = {ACCOUNT} AND u.is_super_admin AND u.is_active)"
            ),
            format!("id = {WORKSPACE} OR {INSTALLATION}"),
        ),
    };
    let mut statements = vec![
        format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"),
        format!("ALTER TABLE {table} FORCE ROW LEVEL SECURITY"),
        format!("CREATE POLICY {table}_select ON {table} FOR SELECT TO {APP_ROLE} USING ({read})"),
        format!("CREATE POLICY {table}_insert ON {table} FOR INSERT TO {APP_ROLE} WITH CHECK ({write})"),
    ];
    if wall == Wall::Journal {
        statements.push(format!("GRANT SELECT, INSERT ON {table} TO {APP_ROLE}"));
    } else {
        statements.push(format!(
            "CREATE POLICY {table}_update ON {table} FOR UPDATE TO {APP_ROLE} USING ({write}) WITH CHECK ({write})"
        ));
        statements.push(format!("CREATE POLICY {table}_delete ON {table} FOR DELETE TO {APP_ROLE} USING ({write})"));
        statements.push(format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP_ROLE}"));
    }
    if wall == Wall::Account {
        statements.extend(only_own_come_in(dialect, table));
    }
    statements
}

/// Lets nobody but the account and the installation put a row into a table behind [`Wall::Account`].
pub fn only_own_come_in(dialect: Dialect, table: &str) -> Vec<String> {
    match dialect {
        Dialect::Sqlite => Vec::new(),
        Dialect::Postgres => {
            vec![format!("ALTER POLICY {table}_insert ON {table} WITH CHECK (user_id = {ACCOUNT} OR {INSTALLATION})")]
        }
    }
}

/// Whether the caller manages these, as the store says of them by their permissions. A server of the version before says nothing, and is let
/// through as it was.
fn manages(what: &str) -> String {
    format!("(SELECT coalesce(current_setting('pelatis.manages', true), '{what}') LIKE '%{what}%')")
}

/// The walls of what is somebody's own within a workspace: accounts, which everybody but contacts reads; API tokens; saved views, which a job of
/// the workspace reads too (it backs them up).
pub fn own_rows(dialect: Dialect) -> Vec<String> {
    if dialect == Dialect::Sqlite {
        return Vec::new();
    }
    let same = format!("workspace_id = {WORKSPACE}");
    let (accounts, tokens, views) = (manages("accounts"), manages("tokens"), manages("views"));
    let account = format!(
        "id = {ACCOUNT} OR {INSTALLATION} OR ({accounts} \
         AND EXISTS (SELECT 1 FROM membership m WHERE m.user_id = user_account.id AND m.workspace_id = {WORKSPACE}))"
    );
    let token = format!("{same} AND (user_id = {ACCOUNT} OR {tokens}) OR {INSTALLATION}");
    let of_team = format!("team_id IN (SELECT m.team_id FROM team_member m WHERE m.user_id = {ACCOUNT})");
    let seen = format!("{same} AND (is_shared OR user_id = {ACCOUNT} OR {of_team} OR {JOB}) OR {INSTALLATION}");
    let view = format!("{same} AND (user_id = {ACCOUNT} OR (is_shared AND {views}))");
    vec![
        "ALTER TABLE user_account ENABLE ROW LEVEL SECURITY".to_owned(),
        "ALTER TABLE user_account FORCE ROW LEVEL SECURITY".to_owned(),
        format!("CREATE POLICY user_account_select ON user_account FOR SELECT TO {APP_ROLE} USING ({NO_CONTACT})"),
        format!("CREATE POLICY user_account_insert ON user_account FOR INSERT TO {APP_ROLE} WITH CHECK ({JOB} OR {accounts})"),
        format!(
            "CREATE POLICY user_account_update ON user_account FOR UPDATE TO {APP_ROLE} USING ({account}) WITH CHECK ({account})"
        ),
        format!("CREATE POLICY user_account_delete ON user_account FOR DELETE TO {APP_ROLE} USING ({INSTALLATION})"),
        format!("ALTER POLICY api_token_select ON api_token USING ({token})"),
        format!("ALTER POLICY api_token_insert ON api_token WITH CHECK ({token})"),
        format!("ALTER POLICY api_token_update ON api_token USING ({token}) WITH CHECK ({token})"),
        format!("ALTER POLICY api_token_delete ON api_token USING ({token})"),
        format!("ALTER POLICY saved_view_select ON saved_view USING ({seen})"),
        format!("ALTER POLICY saved_view_insert ON saved_view WITH CHECK ({same} AND user_id = {ACCOUNT})"),
        format!("ALTER POLICY saved_view_update ON saved_view USING ({view}) WITH CHECK ({view})"),
        format!("ALTER POLICY saved_view_delete ON saved_view USING ({view})"),
    ]
}

/// The walls of saved views as they are now: whoever manages those that are shared reaches a team's too, whose owner may have left.
pub fn shared_views(dialect: Dialect) -> Vec<String> {
    if dialect == Dialect::Sqlite {
        return Vec::new();
    }
    let (same, views) = (format!("workspace_id = {WORKSPACE}"), manages("views"));
    let of_team = format!("team_id IN (SELECT m.team_id FROM team_member m WHERE m.user_id = {ACCOUNT})");
    let managed = format!("team_id IS NOT NULL AND {views}");
    let seen = format!("{same} AND (is_shared OR user_id = {ACCOUNT} OR {of_team} OR ({managed}) OR {JOB}) OR {INSTALLATION}");
    let view = format!("{same} AND (user_id = {ACCOUNT} OR (is_shared AND {views}) OR ({managed}))");
    vec![
        format!("ALTER POLICY saved_view_select ON saved_view USING ({seen})"),
        format!("ALTER POLICY saved_view_update ON saved_view USING ({view}) WITH CHECK ({view})"),
        format!("ALTER POLICY saved_view_delete ON saved_view USING ({view})"),
    ]
}

/// As [`shared_views`], and the installation changes all: a view asks no more for a field that is gone, whoever keeps it for themselves.
pub fn views_of_all(dialect: Dialect) -> Vec<String> {
    let of_installation = |mut statement: String| {
        for clause in ["USING (", "WITH CHECK ("] {
            statement = statement.replace(clause, &format!("{clause}{INSTALLATION} OR "));
        }
        statement
    };
    shared_views(dialect).into_iter().filter(|statement| !statement.contains("_select")).map(of_installation).collect()
}
