//! Given/when/then tests of unique keys.

use UniqueKeyCommand as C;
use UniqueKeyEvent as E;
use uuid::Uuid;

use super::*;
use crate::given_when_then::{given, given_no_events};
use crate::ids::OrganizationId;

const ADA: Uuid = Uuid::from_u128(1);
const EVE: Uuid = Uuid::from_u128(2);
const ACME: OrganizationId = OrganizationId(Uuid::from_u128(9));

fn claim(holder: Uuid) -> C {
    C::ClaimKey { kind: KeyKind::Email, holder, organization: ACME }
}

fn claimed(holder: Uuid) -> E {
    E::KeyClaimed { kind: KeyKind::Email, holder, organization: ACME }
}

#[test]
fn a_free_value_is_claimed() {
    given_no_events::<UniqueKey>().when(claim(ADA)).then([claimed(ADA)]);
    let held = given::<UniqueKey>([claimed(ADA)]);
    assert_eq!(held.state().holder, Some(Holder { id: ADA, organization: ACME }));
}

#[test]
fn only_the_holder_can_claim_again() {
    given::<UniqueKey>([claimed(ADA)]).when(claim(ADA)).then_no_events();
    given::<UniqueKey>([claimed(ADA)]).when(claim(EVE)).then_refused(Error::HeldByAnother { holder: ADA });
}

#[test]
fn only_the_holder_can_release() {
    given::<UniqueKey>([claimed(ADA)]).when(C::ReleaseKey { holder: ADA }).then([E::KeyReleased { holder: ADA }]);
    given::<UniqueKey>([claimed(ADA)])
        .when(C::ReleaseKey { holder: EVE })
        .then_refused(Error::HeldByAnother { holder: ADA });
    given_no_events::<UniqueKey>().when(C::ReleaseKey { holder: ADA }).then_no_events();
}

#[test]
fn a_released_value_can_be_claimed_by_others() {
    let released = given::<UniqueKey>([claimed(ADA), E::KeyReleased { holder: ADA }]);
    released.when(claim(EVE)).then([claimed(EVE)]);
    released.when(C::ReleaseKey { holder: ADA }).then_no_events();
}
