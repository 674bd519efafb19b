//! Keeps a mosquitto broker's access list in sync with the directory: after each relevant event, and periodically
//! because certificates expire.

use eventlog::error_chain;
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

/// How long events are collected before the broker is updated.
const DEBOUNCE: Duration = Duration::from_millis(20);
/// Delay before the next attempt while a revocation list is missing.
const RETRY_DELAY: Duration = Duration::from_millis(200);
/// How often expired certificates are looked for.
const CHECK_INTERVAL: Duration = Duration::from_secs(10);
/// Most commands of a batch: the plugin saves its state after each batch.
const MAX_BATCH_COMMANDS: usize = 200;
/// Most roles deleted at once. With a thousand devices each command takes the broker about 15 ms, during which no
/// device could be removed.
const MAX_ROLES_PER_SWEEP: usize = 10;

/// Keeps one broker's access list in sync.
pub struct AccessSync {
    shared: Arc<Shared>,
    config: Arc<BridgeConfig>,
    security: DynamicSecurity,
    client_id: String,
    /// Topic filters of the bridge's service account.
    filters: Vec<String>,
    revocations: Option<RevocationLists>,
}

/// Why the synchronisation stopped.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("invalid settings of the broker connection")]
    Address(#[from] BrokerAddressError),
    #[error(transparent)]
    Control(#[from] control_connection::Error),
    #[error("failed to parse the plugin's list")]
    Clients(#[from] serde_json::Error),
}

impl AccessSync {
    /// Creates the synchronisation; its client id must be unique at the broker.
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

    /// Keeps the access list in sync while this process is elected, until the shutdown.
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
            warn!(broker = %self.config.address, error = error_chain(&failure),
                "failed to update the broker's access list; retrying in {delay:?}");
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
        let mut registered = parse_clients(&clients)?;
        let roles = control.query(json!({"command": "listRoles", "count": -1, "offset": 0})).await?;
        let mut orphaned = parse_roles(&roles)?;
        loop {
            changes.mark_unchanged();
            let waiting = self.sync(&mut control, &mut registered, &mut orphaned).await?;
            if !std::mem::replace(worked, true) {
                info!(broker = %self.config.address, devices = registered.len(), "the broker's access list is in sync");
            }
            // Sync again after each sweep, so that a removal never waits for more than one of them.
            if delete_orphaned_roles(&mut control, &registered, &mut orphaned).await? {
                continue;
            }
            // Both waits poll the connection, which keeps it alive.
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

    /// Applies the current directory to the broker; returns whether a device waits for a revocation list.
    async fn sync(
        &mut self,
        control: &mut ControlConnection,
        registered: &mut HashMap<DeviceId, String>,
        orphaned: &mut BTreeSet<DeviceId>,
    ) -> Result<bool, Error> {
        let AdmissionList { admitted, revoked } = self.shared.directory.admission_list((self.shared.clock)());
        // Remove devices first: a revocation list that cannot be fetched must not delay that.
        let removed = access_changes::diff(registered, &admitted, |_| false).remove;
        for device in &removed {
            registered.remove(device);
        }
        send_commands(control, removed.iter().map(|device| access_changes::remove_device(*device))).await?;
        orphaned.extend(&removed);
        counter!(names::BROKER_DEVICES, "change" => "left").increment(removed.len() as u64);
        let listed = self.refresh_lists(&revoked).await;
        let has = |device: &AdmittedDevice| {
            self.revocations.as_ref().is_none_or(|lists| lists.has(device.organization, &device.listed))
        };
        let changes = access_changes::diff(registered, &admitted, has);
        let added = changes.add.iter().filter_map(|device| Some((*device, admitted.get(device)?)));
        send_commands(
            control,
            added.clone().flat_map(|(device, admitted)| access_changes::add_device(device, admitted)),
        )
        .await?;
        registered.extend(added.map(|(device, admitted)| (device, admitted.tag())));
        counter!(names::BROKER_DEVICES, "change" => "entered").increment(changes.add.len() as u64);
        Ok(!listed || !changes.waiting.is_empty())
    }

    /// Updates the broker's revocation file; returns whether it is up to date.
    async fn refresh_lists(&mut self, revoked: &HashMap<OrganizationId, BTreeSet<String>>) -> bool {
        let Some(revocations) = &mut self.revocations else { return true };
        match revocations.refresh(revoked).await {
            Ok(()) => true,
            Err(failure) => {
                warn!(error = error_chain(&failure), "failed to update the broker's revocation file");
                false
            }
        }
    }
}

/// Deletes some roles of devices that were removed and not added again; returns whether there were any.
async fn delete_orphaned_roles(
    control: &mut ControlConnection,
    registered: &HashMap<DeviceId, String>,
    orphaned: &mut BTreeSet<DeviceId>,
) -> Result<bool, control_connection::Error> {
    orphaned.retain(|device| !registered.contains_key(device));
    let batch: Vec<_> = orphaned.iter().copied().take(MAX_ROLES_PER_SWEEP).collect();
    send_commands(control, batch.iter().map(|device| access_changes::delete_role(*device))).await?;
    orphaned.retain(|device| !batch.contains(device));
    Ok(!batch.is_empty())
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

/// Parses the plugin's list of roles; returns the devices that have one.
fn parse_roles(roles: &Value) -> Result<BTreeSet<DeviceId>, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Roles {
        roles: Vec<String>,
    }
    let Roles { roles } = serde::Deserialize::deserialize(roles)?;
    Ok(roles.iter().filter_map(|role| access_changes::device_of(role)).collect())
}

/// Parses the plugin's list of clients; returns the devices with their tags and ignores other clients.
fn parse_clients(clients: &Value) -> Result<HashMap<DeviceId, String>, serde_json::Error> {
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
