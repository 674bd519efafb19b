//! Sessions: each refresh token is good once, and none outlasts what it was given for.

use chrono::TimeDelta;
use commands::session::SESSION_LIFE;
use commands::{Session, SessionError, Standing};
use domain::ids::UserId;
use domain::organization::{Organization, OrganizationCommand};
use domain::user::{AccessRole, User, UserCommand};

use crate::world::{World, now, open, open_at, user};

async fn signed_in() -> (World, Session) {
    let world = World::new().await;
    world.commands.register_user(&world.context(1), user("ada@example.org")).await.unwrap();
    let session = sign_in(&world).await;
    (world, session)
}

async fn sign_in(world: &World) -> Session {
    let ada = world.commands.verify_password("ada@example.org", "correct horse").await.unwrap();
    world.commands.begin_session(ada).await.unwrap()
}

fn ada(world: &World) -> UserId {
    UserId(world.context(1).created_id("user"))
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_for_the_next_one_by_any_process() {
    let (world, first) = signed_in().await;
    let elsewhere = open(&world.log, &world.keys).await;
    let second = elsewhere.renew_session(first.refresh_token.expose()).await.unwrap();
    assert_eq!((&second.signed_in, second.expires_at), (&first.signed_in, first.expires_at));
    assert_ne!(second.refresh_token, first.refresh_token);
    world.commands.renew_session(second.refresh_token.expose()).await.unwrap();
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_its_session_for_whoever_has_the_next_one() {
    let (world, first) = signed_in().await;
    let other = sign_in(&world).await;
    let second = world.commands.renew_session(first.refresh_token.expose()).await.unwrap();
    let again = world.commands.renew_session(first.refresh_token.expose()).await;
    assert!(matches!(again, Err(SessionError::Over)), "{again:?}");
    let next = world.commands.renew_session(second.refresh_token.expose()).await;
    assert!(matches!(next, Err(SessionError::Over)), "{next:?}");
    world.commands.renew_session(other.refresh_token.expose()).await.expect("the other session goes on");
}

#[tokio::test]
async fn of_two_who_use_a_refresh_token_at_the_same_moment_one_gets_the_next_at_most_and_it_is_no_good() {
    let (world, first) = signed_in().await;
    let token = first.refresh_token.expose();
    let (a, b) = tokio::join!(world.commands.renew_session(token), world.commands.renew_session(token));
    let renewed: Vec<_> = [a, b].into_iter().filter_map(Result::ok).collect();
    assert!(renewed.len() <= 1, "{renewed:?}");
    for session in renewed {
        let next = world.commands.renew_session(session.refresh_token.expose()).await;
        assert!(matches!(next, Err(SessionError::Over)), "{next:?}");
    }
}

#[tokio::test]
async fn a_session_ends_by_signing_out_and_by_time() {
    let (world, session) = signed_in().await;
    world.commands.end_session(session.refresh_token.expose()).await.unwrap();
    world.commands.end_session("argr_nothing").await.unwrap();
    let over = world.commands.renew_session(session.refresh_token.expose()).await;
    assert!(matches!(over, Err(SessionError::Over)), "{over:?}");
    let session = sign_in(&world).await;
    let shortly_before = open_at(&world.log, &world.keys, now() + SESSION_LIFE - TimeDelta::seconds(1)).await;
    let session = shortly_before.renew_session(session.refresh_token.expose()).await.unwrap();
    let later = open_at(&world.log, &world.keys, now() + SESSION_LIFE).await;
    let over = later.renew_session(session.refresh_token.expose()).await;
    assert!(matches!(over, Err(SessionError::Over)), "{over:?}");
}

#[tokio::test]
async fn what_lets_a_user_in_ends_their_sessions_when_it_changes() {
    let (world, session) = signed_in().await;
    let user = ada(&world);
    let role = UserCommand::ChangeAccessRole { access_role: AccessRole::Viewer };
    world.commands.execute::<User>(&world.context(2), user.0, role).await.unwrap();
    let over = world.commands.renew_session(session.refresh_token.expose()).await;
    assert!(matches!(over, Err(SessionError::Over)), "{over:?}");
    let session = sign_in(&world).await;
    world.commands.set_password(&world.context(3), user, "battery staple").await.unwrap();
    let over = world.commands.renew_session(session.refresh_token.expose()).await;
    assert!(matches!(over, Err(SessionError::Over)), "{over:?}");
    let signed_in = world.commands.verify_password("ada@example.org", "battery staple").await.unwrap();
    let session = world.commands.begin_session(signed_in).await.unwrap();
    let end = UserCommand::DeactivateUser { reason: "left".into() };
    world.commands.execute::<User>(&world.context(4), user.0, end).await.unwrap();
    let over = world.commands.renew_session(session.refresh_token.expose()).await;
    assert!(matches!(over, Err(SessionError::Deactivated)), "{over:?}");
}

#[tokio::test]
async fn a_session_of_a_suspended_organization_rests_until_it_is_reinstated() {
    let (world, session) = signed_in().await;
    world.suspend().await;
    let refused = world.commands.renew_session(session.refresh_token.expose()).await;
    assert!(matches!(refused, Err(SessionError::OrganizationSuspended)), "{refused:?}");
    let reinstate = OrganizationCommand::ReinstateOrganization {};
    world.commands.execute::<Organization>(&world.context(9), world.organization.0, reinstate).await.unwrap();
    world.commands.renew_session(session.refresh_token.expose()).await.unwrap();
}

#[tokio::test]
async fn a_user_stands_as_they_signed_in_until_something_changes_anywhere() {
    let (world, session) = signed_in().await;
    let elsewhere = open(&world.log, &world.keys).await;
    let (user, version) = (ada(&world), session.signed_in.access_version);
    let stands =
        async |commands: &commands::Commands| commands.standing(world.organization, user, version).await.unwrap();
    assert_eq!(stands(&world.commands).await, Standing::Unchanged);
    assert_eq!(elsewhere.standing(world.organization, user, version + 1).await.unwrap(), Standing::Changed);
    world.suspend().await;
    assert_eq!(stands(&world.commands).await, Standing::OrganizationSuspended);
    let end = UserCommand::DeactivateUser { reason: "left".into() };
    world.commands.execute::<User>(&world.context(2), user.0, end).await.unwrap();
    assert_eq!(stands(&world.commands).await, Standing::Deactivated);
    assert!(world.commands.is_organization(world.organization).await.unwrap());
    assert!(!world.commands.is_organization(domain::ids::OrganizationId::default()).await.unwrap());
}
