//! The permissions of each role's NATS user, derived from the declared streams: which streams it reads, which subjects
//! it writes, which buckets it uses. Only `migrate` may create, change and delete streams. The NATS server enforces
//! them.

use std::fmt::Write;

use crate::buckets::BucketName;
use crate::connection::Settings;
use crate::credentials::inbox;
use crate::streams::Stream;

/// A kind of process with a NATS user of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// HTTP API and live feed.
    Api,
    /// Device ingest.
    Ingest,
    /// The stages of the telemetry path.
    Process,
    /// The projections and their rebuild.
    Project,
    /// Creates and changes streams; creates the first administrator.
    Migrate,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 5] = [Self::Api, Self::Ingest, Self::Process, Self::Project, Self::Migrate];

    /// Returns the role's name as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Ingest => "ingest",
            Self::Process => "process",
            Self::Project => "project",
            Self::Migrate => "migrate",
        }
    }

    /// Returns the name of the role's NATS user.
    pub fn user(self) -> String {
        format!("argusiq-{}", self.name())
    }

    /// Returns the environment variable from which nats-server reads the password of the role's user.
    pub fn password_variable(self) -> String {
        format!("ARGUSIQ_NATS_{}_PASSWORD", self.name().to_uppercase())
    }

    fn reads(self) -> &'static [Stream] {
        use Stream::{
            ActivitiesCreated, Es, EsActivity, EsAlarm, EventsThreshold, Presence, TelemetryAsset, TelemetryDlq,
            TelemetryNormalized, TelemetryRaw,
        };
        match self {
            Self::Api => &[Es, EsAlarm, EsActivity, TelemetryNormalized, TelemetryAsset, EventsThreshold, Presence],
            Self::Ingest => &[Es, Presence],
            Self::Process => {
                &[Es, EsAlarm, EsActivity, TelemetryRaw, TelemetryNormalized, TelemetryAsset, EventsThreshold, Presence]
            }
            Self::Project => &[
                Es,
                EsAlarm,
                EsActivity,
                TelemetryNormalized,
                TelemetryAsset,
                EventsThreshold,
                ActivitiesCreated,
                Presence,
                TelemetryDlq,
            ],
            Self::Migrate => &Stream::ALL,
        }
    }

    /// Returns the streams with the subject tails that the role writes.
    fn writes(self) -> &'static [(Stream, &'static str)] {
        match self {
            Self::Api => {
                &[(Stream::Es, ">"), (Stream::EsAlarm, ">"), (Stream::EsActivity, ">"), (Stream::TelemetryDlq, "*")]
            }
            Self::Ingest => &[(Stream::TelemetryRaw, "*"), (Stream::TelemetryDlq, "ingest"), (Stream::Presence, "*")],
            Self::Process => &[
                (Stream::Es, "*.certificate.*"),
                (Stream::EsAlarm, ">"),
                (Stream::EsActivity, ">"),
                (Stream::TelemetryRaw, "redriven"),
                (Stream::TelemetryNormalized, ">"),
                (Stream::TelemetryAsset, ">"),
                (Stream::EventsThreshold, ">"),
                (Stream::ActivitiesCreated, ">"),
                (Stream::TelemetryDlq, "*"),
            ],
            Self::Project => &[(Stream::TelemetryDlq, "*")],
            Self::Migrate => &[(Stream::Es, ">")],
        }
    }

    /// Returns the buckets with the keys that the role writes; a bucket without keys is only read.
    fn buckets(self) -> &'static [(BucketName, &'static [&'static str])] {
        use BucketName::{Bundles, Crls, Members, Platform, Requests, Secrets, Sessions, Snapshots, StageState};
        match self {
            Self::Api => &[
                (Snapshots, &[">"]),
                (Secrets, &[">"]),
                (Bundles, &["*"]),
                (Crls, &["*"]),
                (Sessions, &[">"]),
                (Requests, &["*"]),
                (Platform, &[]),
            ],
            Self::Ingest => &[(Members, &["*"]), (Platform, &[])],
            Self::Process => &[
                (Snapshots, &["*.alarm.*", "*.activity.*", "*.notification.*", "*.certificate.*"]),
                (StageState, &[">"]),
                (Members, &["*"]),
                (Platform, &[]),
            ],
            Self::Project => &[(Platform, &[])],
            Self::Migrate => {
                &[(Snapshots, &[">"]), (Secrets, &[">"]), (Bundles, &["*"]), (Crls, &["*"]), (Platform, &[">"])]
            }
        }
    }
}

/// The subjects that a user may publish and subscribe to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// Subjects it may publish to.
    pub publish: Vec<String>,
    /// Subjects it may subscribe to.
    pub subscribe: Vec<String>,
}

/// Returns the permissions of a role's user in an installation with these settings.
pub fn permissions(role: Role, settings: &Settings) -> Permissions {
    let mut publish = vec!["$JS.API.INFO".to_owned()];
    if role == Role::Migrate {
        publish.push("$JS.API.>".to_owned());
    } else {
        let all = Stream::ALL.into_iter().map(|stream| settings.stream_name(stream));
        let buckets = BucketName::ALL.into_iter().map(|bucket| format!("KV_{}", settings.bucket_name(bucket)));
        publish.extend(all.chain(buckets).map(|name| format!("$JS.API.STREAM.INFO.{name}")));
        publish.extend(role.reads().iter().flat_map(|stream| consuming(&settings.stream_name(*stream))));
        // A writer also reads the last message of its subject.
        publish.extend(role.writes().iter().flat_map(|(stream, _)| reading(&settings.stream_name(*stream))));
        let buckets = role.buckets().iter().map(|(bucket, _)| format!("KV_{}", settings.bucket_name(*bucket)));
        publish.extend(buckets.flat_map(|name| reading(&name)));
    }
    publish.extend(role.writes().iter().map(|(stream, tail)| settings.subject(*stream, tail)));
    for (bucket, keys) in role.buckets() {
        publish.extend(keys.iter().map(|key| format!("$KV.{}.{key}", settings.bucket_name(*bucket))));
    }
    publish.sort();
    publish.dedup();
    Permissions { publish, subscribe: vec![format!("{}.>", inbox(&role.user()))] }
}

/// Subjects for reading single messages, from the leader or from any replica.
fn reading(name: &str) -> Vec<String> {
    vec![
        format!("$JS.API.STREAM.MSG.GET.{name}"),
        format!("$JS.API.DIRECT.GET.{name}"),
        format!("$JS.API.DIRECT.GET.{name}.>"),
    ]
}

/// Subjects for reading a stream in order with an ephemeral pull consumer. It does not acknowledge, so `$JS.ACK` is not
/// allowed.
fn consuming(name: &str) -> Vec<String> {
    let mut subjects = reading(name);
    subjects.push(format!("$JS.API.CONSUMER.CREATE.{name}"));
    subjects.extend(["INFO", "MSG.NEXT", "DELETE"].map(|verb| format!("$JS.API.CONSUMER.{verb}.{name}.*")));
    subjects
}

/// Returns the users of all roles as a file for nats-server's configuration to include; the server reads the passwords
/// from its environment.
pub fn server_configuration(settings: &Settings) -> String {
    configuration(settings, |role| format!("${}", role.password_variable()))
}

/// Returns the same file with the password in place, for test servers.
pub fn server_configuration_with(settings: &Settings, password: &str) -> String {
    configuration(settings, |_| quoted(password))
}

fn configuration(settings: &Settings, password: impl Fn(Role) -> String) -> String {
    let mut text =
        "# Written by `argusiq nats-permissions`; changes are lost.\nauthorization {\n  users: [\n".to_owned();
    for role in Role::ALL {
        let Permissions { publish, subscribe } = permissions(role, settings);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "    {{\n      user: {}\n      password: {}", quoted(&role.user()), password(role));
        let _ = writeln!(text, "      permissions: {{");
        for (verb, subjects) in [("publish", publish), ("subscribe", subscribe)] {
            let _ = writeln!(text, "        {verb}: {{ allow: [");
            for subject in subjects {
                let _ = writeln!(text, "          {}", quoted(&subject));
            }
            let _ = writeln!(text, "        ] }}");
        }
        let _ = writeln!(text, "      }}\n    }}");
    }
    text + "  ]\n}\n"
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_migrate_may_create_change_or_delete_streams() {
        let settings = Settings::new("x");
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Migrate) {
            let publish = permissions(role, &settings).publish;
            let may = |verb: &str| publish.iter().any(|subject| subject.contains(verb) || subject == "$JS.API.>");
            for verb in ["STREAM.CREATE", "STREAM.UPDATE", "STREAM.DELETE", "STREAM.PURGE", "MSG.DELETE", "RESTORE"] {
                assert!(!may(verb), "{role:?} {verb}");
            }
        }
        assert!(permissions(Role::Migrate, &settings).publish.contains(&"$JS.API.>".to_owned()));
    }

    #[test]
    fn stream_bucket_and_subject_names_carry_the_prefix() {
        let publish = permissions(Role::Ingest, &Settings::new("x").with_prefix("p")).publish;
        for subject in ["p.telemetry.raw.v1.*", "$KV.p_members.*", "$JS.API.CONSUMER.CREATE.p_ES"] {
            assert!(publish.contains(&subject.to_owned()), "{subject} is not in {publish:#?}");
        }
    }

    #[test]
    fn the_committed_users_file_matches_the_declared_streams() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/nats/users.conf");
        let committed = std::fs::read_to_string(&file).unwrap_or_default();
        let declared = server_configuration(&Settings::new("x"));
        assert_eq!(committed, declared, "run `argusiq nats-permissions > deploy/nats/users.conf`");
    }
}
