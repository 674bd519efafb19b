//! Unit tests of the fold and of its rows.

use domain::catalogue::ActivityTypeEvent;
use domain::catalogue::activity_type::ActivityTypeDefinition;

use super::Catalogue;
use crate::test_events::{ID, at, rows_after};

fn kind(name: &str) -> ActivityTypeDefinition {
    ActivityTypeDefinition { name: name.into(), description: None, icon: None }
}

#[test]
fn an_entry_is_replaced_by_its_revision_and_keeps_its_creation_time() {
    let defined = ActivityTypeEvent::ActivityTypeDefined { definition: kind("Look") };
    let revised = ActivityTypeEvent::ActivityTypeRevised { definition: kind("Inspect") };
    let rows = rows_after::<Catalogue, _>("activity_type", &[defined.clone(), revised]);
    let row = rows.activity_types.get(ID).unwrap();
    assert_eq!((row.name.as_str(), row.version, row.created_at, row.updated_at), ("Inspect", 2, at(1), at(2)));
    let retired = rows_after::<Catalogue, _>("activity_type", &[defined, ActivityTypeEvent::ActivityTypeRetired {}]);
    let row = retired.activity_types.get(ID).unwrap();
    assert_eq!((row.retired, row.name.as_str(), row.version), (true, "Look", 2));
}
