//! `pelatis restore --only`: single records out of a backup, into the installation as it is.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use backup::Destination;
use backup::archive::Identities;
use clients::ClientId;
use clients::clients::{BroughtBack, LostClient, bring_back as bring_client_back, check_lost, find_lost};
use files::{FileId, Files};
use kernel::{Caller, Cause, Kind, Result, Runtime};
use store::Store;
use store::shared::Shared;

use super::{Fault, say};
use crate::config::Config;
use crate::wiring;

/// A record that is to be brought back, as it is typed.
#[derive(Clone, Copy, Debug)]
pub enum Lost {
    /// `clients/ID`.
    Client(ClientId),
}

impl FromStr for Lost {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some(("clients", id)) => id.parse().map(Self::Client).map_err(|_| format!("{id} is not an id")),
            _ => Err("it is written as clients/ID".to_owned()),
        }
    }
}

/// What was asked for.
pub struct Asked<'a> {
    /// The records, at least one.
    pub only: &'a [Lost],
    /// PostgreSQL: the database that the backup is laid into.
    pub through: Option<&'a str>,
    /// The workspace, where there are several.
    pub workspace: Option<&'a str>,
}

/// Brings the records back, each whole or not at all. All must be in the backup; the first that cannot be written ends it.
pub async fn bring_back(
    config: &Config,
    archive: &Path,
    identities: &Identities,
    here: &Destination,
    asked: &Asked<'_>,
) -> Result<(), Fault> {
    let (store, auth) = wiring::open(config).await?;
    let files = wiring::open_files(config, &store)?;
    let workspace = auth.workspace_named(asked.workspace).await?;
    let caller = Arc::new(Caller::job(store.runtime().uuid(), Some(workspace), Cause::Command));
    // before an archive of hours is read in vain
    for Lost::Client(id) in asked.only {
        let mut reader = store.reader(&caller).await?;
        check_lost(&mut reader, &caller, *id).await?;
        reader.close().await?;
    }
    let aside = backup::lay_aside(archive, identities, here, asked.through).await?;
    let was = {
        let runtime = Runtime::system();
        Store::open(aside.database(), here.secret.clone(), Shared::in_process(runtime.clone()), runtime).await?
    };
    let taken_at = aside.manifest().taken_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let done = async {
        let all = parents_first(read(&was, &caller, asked.only).await?);
        // the archive is gone through once for all of them
        let wanted = all.iter().flat_map(|(_, lost)| lost.files().contents().map(|(.., content)| content));
        let found = aside.files(wanted.collect()).await?;
        for (id, lost) in all {
            let back = one_client(&store, &files, &found, &caller, &lost).await?;
            tell(id, &taken_at, &back);
        }
        Ok(())
    }
    .await;
    was.close().await;
    store.close().await;
    done
}

/// Reads the lost clients from the backup's database.
async fn read(was: &Store, caller: &Arc<Caller>, only: &[Lost]) -> Result<Vec<(ClientId, LostClient)>> {
    let mut all = Vec::new();
    for Lost::Client(id) in only {
        let mut reader = was.reader(caller).await?;
        let lost = find_lost(&mut reader, caller, *id).await.map_err(|error| match error.kind() {
            Kind::NotFound => error.with_detail(format!("The backup has no client {id} in this workspace.")),
            _ => error,
        });
        reader.close().await?;
        all.push((*id, lost?));
    }
    Ok(all)
}

/// Those first that others among them stand under, otherwise as they were named.
fn parents_first(mut left: Vec<(ClientId, LostClient)>) -> Vec<(ClientId, LostClient)> {
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_here = |parent: Option<ClientId>| left.iter().any(|(id, _)| Some(*id) == parent);
        let next = left.iter().position(|(_, lost)| !is_here(lost.parent())).unwrap_or_default();
        ordered.push(left.remove(next));
    }
    ordered
}

async fn one_client(
    store: &Store,
    files: &Files,
    found: &HashMap<String, PathBuf>,
    caller: &Arc<Caller>,
    lost: &LostClient,
) -> Result<BroughtBack> {
    let stored = store_files(files, found, lost).await?;
    let written = store.write(caller, async |uow| bring_client_back(uow, lost, &stored).await).await;
    if let Err(error) = &written {
        // where it is not known whether the rows are there, the objects stay: the clean-up finds those without a file
        if !matches!(error.kind(), Kind::Internal | Kind::Unavailable | Kind::StorageFull) {
            files::files::take_back(files, &stored).await;
        }
    }
    written
}

/// Puts the content of the client's files into their storage again, as far as the backup has it.
async fn store_files(
    files: &Files,
    found: &HashMap<String, PathBuf>,
    lost: &LostClient,
) -> Result<HashMap<FileId, files::files::Again>> {
    let mut stored = HashMap::new();
    for (id, _, content) in lost.files().contents() {
        let Some(path) = found.get(&content) else { continue };
        match lost.files().store(files, id, path).await {
            Ok(again) => drop(stored.insert(id, again)),
            Err(error) => {
                files::files::take_back(files, &stored).await;
                return Err(error);
            }
        }
    }
    Ok(stored)
}

fn tell(id: ClientId, taken_at: &str, back: &BroughtBack) {
    let BroughtBack { name, notes, files, tags, contacts, .. } = back;
    let away = if back.is_archived { ", archived as it was," } else { "" };
    say(&format!(
        "{name} (clients/{id}) is back{away} as of {taken_at}: {notes} notes, {files} files, {tags} tags, {contacts} contacts."
    ));
    for (what, names) in [
        ("These contacts are not there any more", &back.missing_contacts),
        ("These tags are not there any more", &back.missing_tags),
        ("The backup does not have the content of these files", &back.missing_files),
    ] {
        if !names.is_empty() {
            say(&format!("{what}: {}", names.join(", ")));
        }
    }
    say(&format!(
        "With it are {} interactions, {} relationships to other clients, {} groups, and {} who are responsible for it.",
        back.interactions, back.relationships, back.groups.0, back.admins.0
    ));
    let missing = [
        (
            back.missing_relationships,
            "relationships are to clients that are not there or lack their role, or were written down anew since",
        ),
        (back.groups.1, "groups are not there any more"),
        (back.admins.1, "who were responsible for it are no members any more"),
    ];
    for (count, what) in missing.into_iter().filter(|(count, _)| *count > 0) {
        say(&format!("{count} {what}."));
    }
    if back.lost_its_parent {
        say("The client above it is not there any more.");
    }
}
