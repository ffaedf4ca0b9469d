//! What a change is called, and how two states of a record differ.

use kernel::{TypedId, WorkspaceId};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::record::{Keeping, Record};

crate::text_enum! {
    /// What was done.
    pub enum Action {
        /// A record was made.
        Create = "create",
        /// A record was changed.
        Update = "update",
        /// A record was deleted for ever.
        Delete = "delete",
        /// A record was put away.
        Archive = "archive",
        /// A record was brought back.
        Restore = "restore",
        /// A record was merged into another.
        Merge = "merge",
        /// Somebody signed in, or tried to.
        Login = "login",
        /// Somebody signed out.
        Logout = "logout",
        /// Something was refused.
        PermissionDenied = "permission_denied",
        /// A change was taken back.
        Revert = "revert",
        /// Data left.
        Export = "export",
        /// Data came in.
        Import = "import",
    }
}

impl Action {
    /// The event that a change of this action is, in the past tense.
    pub(crate) fn past(self) -> &'static str {
        match self {
            Self::Create => "created",
            Self::Update => "updated",
            Self::Delete => "deleted",
            Self::Archive => "archived",
            Self::Restore => "restored",
            Self::Merge => "merged",
            Self::Login => "signed_in",
            Self::Logout => "signed_out",
            Self::PermissionDenied => "denied",
            Self::Revert => "reverted",
            Self::Export => "exported",
            Self::Import => "imported",
        }
    }
}

/// How the journal shall call a change. By default the action follows from what is written, and the event from both.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub(crate) action: Option<Action>,
    pub(crate) event: Option<&'static str>,
    pub(crate) subject: Option<(&'static str, Uuid)>,
    pub(crate) workspace: Option<WorkspaceId>,
    pub(crate) details: Map<String, Value>,
    pub(crate) personal: Map<String, Value>,
}

impl Change {
    /// What follows from the write itself.
    pub fn plain() -> Self {
        Self::default()
    }

    /// An action of its own name.
    pub fn of(action: Action) -> Self {
        Self { action: Some(action), ..Self::default() }
    }

    /// As [`of`](Self::of), of a change that is called something already.
    #[must_use]
    pub fn action(mut self, action: Action) -> Self {
        self.action = Some(action);
        self
    }

    /// The live event that it is, such as `client.note_added`.
    #[must_use]
    pub fn event(mut self, event: &'static str) -> Self {
        self.event = Some(event);
        self
    }

    /// The record in whose trail it also stands: a note is about its client.
    #[must_use]
    pub fn about<I: TypedId>(mut self, record_type: &'static str, id: I) -> Self {
        self.subject = Some((record_type, id.uuid()));
        self
    }

    /// The workspace whose trail it stands in, of a record that belongs to none, where the unit of work is in none either.
    #[must_use]
    pub fn in_trail_of(mut self, workspace: Option<WorkspaceId>) -> Self {
        self.workspace = workspace;
        self
    }

    /// Something to know about it that is no field of the record.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), json!({ "to": value.into() }));
        self
    }

    /// A field of the record that a statement of its own changed.
    #[must_use]
    pub fn field(mut self, name: &str, from: impl Into<Value>, to: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), json!({ "from": from.into(), "to": to.into() }));
        self
    }

    /// As [`field`](Self::field), for what is personal data.
    #[must_use]
    pub fn personal_field(mut self, name: &str, from: impl Into<Value>, to: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), personal_mark());
        self.personal.insert(name.to_owned(), json!({ "from": from.into(), "to": to.into() }));
        self
    }

    /// As [`detail`](Self::detail), for what is personal data.
    #[must_use]
    pub fn personal_detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), personal_mark());
        self.personal.insert(name.to_owned(), json!({ "to": value.into() }));
        self
    }
}

/// Fields that differ, each `{"from": …, "to": …}`.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Changes {
    pub plain: Map<String, Value>,
    pub personal: Map<String, Value>,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty()
    }
}

/// What stands in the entry itself where the values are personal.
fn personal_mark() -> Value {
    json!({ "personal": true })
}

/// What differs between two states of a record; `None` is before it was there, or after it was gone.
pub(crate) fn changes_between<R: Record>(before: Option<&R>, after: Option<&R>) -> Changes {
    let nothing = || vec![Value::Null; R::COLUMNS.len()];
    let old = before.map_or_else(nothing, R::journal_values);
    let new = after.map_or_else(nothing, R::journal_values);
    let mut changes = Changes::default();
    for ((column, from), to) in R::COLUMNS.iter().zip(old).zip(new) {
        if from == to {
            continue;
        }
        let mut change = Map::new();
        if before.is_some() {
            change.insert("from".to_owned(), from);
        }
        if after.is_some() {
            change.insert("to".to_owned(), to);
        }
        match column.keeping {
            Keeping::Derived => {}
            Keeping::Plain => {
                changes.plain.insert(column.name.to_owned(), change.into());
            }
            Keeping::Secret => {
                changes.plain.insert(column.name.to_owned(), json!({ "secret": true }));
            }
            Keeping::Personal => {
                changes.plain.insert(column.name.to_owned(), personal_mark());
                changes.personal.insert(column.name.to_owned(), change.into());
            }
        }
    }
    changes
}
