//! Folds presence facts into connectivity. Pure; also used by the live feed. Facts arrive in stream order, but two
//! edges may report one device in the wrong order, so the session and its start time decide.

use domain::telemetry::{PresenceFact, PresenceKind};

use super::ConnectivityRow;
use crate::row_batch::RowBatch;

/// The reason for a device whose edge process is gone.
const EDGE_LOST: &str = "edge_lost";

/// Folds one fact into the loaded rows.
pub fn fold(rows: &mut RowBatch<ConnectivityRow>, fact: &PresenceFact) {
    if fact.kind == PresenceKind::EdgeLost {
        let ended: Vec<_> = rows.iter().filter_map(|row| next(Some(row), fact)).collect();
        ended.into_iter().for_each(|row| rows.upsert(row));
    } else if let Some(device) = fact.device
        && let Some(row) = next(rows.get(device.0), fact)
    {
        rows.upsert(row);
    }
}

/// Returns a device's connectivity after a fact; `None` if the fact changes nothing.
pub fn next(current: Option<&ConnectivityRow>, fact: &PresenceFact) -> Option<ConnectivityRow> {
    match fact.kind {
        PresenceKind::Connected => connected(current, fact),
        PresenceKind::Disconnected | PresenceKind::Silent => ended(current, fact),
        PresenceKind::EdgeLost => edge_lost(current?, fact),
        PresenceKind::ConnectionRefused => None,
    }
}

fn connected(current: Option<&ConnectivityRow>, fact: &PresenceFact) -> Option<ConnectivityRow> {
    let session = fact.session.map(|session| session.0);
    // A repeated session changes nothing, unless its edge was considered lost and has come back.
    let is_back = |row: &ConnectivityRow| is_lost(row) && fact.at > row.changed_at;
    let is_known = |row: &ConnectivityRow| row.session_id == session && session.is_some() && !is_back(row);
    let stale = |row: &ConnectivityRow| row.session_at > fact.at || is_known(row);
    if current.is_some_and(stale) {
        return None;
    }
    let was_online = current.filter(|row| row.connectivity == "online");
    Some(ConnectivityRow {
        device_id: fact.device?.0,
        organization_id: fact.organization?.0,
        connectivity: "online".into(),
        session_id: session,
        session_at: fact.at,
        edge: fact.edge.clone(),
        changed_at: was_online.map_or(fact.at, |row| row.changed_at),
        last_seen_at: current.map_or(fact.at, |row| row.last_seen_at.max(fact.at)),
        reason: None,
    })
}

fn ended(current: Option<&ConnectivityRow>, fact: &PresenceFact) -> Option<ConnectivityRow> {
    let reason = Some(fact.reason.clone().unwrap_or_else(|| default_reason(fact.kind)));
    let session = fact.session.map(|session| session.0);
    let Some(row) = current else {
        return Some(ConnectivityRow {
            device_id: fact.device?.0,
            organization_id: fact.organization?.0,
            connectivity: "offline".into(),
            session_id: session,
            session_at: fact.at,
            edge: fact.edge.clone(),
            changed_at: fact.at,
            last_seen_at: fact.at,
            reason,
        });
    };
    // The end of a session that was taken over does not end the one that took over.
    let of_current = session.is_none() || row.session_id.is_none() || session == row.session_id;
    (of_current && row.connectivity == "online").then(|| offline(row, fact, reason))
}

fn edge_lost(row: &ConnectivityRow, fact: &PresenceFact) -> Option<ConnectivityRow> {
    let lost = row.connectivity == "online" && row.edge == fact.edge && row.session_at <= fact.at;
    lost.then(|| offline(row, fact, Some(EDGE_LOST.into())))
}

fn is_lost(row: &ConnectivityRow) -> bool {
    row.reason.as_deref() == Some(EDGE_LOST)
}

fn offline(row: &ConnectivityRow, fact: &PresenceFact, reason: Option<String>) -> ConnectivityRow {
    ConnectivityRow {
        connectivity: "offline".into(),
        changed_at: fact.at,
        last_seen_at: row.last_seen_at.max(fact.at),
        reason,
        ..row.clone()
    }
}

fn default_reason(kind: PresenceKind) -> String {
    match kind {
        PresenceKind::Silent => "timeout".into(),
        _ => "disconnected".into(),
    }
}
