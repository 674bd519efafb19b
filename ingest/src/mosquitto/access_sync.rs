//! Brings a mosquitto broker in line with the directory, again and again: after each event about organisations, devices
//! and certificates, and from time to time, because certificates end by themselves.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use domain::ids::{DeviceId, OrganizationId};
use metrics::counter;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::admission_list::AdmittedDevice;
use super::control_connection::{self, ControlConnection};
use super::revocation_lists::RevocationLists;
use super::{AdmissionList, access_changes};
use crate::backoff::reconnect_delays;
use crate::config::{BridgeConfig, BrokerAddressError, DynamicSecurity};
use crate::metric_names as names;
use crate::shared::Shared;

/// How long events are gathered before the broker is told.
const DEBOUNCE: Duration = Duration::from_millis(20);
/// How soon it is tried again where somebody waits for a list.
const RETRY_DELAY: Duration = Duration::from_millis(200);
/// How often it is looked at whose certificates have ended.
const CHECK_INTERVAL: Duration = Duration::from_secs(10);
/// Commands of one batch: the plugin stores its state after each.
const MAX_BATCH_COMMANDS: usize = 200;
/// Roles of one batch that are only forgotten: with a thousand devices each command takes the broker some 15 ms, in which
/// nobody can be put out.
const MAX_ROLES_PER_SWEEP: usize = 10;

/// Keeps one broker in line.
pub struct AccessSync {
    shared: Arc<Shared>,
    config: Arc<BridgeConfig>,
    security: DynamicSecurity,
    client_id: String,
    /// What the service account subscribes to.
    filters: Vec<String>,
    revocations: Option<RevocationLists>,
}

/// Why the broker is not in line, or no longer watched.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("the broker cannot be reached as it is set")]
    Address(#[from] BrokerAddressError),
    #[error(transparent)]
    Control(#[from] control_connection::Error),
    #[error("the plugin's list of clients cannot be read")]
    Clients(#[from] serde_json::Error),
}

impl AccessSync {
    /// Makes a keeper under a client id that no other has.
    pub fn new(
        shared: Arc<Shared>,
        config: Arc<BridgeConfig>,
        security: DynamicSecurity,
        client_id: String,
        filters: Vec<String>,
    ) -> Self {
        let revocations = security.revocations.clone().map(RevocationLists::new);
        Self { shared, config, security, client_id, filters, revocations }
    }

    /// Keeps the broker in line while this process is the elected one, until the shutdown.
    pub async fn run(mut self, mut elected: watch::Receiver<bool>, shutdown: CancellationToken) {
        let mut delays = reconnect_delays();
        while !shutdown.is_cancelled() {
            let mine = async { elected.wait_for(|elected| *elected).await.is_ok() };
            if shutdown.run_until_cancelled(mine).await != Some(true) {
                return;
            }
            let mut worked = false;
            let failure = tokio::select! {
                () = shutdown.cancelled() => return,
                _ = elected.wait_for(|elected| !elected) => continue,
                failed = self.serve_connection(&mut worked) => failed,
            };
            if worked {
                delays = reconnect_delays();
            }
            let delay = delays.next().unwrap_or(CHECK_INTERVAL);
            let Err(failure) = failure;
            warn!(broker = %self.config.address, error = &failure as &dyn std::error::Error,
                "the broker is told again who may connect in {delay:?}");
            shutdown.run_until_cancelled(sleep(delay)).await;
        }
    }

    /// Serves one connection; returns when it fails.
    async fn serve_connection(&mut self, worked: &mut bool) -> Result<std::convert::Infallible, Error> {
        let mut changes = self.shared.directory.changes();
        let password = self.security.password.expose();
        let mut control =
            ControlConnection::open(self.config.administrator(&self.client_id, &self.security.user, password)?).await?;
        if let Some(user) = &self.config.user {
            let password = self.config.password.as_ref().map_or("", crate::config::Secret::expose);
            control.apply(&access_changes::base_setup(user, password, &self.filters)).await?;
        }
        let clients =
            control.query(json!({"command": "listClients", "verbose": true, "count": -1, "offset": 0})).await?;
        let mut known = known(&clients)?;
        let roles = control.query(json!({"command": "listRoles", "count": -1, "offset": 0})).await?;
        let mut left = left(&roles)?;
        loop {
            changes.mark_unchanged();
            let waiting = self.sync(&mut control, &mut known, &mut left).await?;
            if !std::mem::replace(worked, true) {
                info!(broker = %self.config.address, devices = known.len(), "the broker's access list is in sync");
            }
            if delete_orphaned_roles(&mut control, &known, &mut left).await? {
                continue;
            }
            let delay = if waiting { RETRY_DELAY } else { CHECK_INTERVAL };
            tokio::select! {
                _ = changes.changed() => {}
                () = sleep(delay) => {}
                failure = control.idle() => return Err(failure.into()),
            }
            tokio::select! {
                () = sleep(DEBOUNCE) => {}
                failure = control.idle() => return Err(failure.into()),
            }
        }
    }

    /// Brings the broker in line with the directory as it is now; tells whether somebody waits for a list.
    async fn sync(
        &mut self,
        control: &mut ControlConnection,
        known: &mut HashMap<DeviceId, String>,
        left: &mut BTreeSet<DeviceId>,
    ) -> Result<bool, Error> {
        let AdmissionList { admitted, revoked } = self.shared.directory.admission_list((self.shared.clock)());
        // First who has to go: a list that cannot be had keeps nobody in.
        let gone = access_changes::diff(known, &admitted, |_| false).remove;
        for device in &gone {
            known.remove(device);
        }
        send_commands(control, gone.iter().map(|device| access_changes::remove_device(*device))).await?;
        left.extend(&gone);
        counter!(names::BROKER_DEVICES, "change" => "left").increment(gone.len() as u64);
        let listed = self.refresh_lists(&revoked).await;
        let has = |device: &AdmittedDevice| {
            self.revocations.as_ref().is_none_or(|lists| lists.has(device.organization, &device.listed))
        };
        let changes = access_changes::diff(known, &admitted, has);
        let entering = changes.add.iter().filter_map(|device| Some((*device, admitted.get(device)?)));
        send_commands(
            control,
            entering.clone().flat_map(|(device, admitted)| access_changes::add_device(device, admitted)),
        )
        .await?;
        known.extend(entering.map(|(device, admitted)| (device, admitted.tag())));
        counter!(names::BROKER_DEVICES, "change" => "entered").increment(changes.add.len() as u64);
        Ok(!listed || !changes.waiting.is_empty())
    }

    /// Brings the broker's revocation file up to date; tells whether it is.
    async fn refresh_lists(&mut self, revoked: &HashMap<OrganizationId, BTreeSet<String>>) -> bool {
        let Some(revocations) = &mut self.revocations else { return true };
        match revocations.refresh(revoked).await {
            Ok(()) => true,
            Err(failure) => {
                warn!(error = &failure as &dyn std::error::Error, "the broker's revocation file is not up to date");
                false
            }
        }
    }
}

/// Forgets some roles of devices that were put out and did not come back; tells whether there were any.
async fn delete_orphaned_roles(
    control: &mut ControlConnection,
    known: &HashMap<DeviceId, String>,
    left: &mut BTreeSet<DeviceId>,
) -> Result<bool, control_connection::Error> {
    left.retain(|device| !known.contains_key(device));
    let some: Vec<_> = left.iter().copied().take(MAX_ROLES_PER_SWEEP).collect();
    send_commands(control, some.iter().map(|device| access_changes::delete_role(*device))).await?;
    left.retain(|device| !some.contains(device));
    Ok(!some.is_empty())
}

async fn send_commands(
    control: &mut ControlConnection,
    commands: impl Iterator<Item = Value>,
) -> Result<(), control_connection::Error> {
    let commands: Vec<_> = commands.collect();
    for batch in commands.chunks(MAX_BATCH_COMMANDS) {
        control.apply(batch).await?;
    }
    Ok(())
}

/// Reads which devices a broker has roles for.
fn left(roles: &Value) -> Result<BTreeSet<DeviceId>, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Roles {
        roles: Vec<String>,
    }
    let Roles { roles } = serde::Deserialize::deserialize(roles)?;
    Ok(roles.iter().filter_map(|role| access_changes::device_of(role)).collect())
}

/// Reads which devices a broker knows, each with its tag; whoever is no device is none of ours.
fn known(clients: &Value) -> Result<HashMap<DeviceId, String>, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Clients {
        clients: Vec<Client>,
    }
    #[derive(serde::Deserialize)]
    struct Client {
        username: String,
        #[serde(default)]
        textname: String,
    }
    let Clients { clients } = serde::Deserialize::deserialize(clients)?;
    Ok(clients.into_iter().filter_map(|client| Some((client.username.parse().ok()?, client.textname))).collect())
}
