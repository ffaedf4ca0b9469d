//! Accounts that come from another system, many at once, with the hashes of their passwords: nobody is invited, and everybody signs in as
//! before.

use std::collections::HashMap;

use kernel::{Error, Kind, Permission, Result};
use store::{OnUnique as _, UnitOfWork};
use validator::ValidateEmail as _;

use crate::errors::ALREADY_MEMBER;
use crate::invitations::{NewAccount, insert_account};
use crate::rows::RoleId;
use crate::{memberships, password, users};

/// A row of the table.
#[derive(Clone)]
pub struct StaffRow {
    /// The line that it begins in, from 1.
    pub line: u64,
    /// The address.
    pub email: String,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// The key of the role.
    pub role: String,
    /// A hash that sign-in can verify (argon2, bcrypt, or a portable one of phpass); empty where they will ask for a new password.
    pub password_hash: String,
}

impl std::fmt::Debug for StaffRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "StaffRow(line {})", self.line)
    }
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffProblem {
    /// The line that it begins in, from 1.
    pub line: u64,
    /// The column.
    pub column: &'static str,
    /// A sentence for people. It never repeats a value.
    pub reason: String,
}

/// What became of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BroughtIn {
    /// Accounts that were made.
    pub created: u64,
    /// Accounts that were there and are members from now on. Their passwords stay.
    pub added: u64,
    /// Members already.
    pub unchanged: u64,
    /// What is wrong, by line; of those rows nothing was done.
    pub problems: Vec<StaffProblem>,
}

/// Brings accounts into the workspace that the unit of work is in.
///
/// # Errors
/// `forbidden` without `admin.manage_users`.
pub async fn bring_in(uow: &mut UnitOfWork, rows: &[StaffRow]) -> Result<BroughtIn> {
    let caller = uow.caller();
    caller.require(Permission::AdminManageUsers)?;
    let workspace = uow.workspace()?;
    let mut roles: HashMap<&str, std::result::Result<RoleId, String>> = HashMap::new();
    let mut done = BroughtIn::default();
    for row in rows {
        let mut faults = faults_of(row);
        if !roles.contains_key(row.role.as_str()) {
            let found = match memberships::role_to_give(uow, &caller, &row.role).await {
                Ok(role) => Ok(role.id),
                Err(error) if !matches!(error.kind(), Kind::Invalid | Kind::Forbidden) => return Err(error),
                Err(error) => {
                    Err(error.fields().first().map_or_else(|| error.code().title.to_owned(), |field| field.message.to_string()))
                }
            };
            roles.insert(&row.role, found);
        }
        let role = match roles.get(row.role.as_str()) {
            Some(Ok(role)) => Some(*role),
            Some(Err(reason)) => {
                faults.push(StaffProblem { line: row.line, column: "role", reason: reason.clone() });
                None
            }
            None => None,
        };
        let Some(role) = role.filter(|_| faults.is_empty()) else {
            done.problems.append(&mut faults);
            continue;
        };
        let user = match users::find_by_email(uow, &row.email).await? {
            Some(user) if users::is_member(uow, workspace, user.id).await? => {
                done.unchanged += 1;
                continue;
            }
            Some(user) => {
                done.added += 1;
                user
            }
            None => {
                done.created += 1;
                let account = NewAccount {
                    email: &row.email,
                    given_name: &row.given_name,
                    family_name: &row.family_name,
                    is_super_admin: false,
                    password_hash: Some(row.password_hash.as_str()).filter(|hash| !hash.is_empty()),
                };
                insert_account(uow, account, workspace).await?
            }
        };
        memberships::insert(uow, workspace, user.id, role).await.on_unique(|| Error::new(&ALREADY_MEMBER))?;
    }
    Ok(done)
}

/// What is wrong with a row by itself.
fn faults_of(row: &StaffRow) -> Vec<StaffProblem> {
    let length = |text: &str| text.trim().chars().count();
    let names = [("given_name", &row.given_name), ("family_name", &row.family_name)];
    let mut faults: Vec<StaffProblem> = names
        .into_iter()
        .filter(|(_, name)| !(1..=100).contains(&length(name)))
        .map(|(column, _)| StaffProblem { line: row.line, column, reason: "must be 1 to 100 characters".to_owned() })
        .collect();
    if length(&row.email) > 254 || !row.email.validate_email() {
        faults.push(StaffProblem { line: row.line, column: "email", reason: "must be an e-mail address".to_owned() });
    }
    if !row.password_hash.is_empty() && !password::is_hash(&row.password_hash) {
        let reason =
            "must be a hash of argon2, of bcrypt ($2a$, $2b$, $2y$; cost 16 at most) or a portable one of phpass ($P$, $H$)"
                .to_owned();
        faults.push(StaffProblem { line: row.line, column: "password_hash", reason });
    }
    faults
}
