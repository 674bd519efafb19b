//! Rules and alarms: a device linked to several assets, several devices of one asset, hold times and cooldowns, missing
//! data, shelved and dismissed alarms, assets that are out of service, and rules that are edited while an alarm stands.

use std::time::Duration;

use serde_json::{Value, json};

use crate::api_client::Api;
use crate::clients;
use crate::fixtures::{self, Device, id, now_millis};
use crate::platform::Platform;
use crate::wait::wait_until;

const SOON: Duration = Duration::from_secs(30);

fn send(device: &Device, platform: &Platform, payloads: &[Value]) {
    let texts: Vec<String> = payloads.iter().map(Value::to_string).collect();
    let sent = clients::paho(device, platform.mqtt_port(), "3.1.1", &device.topic, &texts);
    assert_eq!(sent.acknowledged(), texts.len(), "{sent:?}");
}

fn at(seconds: i64, metrics: Value) -> Value {
    json!({"ts": now_millis() + seconds * 1000, "metrics": metrics})
}

/// Creates assets and links a device to them: to all with the whole payload, or each with its own port.
fn assets(api: &Api, device: &Device, names: &[&str], with_ports: bool) -> Vec<String> {
    let kind = json!({"name": format!("Kind of {}", names[0])});
    let kind = id(&api.post("/api/v1/asset-types", kind), "/assetType/id");
    let make = |(port, name): (usize, &&str)| {
        let asset = id(&api.post("/api/v1/assets", json!({"name": name, "assetTypeId": kind})), "/asset/id");
        let mut link = json!({"role": "primary", "validFrom": "2020-01-01T00:00:00Z"});
        if with_ports {
            link["port"] = json!(port + 1);
        }
        api.post(&format!("/api/v1/devices/{}/assets/{asset}/link", device.id), link);
        asset
    };
    names.iter().enumerate().map(make).collect()
}

fn rule(api: &Api, entity: (&str, &str), condition: Value, cooldown: u32, severity: &str) -> String {
    let rule = json!({"name": "Watched", "entityType": entity.0, "entityId": entity.1, "metricKey": "temperature",
        "condition": condition, "severity": severity, "action": {"type": "create_activity"}, "cooldownSeconds": cooldown});
    id(&api.post("/api/v1/rules", rule), "/rule/id")
}

fn template(api: &Api) {
    let template = json!({"name": "Look", "triggerEventType": "THRESHOLD_BREACH", "defaultPriority": "low"});
    api.post("/api/v1/activity-templates", template);
}

fn latest(api: &Api, asset: &str, metric: &str) -> f64 {
    wait_until("the asset has a value", SOON, || {
        let latest = api.get(&format!("/api/v1/telemetry/asset/{asset}/latest"));
        latest["metrics"][metric]["value"].as_f64().ok_or(latest)
    })
}

/// Waits until the asset shows this temperature.
fn shows(api: &Api, asset: &str, temperature: f64) {
    wait_until("the newest temperature", SOON, || {
        let newest = latest(api, asset, "temperature");
        if newest == temperature { Ok(()) } else { Err(newest) }
    });
}

/// Waits until the listed alarms satisfy a condition; returns them.
fn alarms(api: &Api, what: &str, matches: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    wait_until(what, SOON, || {
        let answer = api.get("/api/v1/alarms");
        let alarms = answer["alarms"].as_array().unwrap().clone();
        if matches(&alarms) { Ok(alarms) } else { Err(answer) }
    })
}

fn activities(api: &Api, count: usize) -> Vec<Value> {
    wait_until("the activities", SOON, || {
        let answer = api.get("/api/v1/activities");
        let found = answer["activities"].as_array().unwrap().clone();
        if found.len() == count { Ok(found) } else { Err(answer) }
    })
}

#[test]
fn one_device_feeds_several_assets_and_a_rule_alarms_only_after_its_hold_time() {
    let platform = Platform::up();
    let api = platform.admin();
    template(&api);

    let shared = fixtures::device(&api, platform.folder.path(), "SN-3");
    let three = assets(&api, &shared, &["North", "East", "South"], false);
    send(&shared, &platform, &[at(0, json!({"temperature": 21.5}))]);
    assert_eq!(three.iter().map(|asset| latest(&api, asset, "temperature")).collect::<Vec<_>>(), [21.5; 3]);

    let unit = fixtures::device(&api, platform.folder.path(), "SN-4");
    let four = assets(&api, &unit, &["Feeder 1", "Feeder 2", "Feeder 3", "Feeder 4"], true);
    let ports = json!({"1": {"volts": 231.0}, "2": {"volts": 232.0}, "3": {"volts": 233.0}, "4": {"volts": 234.0}});
    send(&unit, &platform, &[json!({"ts": now_millis(), "ports": ports})]);
    let volts: Vec<_> = four.iter().map(|asset| latest(&api, asset, "volts")).collect();
    assert_eq!(volts, [231.0, 232.0, 233.0, 234.0]);

    // The rule holds for ten minutes of device time and has a dead band and a cooldown of half an hour.
    let device = fixtures::device(&api, platform.folder.path(), "SN-5");
    let asset = assets(&api, &device, &["Boiler"], false).remove(0);
    let hold = json!({"operator": ">", "value": 80, "deadBand": 5, "durationSeconds": 600});
    rule(&api, ("asset", &asset), hold, 1_800, "critical");
    let hot = |minute: i64, value: f64| at(-1_800 + minute * 60, json!({"temperature": value}));
    let mut readings: Vec<_> = (0..=9).map(|minute| hot(minute, 85.0)).collect();
    send(&device, &platform, &readings);
    readings = vec![hot(10, 86.0), hot(11, 78.0), hot(12, 74.0)];
    readings.extend((13..=24).map(|minute| hot(minute, 90.0)));
    send(&device, &platform, &readings);
    let alarm = alarms(&api, "one alarm that repeated once", |alarms| {
        alarms.len() == 1 && alarms[0]["repeats"] == 1 && alarms[0]["state"] == "active_unacknowledged"
    })
    .remove(0);
    let time = |field: &str| alarm[field].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert!((time("raisedAt") - time("startedAt")).num_seconds() >= 600, "{alarm}");
    assert_eq!(alarm["value"], 86.0);
    let activity = activities(&api, 1).remove(0);
    assert_eq!((&activity["priority"], &activity["targetId"]), (&json!("critical"), &json!(asset)));
}

#[test]
fn missing_data_raises_an_alarm_and_shelved_or_suppressed_alarms_create_no_activity() {
    let platform = Platform::up();
    let api = platform.admin();
    template(&api);
    let quiet = fixtures::device(&api, platform.folder.path(), "SN-7");
    let no_data = json!({"noDataSeconds": 10});
    rule(&api, ("device", &quiet.id), no_data, 0, "low");
    let device = fixtures::device(&api, platform.folder.path(), "SN-8");
    let asset = assets(&api, &device, &["Pump"], false).remove(0);
    let compare = json!({"operator": ">", "value": 80});
    rule(&api, ("asset", &asset), compare, 0, "high");
    send(&quiet, &platform, &[at(0, json!({"temperature": 20.0}))]);

    // Out of service: the alarm is suppressed and creates no activity until the asset is back in service.
    api.post(&format!("/api/v1/assets/{asset}/out-of-service"), json!({"reason": "Overhaul"}));
    send(&device, &platform, &[at(-9, json!({"temperature": 90.0}))]);
    let of_pump = |alarms: &[Value], state: &str| {
        alarms.iter().any(|alarm| alarm["entityId"] == asset.as_str() && alarm["state"] == state)
    };
    alarms(&api, "a suppressed alarm", |alarms| of_pump(alarms, "suppressed_by_design"));
    api.post(&format!("/api/v1/assets/{asset}/in-service"), json!({}));
    let active = alarms(&api, "an active alarm", |alarms| of_pump(alarms, "active_unacknowledged"));

    // A shelved alarm creates no activity, and the alarm that supersedes it is shelved as well.
    let pump = active.iter().find(|alarm| alarm["entityId"] == asset.as_str()).unwrap();
    let path = format!("/api/v1/alarms/{}", id(pump, "/id"));
    let shelved_until = chrono::DateTime::from_timestamp_millis(now_millis() + 3_600_000).unwrap();
    let shelved = api.post(&format!("{path}/shelve"), json!({"until": shelved_until, "reason": "Cleaning"}));
    assert_eq!(shelved["alarm"]["state"], "shelved", "{shelved}");
    send(&device, &platform, &[at(-7, json!({"temperature": 20.0})), at(-6, json!({"temperature": 91.0}))]);
    let next = alarms(&api, "another shelved alarm in place of the first", |alarms| {
        alarms.iter().any(|alarm| alarm["value"] == 91.0 && alarm["state"] == "shelved")
            && alarms.iter().any(|alarm| alarm["value"] == 90.0 && alarm["closed"] == "superseded")
    });
    let next = next.iter().find(|alarm| alarm["value"] == 91.0).unwrap();
    let silent = alarms(&api, "an alarm about missing data", |alarms| {
        alarms.iter().any(|alarm| alarm["entityId"] == quiet.id.as_str())
    });
    assert!(silent.iter().any(|alarm| alarm["value"] == 20.0), "{silent:?}");
    // One for the pump when it returned to service, one for the missing data, none for the shelved alarm.
    activities(&api, 2);
    let path = format!("/api/v1/alarms/{}", id(next, "/id"));
    assert_eq!(api.post(&format!("{path}/unshelve"), json!({}))["alarm"]["state"], "active_unacknowledged");
    activities(&api, 3);
    send(&quiet, &platform, &[at(0, json!({"temperature": 21.0}))]);
    alarms(&api, "the alarm about missing data has returned", |alarms| {
        alarms.iter().any(|alarm| alarm["entityId"] == quiet.id.as_str() && alarm["state"] == "returned_unacknowledged")
    });
}

/// The one alarm that is listed, once it is in this state.
fn the_alarm(api: &Api, state: &str) -> Value {
    alarms(api, state, |alarms| alarms.len() == 1 && alarms[0]["state"] == state).remove(0)
}

#[test]
fn a_second_device_of_the_same_second_raises_the_alarm_of_its_asset() {
    let platform = Platform::up();
    let api = platform.admin();
    let [first, second] = ["SN-1", "SN-2"].map(|serial| fixtures::device(&api, platform.folder.path(), serial));
    let asset = assets(&api, &first, &["Tank"], false).remove(0);
    let link = json!({"role": "primary", "validFrom": "2020-01-01T00:00:00Z"});
    api.post(&format!("/api/v1/devices/{}/assets/{asset}/link", second.id), link);
    rule(&api, ("asset", &asset), json!({"operator": ">", "value": 80}), 0, "high");
    let second_of_both = now_millis() / 1000 * 1000;
    let of_both = |value: f64| json!({"ts": second_of_both, "metrics": {"temperature": value}});
    send(&first, &platform, &[of_both(20.0)]);
    shows(&api, &asset, 20.0);
    send(&second, &platform, &[of_both(95.0)]);
    let alarm = the_alarm(&api, "active_unacknowledged");
    assert_eq!((&alarm["value"], &alarm["entityId"]), (&json!(95.0), &json!(asset)));
    send(&first, &platform, &[of_both(30.0)]);
    the_alarm(&api, "returned_unacknowledged");
}

#[test]
fn a_raised_limit_under_which_the_breach_holds_keeps_alarm_and_work_order() {
    let platform = Platform::up();
    let api = platform.admin();
    let device = fixtures::device(&api, platform.folder.path(), "SN-1");
    let asset = assets(&api, &device, &["Tank"], false).remove(0);
    template(&api);
    let other = json!({"name": "Look", "triggerEventType": "THRESHOLD_BREACH", "defaultPriority": "high"});
    let of = rule(&api, ("asset", &asset), json!({"operator": ">", "value": 80}), 0, "high");
    send(&device, &platform, &[at(-60, json!({"temperature": 100.0}))]);
    let alarm = the_alarm(&api, "active_unacknowledged");
    let work = activities(&api, 1).remove(0);
    let edit = |change: Value| drop(api.put(&format!("/api/v1/rules/{of}"), change));
    let edits = [
        json!({"condition": {"operator": ">", "value": 90}}),
        json!({"condition": {"operator": ">", "value": 90, "durationSeconds": 600}}),
        json!({"name": "Too warm", "severity": "low", "cooldownSeconds": 60}),
        json!({"isActive": false}),
        json!({"isActive": true}),
    ];
    for (second, change) in (-50..).zip(edits) {
        edit(change);
        // The readings are judged by the rule as it is when they arrive.
        send(&device, &platform, &[at(second, json!({"temperature": 100.0}))]);
    }
    api.post("/api/v1/activity-templates", other);
    send(&device, &platform, &[at(-20, json!({"temperature": 99.0}))]);
    shows(&api, &asset, 99.0);
    edit(json!({"condition": {"operator": ">", "value": 120}}));
    let over = the_alarm(&api, "returned_unacknowledged");
    assert_eq!((&over["id"], &over["severity"], &over["repeats"]), (&alarm["id"], &json!("high"), &json!(0)));
    assert_eq!(activities(&api, 1)[0]["id"], work["id"]);
}

#[test]
fn a_dismissed_alarm_is_open_again_after_the_next_breach() {
    let platform = Platform::up();
    let api = platform.admin();
    let device = fixtures::device(&api, platform.folder.path(), "SN-1");
    let asset = assets(&api, &device, &["Tank"], false).remove(0);
    template(&api);
    let channel =
        json!({"name": "All", "medium": {"type": "push", "workRoles": ["technician"]}, "minimumSeverity": "high"});
    api.post("/api/v1/notification-channels", channel);
    rule(&api, ("asset", &asset), json!({"operator": ">", "value": 80}), 3_600, "high");
    let notified = |count: usize| {
        wait_until("the notifications", SOON, || {
            let answer = api.get("/api/v1/notifications");
            if answer["total"] == count { Ok(()) } else { Err(answer) }
        });
    };
    send(&device, &platform, &[at(-60, json!({"temperature": 100.0}))]);
    let alarm = the_alarm(&api, "active_unacknowledged");
    notified(1);
    let path = format!("/api/v1/alarms/{}", id(&alarm, "/id"));
    api.post(&format!("{path}/acknowledge"), json!({}));
    api.post(&format!("{path}/dismiss"), json!({"reason": "Welding nearby"}));
    send(&device, &platform, &[at(-50, json!({"temperature": 101.0}))]);
    shows(&api, &asset, 101.0);
    assert_eq!(the_alarm(&api, "closed")["active"], true, "while the breach lasts, it stays dismissed");
    send(&device, &platform, &[at(-40, json!({"temperature": 20.0})), at(-30, json!({"temperature": 102.0}))]);
    let again = the_alarm(&api, "active_unacknowledged");
    assert_eq!((&again["id"], &again["repeats"], &again["closed"]), (&alarm["id"], &json!(1), &Value::Null));
    assert_eq!(api.get("/api/v1/alarms?open=true&acknowledged=false")["total"], 1);
    // The breach, the return to normal and the reopening; the work order stays the first one.
    notified(3);
    send(&device, &platform, &[at(-20, json!({"temperature": 20.0}))]);
    notified(4);
    activities(&api, 1);
}
