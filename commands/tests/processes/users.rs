//! Registering, changing and erasing people.

use commands::user::Refusal;
use commands::{Error, NewUser};
use domain::ids::UserId;
use domain::organization::Error as OrganizationRefusal;
use domain::user::{Error as UserRefusal, User, UserCommand};

use crate::interrupt::{at_most, everywhere};
use crate::world::{World, context, found, id, open, user};

fn is_refused<T: std::fmt::Debug>(answer: &Result<T, Error<Refusal>>, refusal: &Refusal) -> bool {
    matches!(answer, Err(Error::Refused(reason)) if reason == refusal)
}

#[tokio::test]
async fn a_person_is_registered_and_readable_by_the_platform_only() {
    let world = World::new().await;
    let registered = world.commands.register_user(&world.context(1), user(" Ada@Example.org ")).await.unwrap();
    assert!(!registered.repeated);
    let profile = world.commands.user_profile(world.organization, registered.user).await.unwrap().unwrap();
    assert_eq!((profile.email.as_str(), profile.name.as_str()), ("ada@example.org", "Ada Lovelace"));
    assert!(profile.is_active);
    for message in world.all_messages().await {
        let text = String::from_utf8_lossy(&message.payload).to_lowercase();
        for personal in ["ada@", "example.org", "lovelace", "correct horse", "argon2"] {
            assert!(!text.contains(personal), "{personal} stands in {}", message.subject);
        }
    }
}

#[tokio::test]
async fn a_repeat_answers_the_same_and_leaves_the_password() {
    let world = World::new().await;
    let first = world.commands.register_user(&world.context(1), user("ada@example.org")).await.unwrap();
    world.commands.set_password(&world.context(2), first.user, "battery staple").await.unwrap();
    let again = world.commands.register_user(&world.context(1), user("ada@example.org")).await.unwrap();
    assert_eq!((again.user, again.receipt.position, again.repeated), (first.user, first.receipt.position, true));
    assert!(world.commands.verify_password("ada@example.org", "battery staple").await.is_ok());
    assert!(world.commands.verify_password("ada@example.org", "correct horse").await.is_err());
}

#[tokio::test]
async fn an_address_is_unique_on_the_platform_however_it_is_spelled() {
    let world = World::new().await;
    world.commands.register_user(&world.context(1), user("ada@example.org")).await.unwrap();
    let other = found(&world.commands, "Other", 2).await;
    let second = world.commands.register_user(&context(other, 3), user("ADA@example.ORG")).await;
    assert!(is_refused(&second, &Refusal::EmailTaken), "{second:?}");
    assert!(world.commands.user_profile(other, UserId(context(other, 3).created_id("user"))).await.unwrap().is_none());
}

#[tokio::test]
async fn of_two_registrations_of_one_address_at_once_one_wins() {
    let world = World::new().await;
    let elsewhere = open(&world.log, &world.keys).await;
    let (here, there) = (world.context(1), world.context(2));
    let (first, second) = tokio::join!(
        world.commands.register_user(&here, user("ada@example.org")),
        elsewhere.register_user(&there, user("ada@example.org")),
    );
    let lost = match (&first, &second) {
        (Ok(_), Err(_)) => second,
        (Err(_), Ok(_)) => first,
        _ => panic!("{first:?} {second:?}"),
    };
    assert!(is_refused(&lost, &Refusal::EmailTaken), "{lost:?}");
}

#[tokio::test]
async fn a_registration_that_makes_no_sense_claims_nothing() {
    let world = World::new().await;
    let before = world.all_messages().await.len();
    let good = || user("ada@example.org");
    let long = "x".repeat(201);
    let table = [
        (NewUser { email: "ada".into(), ..good() }, Refusal::InvalidEmail),
        (NewUser { name: " ".into(), ..good() }, Refusal::InvalidName),
        (NewUser { password: "1234567".into(), ..good() }, Refusal::InvalidPassword),
        (NewUser { password: long, ..good() }, Refusal::InvalidPassword),
        (
            NewUser { work_roles: vec!["".into()], ..good() },
            Refusal::User(UserRefusal::InvalidWorkRole { role: "".into() }),
        ),
    ];
    for (n, (new, refusal)) in table.into_iter().enumerate() {
        let refused = world.commands.register_user(&world.context(n as u128), new).await;
        assert!(is_refused(&refused, &refusal), "{refused:?}");
    }
    assert_eq!(world.all_messages().await.len(), before);
    world.suspend().await;
    let suspended = world.commands.register_user(&world.context(9), good()).await;
    assert!(is_refused(&suspended, &Refusal::Organization(OrganizationRefusal::Suspended)), "{suspended:?}");
}

#[tokio::test]
async fn a_password_is_set_for_active_users_only() {
    let world = World::new().await;
    let commands = &world.commands;
    let ada = commands.register_user(&world.context(1), user("ada@example.org")).await.unwrap().user;
    let weak = commands.set_password(&world.context(2), ada, "short").await;
    assert!(is_refused(&weak, &Refusal::InvalidPassword), "{weak:?}");
    let unknown = commands.set_password(&world.context(3), UserId(id("nobody", 0)), "battery staple").await;
    assert!(is_refused(&unknown, &Refusal::User(UserRefusal::NotFound)), "{unknown:?}");
    let end = UserCommand::DeactivateUser { reason: "left".into() };
    commands.execute::<User>(&world.context(4), ada.0, end).await.unwrap();
    let deactivated = commands.set_password(&world.context(5), ada, "battery staple").await;
    assert!(is_refused(&deactivated, &Refusal::User(UserRefusal::Deactivated)), "{deactivated:?}");
    commands.execute::<User>(&world.context(6), ada.0, UserCommand::ReactivateUser {}).await.unwrap();
    assert!(commands.verify_password("ada@example.org", "correct horse").await.is_ok());
}

#[tokio::test]
async fn a_name_is_sealed_and_changed() {
    let world = World::new().await;
    let commands = &world.commands;
    let ada = commands.register_user(&world.context(1), user("ada@example.org")).await.unwrap().user;
    assert_eq!(commands.seal_name(ada, " ").await.unwrap(), None);
    let name = commands.seal_name(ada, "Ada King").await.unwrap().unwrap();
    commands.execute::<User>(&world.context(2), ada.0, UserCommand::RenameUser { name }).await.unwrap();
    assert_eq!(commands.user_profile(world.organization, ada).await.unwrap().unwrap().name, "Ada King");
}

#[tokio::test]
async fn an_erased_person_cannot_be_read_or_signed_in_and_their_address_is_free() {
    let world = World::new().await;
    let commands = &world.commands;
    let ada = commands.register_user(&world.context(1), user("ada@example.org")).await.unwrap().user;
    let erased = commands.erase_user(&world.context(2), ada).await.unwrap();
    assert_eq!(commands.erase_user(&world.context(2), ada).await.unwrap().position, erased.position);
    let profile = commands.user_profile(world.organization, ada).await.unwrap().unwrap();
    assert_eq!((profile.email.as_str(), profile.name.as_str(), profile.is_active), ("", "", false));
    assert!(commands.verify_password("ada@example.org", "correct horse").await.is_err());
    let next = commands.register_user(&world.context(3), user("ada@example.org")).await.unwrap().user;
    assert_ne!(next, ada);
    let unknown = commands.erase_user(&world.context(4), UserId(id("nobody", 0))).await;
    assert!(matches!(unknown, Err(Error::Refused(UserRefusal::NotFound))), "{unknown:?}");
}

#[tokio::test]
async fn broken_off_anywhere_a_registration_completes() {
    let world = World::new().await;
    let email = |n| format!("user{n}@example.org");
    let run = |n: u128| {
        let (world, new) = (&world, user(&email(n)));
        async move { world.commands.register_user(&world.context(n), new).await.unwrap() }
    };
    let places = everywhere(
        async |n, polls| at_most(polls, run(n)).await.is_some(),
        async |n| {
            let completed = run(n).await;
            assert_eq!(world.messages(world.organization, "user", completed.user.0).await.len(), 1);
            let signed_in = world.commands.verify_password(&email(n), "correct horse").await.unwrap();
            assert_eq!((signed_in.user, signed_in.name.as_str()), (completed.user, "Ada Lovelace"));
        },
    )
    .await;
    assert!(places > 5, "broken off in {places} places only");
}

#[tokio::test]
async fn broken_off_anywhere_an_erasure_completes() {
    let world = World::new().await;
    let email = |n| format!("user{n}@example.org");
    let ada = async |n: u128| world.commands.register_user(&world.context(n), user(&email(n))).await.unwrap().user;
    let run = |n: u128, user| {
        let world = &world;
        async move { world.commands.erase_user(&world.context(1000 + n), user).await.unwrap() }
    };
    let places = everywhere(
        async |n, polls| {
            let user = ada(n).await;
            at_most(polls, run(n, user)).await.is_some()
        },
        async |n| {
            let erased = UserId(world.context(n).created_id("user"));
            run(n, erased).await;
            assert_eq!(world.commands.user_profile(world.organization, erased).await.unwrap().unwrap().email, "");
            world.commands.register_user(&world.context(2000 + n), user(&email(n))).await.unwrap();
        },
    )
    .await;
    assert!(places > 5, "broken off in {places} places only");
}
