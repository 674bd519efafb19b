//! The API against real servers: one platform (log, database, projections, API) for all tests of the process, an
//! organisation of its own for each test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod activities;
mod assets;
mod certificates;
mod device_access;
mod devices;
mod document;
mod enrollment;
mod feed;
mod openssl;
mod problems;
mod rules;
mod sign_in;
mod socket_io;
mod support;
mod telemetry;
