//! Sending e-mail: one text to one address at a time, over SMTP (RFC 5321). What does not live here: who is told what.

use std::time::Duration;

use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

/// How long the mail server may take to answer.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Where mail goes out.
pub struct MailConfig {
    /// The mail server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: MailSecurity,
    /// User and password, where the server wants them.
    pub credentials: Option<(String, String)>,
    /// Who the mail is from: `address` or `Name <address>`.
    pub from: String,
}

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailSecurity {
    /// TLS from the first octet on (port 465).
    Tls,
    /// TLS after STARTTLS, which the server must offer (port 587).
    StartTls,
    /// None: for a server on the same machine.
    None,
}

/// Why no mail can be sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address is none.
    #[error("{0:?} is no e-mail address")]
    Address(String, #[source] lettre::address::AddressError),
    /// TLS cannot be set up.
    #[error("TLS to the mail server cannot be set up")]
    Tls(#[source] lettre::transport::smtp::Error),
    /// The mail cannot be written.
    #[error("the mail cannot be written")]
    Message(#[source] lettre::error::Error),
    /// The server did not take it.
    #[error("the mail server did not take it")]
    Send(#[source] lettre::transport::smtp::Error),
}

/// Sends mail.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// Sets a mailer up; nothing is sent yet.
    pub fn new(config: MailConfig) -> Result<Self, Error> {
        let from = mailbox(&config.from)?;
        let parameters = || TlsParameters::new(config.host.clone()).map_err(Error::Tls);
        let tls = match config.security {
            MailSecurity::Tls => Tls::Wrapper(parameters()?),
            MailSecurity::StartTls => Tls::Required(parameters()?),
            MailSecurity::None => Tls::None,
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port)
            .tls(tls)
            .timeout(Some(TIMEOUT));
        if let Some((user, password)) = config.credentials {
            transport = transport.credentials(Credentials::new(user, password));
        }
        Ok(Self { transport: transport.build(), from })
    }

    /// Tells whether the server takes mail.
    pub async fn is_ready(&self) -> bool {
        self.transport.test_connection().await.unwrap_or(false)
    }

    /// Sends a text.
    pub async fn send(&self, to: &str, subject: &str, text: &str) -> Result<(), Error> {
        self.give(None, to, subject, text).await
    }

    /// Sends a text under a message id, which is the same however often it is sent.
    pub async fn send_as(&self, id: &str, to: &str, subject: &str, text: &str) -> Result<(), Error> {
        self.give(Some(id.to_owned()), to, subject, text).await
    }

    async fn give(&self, id: Option<String>, to: &str, subject: &str, text: &str) -> Result<(), Error> {
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
