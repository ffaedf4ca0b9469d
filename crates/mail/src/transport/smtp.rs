//! SMTP (RFC 5321), step by step: only the step that was refused tells whether it was the server, the sender, the address or the content.
//!
//! Each mail has a connection of its own. A pool would save a handshake, and with it comes the question whether the connection that it
//! hands out is still one; mail is not so frequent that this pays.

use std::path::Path;
use std::time::Duration;

use kernel::Error;
use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};

use super::{Delivery, Problem};
use crate::config::{Encryption, Sender, SmtpUrl};

/// How long the server may take to greet whoever asks for its health.
const HEALTH: Duration = Duration::from_secs(3);

pub(super) struct Server {
    url: SmtpUrl,
    tls: Option<TlsParameters>,
    hello: ClientId,
    timeout: Duration,
}

/// A step of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Connect,
    StartTls,
    SignIn,
    Sender,
    Recipient,
    Begin,
    Content,
}

impl Step {
    const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connecting",
            Self::StartTls => "STARTTLS",
            Self::SignIn => "AUTH",
            Self::Sender => "MAIL FROM",
            Self::Recipient => "RCPT TO",
            Self::Begin => "DATA",
            Self::Content => "the end of the content",
        }
    }
}

/// Why a step failed.
enum Failure {
    Smtp(lettre::transport::smtp::Error),
    TooLong,
}

impl Server {
    pub fn new(url: SmtpUrl, own: Option<&Path>, timeout: Duration, sender: &Sender) -> kernel::Result<Self> {
        let tls = match url.encryption {
            Encryption::None => None,
            Encryption::Implicit | Encryption::StartTls => {
                let mut builder = TlsParameters::builder(url.host.clone());
                if let Some(path) = own {
                    let pem = std::fs::read(path).map_err(Error::internal)?;
                    builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(Error::internal)?);
                }
                Some(builder.build_rustls().map_err(Error::internal)?)
            }
        };
        let hello = ClientId::Domain(sender.domain().to_owned());
        Ok(Self { url, tls, hello, timeout })
    }

    /// Where it is.
    pub fn name(&self) -> String {
        format!("{}:{}", self.url.host, self.url.port)
    }

    /// Whether it greets, and encrypts where it is to.
    pub async fn ping(&self) -> Result<(), Problem> {
        let asked = tokio::time::timeout(HEALTH, self.connect()).await;
        let connected = asked.unwrap_or(Err((Step::Connect, Failure::TooLong)));
        let mut connection = connected.map_err(|(step, failure)| problem(step, &failure))?;
        let _ = tokio::time::timeout(HEALTH, connection.quit()).await;
        Ok(())
    }

    /// Hands a message over.
    pub async fn deliver(&self, from: &Address, to: &Address, message: &[u8]) -> Delivery {
        match self.attempt(from, to, message).await {
            Ok(()) => Delivery::Sent,
            Err((step, failure)) => judge(step, &failure),
        }
    }

    async fn attempt(&self, from: &Address, to: &Address, message: &[u8]) -> Result<(), (Step, Failure)> {
        let mut connection = self.connect().await?;
        let connection = &mut connection;
        if let Some((user, password)) = &self.url.credentials {
            let credentials = Credentials::new(user.clone(), password.clone());
            self.step(Step::SignIn, connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials)).await?;
        }
        let to_text: &str = to.as_ref();
        let mut parameters = Vec::new();
        // a server that does not know these addresses refuses them by itself, and says so
        if !to_text.is_ascii() && connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            parameters.push(MailParameter::SmtpUtfEight);
        }
        self.step(Step::Sender, connection.command(Mail::new(Some(from.clone()), parameters))).await?;
        self.step(Step::Recipient, connection.command(Rcpt::new(to.clone(), Vec::new()))).await?;
        self.step(Step::Begin, connection.command(Data)).await?;
        self.step(Step::Content, connection.message(message)).await?;
        // it was taken: whether the farewell is heard changes nothing
        let _ = tokio::time::timeout(HEALTH.min(self.timeout), connection.quit()).await;
        Ok(())
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, (Step, Failure)> {
        let wrapped = self.tls.clone().filter(|_| self.url.encryption == Encryption::Implicit);
        let server = (self.url.host.as_str(), self.url.port);
        let connecting = AsyncSmtpConnection::connect_tokio1(server, Some(self.timeout), &self.hello, wrapped, None);
        let mut connection = self.step(Step::Connect, connecting).await?;
        if let (Encryption::StartTls, Some(tls)) = (self.url.encryption, &self.tls) {
            // without it nothing is sent: whoever stands between could take the offer away
            self.step(Step::StartTls, connection.starttls(tls.clone(), &self.hello)).await?;
        }
        Ok(connection)
    }

    async fn step<T>(
        &self,
        step: Step,
        work: impl Future<Output = Result<T, lettre::transport::smtp::Error>>,
    ) -> Result<T, (Step, Failure)> {
        match tokio::time::timeout(self.timeout, work).await {
            Ok(done) => done.map_err(|error| (step, Failure::Smtp(error))),
            Err(_) => Err((step, Failure::TooLong)),
        }
    }
}

/// What follows from a failure.
fn judge(step: Step, failure: &Failure) -> Delivery {
    let problem = problem(step, failure);
    let Failure::Smtp(error) = failure else { return Delivery::NotNow(problem) };
    match step {
        // a wrong password or certificate is ours to put right, and the mail can wait for that
        Step::Connect | Step::StartTls | Step::SignIn => Delivery::NotNow(problem),
        Step::Recipient if error.is_permanent() => {
            let is_address = !is_policy(&problem);
            Delivery::Refused { problem, is_address }
        }
        Step::Sender | Step::Begin | Step::Content if error.is_permanent() => Delivery::Refused { problem, is_address: false },
        Step::Sender | Step::Recipient | Step::Begin | Step::Content => Delivery::NotNow(problem),
    }
}

/// Whether the server refuses us rather than the address (RFC 3463, X.7.X).
fn is_policy(problem: &Problem) -> bool {
    problem.said.as_deref().is_some_and(|said| {
        said.split(|letter: char| letter.is_whitespace() || letter == ':').any(|word| word.starts_with("5.7."))
    })
}

fn problem(step: Step, failure: &Failure) -> Problem {
    let name = step.name();
    match failure {
        Failure::TooLong if step == Step::Content => {
            Problem::new("the end of the content was not answered in time; whether it arrived is not known")
        }
        Failure::TooLong => Problem::new(format!("{name} was not answered in time")),
        Failure::Smtp(error) => {
            let brief = match error.status() {
                Some(code) => format!("{name} was answered {code}"),
                None if step == Step::Content => {
                    "the connection was lost at the end of the content; whether it arrived is not known".to_owned()
                }
                None if error.is_tls() => format!("{name} failed: the certificate or the encryption is not accepted"),
                None => format!("{name} failed: the connection was refused, lost or answered what cannot be read"),
            };
            let mut said = error.to_string();
            let mut source = std::error::Error::source(error);
            while let Some(inner) = source {
                said.push_str(&format!(": {inner}"));
                source = inner.source();
            }
            Problem { brief, said: Some(said) }
        }
    }
}
