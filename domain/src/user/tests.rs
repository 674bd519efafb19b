//! Given/when/then tests of users.

use UserCommand as C;
use UserEvent as E;

use super::*;
use crate::EncryptedText;
use crate::given_when_then::{given, given_no_events};

fn sealed(text: &str) -> EncryptedText {
    EncryptedText(text.into())
}

fn registered() -> E {
    E::UserRegistered {
        email: sealed("mail"),
        name: sealed("ada"),
        access_role: AccessRole::Operator,
        work_roles: vec!["technician".into()],
    }
}

fn register(work_roles: &[&str]) -> C {
    C::RegisterUser {
        email: sealed("mail"),
        name: sealed("ada"),
        access_role: AccessRole::Operator,
        work_roles: work_roles.iter().map(|role| (*role).into()).collect(),
    }
}

fn deactivated() -> E {
    E::UserDeactivated { reason: "left".into() }
}

/// Commands that require an active user.
fn changes() -> Vec<C> {
    vec![
        C::RenameUser { name: sealed("eve") },
        C::NotePasswordSet {},
        C::ChangeAccessRole { access_role: AccessRole::Admin },
        C::ChangeWorkRoles { work_roles: vec!["cleaner".into()] },
    ]
}

#[test]
fn a_user_is_registered_once_with_each_work_role_once() {
    given_no_events::<User>().when(register(&["technician", " technician "])).then([registered()]);
    given::<User>([registered()]).when(register(&[])).then_refused(Error::AlreadyExists);
}

#[test]
fn a_work_role_has_1_to_60_characters() {
    for role in [" ".to_owned(), "r".repeat(61)] {
        let refusal = Error::InvalidWorkRole { role: role.clone() };
        given_no_events::<User>().when(register(&["good", &role])).then_refused(refusal.clone());
        given::<User>([registered()]).when(C::ChangeWorkRoles { work_roles: vec![role] }).then_refused(refusal);
    }
}

#[test]
fn commands_before_registration_are_rejected() {
    let others = [C::DeactivateUser { reason: "r".into() }, C::ReactivateUser {}, C::EraseUser {}];
    for command in changes().into_iter().chain(others) {
        given_no_events::<User>().when(command).then_refused(Error::NotFound);
    }
}

#[test]
fn a_change_emits_an_event_and_a_repetition_emits_none() {
    let ada = given::<User>([registered()]);
    ada.when(C::RenameUser { name: sealed("eve") }).then([E::UserRenamed { name: sealed("eve") }]);
    ada.when(C::RenameUser { name: sealed("ada") }).then_no_events();
    ada.when(C::ChangeAccessRole { access_role: AccessRole::Admin })
        .then([E::UserAccessRoleChanged { access_role: AccessRole::Admin }]);
    ada.when(C::ChangeAccessRole { access_role: AccessRole::Operator }).then_no_events();
    ada.when(C::ChangeWorkRoles { work_roles: vec![] }).then([E::UserWorkRolesChanged { work_roles: vec![] }]);
    ada.when(C::ChangeWorkRoles { work_roles: vec!["technician".into()] }).then_no_events();
    ada.when(C::NotePasswordSet {}).then([E::UserPasswordSet {}]);
    given::<User>([registered(), E::UserPasswordSet {}]).when(C::NotePasswordSet {}).then([E::UserPasswordSet {}]);
}

#[test]
fn changes_are_applied_to_the_state() {
    let past = [
        registered(),
        E::UserRenamed { name: sealed("eve") },
        E::UserAccessRoleChanged { access_role: AccessRole::Admin },
        E::UserWorkRolesChanged { work_roles: vec![] },
    ];
    let eve = given::<User>(past);
    eve.when(C::RenameUser { name: sealed("eve") }).then_no_events();
    eve.when(C::ChangeAccessRole { access_role: AccessRole::Admin }).then_no_events();
    eve.when(C::ChangeWorkRoles { work_roles: vec![] }).then_no_events();
}

#[test]
fn a_user_is_deactivated_and_reactivated() {
    let end = || C::DeactivateUser { reason: "left".into() };
    given::<User>([registered()]).when(end()).then([deactivated()]);
    given::<User>([registered(), deactivated()]).when(end()).then_no_events();
    given::<User>([registered(), deactivated()]).when(C::ReactivateUser {}).then([E::UserReactivated {}]);
    given::<User>([registered()]).when(C::ReactivateUser {}).then_no_events();
    for command in changes() {
        given::<User>([registered(), deactivated()]).when(command).then_refused(Error::Deactivated);
    }
}

#[test]
fn only_an_active_user_may_sign_in() {
    assert!(!given_no_events::<User>().state().is_active());
    assert!(given::<User>([registered()]).state().is_active());
    assert!(!given::<User>([registered(), deactivated()]).state().is_active());
    assert!(given::<User>([registered(), deactivated(), E::UserReactivated {}]).state().is_active());
    assert!(!given::<User>([registered(), E::UserErased {}]).state().is_active());
}

#[test]
fn an_erased_user_stays_erased() {
    given::<User>([registered()]).when(C::EraseUser {}).then([E::UserErased {}]);
    given::<User>([registered(), deactivated()]).when(C::EraseUser {}).then([E::UserErased {}]);
    let erased = given::<User>([registered(), E::UserErased {}]);
    erased.when(C::EraseUser {}).then_no_events();
    let others = [C::DeactivateUser { reason: "r".into() }, C::ReactivateUser {}];
    for command in changes().into_iter().chain(others) {
        erased.when(command).then_refused(Error::Erased);
    }
}

#[test]
fn each_access_role_includes_the_ones_before_it() {
    assert!(AccessRole::ALL.is_sorted());
}

#[test]
fn the_access_version_increases_only_on_events_that_end_sessions() {
    let counted = |events: &[E]| {
        let all = [&[registered()], events].concat();
        given::<User>(all).state().access_version
    };
    let counting = [
        E::UserPasswordSet {},
        E::UserAccessRoleChanged { access_role: AccessRole::Viewer },
        deactivated(),
        E::UserErased {},
    ];
    for event in counting {
        assert_eq!(counted(std::slice::from_ref(&event)), 1, "{event:?}");
    }
    let others =
        [E::UserRenamed { name: sealed("eve") }, E::UserWorkRolesChanged { work_roles: vec![] }, E::UserReactivated {}];
    assert_eq!(counted(&others), 0);
    assert_eq!(counted(&[E::UserPasswordSet {}, deactivated(), E::UserReactivated {}]), 2);
}
