//! Simulates the platform's outside world: devices with real certificates, users of the API, and faults.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod api;
mod api_bench;
mod args;
mod bench;
mod bridged_broker;
mod chaos;
mod cpu;
mod demo;
mod device;
mod feed;
mod fleet;
mod load;
mod mqtt;
mod payload;
mod platform;
mod provenance;
mod provision;
mod reaction;
mod report;
mod revocation;
mod run_tag;
mod session;
mod signal;
mod stats;
mod summary;
mod tls;
mod verify;
mod webhook;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Args::parse().command {
        Command::Demo { platform, demo } => demo::run(platform, demo).await,
        Command::Load { platform, load } => load::run(platform, load).await,
        Command::Bench(bench) => bench::run(bench).await,
        Command::BenchApi(bench) => api_bench::run(bench).await,
        Command::Chaos(chaos) => chaos::run(chaos).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("argusiq-simulator: {error:#}");
            ExitCode::FAILURE
        }
    }
}
