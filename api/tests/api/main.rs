//! The API against real servers: one platform (log, database, projections, API) for all tests of the process, an
//! organisation of its own for each test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod activities;
mod alarms;
mod api_keys;
mod assets;
mod audit;
mod catalogue;
mod certificates;
mod dead_letters;
mod device_access;
mod devices;
mod document;
mod enrollment;
mod feed;
mod idempotency;
mod imports;
mod limits;
mod notifications;
mod openssl;
mod organizations;
mod pages;
mod past;
mod people;
mod problems;
mod rules;
mod sessions;
mod sign_in;
mod socket_io;
mod strangers;
mod support;
mod telemetry;
mod versions;
