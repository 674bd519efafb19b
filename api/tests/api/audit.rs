//! The audit log: paging, filters, and isolation between organisations.

use serde_json::json;

use crate::support::{Text, eventually, tenant};

#[test]
fn every_change_is_listed_once_with_its_author_across_pages() {
    let (tenant, other) = (tenant("Audited"), tenant("Elsewhere"));
    let asset = tenant.asset("Pump");
    for name in ["A", "B", "C"] {
        tenant.admin.put(&format!("/api/v1/assets/{asset}"), json!({ "name": name })).ok();
    }
    let me = tenant.admin.get("/api/v1/auth/me").ok()["id"].text();
    let of_asset = format!("/api/v1/audit?entityType=asset&entityId={asset}");
    let listed = eventually("all four changes in the audit log", || {
        let answer = tenant.admin.get(&of_asset).ok();
        (answer["events"].as_array().unwrap().len() == 4).then_some(answer)
    });
    let events = listed["events"].as_array().unwrap();
    let types_and_versions: Vec<(String, i64)> =
        events.iter().map(|event| (event["eventType"].text(), event["version"].as_i64().unwrap())).collect();
    let renamed = |version| ("AssetRenamed".to_owned(), version);
    assert_eq!(types_and_versions, [renamed(4), renamed(3), renamed(2), ("AssetRegistered".to_owned(), 1)]);
    assert!(events.iter().all(|event| event["actor"] == format!("user:{me}")), "{}", listed.text);
    assert!(listed["nextCursor"].is_null());

    let (mut parts, mut cursor) = (Vec::new(), String::new());
    loop {
        let part = tenant.admin.get(&format!("{of_asset}&limit=3{cursor}")).ok();
        parts.extend(part["events"].as_array().unwrap().clone());
        let Some(next) = part["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(&parts, events);

    let count = |query: &str| tenant.admin.get(&format!("{of_asset}&{query}")).ok()["events"].as_array().unwrap().len();
    assert_eq!((count("action=AssetRenamed"), count("action=DeviceRenamed")), (3, 0));
    assert_eq!((count(&format!("actor=user:{me}")), count("actor=system:x")), (4, 0));
    let second = events[2]["recordedAt"].text();
    assert_eq!((count(&format!("from={second}")), count(&format!("to={second}"))), (3, 1));
    assert_eq!(other.admin.get(&of_asset).ok()["events"], json!([]));
    for wrong in ["cursor=x", "cursor=1.ES.2", "limit=0", "limit=1001", "entityId=x", "from=yesterday"] {
        tenant.admin.get(&format!("/api/v1/audit?{wrong}")).problem(400, "invalid-parameters");
    }
}
