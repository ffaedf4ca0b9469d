//! What is expected of each table, and why.

use super::world::{Asking, Whose, World};

/// How a table keeps its rows apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// By workspace, and from the installation too.
    ByWorkspace,
    /// By workspace; the account sees its own everywhere, the installation sees and writes all.
    ByWorkspaceOrAccount,
    /// By workspace; the installation sees and writes all.
    ByWorkspaceOrInstallation,
    /// By workspace, where none is one as well; the installation sees and writes all.
    ByWorkspaceOrNone,
    /// By account: its own, and in a workspace those of who belongs to it, which are not put there; the installation sees and writes all.
    ByAccount,
    /// By workspace, and in it what all share, the account's own, and to read what its teams see; who manages views reads and changes all that
    /// is shared; jobs of the workspace and the installation read all, and the installation changes all.
    BySharing,
    /// By workspace, and in it the account's own; jobs of the workspace read all, the installation sees and writes all.
    Own,
    /// By workspace, and in it the account's own, or all for who manages tokens; the installation sees and writes all.
    ByOwner,
    /// Everybody but contacts reads it. It is changed by the account itself, by who manages accounts where it belongs, and by the installation, which alone
    /// deletes it; jobs make it, and who manages accounts.
    AsAccount,
    /// By workspace; everybody sees the rows of none; the installation sees and writes all.
    ByWorkspaceOrShared,
    /// By workspace; rows of none are a super admin's of the installation; the installation sees and writes all.
    ByWorkspaceOrSuperAdmin,
    /// As [`Kept::ByWorkspaceOrAccount`], with rows of no workspace, and only appended to; personal values can be erased.
    Appended,
    /// The workspaces themselves.
    Workspaces,
    /// Not at all: it belongs to the installation.
    Shared,
    /// The server's role does not touch it.
    Closed,
}

/// What is expected of a table.
pub(super) struct Expected {
    pub table: &'static str,
    pub kept: Kept,
    /// The columns that tell whose a row is.
    pub columns: &'static [&'static str],
    /// Policies beyond those that its kind has.
    pub further: &'static [&'static str],
    pub why: &'static str,
}

const fn table(table: &'static str, kept: Kept, columns: &'static [&'static str], why: &'static str) -> Expected {
    Expected { table, kept, columns, further: &[], why }
}

const WORKSPACE: &[&str] = &["workspace_id"];
const ACCOUNT: &[&str] = &["user_id"];
const BOTH: &[&str] = &["user_id", "workspace_id"];

/// Every table of the catalogue but the journal's partitions, which are closed.
pub(super) const TABLES: &[Expected] = &[
    Expected { further: &["client_search"], ..table("client", Kept::ByWorkspace, WORKSPACE, "a company's data") },
    Expected { further: &["contact_search"], ..table("contact", Kept::ByWorkspace, WORKSPACE, "a company's data") },
    table("client_contact", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table("team", Kept::ByWorkspaceOrInstallation, WORKSPACE, "one's own teams are told in all workspaces at once"),
    table(
        "team_member",
        Kept::ByWorkspaceOrInstallation,
        &["team_id", "user_id", "workspace_id"],
        "a company's data; who leads a team is asked by the application",
    ),
    table("acquisition_stage", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table("client_group", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table("client_group_member", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table("client_merge", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table("client_match_key", Kept::ByWorkspace, WORKSPACE, "a company's data, in digests"),
    table("duplicate_candidate", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table("duplicate_search", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table("client_role", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table("client_admin", Kept::ByWorkspace, BOTH, "a company's data"),
    table("client_relationship", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table("interaction", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table("interaction_participant", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table(
        "saved_view",
        Kept::BySharing,
        &["is_shared", "team_id", "user_id", "workspace_id"],
        "what somebody looks for is theirs",
    ),
    table("saved_view_default", Kept::Own, BOTH, "what somebody wants to see first is theirs"),
    table("tag", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table("custom_field", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table("custom_field_value", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table("brand", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table("tagging", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table("note", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    Expected { further: &["file_search"], ..table("file", Kept::ByWorkspace, WORKSPACE, "a company's data") },
    table("folder", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table("file_removal", Kept::ByWorkspaceOrInstallation, WORKSPACE, "the installation removes the objects of all"),
    table("import_run", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table("import_issue", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table("import_row", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table("membership", Kept::ByWorkspaceOrAccount, BOTH, "signing in asks where an account belongs before it is anywhere"),
    table("invitation", Kept::ByWorkspaceOrInstallation, WORKSPACE, "looked up by its token, before a workspace is known"),
    table("api_token", Kept::ByOwner, BOTH, "its maker's; looked up by its hash, before a workspace is known"),
    table("deprecated_use", Kept::ByWorkspaceOrInstallation, BOTH, "written down by the installation for all"),
    table(
        "api_token_usage",
        Kept::ByWorkspaceOrInstallation,
        WORKSPACE,
        "the installation writes how often the tokens of all are used",
    ),
    table(
        "portal_account",
        Kept::ByWorkspaceOrInstallation,
        WORKSPACE,
        "looked up by address and token, before it is known who asks",
    ),
    table("portal_access", Kept::ByWorkspaceOrInstallation, WORKSPACE, "signing in asks what a contact may do"),
    table("mail_message", Kept::ByWorkspaceOrInstallation, WORKSPACE, "the installation sends the mail of all"),
    table("mail_suppression", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table("mail_template", Kept::ByWorkspace, WORKSPACE, "a company's data"),
    table("password_reset", Kept::Shared, ACCOUNT, "read before it is known who asks; digests"),
    table("known_device", Kept::Shared, ACCOUNT, "written while signing in, before it is known where; digests"),
    table("portal_device", Kept::Shared, &[], "written while a contact signs in, who is no account; digests"),
    table("job", Kept::ByWorkspaceOrSuperAdmin, WORKSPACE, "jobs of the installation are its super admins' to look after"),
    table("job_worker", Kept::Shared, &[], "the installation's own; ids and beats"),
    table("job_schedule", Kept::Shared, &[], "the installation's own; names and times"),
    table("idempotency_record", Kept::ByWorkspaceOrNone, WORKSPACE, "kept for callers in no workspace too"),
    table("journal_entry", Kept::Appended, BOTH, "everyone may read their own acts, wherever they did them"),
    Expected {
        further: &["journal_personal_erase"],
        ..table("journal_personal", Kept::Appended, BOTH, "goes with the entry; can be erased and nothing else")
    },
    table("workspace", Kept::Workspaces, &[], "an account sees those it belongs to, so that it can choose"),
    table("user_account", Kept::AsAccount, &[], "an account may belong to several workspaces"),
    table("role", Kept::ByWorkspaceOrShared, WORKSPACE, "the system roles are the same everywhere, others a workspace's own"),
    table("role_override", Kept::ByWorkspaceOrInstallation, WORKSPACE, "signing in asks what a role allows in each workspace"),
    table("credential", Kept::Shared, ACCOUNT, "read before it is known who asks"),
    table("session", Kept::ByAccount, ACCOUNT, "an account's own, which whoever manages users may end"),
    table("second_factor", Kept::ByAccount, ACCOUNT, "an account's own, which whoever manages users may take away"),
    table("recovery_code", Kept::ByAccount, ACCOUNT, "goes with the second factor"),
    table("refresh_token", Kept::Shared, &[], "read before it is known who asks"),
    table("installation", Kept::Shared, &[], "one row, the installation's own"),
    table("installation_settings", Kept::Shared, &[], "the installation's own; every workspace reads what holds for it"),
    table("signing_key", Kept::Shared, &[], "the installation's own; private keys are sealed"),
    table("backup_run", Kept::Shared, &[], "a backup is of the whole installation"),
    table("seaql_migrations", Kept::Closed, &[], "the owner's, who migrates"),
];

impl Expected {
    /// The policies that it has, with their commands as the catalogue writes them.
    pub(super) fn policies(&self) -> Vec<(String, char)> {
        let commands: &[(&str, char)] = match self.kept {
            Kept::Shared | Kept::Closed => &[],
            Kept::Appended => &[("select", 'r'), ("insert", 'a')],
            _ => &[("select", 'r'), ("insert", 'a'), ("update", 'w'), ("delete", 'd')],
        };
        let mut policies: Vec<_> = commands.iter().map(|(word, command)| (format!("{}_{word}", self.table), *command)).collect();
        policies.extend(self.further.iter().map(|name| ((*name).to_owned(), if name.ends_with("_erase") { 'w' } else { 'r' })));
        policies.sort();
        policies
    }

    /// Whose rows there are in it.
    pub(super) fn whose(&self, asking: &Asking) -> Vec<Whose> {
        let mut whose = match self.kept {
            Kept::Shared | Kept::Closed => return vec![Whose::Any],
            Kept::BySharing => {
                let mut whose = vec![Whose::Ours, Whose::Theirs, Whose::Private, Whose::OtherTeams];
                if asking.belongs_to_ours {
                    whose.extend([Whose::Mine, Whose::Teams]);
                }
                return whose;
            }
            Kept::ByAccount | Kept::ByOwner | Kept::Own | Kept::AsAccount if asking.belongs_to_ours => {
                return vec![Whose::Ours, Whose::Theirs, Whose::Mine];
            }
            Kept::ByOwner | Kept::Own | Kept::AsAccount => return vec![Whose::Ours, Whose::Theirs],
            Kept::ByWorkspaceOrNone | Kept::ByWorkspaceOrShared | Kept::ByWorkspaceOrSuperAdmin | Kept::Appended => {
                vec![Whose::Ours, Whose::Theirs, Whose::Nowhere]
            }
            _ if self.table == "mail_message" => vec![Whose::Ours, Whose::Theirs, Whose::Nowhere],
            _ => vec![Whose::Ours, Whose::Theirs],
        };
        if self.columns.contains(&"user_id") && asking.belongs_to_theirs {
            whose.push(Whose::Mine);
        }
        whose
    }

    /// Whether such a row is there for the caller.
    pub(super) fn reads(&self, world: &World, asking: &Asking, whose: Whose) -> bool {
        let ours = whose == Whose::Ours && asking.in_ours(world);
        match self.kept {
            Kept::Shared => true,
            Kept::Closed => false,
            Kept::ByWorkspace => ours,
            Kept::BySharing => {
                let reads_all = asking.kind == "job" && whose != Whose::Theirs;
                let managed = [Whose::Teams, Whose::OtherTeams].contains(&whose) && asking.manages("views");
                let reads = reads_all || managed || [Whose::Ours, Whose::Mine, Whose::Teams].contains(&whose);
                (asking.in_ours(world) && reads) || asking.is_installation()
            }
            Kept::AsAccount => true,
            Kept::Own => {
                let reads_all = asking.kind == "job" && whose != Whose::Theirs && asking.in_ours(world);
                reads_all || self.writes(world, asking, whose)
            }
            Kept::ByOwner => self.writes(world, asking, whose),
            Kept::ByWorkspaceOrAccount | Kept::Appended => ours || whose == Whose::Mine || asking.is_installation(),
            Kept::ByAccount => self.writes(world, asking, whose),
            Kept::ByWorkspaceOrShared => ours || whose == Whose::Nowhere || asking.is_installation(),
            Kept::ByWorkspaceOrInstallation | Kept::ByWorkspaceOrNone | Kept::ByWorkspaceOrSuperAdmin => {
                self.writes(world, asking, whose)
            }
            Kept::Workspaces => {
                let belongs = match whose {
                    Whose::Ours => asking.belongs_to_ours,
                    _ => asking.belongs_to_theirs,
                };
                ours || belongs || asking.is_installation()
            }
        }
    }

    /// Whether the caller may put such a row there.
    pub(super) fn inserts(&self, world: &World, asking: &Asking, whose: Whose) -> bool {
        match self.kept {
            Kept::ByAccount => whose == Whose::Mine || asking.is_installation(),
            Kept::AsAccount => asking.kind == "job" || asking.manages("accounts"),
            Kept::BySharing => asking.in_ours(world) && whose == Whose::Mine,
            _ => self.writes(world, asking, whose),
        }
    }

    /// Whether the caller may change and delete such a row that it sees.
    pub(super) fn writes(&self, world: &World, asking: &Asking, whose: Whose) -> bool {
        let ours = whose == Whose::Ours && asking.in_ours(world);
        let nowhere = whose == Whose::Nowhere && asking.workspace.is_empty();
        match self.kept {
            Kept::Shared => true,
            Kept::Closed => false,
            Kept::ByAccount => ours || whose == Whose::Mine || asking.is_installation(),
            Kept::ByWorkspace => ours,
            Kept::BySharing => {
                let is_shared = [Whose::Ours, Whose::Teams, Whose::OtherTeams].contains(&whose);
                let writes = whose == Whose::Mine || (is_shared && asking.manages("views"));
                (asking.in_ours(world) && writes) || asking.is_installation()
            }
            Kept::Own => (asking.in_ours(world) && whose == Whose::Mine) || asking.is_installation(),
            Kept::ByOwner => {
                (asking.in_ours(world) && whose == Whose::Mine) || (ours && asking.manages("tokens")) || asking.is_installation()
            }
            Kept::AsAccount => whose == Whose::Mine || (ours && asking.manages("accounts")) || asking.is_installation(),
            Kept::ByWorkspaceOrAccount | Kept::ByWorkspaceOrInstallation | Kept::ByWorkspaceOrShared | Kept::Workspaces => {
                ours || asking.is_installation()
            }
            Kept::ByWorkspaceOrSuperAdmin => {
                ours || (whose == Whose::Nowhere && world.is_super_admin(asking)) || asking.is_installation()
            }
            Kept::ByWorkspaceOrNone | Kept::Appended => ours || nowhere || asking.is_installation(),
        }
    }
}
