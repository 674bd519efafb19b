//! The optional doors besides the edge: HTTP, the EMQX authentication hook and the EMQX kicker. Bound early so that a
//! port conflict fails start-up immediately; served once the directory has caught up with the log.

use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{BrokerApi, EdgePki, HookConfig, HttpConfig, HttpLimits, Listen, Secret};
use crate::emqx::auth_hook::AuthHook;
use crate::emqx::kick::{KickRequests, Kicker};
use crate::error::Error;
use crate::http::HttpDoor;
use crate::shared::Shared;

/// Length of the kernel's accept queue.
const BACKLOG: u32 = 2_048;
/// Shortest secret of the authentication hook, in characters.
const MIN_SECRET_CHARS: usize = 16;

/// The optional doors, bound and not yet served.
#[derive(Default)]
pub struct BoundDoors {
    http: Option<(TcpListener, HttpLimits)>,
    hook: Option<(TcpListener, Secret)>,
    kicker: Option<Kicker>,
}

impl BoundDoors {
    /// Binds the configured doors.
    pub fn bind(http: Option<HttpConfig>, hook: Option<HookConfig>) -> Result<Self, Error> {
        if hook.as_ref().is_some_and(|hook| hook.secret.expose().chars().count() < MIN_SECRET_CHARS) {
            return Err(Error::HookSecret);
        }
        let http = http.map(|http| Ok((bind("devices over HTTP", http.listen)?, http.limits))).transpose()?;
        let hook = hook
            .map(|hook| Ok((bind("the broker's authentication requests", hook.listen)?, hook.secret)))
            .transpose()?;
        Ok(Self { http, hook, kicker: None })
    }

    /// Sets up the kicker; returns the handle to request kicks with.
    pub fn add_kicker(&mut self, api: &BrokerApi) -> Result<KickRequests, Error> {
        let (kicks, kicker) = Kicker::new(api).map_err(Error::BrokerApi)?;
        self.kicker = Some(kicker);
        Ok(kicks)
    }

    /// Completes the doors with the shared state.
    pub fn open(self, shared: &Arc<Shared>, pki: &EdgePki) -> Result<ReadyDoors, Error> {
        let http = self.http.map(|(listener, limits)| Ok((HttpDoor::new(shared.clone(), pki, &limits)?, listener)));
        let hook = self.hook.map(|(listener, secret)| Ok((AuthHook::new(shared.clone(), pki, &secret)?, listener)));
        Ok(ReadyDoors {
            http: http.transpose().map_err(Error::Tls)?,
            hook: hook.transpose().map_err(Error::Tls)?,
            kicker: self.kicker,
            shared: shared.clone(),
        })
    }
}

/// The optional doors, ready to be served.
pub struct ReadyDoors {
    http: Option<(Arc<HttpDoor>, TcpListener)>,
    hook: Option<(Arc<AuthHook>, TcpListener)>,
    kicker: Option<Kicker>,
    shared: Arc<Shared>,
}

impl ReadyDoors {
    /// Serves until `closing` is cancelled; each task ends when its door has closed.
    pub fn serve(self, closing: &CancellationToken) -> JoinSet<()> {
        let mut doors = JoinSet::new();
        if let Some((door, listener)) = self.http {
            doors.spawn(door.serve(listener, closing.clone()));
        }
        if let Some((hook, listener)) = self.hook {
            doors.spawn(hook.serve(listener, closing.clone()));
        }
        if let Some(kicker) = self.kicker {
            doors.spawn(kicker.run(self.shared.directory.clone(), closing.clone()));
        }
        doors
    }
}

/// Binds a listener, or uses one that is bound already; `what` names its purpose in the error.
pub fn bind(what: &'static str, listen: Listen) -> Result<TcpListener, Error> {
    match listen {
        Listen::Socket(listener) => Ok(listener),
        Listen::Address(address) => {
            let bound = || {
                let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
                // Allows a restart while connections of the previous process are in TIME_WAIT.
                socket.set_reuseaddr(true)?;
                socket.bind(address)?;
                socket.listen(BACKLOG)
            };
            bound().map_err(|source| Error::Listen { what, address, source })
        }
    }
}
