//! Registering, changing and erasing users.

use commands::user::Refusal;
use commands::{Error, NewUser};
use domain::ids::UserId;
use domain::organization::Error as OrganizationRefusal;
use domain::user::{Error as UserRefusal, User, UserCommand};

use crate::crash_points::{crash_at_every_await, run_for_polls};
use crate::test_platform::{TestPlatform, context, found, id, open, user};

fn is_refused<T: std::fmt::Debug>(answer: &Result<T, Error<Refusal>>, refusal: &Refusal) -> bool {
    matches!(answer, Err(Error::Refused(reason)) if reason == refusal)
}

#[tokio::test]
async fn a_registered_user_is_readable_only_through_the_platform() {
    let platform = TestPlatform::new().await;
    let registered = platform.commands.register_user(&platform.context(1), user(" Ada@Example.org ")).await.unwrap();
    assert!(!registered.repeated);
    let profile = platform.commands.user_profile(platform.organization, registered.user).await.unwrap().unwrap();
    assert_eq!((profile.email.as_str(), profile.name.as_str()), ("ada@example.org", "Ada Lovelace"));
    assert!(profile.is_active);
    for message in platform.all_messages().await {
        let text = String::from_utf8_lossy(&message.payload).to_lowercase();
        for personal in ["ada@", "example.org", "lovelace", "correct horse", "argon2"] {
            assert!(!text.contains(personal), "{personal} is stored in plain text in {}", message.subject);
        }
    }
}

#[tokio::test]
async fn a_repeat_returns_the_same_answer_and_keeps_the_current_password() {
    let platform = TestPlatform::new().await;
    let first = platform.commands.register_user(&platform.context(1), user("ada@example.org")).await.unwrap();
    platform.commands.set_password(&platform.context(2), first.user, "battery staple").await.unwrap();
    let again = platform.commands.register_user(&platform.context(1), user("ada@example.org")).await.unwrap();
    assert_eq!((again.user, again.receipt.position, again.repeated), (first.user, first.receipt.position, true));
    assert!(platform.commands.verify_password("ada@example.org", "battery staple").await.is_ok());
    assert!(platform.commands.verify_password("ada@example.org", "correct horse").await.is_err());
}

#[tokio::test]
async fn an_address_is_unique_on_the_platform_regardless_of_case() {
    let platform = TestPlatform::new().await;
    platform.commands.register_user(&platform.context(1), user("ada@example.org")).await.unwrap();
    let other = found(&platform.commands, "Other", 2).await;
    let second = platform.commands.register_user(&context(other, 3), user("ADA@example.ORG")).await;
    assert!(is_refused(&second, &Refusal::EmailTaken), "{second:?}");
    assert!(
        platform.commands.user_profile(other, UserId(context(other, 3).created_id("user"))).await.unwrap().is_none()
    );
}

#[tokio::test]
async fn one_of_two_concurrent_registrations_of_an_address_wins() {
    let platform = TestPlatform::new().await;
    let other_process = open(&platform.log, &platform.keys).await;
    let (here, there) = (platform.context(1), platform.context(2));
    let (first, second) = tokio::join!(
        platform.commands.register_user(&here, user("ada@example.org")),
        other_process.register_user(&there, user("ada@example.org")),
    );
    let lost = match (&first, &second) {
        (Ok(_), Err(_)) => second,
        (Err(_), Ok(_)) => first,
        _ => panic!("{first:?} {second:?}"),
    };
    assert!(is_refused(&lost, &Refusal::EmailTaken), "{lost:?}");
}

#[tokio::test]
async fn an_invalid_registration_claims_no_address() {
    let platform = TestPlatform::new().await;
    let before = platform.all_messages().await.len();
    let valid = || user("ada@example.org");
    let long = "x".repeat(201);
    let table = [
        (NewUser { email: "ada".into(), ..valid() }, Refusal::InvalidEmail),
        (NewUser { name: " ".into(), ..valid() }, Refusal::InvalidName),
        (NewUser { password: "1234567".into(), ..valid() }, Refusal::InvalidPassword),
        (NewUser { password: long, ..valid() }, Refusal::InvalidPassword),
        (
            NewUser { work_roles: vec!["".into()], ..valid() },
            Refusal::User(UserRefusal::InvalidWorkRole { role: "".into() }),
        ),
    ];
    for (n, (new, refusal)) in table.into_iter().enumerate() {
        let refused = platform.commands.register_user(&platform.context(n as u128), new).await;
        assert!(is_refused(&refused, &refusal), "{refused:?}");
    }
    assert_eq!(platform.all_messages().await.len(), before);
    platform.suspend().await;
    let suspended = platform.commands.register_user(&platform.context(9), valid()).await;
    assert!(is_refused(&suspended, &Refusal::Organization(OrganizationRefusal::Suspended)), "{suspended:?}");
}

#[tokio::test]
async fn a_password_is_set_for_active_users_only() {
    let platform = TestPlatform::new().await;
    let commands = &platform.commands;
    let ada = commands.register_user(&platform.context(1), user("ada@example.org")).await.unwrap().user;
    let weak = commands.set_password(&platform.context(2), ada, "short").await;
    assert!(is_refused(&weak, &Refusal::InvalidPassword), "{weak:?}");
    let unknown = commands.set_password(&platform.context(3), UserId(id("nobody", 0)), "battery staple").await;
    assert!(is_refused(&unknown, &Refusal::User(UserRefusal::NotFound)), "{unknown:?}");
    let deactivate = UserCommand::DeactivateUser { reason: "left".into() };
    commands.execute::<User>(&platform.context(4), ada.0, deactivate).await.unwrap();
    let deactivated = commands.set_password(&platform.context(5), ada, "battery staple").await;
    assert!(is_refused(&deactivated, &Refusal::User(UserRefusal::Deactivated)), "{deactivated:?}");
    commands.execute::<User>(&platform.context(6), ada.0, UserCommand::ReactivateUser {}).await.unwrap();
    assert!(commands.verify_password("ada@example.org", "correct horse").await.is_ok());
}

#[tokio::test]
async fn a_user_is_renamed_with_an_encrypted_name() {
    let platform = TestPlatform::new().await;
    let commands = &platform.commands;
    let ada = commands.register_user(&platform.context(1), user("ada@example.org")).await.unwrap().user;
    assert_eq!(commands.seal_name(ada, " ").await.unwrap(), None);
    let name = commands.seal_name(ada, "Ada King").await.unwrap().unwrap();
    commands.execute::<User>(&platform.context(2), ada.0, UserCommand::RenameUser { name }).await.unwrap();
    assert_eq!(commands.user_profile(platform.organization, ada).await.unwrap().unwrap().name, "Ada King");
}

#[tokio::test]
async fn an_erased_user_is_unreadable_cannot_sign_in_and_releases_their_address() {
    let platform = TestPlatform::new().await;
    let commands = &platform.commands;
    let ada = commands.register_user(&platform.context(1), user("ada@example.org")).await.unwrap().user;
    let erased = commands.erase_user(&platform.context(2), ada).await.unwrap();
    assert_eq!(commands.erase_user(&platform.context(2), ada).await.unwrap().position, erased.position);
    let profile = commands.user_profile(platform.organization, ada).await.unwrap().unwrap();
    assert_eq!((profile.email.as_str(), profile.name.as_str(), profile.is_active), ("", "", false));
    assert!(commands.verify_password("ada@example.org", "correct horse").await.is_err());
    let next = commands.register_user(&platform.context(3), user("ada@example.org")).await.unwrap().user;
    assert_ne!(next, ada);
    let unknown = commands.erase_user(&platform.context(4), UserId(id("nobody", 0))).await;
    assert!(matches!(unknown, Err(Error::Refused(UserRefusal::NotFound))), "{unknown:?}");
}

#[tokio::test]
async fn an_interrupted_registration_is_completed_by_a_repeat() {
    let platform = TestPlatform::new().await;
    let email = |n| format!("user{n}@example.org");
    let run = |n: u128| {
        let (platform, new) = (&platform, user(&email(n)));
        async move { platform.commands.register_user(&platform.context(n), new).await.unwrap() }
    };
    let places = crash_at_every_await(
        async |n, polls| run_for_polls(polls, run(n)).await.is_some(),
        async |n| {
            let completed = run(n).await;
            assert_eq!(platform.messages(platform.organization, "user", completed.user.0).await.len(), 1);
            let signed_in = platform.commands.verify_password(&email(n), "correct horse").await.unwrap();
            assert_eq!((signed_in.user, signed_in.name.as_str()), (completed.user, "Ada Lovelace"));
        },
    )
    .await;
    assert!(places > 5, "interrupted at only {places} await points");
}

#[tokio::test]
async fn an_interrupted_erasure_is_completed_by_a_repeat() {
    let platform = TestPlatform::new().await;
    let email = |n| format!("user{n}@example.org");
    let ada =
        async |n: u128| platform.commands.register_user(&platform.context(n), user(&email(n))).await.unwrap().user;
    let run = |n: u128, user| {
        let platform = &platform;
        async move { platform.commands.erase_user(&platform.context(1000 + n), user).await.unwrap() }
    };
    let places = crash_at_every_await(
        async |n, polls| {
            let user = ada(n).await;
            run_for_polls(polls, run(n, user)).await.is_some()
        },
        async |n| {
            let erased = UserId(platform.context(n).created_id("user"));
            run(n, erased).await;
            assert_eq!(platform.commands.user_profile(platform.organization, erased).await.unwrap().unwrap().email, "");
            platform.commands.register_user(&platform.context(2000 + n), user(&email(n))).await.unwrap();
        },
    )
    .await;
    assert!(places > 5, "interrupted at only {places} await points");
}
