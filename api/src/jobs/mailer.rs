//! Sends plain-text e-mail over SMTP (RFC 5321), one message to one address at a time. The jobs decide who gets what.

use std::time::Duration;

use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

/// How long the mail server may take to answer each SMTP command.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The mail server and the sender.
pub struct MailConfig {
    /// Host name of the mail server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: MailSecurity,
    /// User name and password, if the server requires them.
    pub credentials: Option<(String, String)>,
    /// The sender: `address` or `Name <address>`.
    pub from: String,
}

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailSecurity {
    /// TLS from the first byte (port 465).
    Tls,
    /// TLS after STARTTLS, which the server must offer (port 587).
    StartTls,
    /// None, for a server on the same machine.
    None,
}

/// Why an e-mail was not sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be parsed.
    #[error("{0:?} is not an e-mail address")]
    Address(String, #[source] lettre::address::AddressError),
    /// TLS cannot be set up.
    #[error("cannot set up TLS to the mail server")]
    Tls(#[source] lettre::transport::smtp::Error),
    /// The message cannot be built.
    #[error("cannot build the message")]
    Message(#[source] lettre::error::Error),
    /// The mail server could not be reached or refused the message.
    #[error("the mail server did not accept the message")]
    Send(#[source] lettre::transport::smtp::Error),
}

/// Sends e-mail through one mail server.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// Returns a mailer; it connects when the first message is sent.
    pub fn new(config: MailConfig) -> Result<Self, Error> {
        let from = mailbox(&config.from)?;
        let parameters = || TlsParameters::new(config.host.clone()).map_err(Error::Tls);
        let tls = match config.security {
            MailSecurity::Tls => Tls::Wrapper(parameters()?),
            MailSecurity::StartTls => Tls::Required(parameters()?),
            MailSecurity::None => Tls::None,
        };
        // "Dangerous" means without TLS by default; `tls` sets it explicitly.
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port)
            .tls(tls)
            .timeout(Some(TIMEOUT));
        if let Some((user, password)) = config.credentials {
            transport = transport.credentials(Credentials::new(user, password));
        }
        Ok(Self { transport: transport.build(), from })
    }

    /// Returns whether the mail server answers.
    pub async fn is_ready(&self) -> bool {
        self.transport.test_connection().await.unwrap_or(false)
    }

    /// Sends a text.
    pub async fn send(&self, to: &str, subject: &str, text: &str) -> Result<(), Error> {
        self.send_message(None, to, subject, text).await
    }

    /// Sends a text with a fixed `Message-ID`, so that mail clients recognise a repeated message.
    pub async fn send_with_id(&self, id: &str, to: &str, subject: &str, text: &str) -> Result<(), Error> {
        self.send_message(Some(id.to_owned()), to, subject, text).await
    }

    async fn send_message(&self, id: Option<String>, to: &str, subject: &str, text: &str) -> Result<(), Error> {
        let message = Message::builder()
            .message_id(id)
            .from(self.from.clone())
            .to(mailbox(to)?)
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text.to_owned())
            .map_err(Error::Message)?;
        self.transport.send(message).await.map(drop).map_err(Error::Send)
    }
}

fn mailbox(text: &str) -> Result<Mailbox, Error> {
    text.parse().map_err(|error| Error::Address(text.to_owned(), error))
}
