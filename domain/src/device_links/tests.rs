//! Given/when/then tests of device links.

use std::collections::BTreeMap;

use DeviceLinksCommand as C;
use DeviceLinksEvent as E;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::*;
use crate::given_when_then::{Given, given, given_no_events};
use crate::ids::{AssetId, LinkId};

const PUMP: AssetId = AssetId(Uuid::from_u128(1));
const HALL: AssetId = AssetId(Uuid::from_u128(2));

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
}

fn id(n: u128) -> LinkId {
    LinkId(Uuid::from_u128(n))
}

/// A link of PUMP without a port, with start and end in seconds.
fn link(n: u128, from: i64, until: Option<i64>) -> Link {
    Link {
        link_id: id(n),
        asset_id: PUMP,
        port: None,
        role: LinkRole::Primary,
        valid_from: at(from),
        valid_until: until.map(at),
        metrics_mapping: BTreeMap::new(),
    }
}

fn command(link: Link) -> C {
    let Link { link_id, asset_id, port, role, valid_from, valid_until, metrics_mapping } = link;
    C::LinkAsset { link_id, asset_id, port, role, valid_from, valid_until, metrics_mapping }
}

fn linked(link: Link) -> E {
    let Link { link_id, asset_id, port, role, valid_from, valid_until, metrics_mapping } = link;
    E::AssetLinked { link_id, asset_id, port, role, valid_from, valid_until, metrics_mapping }
}

fn unlink(port: Option<u16>, second: i64) -> C {
    C::UnlinkAsset { asset_id: PUMP, port, at: at(second) }
}

fn unlinked(n: u128, second: i64) -> E {
    E::AssetUnlinked { link_id: id(n), asset_id: PUMP, valid_until: at(second) }
}

fn links(past: impl IntoIterator<Item = Link>) -> Given<DeviceLinks> {
    given(past.into_iter().map(linked))
}

#[test]
fn a_link_is_created_once() {
    given_no_events::<DeviceLinks>().when(command(link(1, 0, None))).then([linked(link(1, 0, None))]);
    links([link(1, 0, None)]).when(command(link(1, 0, None))).then_no_events();
}

#[test]
fn windows_of_the_same_asset_and_port_must_not_overlap() {
    // (start and end of the present link), (of the new link), whether it is rejected
    let table = [
        ((10, None), (0, Some(10)), false),
        ((10, None), (0, Some(11)), true),
        ((10, None), (20, None), true),
        ((10, None), (0, None), true),
        ((10, Some(20)), (20, None), false),
        ((10, Some(20)), (19, None), true),
        ((10, Some(20)), (12, Some(15)), true),
        ((10, Some(20)), (5, Some(25)), true),
        ((10, Some(20)), (5, Some(10)), false),
    ];
    for ((from, until), (new_from, new_until), refused) in table {
        let new = link(2, new_from, new_until);
        let outcome = links([link(1, from, until)]).when(command(new.clone()));
        match refused {
            true => outcome.then_refused(Error::Overlaps { link_id: id(1) }),
            false => outcome.then([linked(new)]),
        }
    }
}

#[test]
fn links_to_another_asset_or_port_may_overlap() {
    let others = [Link { asset_id: HALL, ..link(2, 0, None) }, Link { port: Some(1), ..link(2, 0, None) }];
    for other in others {
        links([link(1, 0, None)]).when(command(other.clone())).then([linked(other)]);
    }
    let port = |n, port| Link { port: Some(port), ..link(n, 0, None) };
    links([port(1, 1)]).when(command(port(2, 2))).then([linked(port(2, 2))]);
    links([port(1, 1)]).when(command(port(2, 1))).then_refused(Error::Overlaps { link_id: id(1) });
}

#[test]
fn a_link_id_can_be_used_only_once() {
    let other = Link { asset_id: HALL, ..link(1, 0, None) };
    links([link(1, 0, None)]).when(command(other)).then_refused(Error::Overlaps { link_id: id(1) });
}

#[test]
fn the_end_of_a_window_must_be_after_its_start() {
    for until in [10, 9] {
        given_no_events::<DeviceLinks>().when(command(link(1, 10, Some(until)))).then_refused(Error::InvalidWindow);
    }
}

#[test]
fn a_mapping_maps_device_keys_to_asset_keys() {
    let mapped = |from: &str, to: &str| Link {
        metrics_mapping: BTreeMap::from([(from.to_owned(), to.to_owned())]),
        ..link(1, 0, None)
    };
    let good = mapped("device.temp", "asset.temperature");
    given_no_events::<DeviceLinks>().when(command(good.clone())).then([linked(good)]);
    let bad = [
        ("temp", "asset.t"),
        ("device.temp", "t"),
        ("device.", "asset.t"),
        ("device.a b", "asset.t"),
        ("asset.t", "device.t"),
    ];
    for (from, to) in bad {
        given_no_events::<DeviceLinks>()
            .when(command(mapped(from, to)))
            .then_refused(Error::InvalidMapping { from: from.into(), to: to.into() });
    }
}

#[test]
fn unlinking_ends_open_links() {
    links([link(1, 0, None)]).when(unlink(None, 50)).then([unlinked(1, 50)]);
    links([link(1, 0, Some(100))]).when(unlink(None, 50)).then([unlinked(1, 50)]);
    let port = |n, port| Link { port: Some(port), ..link(n, 0, None) };
    let two = links([port(1, 1), port(2, 2)]);
    two.when(unlink(Some(2), 50)).then([unlinked(2, 50)]);
    two.when(unlink(None, 50)).then([unlinked(1, 50), unlinked(2, 50)]);
}

#[test]
fn unlinking_before_the_start_leaves_an_empty_window() {
    links([link(1, 80, None)]).when(unlink(None, 50)).then([unlinked(1, 80)]);
    let never = given::<DeviceLinks>([linked(link(1, 80, None)), unlinked(1, 80)]);
    assert!(!never.state().links[0].is_valid_at(at(80)));
    never.when(command(link(2, 0, None))).then([linked(link(2, 0, None))]);
}

#[test]
fn unlinking_an_unlinked_asset_is_rejected_and_a_repetition_has_no_effect() {
    let refusal = || Error::NotLinked { asset_id: PUMP };
    given_no_events::<DeviceLinks>().when(unlink(None, 50)).then_refused(refusal());
    links([Link { asset_id: HALL, ..link(1, 0, None) }]).when(unlink(None, 50)).then_refused(refusal());
    links([link(1, 0, None)]).when(unlink(Some(3), 50)).then_refused(refusal());
    links([link(1, 0, Some(40))]).when(unlink(None, 50)).then_refused(refusal());
    given::<DeviceLinks>([linked(link(1, 0, None)), unlinked(1, 50)]).when(unlink(None, 50)).then_no_events();
}

#[test]
fn an_asset_can_be_linked_again_after_unlinking() {
    let past = [linked(link(1, 0, None)), unlinked(1, 50)];
    given::<DeviceLinks>(past.clone()).when(command(link(2, 50, None))).then([linked(link(2, 50, None))]);
    given::<DeviceLinks>(past).when(command(link(2, 49, None))).then_refused(Error::Overlaps { link_id: id(1) });
}

#[test]
fn a_link_is_valid_from_its_start_until_before_its_end() {
    let window = link(1, 10, Some(20));
    let valid = [9, 10, 19, 20].map(|second| window.is_valid_at(at(second)));
    assert_eq!(valid, [false, true, true, false]);
}

fn correct(link: Link, reason: &str) -> C {
    let Link { link_id, port, role, valid_from, valid_until, metrics_mapping, .. } = link;
    C::CorrectLink { link_id, port, role, valid_from, valid_until, metrics_mapping, reason: reason.into() }
}

#[test]
fn a_link_can_be_corrected_for_the_past_with_a_reason() {
    let corrected = |link: Link| {
        let Link { link_id, port, role, valid_from, valid_until, metrics_mapping, .. } = link;
        E::LinkCorrected { link_id, port, role, valid_from, valid_until, metrics_mapping, reason: "typo".into() }
    };
    let two = links([link(1, 0, Some(50)), link(2, 50, None)]);
    two.when(correct(link(1, -20, Some(40)), " typo ")).then([corrected(link(1, -20, Some(40)))]);
    two.when(correct(link(2, 50, None), "typo")).then_no_events();
    two.when(correct(link(1, 0, Some(51)), "typo")).then_refused(Error::Overlaps { link_id: id(2) });
    two.when(correct(link(1, 0, Some(0)), "typo")).then_refused(Error::InvalidWindow);
    two.when(correct(link(1, 0, None), "typo")).then_refused(Error::Overlaps { link_id: id(2) });
    two.when(correct(link(3, 0, None), "typo")).then_refused(Error::NoSuchLink);
    two.when(correct(link(1, 0, Some(40)), " ")).then_refused(Error::InvalidReason);
    let wrong =
        Link { metrics_mapping: BTreeMap::from([("t".to_owned(), "asset.t".to_owned())]), ..link(1, 0, Some(9)) };
    let refusal = Error::InvalidMapping { from: "t".into(), to: "asset.t".into() };
    two.when(correct(wrong, "typo")).then_refused(refusal);
    let moved = given::<DeviceLinks>([linked(link(1, 0, Some(50))), corrected(link(1, 10, Some(20)))]);
    assert_eq!(moved.state().links, [link(1, 10, Some(20))]);
}
