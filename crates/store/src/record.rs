//! A record type, declared once: its table, its columns, how it is read and written, and what the journal keeps of it.

use kernel::{DateTime, Result, TypedId, WorkspaceId};
use sea_orm::sea_query::{Expr, Query, SelectStatement, Value};

use crate::field::Row;

/// The name of a column whose field is a word of the language: `r#type` is `type`.
#[must_use]
pub const fn bare(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', rest @ ..] => match std::str::from_utf8(rest) {
            Ok(rest) => rest,
            Err(_) => name,
        },
        _ => name,
    }
}

/// What the journal does with a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// Written as it is.
    Plain,
    /// Personal data: written to the erasable side.
    Personal,
    /// A secret: that it changed is written, never the value.
    Secret,
    /// Follows from other columns, or changes without meaning anything: not written.
    Derived,
}

/// A column of a record.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name in the table and in the journal.
    pub name: &'static str,
    /// What the journal does with it.
    pub keeping: Keeping,
}

/// A record type. Declared with [`record!`](crate::record).
pub trait Record: Clone + Send + Sync + 'static {
    /// The table, which is also the record's type in the journal.
    const TABLE: &'static str;
    /// The columns, in the order of [`values`](Self::values).
    const COLUMNS: &'static [Column];
    /// The record's id type.
    type Id: TypedId;

    /// The record's id.
    fn id(&self) -> Self::Id;
    /// The workspace it belongs to, if to one.
    fn workspace(&self) -> Option<WorkspaceId>;
    /// Counts its changes, from 1. The ETag is made from it.
    fn version(&self) -> i64;
    /// When it last changed.
    fn updated_at(&self) -> DateTime;
    /// Marks it as changed.
    fn touch(&mut self, version: i64, at: DateTime);
    /// Its columns as parameters.
    fn values(&self) -> Vec<Value>;
    /// Its columns as the journal keeps them, without `id` and the columns that every record has.
    fn journal_values(&self) -> Vec<serde_json::Value>;
    /// Reads it from a row whose columns from `offset` on are [`COLUMNS`](Self::COLUMNS).
    ///
    /// # Errors
    /// `internal` when the row is of another shape.
    fn read(row: &Row, offset: usize) -> Result<Self>;

    /// A select of all columns, and of nothing else yet.
    fn select() -> SelectStatement {
        let mut select = Query::select();
        select.expr(Expr::cust(Self::column_list())).from(Self::TABLE);
        select
    }

    /// The columns as they stand in a select. Written once: quoting forty names anew was a tenth of a read.
    fn column_list() -> &'static str;
}

/// Declares a record type:
///
/// ```ignore
/// store::record! {
///     /// A word with a colour.
///     pub struct TagRow in "tag" of workspace {
///         id: TagId;
///         name: String,
///         colour: Option<String>,
///         name_key: String => Derived,
///     }
/// }
/// ```
///
/// `of workspace` adds `workspace_id`; `of installation` does not. `version`, `created_at` and `updated_at` are added to both. A
/// field is `Plain` for the journal unless it says `=> Personal`, `=> Secret` or `=> Derived`.
#[macro_export]
macro_rules! record {
    ($(#[$doc:meta])* $vis:vis struct $name:ident in $table:literal of workspace {
        id: $id:ty; $($(#[$fdoc:meta])* $field:ident: $type:ty $(=> $keeping:ident)?,)*
    }) => {
        $crate::record!(@struct [$(#[$doc])*] $vis $name $id
            [/// The workspace it belongs to.
             workspace_id: ::kernel::WorkspaceId,] [$($(#[$fdoc])* $field: $type,)*]);
        $crate::record!(@impl $name $table $id [workspace_id: ::kernel::WorkspaceId => Derived,] [$($field: $type => [$($keeping)?],)*]
            (|row: &$name| Some(row.workspace_id)));
    };
    ($(#[$doc:meta])* $vis:vis struct $name:ident in $table:literal of installation {
        id: $id:ty; $($(#[$fdoc:meta])* $field:ident: $type:ty $(=> $keeping:ident)?,)*
    }) => {
        $crate::record!(@struct [$(#[$doc])*] $vis $name $id [] [$($(#[$fdoc])* $field: $type,)*]);
        $crate::record!(@impl $name $table $id [] [$($field: $type => [$($keeping)?],)*] (|_: &$name| None));
    };
    (@struct [$(#[$doc:meta])*] $vis:vis $name:ident $id:ty
        [$($(#[$wdoc:meta])* $workspace:ident: $wtype:ty,)?] [$($(#[$fdoc:meta])* $field:ident: $type:ty,)*]) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[expect(clippy::allow_attributes, reason = "the columns of a table explain themselves")]
        #[allow(missing_docs, reason = "the columns of a table explain themselves")]
        $vis struct $name {
            pub id: $id,
            $($(#[$wdoc])* pub $workspace: $wtype,)?
            $($(#[$fdoc])* pub $field: $type,)*
            pub version: i64,
            pub created_at: ::kernel::DateTime,
            pub updated_at: ::kernel::DateTime,
        }
    };
    (@impl $name:ident $table:literal $id:ty [$($workspace:ident: $wtype:ty => $wkeeping:ident,)?]
        [$($field:ident: $type:ty => [$($keeping:ident)?],)*] ($of:expr)) => {
        impl $crate::Record for $name {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [$crate::Column] = &[
                $crate::Column { name: "id", keeping: $crate::Keeping::Derived },
                $($crate::Column { name: stringify!($workspace), keeping: $crate::Keeping::$wkeeping },)?
                $($crate::Column { name: $crate::bare(stringify!($field)), keeping: $crate::record!(@keeping $($keeping)?) },)*
                $crate::Column { name: "version", keeping: $crate::Keeping::Derived },
                $crate::Column { name: "created_at", keeping: $crate::Keeping::Derived },
                $crate::Column { name: "updated_at", keeping: $crate::Keeping::Derived },
            ];
            type Id = $id;

            fn id(&self) -> $id {
                self.id
            }
            fn workspace(&self) -> Option<::kernel::WorkspaceId> {
                let of: fn(&$name) -> Option<::kernel::WorkspaceId> = $of;
                of(self)
            }
            fn version(&self) -> i64 {
                self.version
            }
            fn updated_at(&self) -> ::kernel::DateTime {
                self.updated_at
            }
            fn touch(&mut self, version: i64, at: ::kernel::DateTime) {
                self.version = version;
                self.updated_at = at;
            }
            fn values(&self) -> Vec<$crate::query::Value> {
                vec![
                    $crate::Field::value(&self.id),
                    $($crate::Field::value(&self.$workspace),)?
                    $($crate::Field::value(&self.$field),)*
                    $crate::Field::value(&self.version),
                    $crate::Field::value(&self.created_at),
                    $crate::Field::value(&self.updated_at),
                ]
            }
            fn journal_values(&self) -> Vec<::serde_json::Value> {
                vec![
                    ::serde_json::Value::Null,
                    $({ let _ = stringify!($workspace); ::serde_json::Value::Null },)?
                    $($crate::record!(@journal self $field $($keeping)?),)*
                    ::serde_json::Value::Null,
                    ::serde_json::Value::Null,
                    ::serde_json::Value::Null,
                ]
            }
            fn column_list() -> &'static str {
                static LIST: ::std::sync::LazyLock<String> = ::std::sync::LazyLock::new(|| {
                    let quoted = |column: &$crate::Column| format!("\"{}\".\"{}\"", $table, column.name);
                    <$name as $crate::Record>::COLUMNS.iter().map(quoted).collect::<Vec<_>>().join(", ")
                });
                LIST.as_str()
            }
            fn read(row: &$crate::Row, offset: usize) -> ::kernel::Result<Self> {
                let mut at = offset;
                let mut next = || { at += 1; at - 1 };
                Ok(Self {
                    id: row.get(next())?,
                    $($workspace: row.get(next())?,)?
                    $($field: row.get(next())?,)*
                    version: row.get(next())?,
                    created_at: row.get(next())?,
                    updated_at: row.get(next())?,
                })
            }
        }
    };
    (@keeping) => { $crate::Keeping::Plain };
    (@keeping $keeping:ident) => { $crate::Keeping::$keeping };
    (@journal $self:ident $field:ident Derived) => { ::serde_json::Value::Null };
    (@journal $self:ident $field:ident $($keeping:ident)?) => {
        ::serde_json::to_value(&$self.$field).unwrap_or_default()
    };
}
