//! Pagination: every item appears exactly once, even if items are added between two pages.

use serde_json::{Value, json};

use crate::activities::raise_alarm;
use crate::dead_letters::{dead_letter, publish_dead_letters};
use crate::support::{Tenant, Text, eventually, tenant};

/// Every paged list: its path and the name of its items.
const LISTS: &[(&str, &str)] = &[
    ("device-types", "deviceTypes"),
    ("asset-types", "assetTypes"),
    ("devices", "devices"),
    ("assets", "assets"),
    ("activity-types", "activityTypes"),
    ("asset-profiles", "assetProfiles"),
    ("notification-channels", "notificationChannels"),
    ("protocol-converters", "protocolConverters"),
    ("rules", "rules"),
    ("activity-templates", "templates"),
    ("activities", "activities"),
    ("alarms", "alarms"),
    ("dead-letters", "deadLetters"),
    ("events", "events"),
    ("users", "users"),
    ("api-keys", "apiKeys"),
];

/// Creates three of each kind, two of them with the same name.
fn create_three_of_each(tenant: &Tenant) {
    let create = |path: &str, body: Value, name: &str| {
        tenant.admin.post(&format!("/api/v1{path}"), body).created()[name]["id"].text()
    };
    for (n, name) in ["B", "A", "B"].iter().enumerate() {
        create("/device-types", json!({ "name": name }), "deviceType");
        let kind = create("/asset-types", json!({ "name": name }), "assetType");
        create("/activity-types", json!({ "name": name }), "activityType");
        create("/asset-profiles", json!({"name": name, "assetTypeId": kind}), "assetProfile");
        let medium = json!({"type": "push", "workRoles": ["technician"]});
        create("/notification-channels", json!({"name": name, "medium": medium}), "notificationChannel");
        let rules = json!([{"target": "t", "path": "/t"}]);
        let converter = json!({"name": name, "sourceProtocol": "raw", "rules": rules});
        create("/protocol-converters", converter, "protocolConverter");
        let asset = create("/assets", json!({"name": name, "assetTypeId": kind}), "asset");
        tenant.device(&format!("PAGE-{n}"));
        let rule = json!({"name": name, "entityType": "asset", "metricKey": "t", "severity": "low",
            "condition": {"operator": ">", "value": 1}});
        create("/rules", rule, "rule");
        let template = create("/activity-templates", json!({ "name": name }), "template");
        create(&format!("/activities/from-template/{template}"), json!({"targetId": asset}), "activity");
        raise_alarm(tenant, &asset);
        let person = json!({"email": format!("{n}.{}@pages.example", tenant.organization), "name": name,
            "password": "long enough", "role": "viewer"});
        create("/users", person, "user");
        create("/api-keys", json!({"name": name, "role": "viewer"}), "apiKey");
    }
    publish_dead_letters(&json!([
        dead_letter(tenant, None, "a", "{"),
        dead_letter(tenant, None, "b", "{"),
        dead_letter(tenant, None, "c", "{")
    ]));
}

/// Reads the whole list in pages of this size.
fn read_all_pages(tenant: &Tenant, (path, items): (&str, &str), limit: usize) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let part = tenant.admin.get(&format!("/api/v1/{path}?limit={limit}{cursor}")).ok();
        let some = part[items].as_array().unwrap();
        assert!(some.len() <= limit, "{path}");
        all.extend(some.iter().map(|item| item["id"].clone()));
        let Some(next) = part["nextCursor"].as_str() else { return all };
        assert_eq!(some.len(), limit, "{path}");
        cursor = format!("&cursor={next}");
    }
}

#[test]
fn every_list_is_paged_with_every_item_once() {
    let tenant = tenant("Pages");
    create_three_of_each(&tenant);
    for (path, items) in LISTS {
        let whole = || {
            let list = tenant.admin.get(&format!("/api/v1/{path}")).ok();
            assert!(list["nextCursor"].is_null(), "{path}");
            list[*items].as_array().unwrap().iter().map(|item| item["id"].clone()).collect::<Vec<_>>()
        };
        let fewest = if *path == "events" { 0 } else { 3 };
        let whole = eventually(path, || Some(whole()).filter(|whole| whole.len() >= fewest));
        for limit in [1, 2, whole.len().max(1)] {
            assert_eq!(read_all_pages(&tenant, (path, items), limit), whole, "{path} in pages of {limit}");
        }
        let refused = |query: &str| {
            let refused = tenant.admin.get(&format!("/api/v1/{path}?{query}")).problem(400, "invalid-parameters");
            assert_eq!(refused.fields().len(), 1, "{path}?{query}");
        };
        ["limit=0", "limit=1001", "offset=-1", "cursor=x", "cursor=bm9uZX54fnk"]
            .iter()
            .for_each(|query| refused(query));
    }
}

#[test]
fn new_items_do_not_shift_pages_and_a_cursor_works_only_in_its_own_list() {
    let tenant = tenant("Meanwhile");
    for name in ["B", "D", "F"] {
        tenant.asset(name);
    }
    let first = tenant.admin.get("/api/v1/assets?limit=1").ok();
    let next = first["nextCursor"].text();
    for name in ["A", "C", "E"] {
        tenant.asset(name);
    }
    let rest = tenant.admin.get(&format!("/api/v1/assets?cursor={next}")).ok();
    let names: Vec<String> = rest["assets"].as_array().unwrap().iter().map(|asset| asset["name"].text()).collect();
    assert_eq!((names.join(""), &rest["total"]), ("CDEF".to_owned(), &json!(6)));
    tenant.admin.get(&format!("/api/v1/alarms?cursor={next}")).problem(400, "invalid-parameters");
}

#[test]
fn lists_below_one_resource_are_paged_too() {
    let tenant = tenant("Parts of one");
    let (device, asset) = (tenant.device("PART-0"), tenant.asset("A"));
    for n in 0..3 {
        let path = format!("/api/v1/devices/{device}/assets/{}/link", tenant.asset(&format!("B{n}")));
        tenant.admin.post(&path, json!({})).created();
        let path = format!("/api/v1/devices/{}/assets/{asset}/link", tenant.device(&format!("PART-{}", n + 1)));
        tenant.admin.post(&path, json!({})).created();
        tenant.admin.post(&format!("/api/v1/devices/{device}/tokens"), json!({"validityDays": 1})).created();
        tenant.admin.post(&format!("/api/v1/devices/{device}/certificate/renew"), json!({})).created();
    }
    let lists = [
        (format!("devices/{device}/assets"), "assets", 3),
        (format!("assets/{asset}/devices"), "devices", 3),
        (format!("devices/{device}/tokens"), "tokens", 3),
        (format!("devices/{device}/certificates"), "certificates", 4),
    ];
    for (path, items, expected) in lists {
        for limit in [1, 2, 50] {
            let all = read_all_pages(&tenant, (&path, items), limit);
            let distinct: std::collections::BTreeSet<_> = all.iter().map(Value::to_string).collect();
            assert_eq!((all.len(), distinct.len()), (expected, expected), "{path} in pages of {limit}");
        }
        tenant.admin.get(&format!("/api/v1/{path}?cursor=x")).problem(400, "invalid-parameters");
        tenant.admin.get(&format!("/api/v1/{path}?limit=0")).problem(400, "invalid-parameters");
    }
}
