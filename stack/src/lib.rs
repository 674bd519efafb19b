//! The local stack: finds or installs, starts, checks, watches and stops nats-server, PostgreSQL and Redis. What the
//! servers hold is not known here: no stream, no table, no key.
//!
//! `argusiq up`, every test and every benchmark use the same [`Stack`], so that what is tested is what runs. Whatever
//! ends the owning process, `kill -9` included, ends its servers: see [`Stack`].
//!
//! # Environment
//! | variable | meaning |
//! | --- | --- |
//! | `PATH` | where `nats-server`, `postgres` and `redis-server` are looked for first |
//! | `ARGUSIQ_TOOLS_DIR` | where downloaded servers live (default `$XDG_CACHE_HOME/argusiq/tools`, else `~/.cache/argusiq/tools`) |
//! | `ARGUSIQ_TEST_STACK` | JSON of [`Urls`]: tests use these servers and start none (set by `argusiq-stack run`) |
//! | `TMPDIR` | where the servers of tests keep their data (when unset: `/dev/shm` if 6 GB are free, else `/tmp`) |

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod account;
mod cluster;
mod error;
mod find;
mod folder;
mod install;
mod limits;
mod lock;
mod logs;
mod network;
mod options;
pub mod ports;
mod process;
mod servers;
mod stack;
pub mod testing;
mod wire;

pub use cluster::{Cluster, ClusterOptions};
pub use error::Error;
pub use find::Version;
pub use install::{Binaries, ensure_installed};
pub use limits::raise_open_file_limit;
pub use options::{Broker, Durability, Options};
pub use ports::{Ports, free_port};
pub use servers::Server;
pub use stack::{Exited, Stack, Urls};
