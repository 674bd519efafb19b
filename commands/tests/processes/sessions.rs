//! User sessions: a refresh token is valid for one renewal, and a session ends with the access it was granted for.

use chrono::TimeDelta;
use commands::session::SESSION_LIFE;
use commands::{AccessStatus, Session, SessionError};
use domain::ids::UserId;
use domain::organization::{Organization, OrganizationCommand};
use domain::user::{AccessRole, User, UserCommand};

use crate::test_platform::{TestPlatform, now, open, open_at, user};

async fn platform_with_session() -> (TestPlatform, Session) {
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
    let (platform, first) = platform_with_session().await;
    let other_process = open(&platform.log, &platform.keys).await;
    let second = other_process.renew_session(first.refresh_token.expose()).await.unwrap();
    assert_eq!((&second.signed_in, second.expires_at), (&first.signed_in, first.expires_at));
    assert_ne!(second.refresh_token, first.refresh_token);
    platform.commands.renew_session(second.refresh_token.expose()).await.unwrap();
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_its_session_and_invalidates_its_successor() {
    let (platform, first) = platform_with_session().await;
    let other = sign_in(&platform).await;
    let second = platform.commands.renew_session(first.refresh_token.expose()).await.unwrap();
    let again = platform.commands.renew_session(first.refresh_token.expose()).await;
    assert!(matches!(again, Err(SessionError::Over)), "{again:?}");
    let next = platform.commands.renew_session(second.refresh_token.expose()).await;
    assert!(matches!(next, Err(SessionError::Over)), "{next:?}");
    platform.commands.renew_session(other.refresh_token.expose()).await.expect("the other session stays valid");
}

#[tokio::test]
async fn concurrent_uses_of_a_refresh_token_yield_at_most_one_successor_which_is_invalid() {
    let (platform, first) = platform_with_session().await;
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
async fn a_session_ends_when_the_user_signs_out_or_it_expires() {
    let (platform, session) = platform_with_session().await;
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
async fn a_changed_role_or_password_and_a_deactivation_end_the_sessions_of_a_user() {
    let (platform, session) = platform_with_session().await;
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
    let deactivate = UserCommand::DeactivateUser { reason: "left".into() };
    platform.commands.execute::<User>(&platform.context(4), user.0, deactivate).await.unwrap();
    let over = platform.commands.renew_session(session.refresh_token.expose()).await;
    assert!(matches!(over, Err(SessionError::Deactivated)), "{over:?}");
}

#[tokio::test]
async fn a_session_of_a_suspended_organization_works_again_after_reinstatement() {
    let (platform, session) = platform_with_session().await;
    platform.suspend().await;
    let refused = platform.commands.renew_session(session.refresh_token.expose()).await;
    assert!(matches!(refused, Err(SessionError::OrganizationSuspended)), "{refused:?}");
    let reinstate = OrganizationCommand::ReinstateOrganization {};
    platform.commands.execute::<Organization>(&platform.context(9), platform.organization.0, reinstate).await.unwrap();
    platform.commands.renew_session(session.refresh_token.expose()).await.unwrap();
}

#[tokio::test]
async fn the_access_status_of_a_user_changes_with_their_access_or_organization() {
    let (platform, session) = platform_with_session().await;
    let other_process = open(&platform.log, &platform.keys).await;
    let (user, version) = (ada(&platform), session.signed_in.access_version);
    let access_status = async |commands: &commands::Commands| {
        commands.access_status(platform.organization, user, version).await.unwrap()
    };
    assert_eq!(access_status(&platform.commands).await, AccessStatus::Unchanged);
    assert_eq!(
        other_process.access_status(platform.organization, user, version + 1).await.unwrap(),
        AccessStatus::Changed
    );
    platform.suspend().await;
    assert_eq!(access_status(&platform.commands).await, AccessStatus::OrganizationSuspended);
    let deactivate = UserCommand::DeactivateUser { reason: "left".into() };
    platform.commands.execute::<User>(&platform.context(2), user.0, deactivate).await.unwrap();
    assert_eq!(access_status(&platform.commands).await, AccessStatus::Deactivated);
    assert!(platform.commands.is_organization(platform.organization).await.unwrap());
    assert!(!platform.commands.is_organization(domain::ids::OrganizationId::default()).await.unwrap());
}
