//! Lists rules.

use projections::rule_book::read::{self, RuleFilter};

use super::view::Rule;
use crate::enums::EntityType;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

page! {
    /// One page of the list.
    Rules { rules: Rule }
}

#[OpenApi]
impl Api {
    /// List threshold rules
    #[oai(path = "/rules", method = "get", tag = "Tag::Rules", operation_id = "listRules")]
    #[allow(clippy::too_many_arguments)]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        #[oai(name = "entityType")] entity_type: Query<Option<EntityType>>,
        #[oai(name = "entityId")] entity_id: Query<Option<Uuid>>,
        #[oai(name = "isActive")] is_active: Query<Option<bool>>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<Rules>, Problem> {
        let filter = RuleFilter {
            entity_type: entity_type.0.map(|kind| kind.as_str().to_owned()),
            entity_id: entity_id.0,
            is_active: is_active.0,
        };
        let page = read::rules(&state.reader, caller.organization.0, &filter, paging(limit, offset, &cursor)?).await?;
        Ok(Json(Rules::new(page)))
    }
}
