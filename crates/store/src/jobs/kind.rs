//! What there is to do: a kind of job with its payload, which can hold ids, numbers and declared words, and nothing that a person typed.

use std::time::Duration;

use kernel::{DateTime, UserId, WorkspaceId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::queue::Queue;

/// What may stand in a payload: ids, numbers, moments, yes or no, and declared words. Text has no implementation, so an address or a
/// secret cannot get in. Ids and words get theirs from [`id_fields!`](crate::id_fields) and [`text_enum!`](crate::text_enum).
pub trait PayloadField: Clone + std::fmt::Debug + Serialize + DeserializeOwned + 'static {}

impl PayloadField for Uuid {}
impl PayloadField for WorkspaceId {}
impl PayloadField for UserId {}
impl PayloadField for DateTime {}
impl PayloadField for chrono::NaiveDate {}
impl PayloadField for i64 {}
impl PayloadField for bool {}
impl<T: PayloadField> PayloadField for Option<T> {}
impl<T: PayloadField> PayloadField for Vec<T> {}

/// Compiles for what may stand in a payload.
#[doc(hidden)]
pub const fn fits<T: PayloadField>() {}

/// A kind of job. Declared with [`job_kind!`](crate::job_kind).
pub trait JobKind: Clone + std::fmt::Debug + Serialize + DeserializeOwned + 'static {
    /// Its name, unique in the installation. It stands in rows, so it never changes.
    const KIND: &'static str;
    /// The queue it waits in.
    const QUEUE: Queue;

    /// How many attempts it has.
    fn attempts() -> i64 {
        Self::QUEUE.attempts()
    }

    /// How long it waits after so many failures; none for the back-off that is usual, from a second on and twice as long each time.
    fn pause(_failures: i64) -> Option<Duration> {
        None
    }
}

/// Declares a kind of job with its payload:
///
/// ```ignore
/// store::job_kind! {
///     /// Sends a mail.
///     pub struct SendMail as "send_mail" on Email { mail: MailId }
/// }
/// ```
///
/// Every field is a [`PayloadField`](crate::jobs::PayloadField).
#[macro_export]
macro_rules! job_kind {
    ($(#[$doc:meta])* $vis:vis struct $name:ident as $kind:literal on $queue:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        $vis struct $name { $($(#[$fdoc])* pub $field: $type),* }

        impl $crate::jobs::JobKind for $name {
            const KIND: &'static str = $kind;
            const QUEUE: $crate::jobs::Queue = $crate::jobs::Queue::$queue;
        }

        const _: () = {
            $($crate::jobs::fits::<$type>();)*
        };
    };
}

crate::job_kind! {
    /// Does nothing: for measuring, and for seeing that a queue works. No operation enqueues it.
    pub struct Noop as "noop" on Maintenance {}
}
