//! Given/when/then tests of API keys.

use ApiKeyCommand as C;
use ApiKeyEvent as E;
use chrono::{DateTime, Utc};

use super::*;
use crate::given_when_then::{given, given_no_events};
use crate::user::AccessRole;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

fn create(name: &str, access_role: AccessRole, expires_in: i64) -> C {
    C::CreateApiKey {
        name: name.into(),
        access_role,
        maker_role: AccessRole::Admin,
        digest: "ab".into(),
        expires_at: at(expires_in),
        now: at(0),
    }
}

fn created() -> E {
    E::ApiKeyCreated {
        name: "Dashboard".into(),
        access_role: AccessRole::Viewer,
        digest: "ab".into(),
        expires_at: at(60),
    }
}

fn revoke() -> C {
    C::RevokeApiKey { reason: "leaked".into() }
}

#[test]
fn a_key_is_created_once() {
    given_no_events::<ApiKey>().when(create(" Dashboard ", AccessRole::Viewer, 60)).then([created()]);
    given::<ApiKey>([created()]).when(create("Dashboard", AccessRole::Viewer, 60)).then_refused(Error::AlreadyExists);
}

#[test]
fn a_key_cannot_have_more_rights_than_its_creator() {
    let admin = create("Dashboard", AccessRole::Admin, 60);
    let made = E::ApiKeyCreated {
        name: "Dashboard".into(),
        access_role: AccessRole::Admin,
        digest: "ab".into(),
        expires_at: at(60),
    };
    given_no_events::<ApiKey>().when(admin).then([made]);
    given_no_events::<ApiKey>()
        .when(create("Dashboard", AccessRole::PlatformAdmin, 60))
        .then_refused(Error::RoleTooHigh { most: AccessRole::Admin });
}

#[test]
fn a_key_needs_a_name_and_an_expiry_in_the_future() {
    given_no_events::<ApiKey>().when(create(" ", AccessRole::Viewer, 60)).then_refused(Error::InvalidName);
    given_no_events::<ApiKey>().when(create("Dashboard", AccessRole::Viewer, 0)).then_refused(Error::InvalidExpiry);
}

#[test]
fn a_revoked_key_stays_revoked() {
    given_no_events::<ApiKey>().when(revoke()).then_refused(Error::NotFound);
    let revoked = E::ApiKeyRevoked { reason: "leaked".into() };
    given::<ApiKey>([created()]).when(revoke()).then([revoked.clone()]);
    given::<ApiKey>([created(), revoked]).when(revoke()).then_no_events();
}
