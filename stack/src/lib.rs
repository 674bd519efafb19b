//! The local stack: finds, starts, checks and stops nats-server, PostgreSQL and Redis.
