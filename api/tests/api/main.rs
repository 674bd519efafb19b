//! Tests of the API against real servers: one platform (log, database, projections, API) for the whole process, and an
//! organisation for each test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod activities;
mod alarms;
mod api_keys;
mod assets;
mod attributes;
mod audit;
mod catalogue;
mod certificates;
mod dead_letters;
mod device_access;
mod devices;
mod document;
mod enrollment;
mod feed;
mod feed_end;
mod idempotency;
mod imports;
mod limits;
mod notifications;
mod openssl_clients;
mod organizations;
mod pagination;
mod problems;
mod rules;
mod sessions;
mod sign_in;
mod socket_io;
mod support;
mod telemetry;
mod tenant_isolation;
mod time_travel;
mod users;
mod versions;
