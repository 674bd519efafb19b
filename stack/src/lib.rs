//! The local stack: finds or installs, starts, checks, watches and stops nats-server, PostgreSQL, Redis and mosquitto.
//! It declares no streams, tables or keys.
//!
//! `argusiq up`, every test and every benchmark use the same [`Stack`], so that tests run on what users run. The
//! servers end with the process that owns them, even after `kill -9`: see [`Stack`].
//!
//! # Environment
//! | variable | meaning |
//! | --- | --- |
//! | `PATH` | where `nats-server`, `postgres` and `redis-server` are searched first |
//! | `ARGUSIQ_TOOLS_DIR` | folder of downloaded servers (default `$XDG_CACHE_HOME/argusiq/tools`, else `~/.cache/argusiq/tools`) |
//! | `ARGUSIQ_TEST_STACK` | JSON of [`Urls`]: tests use these servers instead of starting their own (set by `argusiq-stack run`) |
//! | `TMPDIR` | data folder of test servers (when unset: `/dev/shm` if 6 GB are free, else `/tmp`) |

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod account;
mod data_folder;
mod error;
mod find_program;
mod install;
mod lock;
mod logs;
mod nats_cluster;
mod node_networks;
mod open_file_limit;
mod options;
pub mod ports;
mod process;
mod protocols;
mod server;
mod servers;
mod stack;
pub mod testing;
mod version;

pub use error::Error;
pub use install::{Binaries, ensure_installed};
pub use nats_cluster::{Cluster, ClusterOptions};
pub use open_file_limit::raise_open_file_limit;
pub use options::{Broker, Durability, Options};
pub use ports::{Ports, free_port};
pub use server::Server;
pub use stack::{Exited, Stack, Urls};
pub use version::Version;
