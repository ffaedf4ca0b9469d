//! Who asks: the first thing that every command and query is given.

use std::net::IpAddr;

use uuid::Uuid;

use crate::error::codes;
use crate::{Currency, Error, Permission, PermissionSet, PortalPermission, Result, UserId, WorkspaceId};

/// The kind of being that asks, with its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// Nobody that we know.
    Anonymous,
    /// A staff account, signed in on a session.
    User {
        /// The account.
        user: UserId,
        /// The session it signed in on.
        session: Uuid,
    },
    /// A contact of clients, signed in to the portal on a session.
    Contact {
        /// The contact.
        contact: Uuid,
        /// The session they signed in on.
        session: Uuid,
    },
    /// An API token, acting for the account that made it.
    Token {
        /// The token.
        token: Uuid,
        /// The account that made it.
        user: UserId,
    },
    /// A background job, an import run or the command line.
    Job {
        /// The job or run.
        job: Uuid,
    },
}

impl Actor {
    /// The kind, as the journal and row security know it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::User { .. } => "user",
            Self::Contact { .. } => "contact",
            Self::Token { .. } => "token",
            Self::Job { .. } => "job",
        }
    }

    /// The id that goes with the kind.
    pub fn id(&self) -> Option<Uuid> {
        use crate::TypedId;
        match self {
            Self::Anonymous => None,
            Self::User { user, .. } => Some(user.uuid()),
            Self::Contact { contact, .. } => Some(*contact),
            Self::Token { token, .. } => Some(*token),
            Self::Job { job } => Some(*job),
        }
    }

    /// The staff account behind it, if there is one.
    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::User { user, .. } | Self::Token { user, .. } => Some(*user),
            Self::Anonymous | Self::Contact { .. } | Self::Job { .. } => None,
        }
    }
}

/// Why something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Cause {
    /// Somebody called the API.
    #[default]
    Request,
    /// A background job.
    Job(Uuid),
    /// An import run.
    Import(Uuid),
    /// The command line.
    Command,
}

impl Cause {
    /// The kind, as the journal knows it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Job(_) => "job",
            Self::Import(_) => "import",
            Self::Command => "command",
        }
    }

    /// The id that goes with the kind.
    pub fn id(&self) -> Option<Uuid> {
        match self {
            Self::Job(id) | Self::Import(id) => Some(*id),
            Self::Request | Self::Command => None,
        }
    }
}

/// Where a request came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The request's id, as answered in `X-Request-Id`.
    pub request_id: Option<String>,
    /// The address of the client, behind proxies that are trusted.
    pub ip: Option<IpAddr>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// Why it happens.
    pub cause: Cause,
}

/// How far a permission reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every record of the workspace.
    All,
    /// Records created by, owned by or assigned to this account.
    Own(UserId),
}

/// What is done where a client is made that may be there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnDuplicate {
    /// Nothing: nobody looks.
    Off,
    /// It is made, and the answer says which ones it may be.
    #[default]
    Warn,
    /// It is refused, unless the request says that it is none of those.
    Block,
}

/// What new records of a workspace are given where nothing else is said, and how they are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// The currency.
    pub currency: Currency,
    /// The language.
    pub locale: String,
    /// The country whose numbers are written without a code, two capital letters (ISO 3166-1).
    pub country: String,
    /// Whether it has custom fields, as it was known a moment ago.
    pub has_custom_fields: bool,
    /// What is done where a new client may be there already.
    pub on_duplicate: OnDuplicate,
}

/// The client whose portal a contact is in, and what they may do there for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Company {
    /// The client.
    pub client: Uuid,
    /// What they may.
    pub permissions: Vec<PortalPermission>,
}

/// Who asks, in which workspace, with which permissions, and from where.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    /// In which workspace; none for operations outside any.
    pub workspace: Option<WorkspaceId>,
    /// What new records are given there, where it is known already.
    pub defaults: Option<Defaults>,
    /// What they may do there.
    pub permissions: PermissionSet,
    /// Whether the account is a super admin of the installation.
    pub is_super_admin: bool,
    /// Whose portal it is, for a contact: none for everybody else, and where no client lets them in by now.
    pub company: Option<Company>,
    /// From where, and why.
    pub origin: Origin,
}

impl Caller {
    /// Nobody that we know.
    pub fn anonymous(origin: Origin) -> Self {
        Self {
            actor: Actor::Anonymous,
            workspace: None,
            defaults: None,
            permissions: PermissionSet::none(),
            is_super_admin: false,
            company: None,
            origin,
        }
    }

    /// The installation itself, at work in a workspace or in none.
    pub fn job(job: Uuid, workspace: Option<WorkspaceId>, cause: Cause) -> Self {
        Self {
            actor: Actor::Job { job },
            workspace,
            defaults: None,
            permissions: PermissionSet::all(),
            is_super_admin: true,
            company: None,
            origin: Origin { cause, ..Origin::default() },
        }
    }

    /// Whether the permission is there.
    pub fn can(&self, permission: Permission) -> bool {
        self.permissions.contains(permission)
    }

    /// The workspace the caller is in.
    ///
    /// # Errors
    /// `no_workspace` where there is none.
    pub fn workspace(&self) -> Result<WorkspaceId> {
        self.workspace.ok_or_else(|| Error::new(&codes::NO_WORKSPACE))
    }

    /// The staff account behind the caller.
    ///
    /// # Errors
    /// `unauthenticated` where there is none.
    pub fn user(&self) -> Result<UserId> {
        self.actor.user().ok_or_else(|| Error::new(&codes::UNAUTHENTICATED))
    }

    /// The first line of a command: fails unless the permission is there.
    ///
    /// # Errors
    /// `unauthenticated` for nobody, `forbidden` for anybody else who lacks it.
    #[track_caller]
    pub fn require(&self, permission: Permission) -> Result<()> {
        self.require_any(&[permission])
    }

    /// Fails unless one of the permissions is there.
    ///
    /// # Errors
    /// `unauthenticated` for nobody, `forbidden` for anybody else who lacks them.
    #[track_caller]
    pub fn require_any(&self, permissions: &[Permission]) -> Result<()> {
        if permissions.iter().any(|permission| self.can(*permission)) {
            return Ok(());
        }
        if self.actor == Actor::Anonymous {
            return Err(Error::new(&codes::UNAUTHENTICATED));
        }
        let names: Vec<&str> = permissions.iter().map(|permission| permission.as_str()).collect();
        Err(Error::new(&codes::FORBIDDEN).with_detail(format!("This needs {}.", names.join(" or "))))
    }

    /// Fails unless it is a super admin of the installation, signed in and not through a token.
    ///
    /// # Errors
    /// `unauthenticated` for nobody, `forbidden` for anybody else.
    #[track_caller]
    pub fn require_super_admin(&self) -> Result<()> {
        match self.actor {
            Actor::Anonymous => Err(Error::new(&codes::UNAUTHENTICATED)),
            Actor::User { .. } if self.is_super_admin => Ok(()),
            _ => Err(Error::new(&codes::FORBIDDEN).with_detail("This needs a super admin of the installation, signed in.")),
        }
    }

    /// The contact who asks, and the session they are signed in to the portal on.
    ///
    /// # Errors
    /// `unauthenticated` for nobody; `forbidden` for whoever is no contact.
    #[track_caller]
    pub fn contact(&self) -> Result<(Uuid, Uuid)> {
        match self.actor {
            Actor::Anonymous => Err(Error::new(&codes::UNAUTHENTICATED)),
            Actor::Contact { contact, session } => Ok((contact, session)),
            _ => Err(Error::new(&codes::FORBIDDEN).with_detail("This is for contacts, who sign in to the portal.")),
        }
    }

    /// The first line of what is done in the portal of a client: which, and what the contact may do there.
    ///
    /// # Errors
    /// As [`contact`](Self::contact), and `no_portal_client` for a contact that no client lets in, or not the one that they
    /// chose.
    #[track_caller]
    pub fn company(&self) -> Result<&Company> {
        self.contact()?;
        self.company.as_ref().ok_or_else(|| {
            let detail = "No client lets you in, or the one that you chose does no more. Choose another, if there is one.";
            Error::new(&codes::NO_PORTAL_CLIENT).with_detail(detail)
        })
    }

    /// Fails for contacts, who have nothing to do where staff work.
    ///
    /// # Errors
    /// `forbidden` for a contact.
    #[track_caller]
    pub fn require_staff(&self) -> Result<()> {
        match self.actor {
            Actor::Contact { .. } => Err(Error::new(&codes::FORBIDDEN).with_detail("This is for staff.")),
            _ => Ok(()),
        }
    }

    /// Fails unless the contact may do this for the client that they are in the portal of.
    ///
    /// # Errors
    /// As [`company`](Self::company), and `portal_permission_needed`.
    #[track_caller]
    pub fn require_portal(&self, permission: PortalPermission) -> Result<&Company> {
        let company = self.company()?;
        if company.permissions.contains(&permission) {
            return Ok(company);
        }
        let detail = format!("This needs {permission} for the client. Whoever looks after it can give it.");
        Err(Error::new(&codes::PORTAL_PERMISSION_NEEDED).with_detail(detail))
    }

    /// How far the caller sees, where a record type has two permissions for it.
    ///
    /// # Errors
    /// `forbidden` with neither of the two.
    #[track_caller]
    pub fn scope(&self, all: Permission, own: Permission) -> Result<Scope> {
        self.require_any(&[all, own])?;
        match self.actor.user() {
            Some(user) if !self.can(all) => Ok(Scope::Own(user)),
            _ if self.can(all) => Ok(Scope::All),
            _ => Err(Error::new(&codes::FORBIDDEN)),
        }
    }

    /// A stable name of who asks: the key of limits and of idempotency records.
    pub fn key(&self) -> String {
        match self.actor.id() {
            Some(id) => format!("{}:{id}", self.actor.kind()),
            None => self.actor.kind().to_owned(),
        }
    }
}
