//! What keys must agree on with one another.

use std::path::Path;

use super::fault::Warning;
use super::keys::Draft;
use super::layers::Layer;
use super::reader::Reader;
use super::source::Probe;

/// Notes what does not agree, as far as the values concerned could be read.
pub(super) fn check(draft: &Draft, reader: &mut Reader, probe: fn(&Path) -> Probe) {
    if let (Some(database), Some(Some(_))) = (&draft.database_url, &draft.database_owner_url)
        && !database.is_postgres()
    {
        let (_, origin) = reader.origin("database_owner_url");
        reader.fault("database_owner_url", origin, "is of use only if database_url is a PostgreSQL database");
    }
    if let (Some(key), Some(file)) = (&draft.secret_key, &draft.secret_key_file) {
        let (layer, origin) = reader.origin("secret_key_file");
        match (key, probe(file)) {
            (Some(_), Probe::Unreadable | Probe::Absent) if layer != Layer::Default => {
                reader.fault("secret_key_file", origin, "cannot be read, and secret_key is set too; leave one of them out");
            }
            (None, Probe::Unreadable) => reader.fault("secret_key_file", origin, "is there and cannot be read"),
            _ => {}
        }
    }
    if let (Some(storage), Some(further)) = (&draft.storage_url, &draft.further_storage_urls) {
        let names: Vec<String> = std::iter::once(storage).chain(further).filter_map(|url| Some(url.storage()?.name)).collect();
        if names.iter().enumerate().any(|(place, name)| names.iter().take(place).any(|earlier| earlier == name)) {
            let (_, origin) = reader.origin("further_storage_urls");
            reader.fault(
                "further_storage_urls",
                origin,
                "has two storages of one name, or that of storage_url; give them ?name=",
            );
        }
    }
    if let (Some(Some(_)), Some(None)) = (&draft.smtp_url, &draft.mail_from) {
        let (_, origin) = reader.origin("smtp_url");
        reader.fault("mail_from", origin, "must be set where smtp_url is: no server takes mail from nobody");
    }
    if let Some(Some(file)) = &draft.smtp_ca
        && probe(file) != Probe::Readable
    {
        let (_, origin) = reader.origin("smtp_ca");
        reader.fault("smtp_ca", origin, "cannot be read");
    }
    let (public_url, _) = reader.origin("public_url");
    if public_url == Layer::Default && draft.listen.is_some_and(|listen| listen.ip().is_unspecified()) {
        let (_, origin) = reader.origin("listen");
        let message = "is every address of the machine, which nobody can open in a browser; set public_url".to_owned();
        reader.warnings.push(Warning { key: "listen".to_owned(), origin, message });
    }
}
