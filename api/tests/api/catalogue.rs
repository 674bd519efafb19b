//! The catalogue: defining, revising and retiring entries, using them, and what is refused.

use serde_json::{Value, json};

use crate::support::{Tenant, Text, tenant};

/// Creates an entry and returns its path.
fn create(tenant: &Tenant, noun: &str, field: &str, body: Value) -> String {
    let created = tenant.admin.post(&format!("/api/v1/{noun}"), body).created();
    format!("/api/v1/{noun}/{}", created[field]["id"].text())
}

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

#[test]
fn an_entry_is_defined_listed_revised_and_retired() {
    let tenant = tenant("Catalogue");
    let kind = create(&tenant, "asset-types", "assetType", json!({"name": "Pump"}));
    let rules = json!([{"target": "t", "path": "/t"}]);
    let nouns = [
        ("activity-types", "activityType", "activityTypes", json!({"name": "Draft"})),
        ("asset-profiles", "assetProfile", "assetProfiles", json!({"name": "Draft", "assetTypeId": id(&kind)})),
        (
            "notification-channels",
            "notificationChannel",
            "notificationChannels",
            json!({"name": "Draft", "medium": {"type": "webhook", "url": "https://pager.example"}}),
        ),
        (
            "protocol-converters",
            "protocolConverter",
            "protocolConverters",
            json!({"name": "Draft", "sourceProtocol": "raw", "rules": rules}),
        ),
    ];
    for (noun, one, several, body) in nouns {
        let path = create(&tenant, noun, one, body.clone());
        let seen = tenant.admin.get(&path).ok();
        let tag = seen.header("etag").unwrap().to_owned();
        assert_eq!((seen[one]["name"].text(), seen[one]["version"].clone()), ("Draft".to_owned(), json!(1)));
        let mut revised = body.clone();
        revised["name"] = json!("Revised");
        let answer = tenant.admin.put(&path, revised.clone()).ok();
        assert_eq!((answer[one]["name"].text(), answer[one]["version"].clone()), ("Revised".to_owned(), json!(2)));
        let headers = [("If-Match", tag.as_str()), ("Content-Type", "application/json")];
        let stale = tenant.admin.send("PUT", &path, Some(&body.to_string()), &headers);
        stale.problem(412, "precondition-failed");
        revised["name"] = json!(" ");
        assert_eq!(tenant.admin.put(&path, revised).problem(422, "invalid-fields").fields(), ["name"]);
        let history = tenant.admin.get(&format!("{path}/history?limit=1")).ok();
        assert_eq!(
            (history["total"].clone(), history["events"][0]["changes"][0]["field"].text()),
            (json!(2), "definition".into())
        );
        let cursor = history["nextCursor"].text();
        let rest = tenant.admin.get(&format!("{path}/history?limit=5&cursor={cursor}")).ok();
        assert_eq!((rest["events"].as_array().unwrap().len(), &rest["nextCursor"]), (1, &Value::Null));
        tenant.admin.get(&format!("{path}/history?cursor=x")).problem(400, "invalid-parameters");
        let list = || tenant.admin.get(&format!("/api/v1/{noun}")).ok();
        assert_eq!(list()[several][0]["id"].text(), id(&path));
        tenant.admin.delete(&path).ok();
        assert_eq!(list()["total"], 0);
        assert_eq!(tenant.admin.get(&format!("/api/v1/{noun}?retired=true")).ok()["total"], 1);
        tenant.admin.put(&path, body).problem(409, "wrong-state");
    }
}

#[test]
fn an_asset_created_from_a_profile_takes_its_values() {
    let tenant = tenant("Profiles");
    let kind = create(&tenant, "asset-types", "assetType", json!({"name": "Transformer"}));
    let profile = create(
        &tenant,
        "asset-profiles",
        "assetProfile",
        json!({"name": "250 kVA", "assetTypeId": id(&kind), "icon": "bolt",
            "defaultAttributes": {"voltage": 400, "maker": "Acme"},
            "defaultHealthThresholds": {"critical": 10, "warning": 20, "good": 90},
            "telemetryMappings": {"device.u": "asset.voltage"}}),
    );
    let body = json!({"name": "T1", "profileId": id(&profile), "customAttributes": {"maker": "Other", "floor": 1}});
    let asset = tenant.admin.post("/api/v1/assets", body).created();
    let asset = &asset["asset"];
    assert_eq!(asset["assetTypeId"].text(), id(&kind));
    assert_eq!(asset["customAttributes"], json!({"voltage": 400, "maker": "Other", "floor": 1}));
    assert_eq!(asset["healthThresholds"], json!({"critical": 10, "warning": 20, "good": 90}));
    assert_eq!((asset["icon"].text(), asset["profileId"].text()), ("bolt".to_owned(), id(&profile).to_owned()));
    let link = |body| {
        let path =
            format!("/api/v1/devices/{}/assets/{}/link", tenant.device(&crate::support::unique()), asset["id"].text());
        tenant.admin.post(&path, body).created()["link"]["metricsMapping"].clone()
    };
    assert_eq!(link(json!({})), json!({"device.u": "asset.voltage"}));
    assert_eq!(link(json!({"metricsMapping": {}})), json!({}));
    // Without a profile the default thresholds apply.
    let plain = tenant.admin.get(&format!("/api/v1/assets/{}", tenant.asset("Plain"))).ok();
    assert_eq!(plain["asset"]["healthThresholds"], json!({"critical": 30, "warning": 60, "good": 80}));
    let other = create(&tenant, "asset-types", "assetType", json!({"name": "Pump"}));
    let refused = |body: Value| tenant.admin.post("/api/v1/assets", body);
    let wrong = json!({"name": "T2", "profileId": id(&profile), "assetTypeId": id(&other)});
    assert_eq!(refused(wrong).problem(422, "invalid-fields").fields(), ["assetTypeId"]);
    assert_eq!(refused(json!({"name": "T3"})).problem(422, "invalid-fields").fields(), ["assetTypeId"]);
    tenant.admin.delete(&profile).ok();
    let retired = refused(json!({"name": "T4", "profileId": id(&profile)})).problem(422, "unknown-reference");
    assert_eq!(retired.fields(), ["profileId"]);
}

#[test]
fn entries_in_use_cannot_be_retired_and_their_users_are_named() {
    let tenant = tenant("Uses");
    let kind = create(&tenant, "activity-types", "activityType", json!({"name": "Inspection"}));
    let template = json!({"name": "Inspect", "activityTypeId": id(&kind)});
    let template = create(&tenant, "activity-templates", "template", template);
    let rule = json!({"name": "Hot", "entityType": "device", "metricKey": "t", "severity": "low",
        "condition": {"operator": ">", "value": 80},
        "action": {"type": "create_activity", "templateId": id(&template)}});
    let rule = create(&tenant, "rules", "rule", rule);
    let converter = json!({"name": "C", "sourceProtocol": "raw", "rules": [{"target": "t", "path": "/t"}]});
    let converter = create(&tenant, "protocol-converters", "protocolConverter", converter);
    let device_type = format!("/api/v1/device-types/{}", tenant.device_type());
    let assigned = tenant.admin.put(&format!("{device_type}/converter"), json!({"converterId": id(&converter)})).ok();
    assert_eq!(assigned["deviceType"]["converterId"].text(), id(&converter));
    let device = json!({"name": "Probe", "serialNumber": "U-1", "deviceTypeId": id(&device_type)});
    let device = create(&tenant, "devices", "device", device);
    let (whole, part) = (tenant.asset("Whole"), json!({"name": "Part"}));
    let asset_type = create(&tenant, "asset-types", "assetType", json!({"name": "Pump"}));
    let mut part = part;
    (part["assetTypeId"], part["parentId"]) = (json!(id(&asset_type)), json!(whole));
    let part = create(&tenant, "assets", "asset", part);
    for (path, user) in [
        (&kind, ("activity_template", "Inspect", &template)),
        (&template, ("rule", "Hot", &rule)),
        (&converter, ("device_type", "", &device_type)),
        (&device_type, ("device", "Probe", &device)),
        (&asset_type, ("asset", "Part", &part)),
        (&format!("/api/v1/assets/{whole}"), ("asset", "Part", &part)),
    ] {
        let problem = tenant.admin.delete(path).problem(409, "in-use");
        let named = &problem["usedBy"][0];
        assert_eq!((named["kind"].text(), named["id"].text()), (user.0.to_owned(), id(user.2).to_owned()), "{path}");
        assert!(problem["detail"].text().contains(user.1), "{}", problem.text);
    }
    // In the opposite order everything can be retired.
    tenant.admin.post(&format!("{device}/decommission"), json!({"reason": "x"})).ok();
    for path in
        [&rule, &template, &kind, &part, &format!("/api/v1/assets/{whole}"), &asset_type, &device_type, &converter]
    {
        crate::support::eventually("the retirement of the entries that use it", || {
            (tenant.admin.delete(path).status == 200).then_some(())
        });
    }
}

#[test]
fn trying_a_converter_returns_the_reading_and_the_errors_of_each_rule() {
    let tenant = tenant("Converters");
    let definition = json!({"name": "Meter", "sourceProtocol": "modbus",
        "frame": {"encoding": "hex", "path": "/data"}, "timePath": "/at",
        "rules": [
            {"target": "voltage", "register": {"offset": 0, "kind": "u16", "scale": 0.5}, "required": true},
            {"target": "power", "formula": "voltage * 2"},
            {"target": "mode", "path": "/mode"}],
        "targetSchema": [{"key": "voltage", "required": true}, {"key": "power"}, {"key": "mode", "kind": "text"}]});
    let path = create(&tenant, "protocol-converters", "protocolConverter", definition.clone());
    let shown = tenant.admin.get(&path).ok();
    assert_eq!(shown["protocolConverter"]["rules"][0]["register"]["endianness"].text(), "big");
    let viewer = tenant.user_with_role("viewer");
    let attempt = |body: Value| viewer.post(&format!("{path}/test"), body);
    let converted = attempt(json!({"json": {"at": 1_769_600_000, "data": "0010", "mode": "auto"}})).ok();
    assert_eq!(
        converted["reading"],
        json!({"ts": 1_769_600_000, "metrics": {"voltage": 8.0, "power": 16.0, "mode": "auto"}})
    );
    assert_eq!((converted["accepted"].clone(), converted["errors"].clone()), (json!(true), json!([])));
    assert_eq!(converted["uncertain"], json!([]));
    let rejected = attempt(json!({"text": "{\"data\": \"00\"}"})).ok();
    assert_eq!(rejected["accepted"], json!(false));
    assert_eq!(
        (rejected["errors"][0]["rule"].clone(), rejected["errors"][0]["target"].text()),
        (json!(0), "voltage".to_owned())
    );
    attempt(json!({"text": "0".repeat(10 << 20)})).problem(413, "too-large");
    attempt(json!({})).problem(422, "invalid-fields");
    attempt(json!({"text": "a", "json": 1})).problem(422, "invalid-fields");
    assert_eq!(attempt(json!({"base64": "*"})).problem(422, "invalid-fields").fields(), ["base64"]);
    let with = |field: &str, value: Value| {
        let mut changed = definition.clone();
        changed[field] = value;
        tenant.admin.put(&path, changed).problem(422, "invalid-fields").fields()
    };
    assert_eq!(with("rules", json!([])), ["rules"]);
    assert_eq!(with("rules", json!([{"target": "a", "path": "/a"}, {"target": "b", "formula": "c"}])), ["rules[1]"]);
    let both = json!([{"target": "a", "path": "/a", "register": {"offset": 0, "kind": "u8"}}]);
    assert_eq!(with("rules", both), ["rules[0]"]);
    assert_eq!(with("timePath", json!("at")), ["timePath"]);
    assert_eq!(with("frame", json!({"encoding": "hex", "path": "data"})), ["frame.path"]);
    assert_eq!(with("targetSchema", json!([{"key": "a"}, {"key": "a"}])), ["targetSchema"]);
    let unknown = json!({"converterId": tenant.organization});
    let device_type = format!("/api/v1/device-types/{}/converter", tenant.device_type());
    assert_eq!(tenant.admin.put(&device_type, unknown).problem(422, "unknown-reference").fields(), ["converterId"]);
}

#[test]
fn users_keys_and_organisations_have_histories() {
    let tenant = tenant("Histories");
    let person =
        json!({"email": "history@example.org", "name": "Ada", "password": "correct horse battery", "role": "viewer"});
    let person = create(&tenant, "users", "user", person);
    tenant.admin.put(&person, json!({"role": "operator", "name": "Ada King"})).ok();
    let shown = tenant.admin.get(&format!("{person}/history")).ok();
    let find_event = |event: &str| {
        let events = shown["events"].as_array().unwrap();
        events.iter().find(|one| one["eventType"] == event).unwrap_or_else(|| panic!("{event}: {}", shown.text)).clone()
    };
    let role = &find_event("UserAccessRoleChanged")["changes"][0];
    assert_eq!(
        (role["field"].text(), role["before"].text(), role["after"].text()),
        ("accessRole".into(), "viewer".into(), "operator".into())
    );
    assert_eq!(find_event("UserRenamed")["changes"][0]["field"].text(), "name");
    assert!(!shown.text.contains("Ada") && !shown.text.contains("history@"), "{}", shown.text);
    let key = tenant.admin.post("/api/v1/api-keys", json!({"name": "K", "role": "viewer"})).created();
    let secret = key["key"].text();
    let key = format!("/api/v1/api-keys/{}", key["apiKey"]["id"].text());
    tenant.admin.delete(&key).ok();
    let shown = tenant.admin.get(&format!("{key}/history")).ok();
    assert_eq!((shown["total"].clone(), shown.text.contains(&secret)), (json!(2), false));
    let root = crate::support::platform().root_admin();
    let shown = root.get(&format!("/api/v1/organizations/{}/history", tenant.organization)).ok();
    assert!(shown.text.contains("OrganizationFounded"), "{}", shown.text);
    tenant.admin.get(&format!("/api/v1/organizations/{}/history", tenant.organization)).problem(403, "forbidden");
}

#[test]
fn a_channel_has_a_medium_and_a_minimum_severity() {
    let tenant = tenant("Channels");
    let body = |medium: Value| json!({"name": "On call", "medium": medium, "minimumSeverity": "high"});
    let email = json!({"type": "email", "workRoles": [" technician "]});
    let path = create(&tenant, "notification-channels", "notificationChannel", body(email));
    let shown = tenant.admin.get(&path).ok()["notificationChannel"].clone();
    assert_eq!(shown["medium"], json!({"type": "email", "workRoles": ["technician"]}));
    assert_eq!((shown["minimumSeverity"].text(), shown["isActive"].clone()), ("high".to_owned(), json!(true)));
    let refused = |medium| tenant.admin.put(&path, body(medium)).problem(422, "invalid-fields").fields();
    assert_eq!(refused(json!({"type": "webhook", "url": "gopher://x"})), ["medium.url"]);
    assert_eq!(refused(json!({"type": "push", "workRoles": []})), ["medium.workRoles"]);
    assert_eq!(refused(json!({"type": "email"})), ["medium.workRoles"]);
    tenant
        .user_with_role("engineer")
        .put(&path, body(json!({"type": "email", "workRoles": ["x"]})))
        .problem(403, "forbidden");
}
