//! What can be asked of a list, declared.

use kernel::{Caller, TypedId as _};
use sea_orm::sea_query::{Expr, ExprTrait as _, Query, SelectStatement, SimpleExpr, Value};

/// What the values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Text.
    Text,
    /// Text without regard to case, kept in lower case.
    Caseless,
    /// A UUID.
    Uuid,
    /// A moment, RFC 3339.
    Time,
    /// A day.
    Date,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// One of these.
    Word(&'static [&'static str]),
}

/// A field that can be filtered by, and perhaps sorted by.
#[derive(Clone, Copy, Debug)]
pub struct ListField {
    /// Its name on the wire.
    pub name: &'static str,
    /// What its values are.
    pub kind: FieldKind,
    /// The column it stands in.
    pub column: &'static str,
    /// Whether it may be empty.
    pub nullable: bool,
    /// The column that sorts it: the field's own, or a folded twin.
    pub sort: Option<&'static str>,
    /// A folded column in which `like` looks.
    pub like: Option<&'static str>,
    /// Whether an index begins with the workspace and this field, so that the few records that have a value are found by it.
    pub indexed: bool,
}

macro_rules! field_kinds {
    ($($name:ident => $kind:ident),+) => {$(
        #[doc = concat!("A field of this kind, filtered by its own column, not sortable.")]
        pub const fn $name(name: &'static str) -> Self {
            Self { name, kind: FieldKind::$kind, column: name, nullable: false, sort: None, like: None, indexed: false }
        }
    )+};
}

impl ListField {
    field_kinds!(text => Text, caseless => Caseless, uuid => Uuid, time => Time, date => Date, integer => Integer, boolean => Boolean);

    /// A field with one of these words.
    pub const fn word(name: &'static str, words: &'static [&'static str]) -> Self {
        Self { name, kind: FieldKind::Word(words), column: name, nullable: false, sort: None, like: None, indexed: false }
    }

    /// It may be empty.
    #[must_use]
    pub const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// An index begins with the workspace and it. One that sorts has its index by that.
    #[must_use]
    pub const fn indexed(mut self) -> Self {
        self.indexed = true;
        self
    }

    /// It sorts by its own column.
    #[must_use]
    pub const fn sorted(mut self) -> Self {
        self.sort = Some(self.column);
        self
    }

    /// It sorts, and is looked through by `like`, without regard to case and accents, in this folded column.
    #[must_use]
    pub const fn folded(mut self, column: &'static str) -> Self {
        self.sort = Some(column);
        self.like = Some(column);
        self
    }
}

/// A filter that is no column: `tag_id`, say.
pub struct CustomFilter {
    /// Its name on the wire.
    pub name: &'static str,
    /// What its values are.
    pub kind: FieldKind,
    /// The ids of the records that pass it with one value, found by an index, each once, in a column called `found`.
    pub ids: fn(Value) -> SelectStatement,
    /// The table of [`ids`](Self::ids), of whose rows only those of the workspace are meant, by an index that begins with it. None where a value
    /// belongs to one workspace by itself, as the id of a record does.
    of_workspace: Option<&'static str>,
}

impl CustomFilter {
    /// A filter by the id of another record.
    pub const fn of_record(name: &'static str, ids: fn(Value) -> SelectStatement) -> Self {
        Self { name, kind: FieldKind::Uuid, ids, of_workspace: None }
    }

    /// A filter by a word, which records in a table of its own have.
    pub const fn of_word(
        name: &'static str,
        words: &'static [&'static str],
        table: &'static str,
        ids: fn(Value) -> SelectStatement,
    ) -> Self {
        Self { name, kind: FieldKind::Word(words), ids, of_workspace: Some(table) }
    }

    /// The ids of the caller's workspace that pass it with one value.
    pub(super) fn found(&self, caller: &Caller, value: Value) -> SelectStatement {
        let mut ids = (self.ids)(value);
        if let Some((table, workspace)) = self.of_workspace.zip(caller.workspace) {
            ids.and_where(Expr::col((table, "workspace_id")).eq(workspace.uuid()));
        }
        ids
    }

    /// The condition on the record of this id, which `exists` asks of the rows elsewhere that it hangs on.
    pub(super) fn condition(&self, id: &SimpleExpr, value: Value, exists: &impl Fn(SelectStatement) -> SimpleExpr) -> SimpleExpr {
        let mut passed = Query::select();
        passed
            .expr(Expr::value(1))
            .from_subquery((self.ids)(value), "passed")
            .and_where(Expr::col(("passed", "found")).eq(id.clone()));
        exists(passed)
    }
}

impl std::fmt::Debug for CustomFilter {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name)
    }
}

/// What can be asked of a list.
#[derive(Clone, Copy, Debug)]
pub struct ListSpec {
    /// The list's name: what a cursor is bound to.
    pub name: &'static str,
    /// The table.
    pub table: &'static str,
    /// Fields to filter and sort by.
    pub fields: &'static [ListField],
    /// Further filters.
    pub filters: &'static [CustomFilter],
    /// A field that is often asked for one value of, and the sort that it then goes with: an index begins with the workspace and
    /// both, so that such a list is one walk however few have that value.
    pub pairs: &'static [(&'static str, &'static str)],
    /// Related records that can be included.
    pub includes: &'static [&'static str],
    /// Members of the wire form that `fields=` can choose; empty where it cannot.
    pub members: &'static [&'static str],
    /// The sort when none is asked for.
    pub default_sort: &'static [&'static str],
    /// Whether `q=` searches it.
    pub searched: bool,
    /// Whether its records can be archived.
    pub archived: bool,
    /// Whether its records have custom fields.
    pub custom_fields: bool,
}

impl ListSpec {
    /// Nothing can be asked; to be filled with `..ListSpec::EMPTY`.
    pub const EMPTY: Self = Self {
        name: "",
        table: "",
        fields: &[],
        filters: &[],
        pairs: &[],
        includes: &[],
        members: &[],
        default_sort: &["-created_at"],
        searched: false,
        archived: false,
        custom_fields: false,
    };

    /// The names to sort by.
    pub fn sorts(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().filter(|field| field.sort.is_some()).map(|field| field.name)
    }

    /// The names to filter by.
    pub fn filter_names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|field| field.name).chain(self.filters.iter().map(|filter| filter.name))
    }

    /// A field by its name.
    pub fn field(&self, name: &str) -> Option<&'static ListField> {
        self.fields.iter().find(|field| field.name == name)
    }
}
