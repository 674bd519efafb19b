//! Rules in responses.

use commands::Receipt;
use projections::rule_book::{NAME, RuleRow, read};

use super::action::Action;
use super::condition::Condition;
use crate::auth::Caller;
use crate::prelude::*;
use crate::routes::read_your_writes::read_after_write;

/// A threshold rule.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct Rule {
    id: Uuid,
    organization_id: Uuid,
    name: String,
    #[oai(nullable)]
    description: Option<String>,
    /// `device`, `asset` or `space`.
    entity_type: String,
    /// Null applies the rule to several entities.
    #[oai(nullable)]
    entity_id: Option<Uuid>,
    /// The device type or asset type that is watched; null means all of `entityType`.
    #[oai(nullable)]
    type_id: Option<Uuid>,
    metric_key: String,
    condition: Condition,
    severity: String,
    action: Action,
    is_active: bool,
    cooldown_seconds: i64,
    retired: bool,
    created_at: Time,
    created_by: String,
    updated_at: Time,
    version: i64,
}

/// One rule.
#[derive(Debug, Object)]
pub struct RuleResponse {
    rule: Rule,
}

versioned!(RuleResponse, rule);

impl From<RuleRow> for Rule {
    fn from(row: RuleRow) -> Self {
        Self {
            id: row.id,
            organization_id: row.organization_id,
            name: row.name,
            description: row.description,
            entity_type: row.entity_type,
            entity_id: row.entity_id,
            type_id: row.type_id,
            metric_key: row.metric_key,
            condition: row.condition.into(),
            severity: row.severity,
            action: row.action.into(),
            is_active: row.is_active,
            cooldown_seconds: row.cooldown_seconds,
            retired: row.retired,
            created_at: row.created_at.into(),
            created_by: row.created_by,
            updated_at: row.updated_at.into(),
            version: row.version,
        }
    }
}

impl From<RuleRow> for RuleResponse {
    fn from(row: RuleRow) -> Self {
        Self { rule: row.into() }
    }
}

/// Returns a rule of the caller's organisation.
pub async fn find(state: &State, caller: &Caller, id: Uuid) -> Result<RuleResponse, Problem> {
    let row = read::rule(&state.reader, caller.organization.0, id).await?;
    Ok(row.ok_or_else(|| Problem::not_found("rule"))?.into())
}

/// Returns a rule as it is after a write.
pub async fn after_write(state: &State, caller: &Caller, id: Uuid, receipt: Receipt) -> Result<RuleResponse, Problem> {
    let found =
        read_after_write(state, NAME, (id, receipt), read::rule(&state.reader, caller.organization.0, id)).await?;
    Ok(found.into())
}
