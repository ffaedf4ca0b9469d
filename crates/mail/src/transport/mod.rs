//! The ways out: an SMTP server, or a folder.

mod folder;
mod smtp;

use std::time::Duration;

use kernel::{DateTime, Error, Result, Runtime};
use tokio::sync::Mutex;

use crate::config::{MailConfig, MailWay, Sender};
use crate::message::{self, For};
use crate::messages::WaitingMail;
use crate::rows::MailRow;

/// How long an answer about health is good for.
const GOOD_FOR: Duration = Duration::from_secs(5);

/// How one attempt ended.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// The server took it, or it lies in its folder.
    Sent,
    /// It was refused for good.
    Refused {
        /// Why.
        problem: Problem,
        /// Whether the address does not work, whatever is sent to it.
        is_address: bool,
    },
    /// Not this time. It may even have arrived: only the answer is missing.
    NotNow(Problem),
}

/// What went wrong.
#[derive(Debug)]
pub(crate) struct Problem {
    /// What a job and a log may hold: the step and the number of the answer.
    pub brief: String,
    /// What was said, which may quote anything.
    pub said: Option<String>,
}

impl Problem {
    pub fn new(brief: impl Into<String>) -> Self {
        Self { brief: brief.into(), said: None }
    }

    /// All of it, for those who may see the mail itself.
    pub fn whole(&self) -> String {
        let said = self.said.iter().map(|said| format!(": {said}"));
        std::iter::once(self.brief.clone()).chain(said).collect::<String>().chars().take(500).collect()
    }
}

/// Whether mail can go out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether it can.
    pub is_well: bool,
    /// What there is to say.
    pub detail: String,
    /// How long it took to find out.
    pub took: Duration,
}

pub(crate) struct Transport {
    way: Way,
    sender: Sender,
    asked: Mutex<Option<(DateTime, Health)>>,
}

enum Way {
    Folder(folder::Folder),
    Smtp(smtp::Server),
}

impl Transport {
    pub fn new(config: &MailConfig) -> Result<Self> {
        let way = match &config.way {
            MailWay::Folder(path) => Way::Folder(folder::Folder::new(path.clone())),
            MailWay::Smtp(url) => {
                Way::Smtp(smtp::Server::new(url.clone(), config.own_certificates.as_deref(), config.timeout, &config.sender)?)
            }
        };
        Ok(Self { way, sender: config.sender.clone(), asked: Mutex::default() })
    }

    /// What it is called.
    pub fn name(&self) -> String {
        match &self.way {
            Way::Folder(_) => "folder".to_owned(),
            Way::Smtp(server) => server.name(),
        }
    }

    /// What lies in the folder; nothing where mail goes to a server.
    pub async fn in_folder(&self) -> Result<Vec<WaitingMail>> {
        match &self.way {
            Way::Folder(folder) => folder.all().await.map_err(Error::internal),
            Way::Smtp(_) => Ok(Vec::new()),
        }
    }

    /// Tries to deliver a mail.
    pub async fn deliver(&self, mail: &MailRow) -> Delivery {
        let refused = |problem: &str, is_address| Delivery::Refused { problem: Problem::new(problem), is_address };
        let Ok(to) = message::address(&mail.to_address) else { return refused("the address is none that mail can go to", true) };
        let reader = match &self.way {
            Way::Folder(_) => For::People,
            Way::Smtp(_) => For::Server,
        };
        let Ok(message) = message::bytes(mail, &self.sender, reader) else {
            return refused("no message can be made of it", false);
        };
        match &self.way {
            Way::Folder(folder) => folder.deliver(mail, message).await,
            Way::Smtp(server) => server.deliver(self.sender.address(), &to, &message).await,
        }
    }

    /// Whether mail can go out, asked anew where the last answer is some seconds old. Whoever asks meanwhile waits for the same answer.
    pub async fn health(&self, runtime: &Runtime) -> Health {
        let mut asked = self.asked.lock().await;
        let now = runtime.now();
        if let Some((at, health)) = &*asked
            && (now - *at).to_std().is_ok_and(|age| age < GOOD_FOR)
        {
            return health.clone();
        }
        let began = std::time::Instant::now();
        let answer = match &self.way {
            Way::Folder(folder) => folder.ping().await.map(|()| "into a folder".to_owned()),
            Way::Smtp(server) => server.ping().await.map(|()| format!("through {}", server.name())),
        };
        let health = Health {
            is_well: answer.is_ok(),
            detail: answer.unwrap_or_else(|problem| format!("away: {}", problem.brief)),
            took: began.elapsed(),
        };
        *asked = Some((now, health.clone()));
        health
    }
}
