//! How a value of the code stands in a column, and how it is read back: once for both engines.

use kernel::id::TypedId;
use kernel::{Currency, DateTime, Error, Result, UserId, WorkspaceId};
use sea_orm::sea_query::Value;
use sqlx::{Row as _, ValueRef as _};
use uuid::Uuid;

/// A row of either engine.
pub enum Row {
    /// Of SQLite.
    Sqlite(sqlx::sqlite::SqliteRow),
    /// Of PostgreSQL.
    Postgres(sqlx::postgres::PgRow),
}

impl Row {
    /// The value in the column at `index`, counted from 0.
    ///
    /// # Errors
    /// `internal` when the column is not there or holds something else.
    #[track_caller]
    pub fn get<T: Field>(&self, index: usize) -> Result<T> {
        T::read(self, index)
    }

    fn is_null(&self, index: usize) -> Result<bool> {
        match self {
            Self::Sqlite(row) => row.try_get_raw(index).map(|value| value.is_null()),
            Self::Postgres(row) => row.try_get_raw(index).map(|value| value.is_null()),
        }
        .map_err(Error::internal)
    }
}

/// A type that stands in a column.
pub trait Field: Sized {
    /// The value as a parameter of a statement.
    fn value(&self) -> Value;
    /// The parameter that stands for "nothing" of this type.
    fn null() -> Value;
    /// The value in the column at `index`.
    ///
    /// # Errors
    /// `internal` when the column is not there or holds something else.
    fn read(row: &Row, index: usize) -> Result<Self>;
}

macro_rules! plain_fields {
    ($($type:ty => $variant:ident;)+) => {$(
        impl Field for $type {
            fn value(&self) -> Value {
                Value::$variant(Some(self.clone().into()))
            }
            fn null() -> Value {
                Value::$variant(None)
            }
            #[track_caller]
            fn read(row: &Row, index: usize) -> Result<Self> {
                match row {
                    Row::Sqlite(row) => row.try_get(index),
                    Row::Postgres(row) => row.try_get(index),
                }
                .map_err(Error::internal)
            }
        }
    )+};
}

plain_fields! {
    String => String;
    bool => Bool;
    i32 => Int;
    i64 => BigInt;
    Uuid => Uuid;
    DateTime => ChronoDateTimeUtc;
    chrono::NaiveDate => ChronoDate;
    Vec<u8> => Bytes;
    serde_json::Value => Json;
}

impl<T: Field> Field for Option<T> {
    fn value(&self) -> Value {
        self.as_ref().map_or_else(T::null, T::value)
    }
    fn null() -> Value {
        T::null()
    }
    #[track_caller]
    fn read(row: &Row, index: usize) -> Result<Self> {
        if row.is_null(index)? { Ok(None) } else { T::read(row, index).map(Some) }
    }
}

/// A value that stands in a JSON column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct Json<T>(pub T);

impl<T: serde::Serialize> serde::Serialize for Json<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: serde::Serialize + serde::de::DeserializeOwned + Send + Unpin + 'static> Field for Json<T> {
    fn value(&self) -> Value {
        // a value that serde cannot write would be a bug in the type; null makes a NOT NULL column refuse it
        Value::Json(serde_json::to_value(&self.0).ok().map(Into::into))
    }
    fn null() -> Value {
        Value::Json(None)
    }
    #[track_caller]
    fn read(row: &Row, index: usize) -> Result<Self> {
        match row {
            Row::Sqlite(row) => row.try_get::<sqlx::types::Json<T>, _>(index),
            Row::Postgres(row) => row.try_get::<sqlx::types::Json<T>, _>(index),
        }
        .map(|json| Self(json.0))
        .map_err(Error::internal)
    }
}

/// Lets an id type of [`kernel::typed_id!`] stand in a column.
#[macro_export]
macro_rules! id_fields {
    ($($name:ty),+ $(,)?) => {$(
        impl $crate::Field for $name {
            fn value(&self) -> $crate::query::Value {
                $crate::Field::value(&::kernel::TypedId::uuid(*self))
            }
            fn null() -> $crate::query::Value {
                <::uuid::Uuid as $crate::Field>::null()
            }
            fn read(row: &$crate::Row, index: usize) -> ::kernel::Result<Self> {
                row.get(index).map(<Self as ::kernel::TypedId>::from_uuid)
            }
        }

        impl $crate::jobs::PayloadField for $name {}
    )+};
}

macro_rules! kernel_ids {
    ($($name:ty),+) => {$(
        impl Field for $name {
            fn value(&self) -> Value {
                self.uuid().value()
            }
            fn null() -> Value {
                Uuid::null()
            }
            fn read(row: &Row, index: usize) -> Result<Self> {
                row.get(index).map(Self::from_uuid)
            }
        }
    )+};
}

kernel_ids!(WorkspaceId, UserId);

impl Field for Currency {
    fn value(&self) -> Value {
        Value::String(Some(self.code().to_owned()))
    }
    fn null() -> Value {
        Value::String(None)
    }
    fn read(row: &Row, index: usize) -> Result<Self> {
        row.get::<String>(index)?.parse().map_err(Error::internal)
    }
}

/// Declares an enumeration that is lower-case text on the wire, in the database and in the OpenAPI document.
#[macro_export]
macro_rules! text_enum {
    ($(#[$doc:meta])* $vis:vis enum $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:tt),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::serde::Serialize, ::serde::Deserialize, ::utoipa::ToSchema)]
        $vis enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every value as it stands on the wire.
            pub const TEXTS: &'static [&'static str] = &[$($text),+];
            /// The value as it stands on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = ::kernel::Error;
            fn from_str(text: &str) -> ::kernel::Result<Self> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(::kernel::Error::invalid_field("", "unknown_value", concat!("must be one of", $(" ", $text),+))),
                }
            }
        }

        impl $crate::Field for $name {
            fn value(&self) -> $crate::query::Value {
                $crate::query::Value::String(Some(self.as_str().to_owned()))
            }
            fn null() -> $crate::query::Value {
                $crate::query::Value::String(None)
            }
            fn read(row: &$crate::Row, index: usize) -> ::kernel::Result<Self> {
                row.get::<String>(index)?.parse().map_err(::kernel::Error::internal)
            }
        }

        impl $crate::jobs::PayloadField for $name {}
    };
}
