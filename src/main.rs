//! The composition root: reads the configuration and runs one role, or all of them. The roles themselves are crates.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod cli;
mod connections;
mod environment;
mod installation;
mod keys;
mod lifecycle;
mod observability;
mod readiness;
mod roles;
mod settings;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Ca, Cli, Command, Ingest};
use crate::settings::Settings;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("argusiq: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    let settings = Settings::load(&cli.flags)?;
    let default_log = if matches!(cli.command, Command::Up(_)) { "warn" } else { "info" };
    observability::start_logging(&settings, default_log)?;
    stack::raise_open_file_limit();
    match cli.command {
        Command::Up(up) => roles::up::run(settings, up).await,
        Command::Api => roles::single::run(settings, wiring::Role::Api, Vec::new()).await,
        Command::Ingest(Ingest { bridge }) => {
            let role = if bridge { wiring::Role::Bridge } else { wiring::Role::Ingest };
            roles::single::run(settings, role, Vec::new()).await
        }
        Command::Process(only) => roles::single::run(settings, wiring::Role::Process, only.only).await,
        Command::Project(only) => roles::single::run(settings, wiring::Role::Project, only.only).await,
        Command::Replay { what } => roles::replay::run(settings, what).await,
        Command::Migrate(migrate) => roles::migrate::run(settings, migrate).await,
        Command::NatsPermissions => roles::permissions::print(&settings),
        Command::Doctor => roles::doctor::run(settings).await,
        Command::Healthcheck { port } => roles::healthcheck::run(&settings, port),
        Command::Openapi => {
            print!("{}", api::openapi()?);
            Ok(())
        }
        Command::Settings => roles::settings::run(),
        Command::Audit { what } => roles::audit::run(settings, what).await,
        Command::Ca { what: Ca::Init } => roles::ca::init(settings),
        Command::Ca { what: Ca::RotateMasterKey } => roles::ca::rotate_master_key(settings).await,
    }
}
