//! Given/when/then tests of the asset tree.

use AssetTreeCommand as C;
use AssetTreeEvent as E;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::Decide;
use crate::given_when_then::{given, given_no_events};
use crate::ids::AssetId;

fn asset(n: u128) -> AssetId {
    AssetId(Uuid::from_u128(n))
}

fn place(part: u128, whole: u128) -> C {
    C::PlaceAsset { asset: asset(part), parent: asset(whole) }
}

fn placed(part: u128, whole: u128) -> E {
    E::AssetPlaced { asset: asset(part), parent: asset(whole) }
}

fn cycle(part: u128, whole: u128) -> Error {
    Error::Cycle { asset: asset(part), parent: asset(whole) }
}

#[test]
fn an_asset_is_placed_below_another_and_can_move() {
    given_no_events::<AssetTree>().when(place(2, 1)).then([placed(2, 1)]);
    given::<AssetTree>([placed(2, 1)]).when(place(2, 1)).then_no_events();
    given::<AssetTree>([placed(2, 1)]).when(place(2, 3)).then([placed(2, 3)]);
}

#[test]
fn an_asset_cannot_be_placed_below_itself() {
    given_no_events::<AssetTree>().when(place(1, 1)).then_refused(cycle(1, 1));
    given::<AssetTree>([placed(2, 1)]).when(place(1, 2)).then_refused(cycle(1, 2));
    given::<AssetTree>([placed(2, 1), placed(3, 2), placed(4, 3)]).when(place(1, 4)).then_refused(cycle(1, 4));
}

#[test]
fn a_detachment_allows_what_was_a_cycle_before() {
    let detached = E::AssetDetached { asset: asset(2) };
    given::<AssetTree>([placed(2, 1), detached]).when(place(1, 2)).then([placed(1, 2)]);
}

#[test]
fn a_child_is_detached_and_detaching_a_root_has_no_effect() {
    let detach = || C::DetachAsset { asset: asset(2) };
    given::<AssetTree>([placed(2, 1)]).when(detach()).then([E::AssetDetached { asset: asset(2) }]);
    given::<AssetTree>([placed(2, 1), E::AssetDetached { asset: asset(2) }]).when(detach()).then_no_events();
    given_no_events::<AssetTree>().when(detach()).then_no_events();
}

proptest! {
    #[test]
    fn every_upward_walk_ends_after_any_placements(edges in prop::collection::vec((0_u128..12, 0_u128..12), 0..80)) {
        let mut tree = AssetTree::default();
        for (part, whole) in edges {
            for event in tree.decide(place(part, whole)).unwrap_or_default() {
                tree.evolve(event);
            }
        }
        for start in 0..12 {
            let mut steps = std::iter::successors(Some(asset(start)), |at| tree.parents.get(at).copied());
            prop_assert!(steps.nth(12).is_none(), "cycle above {start}");
        }
    }
}
