//! The templates that come with the program, in `defaults/<language>/<kind>.txt` (the subject on the first line, then the text) and
//! `.html` (the content that stands in the layout).

use crate::language::Language;
use crate::letter::MailKind;

macro_rules! defaults {
    ($kind:ident, $language:ident: $($word:literal => $variant:ident),+) => {
        match ($kind, $language) {
            $(
                (MailKind::$variant, Language::English) => parts(
                    include_str!(concat!("defaults/en/", $word, ".txt")),
                    include_str!(concat!("defaults/en/", $word, ".html")),
                ),
                (MailKind::$variant, Language::Greek) => parts(
                    include_str!(concat!("defaults/el/", $word, ".txt")),
                    include_str!(concat!("defaults/el/", $word, ".html")),
                ),
            )+
        }
    };
}

/// Subject, text and HTML.
pub(super) fn of(kind: MailKind, language: Language) -> (&'static str, &'static str, &'static str) {
    defaults! { kind, language:
        "invitation" => Invitation,
        "password_reset" => PasswordReset,
        "password_changed" => PasswordChanged,
        "new_device" => NewDevice,
        "lock_out" => LockOut,
        "import_finished" => ImportFinished,
        "second_factor_on" => SecondFactorOn,
        "second_factor_off" => SecondFactorOff,
        "second_factor_reset" => SecondFactorReset,
        "address_changed" => AddressChanged,
        "portal_invitation" => PortalInvitation,
        "portal_password_reset" => PortalPasswordReset,
        "portal_password_changed" => PortalPasswordChanged,
        "portal_new_device" => PortalNewDevice
    }
}

fn parts(text: &'static str, html: &'static str) -> (&'static str, &'static str, &'static str) {
    let (subject, text) = text.split_once("\n\n").unwrap_or((text, ""));
    (subject, text, html)
}

/// What stands under every mail.
pub(super) fn footer(language: Language) -> &'static str {
    match language {
        Language::English => "This message was sent automatically.",
        Language::Greek => "Το μήνυμα αυτό στάλθηκε αυτόματα.",
    }
}
