//! The API's background work: jobs that look for due work at a fixed interval, each in a module of its own.
//!
//! They run in the API because it alone holds the keys that decrypt e-mail addresses and sign certificates. Every API
//! process runs every job; commands make sure that only one of them acts on each piece of work.

mod certificate_announcement;
mod certificate_renewal;
mod job;
mod mailer;
mod notification_delivery;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use self::certificate_announcement::CertificateAnnouncement;
use self::certificate_renewal::CertificateRenewal;
use self::job::repeat;
use self::notification_delivery::{EmailDelivery, ImmediateDelivery};
use crate::state::State;

pub use mailer::{Error as MailError, MailConfig, MailSecurity, Mailer};
pub use notification_delivery::{EgressGuard, NotANetwork, WebhookSender};

/// The background jobs and what only they need.
pub struct Jobs {
    /// Sends e-mail; `None` if no mail server is configured.
    pub mailer: Option<Mailer>,
    /// Sends webhooks.
    pub webhooks: Arc<WebhookSender>,
}

impl Jobs {
    /// Runs all jobs until `shutdown`.
    pub async fn run(self, state: State, shutdown: CancellationToken) {
        let email = EmailDelivery { mailer: self.mailer.clone() };
        let immediate = ImmediateDelivery { webhooks: self.webhooks };
        let announcement = self.mailer.map(|mailer| CertificateAnnouncement { mailer });
        let announcing = async {
            // Without a mail server nothing is announced, and nothing is recorded as announced.
            if let Some(announcement) = &announcement {
                repeat(announcement, &state, &shutdown).await;
            }
        };
        tokio::join!(
            repeat(&CertificateRenewal, &state, &shutdown),
            announcing,
            repeat(&email, &state, &shutdown),
            repeat(&immediate, &state, &shutdown),
        );
    }
}
