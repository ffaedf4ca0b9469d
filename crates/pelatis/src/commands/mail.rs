//! `pelatis mail`.

use kernel::Result;

use super::say;
use crate::config::Config;
use crate::wiring;

pub(super) async fn show(config: &Config) -> Result<()> {
    let (store, auth) = wiring::open(config).await?;
    let caller = auth.installation();
    let mut reader = store.reader(&caller).await?;
    let waiting = auth::mail::waiting(&mut reader, &caller).await?;
    reader.close().await?;
    if waiting.is_empty() {
        say("No mail waits to be sent.");
    }
    for mail in waiting {
        say(&format!("{}  {}  to {}\nSubject: {}\n\n{}", mail.created_at, mail.kind, mail.to, mail.subject, mail.body));
    }
    Ok(())
}
