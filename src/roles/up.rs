//! `argusiq up`: runs all roles in one process, next to servers that the `stack` crate starts on this machine.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use stack::{Options, Ports, Stack};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::Up;
use crate::connections::Servers;
use crate::settings::{Secret, Settings};
use crate::wiring::{Duty, Role, Wiring, ports};
use crate::{environment, lifecycle};

/// How often a port is tried while the roles start.
const POLL_EVERY: Duration = Duration::from_millis(50);

/// Runs everything until a signal, a failure, or the end of the demo.
pub async fn run(mut settings: Settings, up: Up) -> anyhow::Result<()> {
    environment::create_data_dir(&settings)?;
    let ports = ports(&settings)?;
    stack::ports::ensure_free("the HTTP API", ports.http)?;
    stack::ports::ensure_free("MQTT", ports.mqtt)?;
    if settings.enroll.enabled {
        stack::ports::ensure_free("enrolment", ports.enroll)?;
    }
    if settings.ingest_http.enabled {
        stack::ports::ensure_free("HTTP for devices", ports.ingest_http)?;
    }
    let stop = CancellationToken::new();
    lifecycle::stop_on_signals(stop.clone())?;
    let stack = start_servers(&settings, ports).await?;
    // A fixed name: the data folder may move to another host, and the names stored in it must stay valid.
    settings.instance.get_or_insert_with(|| "main".to_owned());
    settings.audit.seal_folder.get_or_insert_with(|| settings.data_dir.join("seals"));
    settings.nats.url = Some(stack.urls().nats.clone());
    settings.postgres.url = Some(Secret(stack.urls().postgres.clone()));
    settings.redis.url = Some(Secret(stack.urls().redis.clone()));
    let outcome = serve(settings, up, &stack, stop).await;
    let stopped = stack.stop().await;
    outcome.and(stopped.map_err(Into::into))
}

/// Starts nats-server, PostgreSQL and Redis with their data below the data folder.
pub async fn start_servers(settings: &Settings, ports: Ports) -> anyhow::Result<Stack> {
    eprintln!("starting nats-server, PostgreSQL and Redis …");
    let mut options = Options::durable(settings.data_dir.join("servers"));
    options.ports = ports;
    Ok(Stack::start(options).await?)
}

async fn serve(settings: Settings, up: Up, stack: &Stack, stop: CancellationToken) -> anyhow::Result<()> {
    let servers = Servers::from_settings(&settings)?;
    let wiring = Wiring::open(settings, servers, Duty::Everything).await?;
    wiring.migrate().await?;
    let password = first_password(&wiring).await?;
    // Separate from the signal's token: the roles must outlive the demo, which compares what it sent with what is stored.
    let shutdown = CancellationToken::new();
    let mut roles = JoinSet::new();
    for role in Role::ALL {
        let (wiring, shutdown) = (wiring.clone(), shutdown.clone());
        roles.spawn(async move { (role, wiring.run(role, Vec::new(), shutdown).await) });
    }
    let outcome = tokio::select! {
        () = stop.cancelled(), if !up.demo => Ok(()),
        Some(ended) = roles.join_next() => Err(unexpected_end(ended)),
        exited = stack.watch() => Err(anyhow!("{exited}")),
        ended = welcome(&wiring, &up, password.as_deref(), &stop) => ended,
    };
    shutdown.cancel();
    while let Some(ended) = roles.join_next().await {
        if let Ok((role, Err(error))) = ended {
            tracing::error!(?role, error = format!("{error:#}"), "a role failed");
        }
    }
    outcome
}

/// Returns the administrator's password if it is known: generated at this first start, or set by the configuration.
async fn first_password(wiring: &Wiring) -> anyhow::Result<Option<String>> {
    let configured = wiring.settings.admin_password.as_ref().map(|password| password.0.clone());
    let first = wiring.bootstrap().await?;
    Ok(first.generated_password.or(configured))
}

/// Prints the addresses as soon as they accept connections, then runs the demo. Without a demo it never returns.
async fn welcome(wiring: &Wiring, up: &Up, password: Option<&str>, stop: &CancellationToken) -> anyhow::Result<()> {
    for port in [wiring.ports.http, wiring.ports.mqtt] {
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(POLL_EVERY).await;
        }
    }
    print_welcome(wiring, password);
    if up.demo { run_demo(start_demo(wiring, up, password)?, stop).await } else { std::future::pending().await }
}

fn print_welcome(wiring: &Wiring, password: Option<&str>) {
    let (http, mqtt) = (wiring.ports.http, wiring.ports.mqtt);
    println!();
    println!("  Argusiq is up");
    println!("  page and API   http://{}:{http}/", wiring.settings.http.listen);
    println!("  devices        mqtts://{}:{mqtt} (client certificates)", wiring.settings.mqtt.listen);
    if wiring.settings.ingest_http.enabled {
        let (listen, port) = (&wiring.settings.ingest_http.listen, wiring.ports.ingest_http);
        println!("                 https://{listen}:{port}/api/v1/telemetry (client certificates or device tokens)");
    }
    if wiring.settings.enroll.enabled {
        let (listen, port) = (&wiring.settings.enroll.listen, wiring.ports.enroll);
        println!("  enrolment      https://{listen}:{port}/api/v1/enroll (claim codes or the current certificate)");
    }
    println!("  sign in as     {}", wiring.settings.admin_email);
    println!("  password       {}", password.unwrap_or("(as set earlier)"));
    println!("  data           {}", wiring.settings.data_dir.display());
    println!("  Ctrl-C stops everything.");
    println!();
}

fn unexpected_end(ended: Result<(Role, anyhow::Result<()>), tokio::task::JoinError>) -> anyhow::Error {
    match ended {
        Ok((role, Ok(()))) => anyhow!("{role:?} stopped unexpectedly"),
        Ok((role, Err(error))) => error.context(format!("{role:?} stopped")),
        Err(error) => anyhow!("a role panicked: {error}"),
    }
}

fn start_demo(wiring: &Wiring, up: &Up, password: Option<&str>) -> anyhow::Result<Child> {
    let Some(password) = password else {
        bail!("the demo needs the password of {}: set ARGUSIQ_ADMIN_PASSWORD", wiring.settings.admin_email);
    };
    let simulator = std::env::current_exe()?.with_file_name("argusiq-simulator");
    let mut command = Command::new(&simulator);
    command.args(["demo", "--devices", &up.devices.to_string()]);
    if let Some(seconds) = up.seconds {
        command.args(["--seconds", &seconds.to_string()]);
    }
    command
        .env("ARGUSIQ_API", format!("http://127.0.0.1:{}", wiring.ports.http))
        .env("ARGUSIQ_MQTT", format!("localhost:{}", wiring.ports.mqtt))
        .env("ARGUSIQ_ADMIN_EMAIL", &wiring.settings.admin_email)
        .env("ARGUSIQ_ADMIN_PASSWORD", password)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .process_group(0);
    command.spawn().with_context(|| {
        format!("cannot start {}: build it first with `cargo build --workspace --bins`", simulator.display())
    })
}

/// Waits for the end of the demo. On `stop` the demo is interrupted and prints its summary first.
async fn run_demo(mut child: Child, stop: &CancellationToken) -> anyhow::Result<()> {
    let status = tokio::select! {
        status = child.wait() => status?,
        () = stop.cancelled() => {
            if let Some(id) = child.id() {
                Command::new("kill").args(["-INT", &id.to_string()]).status().await?;
            }
            child.wait().await?
        }
    };
    if status.success() { Ok(()) } else { bail!("the demo ended with {status}") }
}
