//! The local stack as a program: installs the servers, runs them in the foreground, or runs a command with them.

use std::io::IsTerminal;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};

use clap::{Parser, Subcommand};
use stack::testing::{SHARED, TestStack};
use stack::{Error, Options, Ports, Server, Stack, ensure_installed};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

/// The local stack of Argusiq: nats-server, PostgreSQL and Redis.
#[derive(Parser)]
#[command(name = "argusiq-stack", version)]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Finds the servers and installs missing ones.
    Install,
    /// Runs a command with throwaway servers, whose URLs are in ARGUSIQ_TEST_STACK, and exits with its exit code.
    Run {
        /// Fail if a server is missing instead of installing it.
        #[arg(long)]
        no_install: bool,
        /// The command and its arguments.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Runs the servers in the foreground until Ctrl-C.
    Up {
        /// The folder for data, logs and configuration.
        #[arg(long, default_value = ".argusiq")]
        data_dir: PathBuf,
        /// The first of nine consecutive ports; without it, free ports are chosen and remembered.
        #[arg(long)]
        port_base: Option<u16>,
        /// Fail if a server is missing instead of installing it.
        #[arg(long)]
        no_install: bool,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let ansi = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).with_ansi(ansi).init();
    let done = match Arguments::parse().action {
        Action::Install => install(),
        Action::Run { no_install, command } => run(!no_install, command).await,
        Action::Up { data_dir, port_base, no_install } => up(data_dir, port_base, !no_install).await,
    };
    done.unwrap_or_else(|error| {
        let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
        let message = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
        eprintln!("argusiq-stack: {message}");
        ExitCode::FAILURE
    })
}

fn install() -> Result<ExitCode, Error> {
    let binaries = ensure_installed(&[Server::Nats, Server::Postgres, Server::Redis], true)?;
    for program in [binaries.nats, binaries.postgres, binaries.redis] {
        println!("{}", program.display());
    }
    Ok(ExitCode::SUCCESS)
}

async fn run(install: bool, command: Vec<String>) -> Result<ExitCode, Error> {
    let stack = TestStack::start(|options| Options { install, ..options }).await?;
    let urls = serde_json::to_string(stack.urls()).unwrap_or_default();
    let mut command_line = Command::new(&command[0]);
    command_line.args(&command[1..]).env(SHARED, urls).kill_on_drop(true);
    let failed = |source| Error::Spawn { program: command[0].clone().into(), source };
    let status = wait(command_line.spawn().map_err(failed)?).await.map_err(failed);
    stack.stop().await?;
    let status = status?;
    Ok(ExitCode::from(exit_code(status)))
}

/// Waits for the command. The terminal sends it Ctrl-C directly; SIGTERM is forwarded.
async fn wait(mut command: tokio::process::Child) -> std::io::Result<ExitStatus> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    loop {
        tokio::select! {
            status = command.wait() => return status,
            _ = interrupt.recv() => {}
            _ = terminate.recv() => pass_on(command.id()),
        }
    }
}

fn pass_on(pid: Option<u32>) {
    if let Some(pid) = pid {
        let pid = nix::unistd::Pid::from_raw(pid.cast_signed());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
    }
}

/// Returns the exit code as a shell does: 128 plus the signal's number if a signal ended the command.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

async fn up(data_dir: PathBuf, port_base: Option<u16>, install: bool) -> Result<ExitCode, Error> {
    let ports = port_base.map_or(Ok(Ports::defaults()), Ports::from_base)?;
    // From here on a signal stops the servers in order, even while they start.
    let asked_to_stop = asked_to_stop();
    tokio::pin!(asked_to_stop);
    let stack = tokio::select! {
        started = Stack::start(Options { ports, install, ..Options::durable(data_dir) }) => started?,
        () = &mut asked_to_stop => return Ok(ExitCode::SUCCESS),
    };
    let urls = stack.urls();
    println!("NATS        {}  (monitoring {})", urls.nats, urls.nats_monitoring);
    println!("PostgreSQL  {}", urls.postgres);
    println!("Redis       {}", urls.redis);
    println!("Data        {}  (Ctrl-C stops)", stack.data_dir().display());
    let died = tokio::select! {
        exited = stack.watch() => Some(exited),
        () = &mut asked_to_stop => None,
    };
    stack.stop().await?;
    match died {
        None => Ok(ExitCode::SUCCESS),
        Some(exited) => {
            eprintln!("argusiq-stack: {exited}");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Resolves on the first SIGINT or SIGTERM after this call.
fn asked_to_stop() -> impl Future<Output = ()> {
    let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    async move {
        // Without a handler, the signal's default action ends the process.
        let [Ok(mut interrupt), Ok(mut terminate)] = signals else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
