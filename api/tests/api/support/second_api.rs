//! Starts a second API process on the same platform, with a clock ahead, other limits or no mail server.

use std::sync::Arc;

use chrono::TimeDelta;
use commands::Commands;
use projections::{Reader, RedisServer};
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::platform::{Platform, now};
use super::unique;

impl Platform {
    /// Starts an API whose clock is ahead, with its own rate-limit counters.
    pub fn second_api(&self, ahead: TimeDelta, limits: api::Limits) -> Client {
        self.start(ahead, limits, Some(super::platform::mailer()))
    }

    /// Starts an API without a mail server.
    pub fn second_api_without_mail(&self) -> Client {
        self.start(TimeDelta::zero(), api::Limits::default(), None)
    }

    fn start(&self, ahead: TimeDelta, limits: api::Limits, mailer: Option<api::Mailer>) -> Client {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let clock: commands::Clock = Arc::new(move || now() + ahead);
        let (log, keys, opening) = (self.log.clone(), self.keys.clone(), clock.clone());
        let (postgres, redis) = (self.postgres.clone(), RedisServer::plain(&self.redis, &format!("{}:", unique())));
        let root_certificate_pem = self.root_certificate_pem.clone();
        self.runtime.spawn(async move {
            let reader = Reader::connect(&postgres, &redis).await.unwrap();
            let deps = api::Deps {
                commands: Commands::open(log.clone(), keys, opening).await.unwrap(),
                probe: super::platform::probe(&log, &reader),
                reader,
                log,
                signing_secret: vec![7; 32],
                root_certificate_pem,
                clock,
                device_urls: api::DeviceUrls::default(),
                mailer,
                webhooks: super::platform::webhooks(),
            };
            let http = api::Http { limits, ..api::Http::default() };
            let config =
                api::Config { listen: api::Listen::Listener(listener), enroll: None, http, jobs: ahead.is_zero() };
            api::run(deps, config, CancellationToken::new()).await.unwrap();
        });
        Client::anonymous(&address)
    }
}
