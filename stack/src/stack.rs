//! A set of running servers: started together, watched, killed and restarted for fault tests, stopped together. The
//! preparation of a single server lives in `servers`, child processes in `process`.

use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::task::Poll;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::data_folder::DataFolder;
use crate::error::Error;
use crate::install::{Binaries, ensure_installed};
use crate::logs;
use crate::open_file_limit::raise_open_file_limit;
use crate::options::Broker;
use crate::options::Options;
use crate::ports;
use crate::ports::Ports;
use crate::process::{Launch, Process};
use crate::server::Server;
use crate::servers::{Plan, prepare, probe};

/// How long a server may take to stop before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How often other free ports are tried when another process took one between choosing and listening.
const PORT_ATTEMPTS: usize = 5;
/// The first and the longest pause between two probes of a starting server. The pause grows by half each time, because
/// PostgreSQL logs every connection that it cannot accept yet.
const PROBE_PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(250));
/// How long one probe may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Where the servers of a stack listen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Urls {
    /// `nats://127.0.0.1:PORT`
    pub nats: String,
    /// `http://127.0.0.1:PORT`
    pub nats_monitoring: String,
    /// `postgres://argusiq@127.0.0.1:PORT/argusiq`, without a password.
    pub postgres: String,
    /// `redis://127.0.0.1:PORT/`
    pub redis: String,
    /// `mqtt://127.0.0.1:PORT`: mosquitto for the service account.
    #[serde(default)]
    pub broker: String,
    /// `mqtts://localhost:PORT`: mosquitto for devices.
    #[serde(default)]
    pub broker_tls: String,
}

impl From<Ports> for Urls {
    fn from(ports: Ports) -> Self {
        Self {
            nats: format!("nats://127.0.0.1:{}", ports.nats),
            nats_monitoring: format!("http://127.0.0.1:{}", ports.nats_monitoring),
            postgres: format!("postgres://argusiq@127.0.0.1:{}/argusiq", ports.postgres),
            redis: format!("redis://127.0.0.1:{}/", ports.redis),
            broker: format!("mqtt://127.0.0.1:{}", ports.broker),
            broker_tls: format!("mqtts://localhost:{}", ports.broker_tls),
        }
    }
}

/// The unexpected end of a server.
#[derive(Debug, Clone)]
pub struct Exited {
    /// The server.
    pub server: Server,
    /// How it ended.
    pub status: ExitStatus,
    /// Its log file.
    pub log: PathBuf,
    /// The log's last lines.
    pub tail: String,
}

impl fmt::Display for Exited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, status, log, tail } = self;
        write!(f, "{server} ended unexpectedly ({status}); the last lines of {} are:\n{tail}", log.display())
    }
}

/// A running stack. It owns its servers: they end when it is stopped or dropped (which blocks until they have ended),
/// and when this process ends for any reason, `kill -9` included, because the kernel signals them (`PR_SET_PDEATHSIG`).
/// It works from any async runtime, and outlives it. The servers listen on 127.0.0.1 only and require no password:
/// every user of this machine can use them.
#[derive(Debug)]
pub struct Stack {
    // Declared before the folder, so that the servers end before the lock is released.
    running: BTreeMap<Server, Running>,
    folder: DataFolder,
    ports: Ports,
    urls: Urls,
    ready_within: Duration,
    broker: Option<Broker>,
}

#[derive(Debug)]
struct Running {
    launch: Launch,
    process: Process,
}

impl Stack {
    /// Finds or installs the servers, prepares their folders, starts them and waits until they respond. Raises this
    /// process's limit on open files, which the servers inherit.
    pub async fn start(options: Options) -> Result<Self, Error> {
        raise_open_file_limit();
        let (servers, install) = (options.servers(), options.install);
        let find = tokio::task::spawn_blocking(move || ensure_installed(&servers, install)).await;
        let binaries = find.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        let folder = DataFolder::open(&options.data_dir).await?;
        let (running, ports) = start_all(&options, &folder, &binaries).await?;
        ports.remember(folder.path())?;
        let (ready_within, broker) = (options.ready_within, options.mosquitto);
        Ok(Self { running, folder, ports, urls: Urls::from(ports), ready_within, broker })
    }

    /// Returns the URLs of the servers. The URL of a server that is not part of the stack is unusable.
    pub fn urls(&self) -> &Urls {
        &self.urls
    }

    /// Returns all ports, including those for HTTP and MQTT, on which the stack itself does not listen.
    pub fn ports(&self) -> Ports {
        self.ports
    }

    /// Returns the data folder.
    pub fn data_dir(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the process id of a running server; for PostgreSQL, of the parent of all its processes.
    pub fn pid(&self, server: Server) -> Option<u32> {
        let process = &self.running.get(&server)?.process;
        process.ended().is_none().then(|| process.pid())
    }

    /// Returns a server's log file.
    pub fn log(&self, server: Server) -> PathBuf {
        self.folder.log(server.name())
    }

    /// Kills a server and its child processes with SIGKILL and waits until they have ended. For fault tests.
    pub async fn kill(&mut self, server: Server) -> Result<(), Error> {
        self.running(server)?.process.kill().await;
        Ok(())
    }

    /// Stops a server if it runs, starts it with the same ports and data, and waits until it responds.
    pub async fn restart(&mut self, server: Server) -> Result<(), Error> {
        let launch = self.running(server)?.launch.clone();
        self.running(server)?.process.stop(STOP_WITHIN).await;
        let when = Readiness { ports: self.ports, within: self.ready_within, broker: self.broker.as_ref() };
        let process = start(server, &launch, &self.folder, when).await?;
        self.running.insert(server, Running { launch, process });
        Ok(())
    }

    /// Resolves when a server ends unexpectedly. A server that has already ended counts; one that was killed, restarted
    /// or stopped through this stack does not. Watches the current processes only: call it again after a restart.
    pub fn watch(&self) -> impl Future<Output = Exited> + Send + use<> {
        let death = |(server, running): (&Server, &Running)| {
            let (server, log, died) = (*server, running.launch.log.clone(), running.process.ended_unexpectedly());
            Box::pin(async move {
                let status = died.await;
                Exited { server, status, tail: logs::tail(&log), log }
            })
        };
        let mut deaths: Vec<_> = self.running.iter().map(death).collect();
        poll_fn(move |context| {
            let mut polled = deaths.iter_mut().map(|death| death.as_mut().poll(context));
            polled.find(Poll::is_ready).unwrap_or(Poll::Pending)
        })
    }

    /// Stops all servers. A server that does not stop within ten seconds is killed and reported as an error.
    pub async fn stop(self) -> Result<(), Error> {
        for running in self.running.values() {
            running.process.ask_to_stop();
        }
        let mut outcome = Ok(());
        for (server, running) in &self.running {
            if !running.process.stop(STOP_WITHIN).await {
                outcome = Err(Error::Killed { server: *server, seconds: STOP_WITHIN.as_secs() });
            }
        }
        outcome
    }

    fn running(&self, server: Server) -> Result<&Running, Error> {
        self.running.get(&server).ok_or(Error::NotPart { server })
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // Signal all servers first, so that they stop concurrently; dropping each process then waits for it.
        self.running.values().for_each(|running| running.process.ask_to_stop());
    }
}

/// Starts all servers concurrently. Chooses other free ports if another process took one meanwhile.
async fn start_all(
    options: &Options,
    folder: &DataFolder,
    binaries: &Binaries,
) -> Result<(BTreeMap<Server, Running>, Ports), Error> {
    let mut attempt = 1;
    loop {
        let ports = options.ports.resolve(Ports::remembered(folder.path()));
        let plan = Plan { options, folder, binaries, ports };
        let started = tokio::try_join!(
            start_one(&plan, Server::Nats),
            start_one(&plan, Server::Postgres),
            start_one(&plan, Server::Redis),
            start_one(&plan, Server::Mosquitto)
        );
        match started {
            Err(Error::PortInUse { port, .. }) if attempt < PORT_ATTEMPTS && !options.ports.include(port) => {
                attempt += 1
            }
            Err(error) => return Err(error),
            Ok((nats, postgres, redis, mosquitto)) => {
                return Ok(([nats, postgres, redis, mosquitto].into_iter().flatten().collect(), ports));
            }
        }
    }
}

/// Prepares and starts one server, if it is part of the stack.
async fn start_one(plan: &Plan<'_>, server: Server) -> Result<Option<(Server, Running)>, Error> {
    if !plan.options.servers().contains(&server) {
        return Ok(None);
    }
    let launch = prepare(plan, server).await?;
    let broker = plan.options.mosquitto.as_ref();
    let when = Readiness { ports: plan.ports, within: plan.options.ready_within, broker };
    let process = start(server, &launch, plan.folder, when).await?;
    Ok(Some((server, Running { launch, process })))
}

/// When a server counts as ready.
#[derive(Clone, Copy)]
struct Readiness<'a> {
    ports: Ports,
    within: Duration,
    broker: Option<&'a Broker>,
}

async fn start(server: Server, launch: &Launch, folder: &DataFolder, when: Readiness<'_>) -> Result<Process, Error> {
    ensure_all_free(server, when.ports)?;
    let process = Process::spawn(launch, folder.lock())?;
    wait_until_ready(server, &process, launch, when).await?;
    Ok(process)
}

fn ensure_all_free(server: Server, ports: Ports) -> Result<(), Error> {
    ports.of(server).into_iter().try_for_each(|(name, port)| ports::ensure_free(name, port))
}

async fn wait_until_ready(
    server: Server,
    process: &Process,
    launch: &Launch,
    when: Readiness<'_>,
) -> Result<(), Error> {
    let Readiness { ports, within, broker } = when;
    let deadline = Instant::now() + within;
    let mut pause = PROBE_PAUSES.0;
    loop {
        let answer = tokio::time::timeout(PROBE_TIMEOUT, probe(server, ports, process.pid(), launch, broker)).await;
        let last = match answer {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no response".into(),
        };
        let (log, tail) = (launch.log.clone(), || logs::tail(&launch.log));
        if let Some(status) = process.ended() {
            ensure_all_free(server, ports)?;
            return Err(Error::EndedEarly { server, status, tail: tail(), log });
        }
        if Instant::now() > deadline {
            return Err(Error::NotReady { server, seconds: within.as_secs(), last, tail: tail(), log });
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(PROBE_PAUSES.1);
    }
}
