//! The stages that a workspace begins with.

use kernel::{Result, WorkspaceId};
use store::{Change, UnitOfWork};

use super::AcquisitionStageRow;

/// Key, and the name in English and in Greek.
const PROVIDED: [(&str, &str, &str); 6] = [
    ("lead", "Lead", "Υποψήφιος"),
    ("qualified", "Qualified", "Κατάλληλος"),
    ("proposal", "Proposal", "Προσφορά"),
    ("negotiation", "Negotiation", "Διαπραγμάτευση"),
    ("closed_won", "Won", "Κερδισμένος"),
    ("closed_lost", "Lost", "Χαμένος"),
];

/// Gives a new workspace the stages that it begins with, in its language.
///
/// # Errors
/// What the database says.
pub async fn provide(uow: &mut UnitOfWork, workspace: WorkspaceId, locale: &str) -> Result<()> {
    let is_greek = locale.split(['-', '_']).next() == Some("el");
    let now = uow.now();
    let rows: Vec<AcquisitionStageRow> = (0..)
        .zip(PROVIDED)
        .map(|(position, (key, english, greek))| AcquisitionStageRow {
            id: uow.id(),
            workspace_id: workspace,
            key: key.to_owned(),
            name: if is_greek { greek } else { english }.to_owned(),
            position,
            version: 1,
            created_at: now,
            updated_at: now,
        })
        .collect();
    let here = uow.workspace().ok();
    uow.enter(Some(workspace)).await?;
    uow.insert_all(&rows, |_| Change::plain()).await?;
    uow.enter(here).await
}
