//! The ten queues, and how each works.

use crate::dialect::Mode;

crate::text_enum! {
    /// What a job waits in. Each worker process works every queue, each with its own number at once.
    pub enum Queue {
        /// Mail that goes out.
        Email = "email",
        /// Documents that are made.
        Documents = "documents",
        /// Word to people inside.
        Notifications = "notifications",
        /// Data that comes in.
        Import = "import",
        /// Data that goes out.
        Export = "export",
        /// Reports that are made.
        Reports = "reports",
        /// Calls to systems outside.
        Webhooks = "webhooks",
        /// What the installation does for itself.
        Maintenance = "maintenance",
        /// What a model is asked.
        Ai = "ai",
        /// Many changes at once.
        Bulk = "bulk",
    }
}

impl Queue {
    /// Every queue.
    pub const ALL: [Self; 10] = [
        Self::Email,
        Self::Documents,
        Self::Notifications,
        Self::Import,
        Self::Export,
        Self::Reports,
        Self::Webhooks,
        Self::Maintenance,
        Self::Ai,
        Self::Bulk,
    ];

    /// How many of its jobs a worker runs at once.
    pub const fn at_once(self) -> usize {
        match self {
            Self::Email | Self::Webhooks => 5,
            Self::Documents => 3,
            Self::Notifications => 10,
            Self::Import | Self::Reports | Self::Maintenance => 1,
            Self::Export | Self::Ai | Self::Bulk => 2,
        }
    }

    /// How its jobs write: those that take data in do it hundreds of times in the same way.
    pub(crate) const fn mode(self) -> Mode {
        if matches!(self, Self::Import) { Mode::WriteMany } else { Mode::Write }
    }

    /// How many attempts a job of it has, unless its kind says otherwise. Those of webhooks follow a schedule of ten.
    pub const fn attempts(self) -> i64 {
        match self {
            Self::Webhooks => 10,
            Self::Email | Self::Documents => 5,
            Self::Import => 1,
            Self::Notifications | Self::Export | Self::Reports | Self::Maintenance | Self::Ai | Self::Bulk => 3,
        }
    }
}
