//! What a client is compared by.

use std::sync::LazyLock;

use xxhash_rust::xxh3::xxh3_64;

use super::names::Name;
use crate::phones;
use crate::rows::{ClientKind, ClientRow};
use crate::shape::{TypedEmail, TypedPhone};

/// The version of [`Subject::keys`]: whoever changes what the keys of a client are adds one, and the keys of all clients are made anew.
pub(super) const KEYS: i64 = 3;

/// Words of a name that keys are made of, two and two. Of three one may be misspelt.
const WORDS: usize = 3;
/// Addresses, hosts and phones of a client that have keys.
const OF_EACH: usize = 6;
/// The fewest digits of a phone, and letters and digits of a tax number, that say who it is.
const FEWEST: usize = 6;
/// The last digits of a phone that it is found by: the same with and without the code of its country, whichever that is.
const OF_A_PHONE: usize = 8;

/// Where everybody has their mail, so that it says nothing that two have it there.
const PUBLIC_MAIL: &str = "gmail.com googlemail.com yahoo.com yahoo.gr yahoo.co.uk yahoo.de yahoo.fr ymail.com hotmail.com hotmail.gr hotmail.co.uk \
     hotmail.fr outlook.com outlook.com.gr live.com live.co.uk msn.com icloud.com me.com mac.com aol.com gmx.com gmx.de gmx.net web.de \
     t-online.de mail.com mail.ru yandex.com yandex.ru proton.me protonmail.com pm.me zoho.com fastmail.com hey.com otenet.gr hol.gr \
     forthnet.gr cosmotemail.gr windtools.gr vodafone.gr in.gr freemail.gr mail.gr libero.it orange.fr free.fr laposte.net wanadoo.fr";

static PUBLIC: LazyLock<std::collections::HashSet<&str>> = LazyLock::new(|| PUBLIC_MAIL.split_whitespace().collect());

/// A client as it is compared.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub kind: ClientKind,
    pub names: Vec<Name>,
    pub tax_number: Option<String>,
    pub emails: Vec<String>,
    pub hosts: Vec<String>,
    /// As they are written, and the country of those without a code.
    written_phones: Vec<String>,
    country: String,
}

/// What of a client says who it is, as it is written.
pub(super) struct Written<'a> {
    pub kind: ClientKind,
    pub name: &'a str,
    pub legal_name: Option<&'a str>,
    pub tax_number: Option<&'a str>,
    pub website: Option<&'a str>,
    pub emails: &'a [TypedEmail],
    pub phone: Option<&'a str>,
    pub phones: &'a [TypedPhone],
    /// The country whose numbers are written without a code.
    pub country: &'a str,
}

/// Letters and digits of a tax number without the country before them: the European Union writes EL where others write GR.
fn tax_number(written: &str) -> Option<String> {
    let all: String = kernel::text::fold(written).chars().filter(char::is_ascii_alphanumeric).collect();
    let number = match all.split_at_checked(2) {
        Some((country, rest)) if country.bytes().all(|byte| byte.is_ascii_alphabetic()) && rest.len() >= FEWEST => {
            rest.to_owned()
        }
        _ => all,
    };
    (number.len() >= FEWEST && number.bytes().any(|byte| byte != b'0')).then_some(number)
}

/// The host of a website, without `www.`.
fn host_of(website: &str) -> Option<String> {
    let behind = website.split_once("://").map_or(website, |(_, rest)| rest);
    let host = behind.split(['/', '?', '#', ':']).next()?.trim().trim_end_matches('.').to_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    (host.contains('.') && !PUBLIC.contains(host)).then(|| host.to_owned())
}

fn phone(written: &str, country: &str) -> Option<String> {
    if let Some(number) = phones::e164(written, country) {
        return Some(number);
    }
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    (digits.len() >= FEWEST).then_some(digits)
}

/// The last digits of a phone, without what follows as an extension.
fn last_digits(written: &str) -> Option<String> {
    let number = written.split(|letter: char| letter.is_alphabetic() || letter == '#').next().unwrap_or_default();
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    (digits.len() >= FEWEST).then(|| digits.get(digits.len().saturating_sub(OF_A_PHONE)..).unwrap_or_default().to_owned())
}

fn distinct(list: impl Iterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for one in list {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

impl Subject {
    pub fn of(written: &Written<'_>) -> Self {
        let emails = distinct(written.emails.iter().map(|email| email.address.trim().to_lowercase()));
        let of_mail = emails.iter().filter_map(|address| address.rsplit_once('@')).map(|(_, host)| host.to_owned());
        let hosts = written.website.and_then(host_of).into_iter().chain(of_mail.filter(|host| !PUBLIC.contains(host.as_str())));
        let hosts = distinct(hosts);
        let numbers = written.phone.into_iter().chain(written.phones.iter().map(|phone| phone.number.as_str()));
        Self {
            kind: written.kind,
            names: [Some(written.name), written.legal_name].into_iter().flatten().filter_map(Name::of).collect(),
            tax_number: written.tax_number.and_then(tax_number),
            hosts,
            written_phones: numbers.map(str::to_owned).collect(),
            country: written.country.to_owned(),
            emails,
        }
    }

    /// A client of the database. `country` is that of numbers where it has no address.
    pub fn of_row(row: &ClientRow, country: &str) -> Self {
        Self::of(&Written {
            kind: row.kind,
            name: &row.name,
            legal_name: row.legal_name.as_deref(),
            tax_number: row.tax_number.as_deref(),
            website: row.website.as_deref(),
            emails: &row.emails.0,
            phone: row.phone.as_deref(),
            phones: &row.phones.0,
            country: row.country.as_deref().unwrap_or(country),
        })
    }

    /// Its phones as E.164 writes them, or their digits.
    pub fn phones(&self) -> Vec<String> {
        distinct(self.written_phones.iter().filter_map(|number| phone(number, &self.country)))
    }

    /// The keys by which it is found, each once, those first that say most: whoever has one of them, too, may be the same. They follow from what
    /// the client says alone, and from no setting.
    pub fn keys(&self) -> Vec<i64> {
        let mut keys: Vec<i64> = Vec::new();
        let mut add = |kind: &str, value: &str| {
            let key = i64::from_ne_bytes(xxh3_64(format!("{kind}:{value}").as_bytes()).to_ne_bytes());
            if !keys.contains(&key) {
                keys.push(key);
            }
        };
        self.tax_number.iter().for_each(|number| add("tax", number));
        self.emails.iter().take(OF_EACH).for_each(|address| add("email", address));
        let phones = distinct(self.written_phones.iter().filter_map(|number| last_digits(number)));
        phones.iter().take(OF_EACH).for_each(|number| add("phone", number));
        self.names.iter().for_each(|name| add("name", &name.key()));
        self.hosts.iter().take(OF_EACH).for_each(|host| add("host", host));
        if let Some(name) = self.names.first() {
            name.pair_keys(WORDS).iter().for_each(|pair| add("pair", pair));
        }
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tax_number_is_the_same_with_its_country_and_its_points() {
        for written in ["123456789", "EL123456789", "GR 123.456.789", "el 123 456 789"] {
            assert_eq!(tax_number(written).as_deref(), Some("123456789"), "{written}");
        }
        assert_eq!(tax_number("DE 811 569 869").as_deref(), Some("811569869"));
        for nothing in ["", "none", "000000000", "-", "12345"] {
            assert_eq!(tax_number(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_phone_is_found_by_its_last_digits_however_it_is_written() {
        for written in ["6912345678", "+30 691 234 5678", "0030-6912345678", "(+30) 691 2345678 ext. 12"] {
            assert_eq!(last_digits(written).as_deref(), Some("12345678"), "{written}");
        }
        assert_eq!(last_digits("210 12"), None);
        assert_eq!(last_digits("123456").as_deref(), Some("123456"));
    }

    #[test]
    fn a_host_is_that_of_the_company_and_not_that_of_everybody() {
        for written in ["https://www.acme.gr/contact?x=1", "acme.gr", "HTTP://ACME.gr:8080", "www.acme.gr."] {
            assert_eq!(host_of(written).as_deref(), Some("acme.gr"), "{written}");
        }
        assert_eq!(host_of("gmail.com"), None);
        assert_eq!(host_of("none"), None);
    }
}
