//! Typed ids. On the wire and in the database an id is a plain UUID (version 7, RFC 9562); in the code each record type has
//! its own type, declared beside the record with [`typed_id!`](crate::typed_id).

use uuid::Uuid;

/// What every typed id can do. Implemented by [`typed_id!`](crate::typed_id) only.
pub trait TypedId: Copy + Eq + std::hash::Hash + std::fmt::Display + Send + Sync + 'static {
    /// Takes a UUID that is known to name a record of this type.
    fn from_uuid(uuid: Uuid) -> Self;
    /// The UUID as it stands on the wire.
    fn uuid(self) -> Uuid;
}

/// Declares an id type: `typed_id! { /// Names a client. pub ClientId }`.
#[macro_export]
macro_rules! typed_id {
    ($(#[$doc:meta])* $vis:vis $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord,
            ::serde::Serialize, ::serde::Deserialize, ::utoipa::ToSchema,
        )]
        #[serde(transparent)]
        #[schema(value_type = ::uuid::Uuid)]
        $vis struct $name(::uuid::Uuid);

        impl $crate::id::TypedId for $name {
            fn from_uuid(uuid: ::uuid::Uuid) -> Self {
                Self(uuid)
            }
            fn uuid(self) -> ::uuid::Uuid {
                self.0
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, out: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.0, out)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = ::uuid::Error;
            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

typed_id! {
    /// Names a workspace, the boundary of a company's data. It stands here because every record and every caller carries one.
    pub WorkspaceId
}

typed_id! {
    /// Names a staff account. It stands here because every caller may carry one.
    pub UserId
}
