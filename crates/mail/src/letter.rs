//! The kinds of mail, and what each has to say.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use kernel::DateTime;

use crate::language::Language;

store::text_enum! {
    /// What a mail is for.
    pub enum MailKind {
        /// Somebody is invited to a workspace.
        Invitation = "invitation",
        /// A password can be set anew.
        PasswordReset = "password_reset",
        /// A password was changed.
        PasswordChanged = "password_changed",
        /// An account was signed in to from a device that it was never signed in to from.
        NewDevice = "new_device",
        /// An account is locked out after failed attempts.
        LockOut = "lock_out",
        /// An import has come to its end.
        ImportFinished = "import_finished",
        /// Signing in to an account takes a second factor from now on.
        SecondFactorOn = "second_factor_on",
        /// Signing in to an account takes no second factor any more.
        SecondFactorOff = "second_factor_off",
        /// Somebody else took the second factor from an account.
        SecondFactorReset = "second_factor_reset",
        /// An account signs in with another address from now on.
        AddressChanged = "address_changed",
        /// A contact is invited to the portal.
        PortalInvitation = "portal_invitation",
        /// A contact's password can be set anew.
        PortalPasswordReset = "portal_password_reset",
        /// A contact's password was changed.
        PortalPasswordChanged = "portal_password_changed",
        /// A contact signed in to the portal from a device that they never signed in from.
        PortalNewDevice = "portal_new_device",
    }
}

/// What every kind has.
const COMMON: [&str; 3] = ["workspace_name", "tagline", "recipient_name"];

impl MailKind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::Invitation,
        Self::PasswordReset,
        Self::PasswordChanged,
        Self::NewDevice,
        Self::LockOut,
        Self::ImportFinished,
        Self::SecondFactorOn,
        Self::SecondFactorOff,
        Self::SecondFactorReset,
        Self::AddressChanged,
        Self::PortalInvitation,
        Self::PortalPasswordReset,
        Self::PortalPasswordChanged,
        Self::PortalNewDevice,
    ];

    /// The names of what it has to say.
    pub fn variables(self) -> Vec<&'static str> {
        let own: &[&str] = match self {
            Self::Invitation | Self::PortalInvitation => &["inviter_name", "link", "token", "expires_at"],
            Self::PasswordReset | Self::PortalPasswordReset => &["link", "token", "expires_at"],
            Self::PasswordChanged
            | Self::NewDevice
            | Self::SecondFactorOn
            | Self::SecondFactorOff
            | Self::PortalPasswordChanged
            | Self::PortalNewDevice => &["at", "address", "device", "link"],
            Self::SecondFactorReset => &["at", "actor_name", "link"],
            Self::AddressChanged => &["at", "actor_name", "new_email", "link"],
            Self::LockOut => &["at", "address", "minutes", "link"],
            Self::ImportFinished => &["source_name", "created", "changed", "unchanged", "wrong", "link"],
        };
        COMMON.iter().chain(own).copied().collect()
    }

    /// What each part of it must hold: without it the mail is of no use.
    pub fn needs(self) -> &'static [&'static str] {
        match self {
            Self::Invitation | Self::PasswordReset | Self::PortalInvitation | Self::PortalPasswordReset => &["link"],
            Self::PasswordChanged
            | Self::PortalPasswordChanged
            | Self::NewDevice
            | Self::PortalNewDevice
            | Self::LockOut
            | Self::ImportFinished
            | Self::SecondFactorOn
            | Self::SecondFactorOff
            | Self::SecondFactorReset
            | Self::AddressChanged => &[],
        }
    }

    /// What must not stand in its subject, which is kept and shown in lists.
    pub(crate) fn is_secret(self, variable: &str) -> bool {
        self.brings_secret() && ["link", "token"].contains(&variable)
    }

    /// Whether it brings something that opens a door.
    pub(crate) fn brings_secret(self) -> bool {
        matches!(self, Self::Invitation | Self::PasswordReset | Self::PortalInvitation | Self::PortalPasswordReset)
    }

    /// Whether it is about the safety of an account. Such a mail is kept back neither because somebody complained about others nor because
    /// many went out: whoever makes them go out is limited where they ask. Only an address that does not work ends them.
    pub(crate) fn is_about_safety(self) -> bool {
        matches!(
            self,
            Self::PasswordReset
                | Self::PortalPasswordReset
                | Self::PasswordChanged
                | Self::PortalPasswordChanged
                | Self::NewDevice
                | Self::PortalNewDevice
                | Self::LockOut
                | Self::SecondFactorOn
                | Self::SecondFactorOff
                | Self::SecondFactorReset
                | Self::AddressChanged
        )
    }
}

/// What is to be said.
#[derive(Clone, Debug)]
pub enum Letter<'a> {
    /// Somebody is invited to a workspace.
    Invitation {
        /// Who invites.
        inviter: &'a str,
        /// The secret that opens.
        token: &'a str,
        /// When it stops working.
        expires_at: DateTime,
    },
    /// A password can be set anew.
    PasswordReset {
        /// The secret that opens.
        token: &'a str,
        /// When it stops working.
        expires_at: DateTime,
    },
    /// A password was changed.
    PasswordChanged {
        /// When and from where.
        act: Act<'a>,
    },
    /// An account was signed in to from a device that it was never signed in to from.
    NewDevice {
        /// When and from where.
        act: Act<'a>,
    },
    /// An account is locked out after failed attempts.
    LockOut {
        /// When and from where.
        act: Act<'a>,
        /// For how long.
        minutes: i64,
    },
    /// An import has come to its end.
    ImportFinished {
        /// What was imported: the name of the file, or of the source.
        source: &'a str,
        /// Where the report is, below the application's address: `/imports/…`.
        path: &'a str,
        /// Records that were made.
        created: i64,
        /// Records that were changed.
        changed: i64,
        /// Records that were the same already.
        unchanged: i64,
        /// Rows that could not be read.
        wrong: i64,
    },
    /// Signing in to an account takes a second factor from now on.
    SecondFactorOn {
        /// When and from where.
        act: Act<'a>,
    },
    /// Signing in to an account takes no second factor any more.
    SecondFactorOff {
        /// When and from where.
        act: Act<'a>,
    },
    /// Somebody else took the second factor from an account.
    SecondFactorReset {
        /// Who.
        actor: &'a str,
        /// When.
        at: DateTime,
    },
    /// An account signs in with another address from now on. The one before is told the same.
    AddressChanged {
        /// Who changed it.
        actor: &'a str,
        /// When.
        at: DateTime,
        /// What it is now.
        email: &'a str,
    },
    /// A contact is invited to the portal.
    PortalInvitation {
        /// Who invites; empty where it is nobody by name.
        inviter: &'a str,
        /// The secret that opens.
        token: &'a str,
        /// When it stops working.
        expires_at: DateTime,
    },
    /// A contact's password can be set anew.
    PortalPasswordReset {
        /// The secret that opens.
        token: &'a str,
        /// When it stops working.
        expires_at: DateTime,
    },
    /// A contact's password was changed.
    PortalPasswordChanged {
        /// When and from where.
        act: Act<'a>,
    },
    /// A contact signed in to the portal from a device that they never signed in from.
    PortalNewDevice {
        /// When and from where.
        act: Act<'a>,
    },
}

/// When something was done, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Act<'a> {
    /// When.
    pub at: DateTime,
    /// From which address.
    pub address: Option<std::net::IpAddr>,
    /// With what.
    pub device: Option<&'a str>,
}

/// Values by name. All are text, and there is one for each name that the kind has.
pub(crate) type Facts = BTreeMap<&'static str, String>;

/// Characters of a device's name that are told: it says of itself what it likes.
const DEVICE: usize = 120;

impl Letter<'_> {
    /// What it is for.
    pub fn kind(&self) -> MailKind {
        match self {
            Self::Invitation { .. } => MailKind::Invitation,
            Self::PasswordReset { .. } => MailKind::PasswordReset,
            Self::PasswordChanged { .. } => MailKind::PasswordChanged,
            Self::NewDevice { .. } => MailKind::NewDevice,
            Self::LockOut { .. } => MailKind::LockOut,
            Self::ImportFinished { .. } => MailKind::ImportFinished,
            Self::SecondFactorOn { .. } => MailKind::SecondFactorOn,
            Self::SecondFactorOff { .. } => MailKind::SecondFactorOff,
            Self::SecondFactorReset { .. } => MailKind::SecondFactorReset,
            Self::AddressChanged { .. } => MailKind::AddressChanged,
            Self::PortalInvitation { .. } => MailKind::PortalInvitation,
            Self::PortalPasswordReset { .. } => MailKind::PortalPasswordReset,
            Self::PortalPasswordChanged { .. } => MailKind::PortalPasswordChanged,
            Self::PortalNewDevice { .. } => MailKind::PortalNewDevice,
        }
    }

    /// Its own facts, in a language and by the clock on the recipient's wall.
    pub(crate) fn facts(&self, frontend: &str, language: Language, zone: Tz) -> Facts {
        let mut facts = Facts::new();
        let mut say = |name: &'static str, value: String| {
            facts.insert(name, value);
        };
        match self {
            Self::Invitation { inviter, token, expires_at } => {
                say("inviter_name", one_line(inviter));
                say("link", format!("{frontend}/accept-invitation?token={token}"));
                say("token", (*token).to_owned());
                say("expires_at", language.moment(*expires_at, zone));
            }
            Self::PasswordReset { token, expires_at } => {
                say("link", format!("{frontend}/reset-password?token={token}"));
                say("token", (*token).to_owned());
                say("expires_at", language.moment(*expires_at, zone));
            }
            Self::PortalInvitation { token, expires_at, .. } | Self::PortalPasswordReset { token, expires_at } => {
                if let Self::PortalInvitation { inviter, .. } = self {
                    say("inviter_name", one_line(inviter));
                }
                say("link", format!("{frontend}/portal/set-password?token={token}"));
                say("token", (*token).to_owned());
                say("expires_at", language.moment(*expires_at, zone));
            }
            Self::PasswordChanged { act }
            | Self::PortalPasswordChanged { act }
            | Self::NewDevice { act }
            | Self::PortalNewDevice { act }
            | Self::LockOut { act, .. }
            | Self::SecondFactorOn { act }
            | Self::SecondFactorOff { act } => {
                say("at", language.moment(act.at, zone));
                say("address", act.address.map(|ip| ip.to_string()).unwrap_or_default());
                // what can be done about it; a lock-out has no device that would be the owner's
                let is_portal = matches!(self, Self::PortalPasswordChanged { .. } | Self::PortalNewDevice { .. });
                let portal = if is_portal { "/portal" } else { "" };
                say("link", format!("{frontend}{portal}/forgot-password"));
                if let Self::LockOut { minutes, .. } = self {
                    say("minutes", language.number(*minutes));
                } else {
                    say("device", one_line(act.device.unwrap_or_default()).chars().take(DEVICE).collect());
                }
            }
            Self::SecondFactorReset { actor, at } | Self::AddressChanged { actor, at, .. } => {
                say("at", language.moment(*at, zone));
                say("actor_name", one_line(actor));
                if let Self::AddressChanged { email, .. } = self {
                    say("new_email", one_line(email));
                }
                say("link", format!("{frontend}/forgot-password"));
            }
            Self::ImportFinished { source, path, created, changed, unchanged, wrong } => {
                say("source_name", one_line(source));
                say("link", format!("{frontend}{path}"));
                for (name, number) in [("created", created), ("changed", changed), ("unchanged", unchanged), ("wrong", wrong)] {
                    say(name, language.number(*number));
                }
            }
        }
        facts
    }

    /// One of a kind, to try templates with.
    pub(crate) fn sample(kind: MailKind, now: DateTime) -> Self {
        let act = Act {
            at: now,
            address: Some(std::net::IpAddr::from([203, 0, 113, 7])),
            device: Some("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"),
        };
        let (token, hour) = ("sample-not-a-real-token", chrono::Duration::hours(1));
        match kind {
            MailKind::Invitation => Self::Invitation { inviter: "Μαρία Παπά", token, expires_at: now + hour * 24 * 7 },
            MailKind::PasswordReset => Self::PasswordReset { token, expires_at: now + hour },
            MailKind::PasswordChanged => Self::PasswordChanged { act },
            MailKind::NewDevice => Self::NewDevice { act },
            MailKind::LockOut => Self::LockOut { act, minutes: 15 },
            MailKind::SecondFactorOn => Self::SecondFactorOn { act },
            MailKind::SecondFactorOff => Self::SecondFactorOff { act },
            MailKind::SecondFactorReset => Self::SecondFactorReset { actor: "Μαρία Παπά", at: now },
            MailKind::AddressChanged => {
                Self::AddressChanged { actor: "Μαρία Παπά", at: now, email: "maria.pappa@example.com" }
            }
            MailKind::PortalInvitation => {
                Self::PortalInvitation { inviter: "Μαρία Παπά", token, expires_at: now + hour * 24 * 7 }
            }
            MailKind::PortalPasswordReset => Self::PortalPasswordReset { token, expires_at: now + hour },
            MailKind::PortalPasswordChanged => Self::PortalPasswordChanged { act },
            MailKind::PortalNewDevice => Self::PortalNewDevice { act },
            MailKind::ImportFinished => Self::ImportFinished {
                source: "clients.csv",
                path: "/imports/00000000-0000-7000-8000-000000000000",
                created: 1204,
                changed: 31,
                unchanged: 0,
                wrong: 2,
            },
        }
    }
}

/// A text on one line: what others typed cannot begin a line of ours, be it of a header.
pub(crate) fn one_line(text: &str) -> String {
    let cleaned: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    cleaned.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_says_what_it_is_declared_to_say() {
        for kind in MailKind::ALL {
            let sample = Letter::sample(kind, DateTime::UNIX_EPOCH);
            assert_eq!(sample.kind(), kind);
            let facts = sample.facts("https://app.example", Language::Greek, Tz::UTC);
            let mut declared: Vec<_> = kind.variables().into_iter().filter(|name| !COMMON.contains(name)).collect();
            declared.sort_unstable();
            assert_eq!(facts.keys().copied().collect::<Vec<_>>(), declared, "{kind:?}");
            assert!(kind.needs().iter().all(|name| declared.contains(name)));
        }
        assert_eq!(MailKind::ALL.len(), MailKind::TEXTS.len());
    }

    #[test]
    fn what_was_typed_stays_on_one_line() {
        assert_eq!(one_line(" Maria\r\nBcc: all@example.com\u{0} \tX"), "Maria Bcc: all@example.com X");
    }
}
