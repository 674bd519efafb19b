//! `argusiq nats-permissions`: the NATS users of all roles, as a part of nats-server's configuration.

use crate::settings::Settings;

/// Prints the users of an installation with the configured prefix; passwords are left to the server's environment.
pub fn print(settings: &Settings) -> anyhow::Result<()> {
    let names = eventlog::Settings::new("").with_prefix(&settings.nats.stream_prefix);
    print!("{}", eventlog::permissions::server_configuration(&names));
    Ok(())
}
