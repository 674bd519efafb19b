//! Kinds of activities.

use domain::catalogue::activity_type::ActivityTypeDefinition;
use projections::catalogue::EntryRow;
use projections::dependents::Referenced;

use super::endpoints::catalogue_endpoints;
use super::entries::CatalogueEntry;
use crate::prelude::*;

/// The definition of an activity type.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct ActivityTypeRequest {
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
    #[oai(nullable)]
    description: Option<String>,
    #[oai(nullable)]
    icon: Option<String>,
}

/// An activity type.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct ActivityType {
    #[oai(flatten)]
    entry: CatalogueEntry,
    name: String,
    description: Option<String>,
    icon: Option<String>,
}

impl From<ActivityTypeRequest> for ActivityTypeDefinition {
    fn from(ActivityTypeRequest { name, description, icon }: ActivityTypeRequest) -> Self {
        Self { name, description, icon }
    }
}

impl From<EntryRow<ActivityTypeDefinition>> for ActivityType {
    fn from(row: EntryRow<ActivityTypeDefinition>) -> Self {
        let (entry, ActivityTypeDefinition { name, description, icon }) = (CatalogueEntry::from(&row), row.definition);
        Self { entry, name, description, icon }
    }
}

catalogue_endpoints! {
    ActivityTypeDefinition from ActivityTypeRequest, shown as ActivityType,
    ActivityTypeResponse { activity_type }, ActivityTypes { activity_types },
    writers access::WriteTemplates, used as Some(Referenced::ActivityType), tag "Tag::ActivityTypes",
    "/activity-types" {
        /// Define an activity type
        post "createActivityType",
        /// List activity types
        get "listActivityTypes",
    }
    "/activity-types/:id" {
        /// Show an activity type
        get "getActivityType",
        /// Revise an activity type
        ///
        /// Replaces the whole definition; omitted fields are removed.
        put "updateActivityType",
        /// Retire an activity type
        ///
        /// An activity type that a template uses cannot be retired; the problem names the template.
        delete "retireActivityType",
    }
}
