//! Signing in.

use commands::SignInError;
use domain::user::{AccessRole, User, UserCommand};

use crate::world::{World, open, user};

async fn with_ada() -> World {
    let world = World::new().await;
    world.commands.register_user(&world.context(1), user("ada@example.org")).await.unwrap();
    world
}

#[tokio::test]
async fn the_right_password_says_who_it_is() {
    let world = with_ada().await;
    for commands in [world.commands.clone(), open(&world.log, &world.keys).await] {
        let ada = commands.verify_password(" ADA@example.org", "correct horse").await.unwrap();
        assert_eq!(ada.organization, world.organization);
        assert_eq!(ada.user.0, world.context(1).created_id("user"));
        assert_eq!((ada.name.as_str(), ada.email.as_str()), ("Ada Lovelace", "ada@example.org"));
        assert_eq!((ada.access_role, ada.work_roles), (AccessRole::Operator, vec!["technician".to_owned()]));
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_the_same() {
    let world = with_ada().await;
    let attempts =
        [("ada@example.org", "wrong horse"), ("eve@example.org", "correct horse"), ("ada", "correct horse"), ("", "")];
    for (email, password) in attempts {
        let refused = world.commands.verify_password(email, password).await;
        assert!(matches!(refused, Err(SignInError::WrongCredentials)), "{email}: {refused:?}");
    }
}

#[tokio::test]
async fn only_who_knows_the_password_learns_of_the_deactivation() {
    let world = with_ada().await;
    let elsewhere = open(&world.log, &world.keys).await;
    elsewhere.verify_password("ada@example.org", "correct horse").await.unwrap();
    let ada = world.context(1).created_id("user");
    let end = UserCommand::DeactivateUser { reason: "left".into() };
    world.commands.execute::<User>(&world.context(2), ada, end).await.unwrap();
    for commands in [&world.commands, &elsewhere] {
        let right = commands.verify_password("ada@example.org", "correct horse").await;
        assert!(matches!(right, Err(SignInError::Deactivated)), "{right:?}");
        let wrong = commands.verify_password("ada@example.org", "wrong horse").await;
        assert!(matches!(wrong, Err(SignInError::WrongCredentials)), "{wrong:?}");
    }
}

#[tokio::test]
async fn nobody_signs_in_to_a_suspended_organization() {
    let world = with_ada().await;
    world.suspend().await;
    let refused = world.commands.verify_password("ada@example.org", "correct horse").await;
    assert!(matches!(refused, Err(SignInError::OrganizationSuspended)), "{refused:?}");
}
