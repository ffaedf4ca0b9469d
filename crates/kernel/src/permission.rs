//! What can be allowed: one permission per area and action, as in the product's permission map.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! permissions {
    ($($area:literal { $($name:ident = $action:literal),+ $(,)? })+) => {
        /// One thing that a role or a token can allow, named `area.action` on the wire.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Permission {
            $($(
                #[doc = concat!("`", $area, ".", $action, "`")]
                $name,
            )+)+
        }

        impl Permission {
            /// Every permission, in the order of the map.
            pub const ALL: &'static [Self] = &[$($(Self::$name),+),+];

            /// `area.action`, as it stands on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $($(Self::$name => concat!($area, ".", $action)),+),+ }
            }

            /// The part before the point.
            pub const fn area(self) -> &'static str {
                match self { $($(Self::$name)|+ => $area),+ }
            }

            /// The part after the point.
            pub const fn action(self) -> &'static str {
                match self { $($(Self::$name => $action),+),+ }
            }
        }
    };
}

permissions! {
    "clients" {
        ClientsViewOwn = "view_own", ClientsViewAll = "view_all", ClientsCreate = "create", ClientsEdit = "edit",
        ClientsDelete = "delete", ClientsPurge = "purge", ClientsMerge = "merge", ClientsExport = "export",
    }
    "contacts" {
        ContactsView = "view", ContactsCreate = "create", ContactsEdit = "edit", ContactsDelete = "delete",
        ContactsPurge = "purge", ContactsManagePortal = "manage_portal",
    }
    "leads" {
        LeadsViewOwn = "view_own", LeadsViewAll = "view_all", LeadsCreate = "create", LeadsEdit = "edit",
        LeadsDelete = "delete", LeadsConvert = "convert",
    }
    "opportunities" {
        OpportunitiesViewOwn = "view_own", OpportunitiesViewAll = "view_all", OpportunitiesCreate = "create",
        OpportunitiesEdit = "edit", OpportunitiesDelete = "delete", OpportunitiesChangeStage = "change_stage",
        OpportunitiesExport = "export",
    }
    "assets" {
        AssetsView = "view", AssetsEdit = "edit", AssetsImport = "import", AssetsManageWaitingList = "manage_waiting_list",
    }
    "products" { ProductsView = "view", ProductsManage = "manage" }
    "tickets" {
        TicketsViewOwn = "view_own", TicketsViewAll = "view_all", TicketsCreate = "create", TicketsEdit = "edit",
        TicketsAssign = "assign", TicketsReply = "reply", TicketsReplyInternal = "reply_internal",
        TicketsDelete = "delete", TicketsMerge = "merge",
    }
    "projects" {
        ProjectsViewOwn = "view_own", ProjectsViewAll = "view_all", ProjectsCreate = "create", ProjectsEdit = "edit",
        ProjectsDelete = "delete",
    }
    "tasks" {
        TasksViewOwn = "view_own", TasksViewAll = "view_all", TasksCreate = "create", TasksEdit = "edit",
        TasksDelete = "delete", TasksAssign = "assign", TasksLogTime = "log_time",
    }
    "invoices" {
        InvoicesViewOwn = "view_own", InvoicesViewAll = "view_all", InvoicesCreate = "create", InvoicesEdit = "edit",
        InvoicesDelete = "delete", InvoicesSend = "send", InvoicesExport = "export",
    }
    "estimates" {
        EstimatesViewOwn = "view_own", EstimatesViewAll = "view_all", EstimatesCreate = "create",
        EstimatesEdit = "edit", EstimatesDelete = "delete", EstimatesSend = "send", EstimatesExport = "export",
    }
    "proposals" {
        ProposalsViewOwn = "view_own", ProposalsViewAll = "view_all", ProposalsCreate = "create",
        ProposalsEdit = "edit", ProposalsDelete = "delete", ProposalsSend = "send", ProposalsExport = "export",
    }
    "credit_notes" {
        CreditNotesViewOwn = "view_own", CreditNotesViewAll = "view_all", CreditNotesCreate = "create",
        CreditNotesEdit = "edit", CreditNotesDelete = "delete", CreditNotesSend = "send", CreditNotesExport = "export",
    }
    "payments" {
        PaymentsView = "view", PaymentsCreate = "create", PaymentsEdit = "edit", PaymentsDelete = "delete",
    }
    "expenses" {
        ExpensesViewOwn = "view_own", ExpensesViewAll = "view_all", ExpensesCreate = "create", ExpensesEdit = "edit",
        ExpensesDelete = "delete", ExpensesExport = "export", ExpensesScanReceipt = "scan_receipt",
    }
    "contracts" {
        ContractsViewOwn = "view_own", ContractsViewAll = "view_all", ContractsCreate = "create",
        ContractsEdit = "edit", ContractsDelete = "delete", ContractsSendForSigning = "send_for_signing",
    }
    "documents" {
        DocumentsView = "view", DocumentsCreate = "create", DocumentsSendForSigning = "send_for_signing",
        DocumentsUploadSigned = "upload_signed", DocumentsDelete = "delete",
    }
    "document_templates" {
        DocumentTemplatesView = "view", DocumentTemplatesGenerate = "generate", DocumentTemplatesManage = "manage",
    }
    "files" {
        FilesView = "view", FilesUpload = "upload", FilesDelete = "delete", FilesManageFolders = "manage_folders",
    }
    "email" { EmailView = "view", EmailSend = "send", EmailConfigureAccount = "configure_account" }
    "reminders" {
        RemindersViewOwn = "view_own", RemindersViewAll = "view_all", RemindersCreate = "create",
        RemindersEditOwn = "edit_own", RemindersEditAll = "edit_all", RemindersAssignOthers = "assign_others",
    }
    "calendar" { CalendarConnect = "connect", CalendarViewEvents = "view_events" }
    "reports" {
        ReportsViewDashboard = "view_dashboard", ReportsViewAnalytics = "view_analytics", ReportsExport = "export",
    }
    "support" {
        SupportManageDepartments = "manage_departments", SupportManageSla = "manage_sla",
        SupportManageRules = "manage_rules", SupportManageCannedReplies = "manage_canned_replies",
        SupportViewReports = "view_reports",
    }
    "tokens" { TokensManageOwn = "manage_own" }
    "privacy" { PrivacyExportPerson = "export_person", PrivacyErasePerson = "erase_person" }
    "admin" {
        AdminManageUsers = "manage_users", AdminManageRoles = "manage_roles",
        AdminManageWorkspaces = "manage_workspaces", AdminManageBrands = "manage_brands",
        AdminViewAuditLog = "view_audit_log", AdminRevertChanges = "revert_changes",
        AdminManageSettings = "manage_settings", AdminManageWebhooks = "manage_webhooks",
        AdminManageTokens = "manage_tokens", AdminManageCustomFields = "manage_custom_fields",
        AdminManageTags = "manage_tags", AdminManageForms = "manage_forms", AdminManageReports = "manage_reports",
        AdminImport = "import", AdminSystemBackup = "system_backup",
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// The text names no permission.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such permission")]
pub struct UnknownPermission;

impl FromStr for Permission {
    type Err = UnknownPermission;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|permission| permission.as_str() == text).ok_or(UnknownPermission)
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A set of permissions, as small as three words. On the wire it is a sorted list of names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PermissionSet([u64; 3]);

const _: () = assert!(Permission::ALL.len() <= 3 * 64, "PermissionSet needs another word");

impl PermissionSet {
    /// Nothing allowed.
    pub const fn none() -> Self {
        Self([0; 3])
    }

    /// Everything allowed.
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    fn place(permission: Permission) -> (usize, u64) {
        let number = permission as usize;
        (number / 64, 1 << (number % 64))
    }

    /// Adds one.
    pub fn insert(&mut self, permission: Permission) {
        let (word, bit) = Self::place(permission);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    /// Takes one out.
    pub fn remove(&mut self, permission: Permission) {
        let (word, bit) = Self::place(permission);
        if let Some(word) = self.0.get_mut(word) {
            *word &= !bit;
        }
    }

    /// Whether it is in.
    pub fn contains(&self, permission: Permission) -> bool {
        let (word, bit) = Self::place(permission);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let ([a, b, c], [x, y, z]) = (self.0, other.0);
        Self([a & x, b & y, c & z])
    }

    /// What is in this one and not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let ([a, b, c], [x, y, z]) = (self.0, other.0);
        Self([a & !x, b & !y, c & !z])
    }

    /// Whether nothing is in.
    pub fn is_empty(&self) -> bool {
        self.0 == [0; 3]
    }

    /// What is in, in the order of the map.
    pub fn iter(&self) -> impl Iterator<Item = Permission> + '_ {
        Permission::ALL.iter().copied().filter(|permission| self.contains(*permission))
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        let mut set = Self::none();
        for permission in permissions {
            set.insert(permission);
        }
        set
    }
}

impl Serialize for PermissionSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for PermissionSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Permission>::deserialize(deserializer).map(|list| list.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_unique_and_parse_back() {
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(*permission));
            assert_eq!(permission.as_str(), format!("{}.{}", permission.area(), permission.action()));
        }
        assert_eq!("clients.fly".parse::<Permission>(), Err(UnknownPermission));
    }

    proptest! {
        #[test]
        fn a_set_behaves_like_a_set(left in any::<Vec<proptest::sample::Index>>(), right in any::<Vec<proptest::sample::Index>>()) {
            use std::collections::BTreeSet;
            let pick = |list: &[proptest::sample::Index]| list.iter().map(|i| *i.get(Permission::ALL)).collect::<BTreeSet<_>>();
            let (a, b) = (pick(&left), pick(&right));
            let (x, y): (PermissionSet, PermissionSet) = (a.iter().copied().collect(), b.iter().copied().collect());
            prop_assert_eq!(x.intersection(&y).iter().collect::<BTreeSet<_>>(), a.intersection(&b).copied().collect());
            prop_assert_eq!(x.difference(&y).iter().collect::<BTreeSet<_>>(), a.difference(&b).copied().collect());
            prop_assert_eq!(serde_json::from_str::<PermissionSet>(&serde_json::to_string(&x).unwrap()).unwrap(), x);
        }
    }
}
