//! Signing in with an email address and a password.

use commands::SignInError;
use domain::user::{AccessRole, User, UserCommand};

use crate::test_platform::{TestPlatform, open, user};

async fn platform_with_ada() -> TestPlatform {
    let platform = TestPlatform::new().await;
    platform.commands.register_user(&platform.context(1), user("ada@example.org")).await.unwrap();
    platform
}

#[tokio::test]
async fn the_right_password_identifies_the_user() {
    let platform = platform_with_ada().await;
    for commands in [platform.commands.clone(), open(&platform.log, &platform.keys).await] {
        let ada = commands.verify_password(" ADA@example.org", "correct horse").await.unwrap();
        assert_eq!(ada.organization, platform.organization);
        assert_eq!(ada.user.0, platform.context(1).created_id("user"));
        assert_eq!((ada.name.as_str(), ada.email.as_str()), ("Ada Lovelace", "ada@example.org"));
        assert_eq!((ada.access_role, ada.work_roles), (AccessRole::Operator, vec!["technician".to_owned()]));
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_get_the_same_error() {
    let platform = platform_with_ada().await;
    let attempts =
        [("ada@example.org", "wrong horse"), ("eve@example.org", "correct horse"), ("ada", "correct horse"), ("", "")];
    for (email, password) in attempts {
        let refused = platform.commands.verify_password(email, password).await;
        assert!(matches!(refused, Err(SignInError::WrongCredentials)), "{email}: {refused:?}");
    }
}

#[tokio::test]
async fn only_the_right_password_reveals_that_a_user_is_deactivated() {
    let platform = platform_with_ada().await;
    let other_process = open(&platform.log, &platform.keys).await;
    other_process.verify_password("ada@example.org", "correct horse").await.unwrap();
    let ada = platform.context(1).created_id("user");
    let deactivate = UserCommand::DeactivateUser { reason: "left".into() };
    platform.commands.execute::<User>(&platform.context(2), ada, deactivate).await.unwrap();
    for commands in [&platform.commands, &other_process] {
        let right = commands.verify_password("ada@example.org", "correct horse").await;
        assert!(matches!(right, Err(SignInError::Deactivated)), "{right:?}");
        let wrong = commands.verify_password("ada@example.org", "wrong horse").await;
        assert!(matches!(wrong, Err(SignInError::WrongCredentials)), "{wrong:?}");
    }
}

#[tokio::test]
async fn users_of_a_suspended_organization_cannot_sign_in() {
    let platform = platform_with_ada().await;
    platform.suspend().await;
    let refused = platform.commands.verify_password("ada@example.org", "correct horse").await;
    assert!(matches!(refused, Err(SignInError::OrganizationSuspended)), "{refused:?}");
}
