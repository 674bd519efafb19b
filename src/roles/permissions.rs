//! `argusiq nats-permissions`: prints the NATS users of all roles as a part of nats-server's configuration.

use crate::settings::Settings;

/// Prints the users for the configured prefix; the server takes the passwords from its environment.
pub fn print(settings: &Settings) -> anyhow::Result<()> {
    let names = eventlog::Settings::new("").with_prefix(&settings.nats.stream_prefix);
    print!("{}", eventlog::permissions::server_configuration(&names));
    Ok(())
}
