//! Sessions: each refresh token is good once, and none outlasts what it was given for.

use chrono::TimeDelta;
use commands::session::SESSION_LIFE;
use commands::{AccessStatus, Session, SessionError};
use domain::ids::UserId;
use domain::organization::{Organization, OrganizationCommand};
use domain::user::{AccessRole, User, UserCommand};

use crate::test_platform::{TestPlatform, now, open, open_at, user};

async fn signed_in() -> (TestPlatform, Session) {
    let platform = TestPlatform::new().await;
    platform.commands.register_user(&platform.context(1), user("ada@example.org")).await.unwrap();
    let session = sign_in(&platform).await;
    (platform, session)
}

async fn sign_in(platform: &TestPlatform) -> Session {
    let ada = platform.commands.verify_password("ada@example.org", "correct horse").await.unwrap();
    platform.commands.begin_session(ada).await.unwrap()
}

fn ada(platform: &TestPlatform) -> UserId {
    UserId(platform.context(1).created_id("user"))
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_for_the_next_one_by_any_process() {
    let (platform, first) = signed_in().await;
    let elsewhere = open(&platform.log, &platform.keys).await;
    let second = elsewhere.renew_session(first.refresh_token.expose()).await.unwrap();
    assert_eq!((&second.signed_in, second.expires_at), (&first.signed_in, first.expires_at));
    assert_ne!(second.refresh_token, first.refresh_token);
    platform.commands.renew_session(second.refresh_token.expose()).await.unwrap();
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_its_session_for_whoever_has_the_next_one() {
    let (platform, first) = signed_in().await;
    let other = sign_in(&platform).await;
    let second = platform.commands.renew_session(first.refresh_token.expose()).await.unwrap();
    let again = platform.commands.renew_session(first.refresh_token.expose()).await;
    assert!(matches!(again, Err(SessionError::Over)), "{again:?}");
    let next = platform.commands.renew_session(second.refresh_token.expose()).await;
    assert!(matches!(next, Err(SessionError::Over)), "{next:?}");
    platform.commands.renew_session(other.refresh_token.expose()).await.expect("the other session goes on");
}

#[tokio::test]
async fn of_two_who_use_a_refresh_token_at_the_same_moment_one_gets_the_next_at_most_and_it_is_no_good() {
    let (platform, first) = signed_in().await;
    let token = first.refresh_token.expose();
    let (a, b) = tokio::join!(platform.commands.renew_session(token), platform.commands.renew_session(token));
    let renewed: Vec<_> = [a, b].into_iter().filter_map(Result::ok).collect();
    assert!(renewed.len() <= 1, "{renewed:?}");
    for session in renewed {
        let next = platform.commands.renew_session(session.refresh_token.expose()).await;
        assert!(matches!(next, Err(SessionError::Over)), "{next:?}");
    }
}

#[tokio::test]
async fn a_session_ends_by_signing_out_and_by_time() {
    let (platform, session) = signed_in().await;
    platform.commands.end_session(session.refresh_token.expose()).await.unwrap();
    platform.commands.end_session("argr_nothing").await.unwrap();
    let over = platform.commands.renew_session(session.refresh_token.expose()).await;
    assert!(matches!(over, Err(SessionError::Over)), "{over:?}");
    let session = sign_in(&platform).await;
    let shortly_before = open_at(&platform.log, &platform.keys, now() + SESSION_LIFE - TimeDelta::seconds(1)).await;
    let session = shortly_before.renew_session(session.refresh_token.expose()).await.unwrap();
    let later = open_at(&platform.log, &platform.keys, now() + SESSION_LIFE).await;
    let over = later.renew_session(session.refresh_token.expose()).await;
    assert!(matches!(over, Err(SessionError::Over)), "{over:?}");
}

#[tokio::test]
async fn what_lets_a_user_in_ends_their_sessions_when_it_changes() {
    let (platform, session) = signed_in().await;
    let user = ada(&platform);
    let role = UserCommand::ChangeAccessRole { access_role: AccessRole::Viewer };
    platform.commands.execute::<User>(&platform.context(2), user.0, role).await.unwrap();
    let over = platform.commands.renew_session(session.refresh_token.expose()).await;
    assert!(matches!(over, Err(SessionError::Over)), "{over:?}");
    let session = sign_in(&platform).await;
    platform.commands.set_password(&platform.context(3), user, "battery staple").await.unwrap();
    let over = platform.commands.renew_session(session.refresh_token.expose()).await;
    assert!(matches!(over, Err(SessionError::Over)), "{over:?}");
    let signed_in = platform.commands.verify_password("ada@example.org", "battery staple").await.unwrap();
    let session = platform.commands.begin_session(signed_in).await.unwrap();
    let end = UserCommand::DeactivateUser { reason: "left".into() };
    platform.commands.execute::<User>(&platform.context(4), user.0, end).await.unwrap();
    let over = platform.commands.renew_session(session.refresh_token.expose()).await;
    assert!(matches!(over, Err(SessionError::Deactivated)), "{over:?}");
}

#[tokio::test]
async fn a_session_of_a_suspended_organization_rests_until_it_is_reinstated() {
    let (platform, session) = signed_in().await;
    platform.suspend().await;
    let refused = platform.commands.renew_session(session.refresh_token.expose()).await;
    assert!(matches!(refused, Err(SessionError::OrganizationSuspended)), "{refused:?}");
    let reinstate = OrganizationCommand::ReinstateOrganization {};
    platform.commands.execute::<Organization>(&platform.context(9), platform.organization.0, reinstate).await.unwrap();
    platform.commands.renew_session(session.refresh_token.expose()).await.unwrap();
}

#[tokio::test]
async fn a_user_stands_as_they_signed_in_until_something_changes_anywhere() {
    let (platform, session) = signed_in().await;
    let elsewhere = open(&platform.log, &platform.keys).await;
    let (user, version) = (ada(&platform), session.signed_in.access_version);
    let stands = async |commands: &commands::Commands| {
        commands.access_status(platform.organization, user, version).await.unwrap()
    };
    assert_eq!(stands(&platform.commands).await, AccessStatus::Unchanged);
    assert_eq!(elsewhere.access_status(platform.organization, user, version + 1).await.unwrap(), AccessStatus::Changed);
    platform.suspend().await;
    assert_eq!(stands(&platform.commands).await, AccessStatus::OrganizationSuspended);
    let end = UserCommand::DeactivateUser { reason: "left".into() };
    platform.commands.execute::<User>(&platform.context(2), user.0, end).await.unwrap();
    assert_eq!(stands(&platform.commands).await, AccessStatus::Deactivated);
    assert!(platform.commands.is_organization(platform.organization).await.unwrap());
    assert!(!platform.commands.is_organization(domain::ids::OrganizationId::default()).await.unwrap());
}
