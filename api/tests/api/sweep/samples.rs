//! A valid request of each operation, by its id.
#![allow(clippy::too_many_lines, reason = "tables of samples")]

use serde_json::{Value, json};

use super::world::World;
use crate::support::unique;

/// A valid request.
#[derive(Clone, Default)]
pub struct Sample {
    /// The parameters in its path.
    pub path: Vec<(&'static str, String)>,
    /// The parameters that its query needs.
    pub query: Vec<(&'static str, String)>,
    /// Its body. `{unique}` in a text becomes different in each request; `"{number}"` becomes a number of its own.
    pub body: Value,
}

/// Operations that use up what they change: each request needs another sample.
const CONSUMING: &[&str] = &[
    "cancelActivity",
    "completeActivity",
    "checkActivityItem",
    "dismissAlarm",
    "acknowledgeAlarm",
    "revokeApiKey",
    "takeAssetOutOfService",
    "retireAsset",
    "decommissionDevice",
    "replaceDevice",
    "revokeDeviceToken",
    "suspendUser",
    "suspendOrganization",
    "renewCertificate",
    "revokeCertificate",
    "unlinkAsset",
    "correctLink",
    "issueDeviceToken",
];

/// Operations whose valid request is refused here, and why; they are only searched for server errors.
pub const REFUSED: &[(&str, &str)] = &[
    ("login", "the sweep has no password of anybody"),
    ("changePassword", "a changed password ends the session of the sweep"),
    ("enroll", "a claim code works once"),
    ("renewOwnCertificate", "only devices can call it, on the port for enrolment"),
    ("fetchOwnCertificate", "only devices can call it, on the port for enrolment"),
    ("fetchBundle", "a download link works once"),
    ("downloadBundle", "a download link works once"),
    ("getDeadLetter", "no stage has refused anything"),
    ("getNotification", "nobody was notified"),
    ("resendNotification", "nobody was notified"),
];

/// Operations that are not swept, and why.
pub const EXEMPT: &[(&str, &str)] = &[
    ("importDevices", "its body is a file: `files` sweeps it"),
    ("logout", "it ends the session of the sweep"),
    ("refresh", "its only input is a cookie"),
];

/// Fields that a sample has no value of, because few requests have one.
pub const ABSENT: &[&str] = &["csr"];

pub fn is_consuming(operation: &str) -> bool {
    CONSUMING.contains(&operation)
}

impl Sample {
    fn body(body: Value) -> Self {
        Self { body, ..Self::default() }
    }

    fn at(id: &str) -> Self {
        Self { path: vec![("id", id.to_owned())], ..Self::default() }
    }

    fn with(self, body: Value) -> Self {
        Self { body, ..self }
    }

    fn and(mut self, name: &'static str, value: &str) -> Self {
        self.path.push((name, value.to_owned()));
        self
    }
}

/// Returns valid requests of an operation: a field is swept in the first that can have it. None if the document has an
/// operation that is not known here.
pub fn of(world: &World, operation: &str) -> Option<Vec<Sample>> {
    let found = creations(world, operation).or_else(|| changes(world, operation)).or_else(|| steps(world, operation));
    found.or_else(|| reads(world, operation))
}

fn criterion() -> Value {
    json!({"metricKey": "flow", "operator": ">", "value": 3.0, "upper": null, "deadBand": 0.5, "perSecond": false,
        "noDataSeconds": null, "all": null, "any": null})
}

fn rule() -> Value {
    json!({"name": "Hot", "description": "d", "entityType": "asset", "entityId": null, "typeId": null,
        "metricKey": "temperature", "severity": "high", "cooldownSeconds": 300, "isActive": true,
        "action": {"type": "webhook", "url": "https://hooks.example/x"},
        "condition": {"operator": ">", "value": 80.0, "upper": null, "deadBand": 1.5, "perSecond": false,
            "noDataSeconds": null, "durationSeconds": 60, "maxGapSeconds": 600,
            "all": null, "any": null,
            "clear": {"metricKey": null, "operator": "<", "value": 70.0, "upper": null, "deadBand": null,
                "perSecond": null, "noDataSeconds": null, "all": null, "any": null},
            "schedule": {"timeZone": "Europe/Berlin", "windows": [{"days": ["mon"], "from": "08:00", "until": "18:00"}]}}})
}

fn compound_rule(field: &str) -> Value {
    let mut rule = rule();
    rule["condition"] = json!({field: [criterion()], "durationSeconds": 60});
    rule["action"] = json!({"type": "create_activity", "templateId": null});
    rule
}

fn bounds() -> Value {
    json!({"key": "temperature", "kind": "number", "unit": "Cel", "minimum": -50.0, "maximum": 150.0, "required": false})
}

fn asset_type() -> Value {
    json!({"name": "Pump", "description": "d", "icon": "pump", "staleAfterSeconds": 60, "takeoverAfterSeconds": 30,
        "derivedMetrics": [{"key": "power", "formula": "voltage * current", "unit": "W"}],
        "compositeMetrics": [{"key": "total", "of": "power", "aggregation": "sum", "unit": "W"}],
        "healthModel": {"staleAfterSeconds": 60, "children": {"fold": "worst", "weight": 1.0},
            "bands": [{"metricKey": "temperature", "goodLow": 10.0, "goodHigh": 80.0, "limitLow": 0.0,
                "limitHigh": 100.0, "weight": 1.0}]}})
}

fn converter() -> Value {
    json!({"name": "C", "description": "d", "sourceProtocol": "raw", "isActive": true, "timePath": "/at",
        "frame": {"encoding": "hex", "path": "/data"}, "targetSchema": [bounds()],
        "rules": [{"target": "temperature", "required": false, "register": {"offset": 0, "kind": "u16",
            "endianness": "big", "scale": 0.1, "bit": null}, "path": null, "formula": null}]})
}

fn converter_by(field: &str, value: &str) -> Value {
    let mut definition = converter();
    definition["rules"] = json!([{"target": "temperature", field: value}]);
    definition
}

fn template(world: &World) -> Value {
    json!({"name": "Inspect", "description": "d", "activityTypeId": world.activity_type, "triggerEventType": "MANUAL",
        "defaultPriority": "low", "defaultAssignedRole": "technician", "defaultDueHours": 4, "isActive": true,
        "checklist": [{"item": "Bearings", "required": false}]})
}

fn channel(medium: &Value) -> Value {
    json!({"name": "N", "description": "d", "isActive": true, "minimumSeverity": "low", "medium": medium})
}

fn channels() -> [Value; 3] {
    let people = |kind: &str| json!({"type": kind, "workRoles": ["technician"]});
    [
        channel(&json!({"type": "webhook", "url": "https://hooks.example/x"})),
        channel(&people("email")),
        channel(&people("push")),
    ]
}

fn profile(world: &World) -> Value {
    json!({"name": "P", "description": "d", "icon": "i", "assetTypeId": world.asset_type,
        "defaultAttributes": {"floor": 3}, "telemetryMappings": {"device.temp": "asset.temperature"},
        "defaultHealthThresholds": {"good": 80, "warning": 50, "critical": 20}})
}

fn creations(world: &World, operation: &str) -> Option<Vec<Sample>> {
    let many = |bodies: Vec<Value>| Some(bodies.into_iter().map(Sample::body).collect());
    many(match operation {
        "createActivityTemplate" => vec![template(world)],
        "createActivityType" => vec![json!({"name": "T", "description": "d", "icon": "i"})],
        "createApiKey" => vec![json!({"name": "K", "role": "viewer", "validityDays": 30})],
        "createAssetProfile" => vec![profile(world)],
        "createAssetType" => vec![asset_type()],
        "createAsset" => vec![
            json!({"name": "A", "description": "d", "kind": "asset", "assetTypeId": world.asset_type,
                "parentId": world.asset, "customAttributes": {"floor": 3},
                "location": {"latitude": 52.5, "longitude": 13.4}}),
            json!({"name": "A", "profileId": world.profile}),
        ],
        "createDeviceType" => {
            vec![json!({"name": "T", "description": "d", "unknownMetrics": "keep", "metrics": [bounds()]})]
        }
        "createDevice" => vec![
            json!({"name": "D", "description": "d", "serialNumber": "SN-{unique}", "deviceTypeId": world.device_type,
                "customAttributes": {"floor": 3}, "issueCertificate": false}),
            json!({"name": "D", "serialNumber": "SN-{unique}", "deviceTypeId": world.device_type,
                "certificateValidityDays": 30, "downloadLink": true}),
        ],
        "issueClaimCodes" => {
            vec![json!({"serialNumbers": ["CC-{unique}"], "validityHours": 24, "deviceTypeId": world.device_type})]
        }
        "createNotificationChannel" => channels().into(),
        "createOrganization" => vec![json!({"name": "O {unique}"})],
        "createProtocolConverter" => {
            vec![converter(), converter_by("path", "/t"), converter_by("formula", "1 + 1")]
        }
        "createRule" => vec![rule(), compound_rule("all"), compound_rule("any")],
        "createUser" => vec![
            json!({"email": "u-{unique}@sweep.example", "name": "U", "password": "correct horse", "role": "viewer",
                "organizationId": world.organization, "workRoles": ["technician"]}),
        ],
        "createActivityFromTemplate" => {
            return Some(vec![Sample {
                path: vec![("templateId", world.template.clone())],
                body: json!({"targetId": world.asset, "overrides": {"name": "N", "description": "d", "priority": "high",
                "assignedToUserId": world.user, "assignedRole": "technician", "dueAt": "2030-01-01T00:00:00Z"}}),
                ..Sample::default()
            }]);
        }
        "login" => vec![json!({"email": "nobody@sweep.example", "password": "wrong"})],
        "changePassword" => vec![json!({"currentPassword": "wrong", "newPassword": "wrong"})],
        "enroll" => vec![json!({"code": "AAAA-AAAA", "serialNumber": "SN", "csr": "x"})],
        "renewOwnCertificate" => vec![json!({"csr": "x"})],
        _ => return None,
    })
}

fn changes(world: &World, operation: &str) -> Option<Vec<Sample>> {
    let of = |id: String, bodies: Vec<Value>| Some(bodies.into_iter().map(|body| Sample::at(&id).with(body)).collect());
    match operation {
        "updateActivityTemplate" => of(world.create("activity-templates", json!({"name": "T"})), vec![template(world)]),
        "updateActivityType" => of(
            world.create("activity-types", json!({"name": "T"})),
            vec![json!({"name": "T", "description": "d", "icon": "i"})],
        ),
        "updateAssetProfile" => of(world.create("asset-profiles", profile(world)), vec![profile(world)]),
        "updateAssetType" => of(world.create("asset-types", asset_type()), vec![asset_type()]),
        "updateAsset" => of(
            world.new_asset(),
            vec![json!({"name": "A", "description": "d", "parentId": world.asset,
            "customAttributes": {"floor": 3}, "location": {"latitude": 52.5, "longitude": 13.4}})],
        ),
        "updateDeviceType" => of(
            world.create("device-types", json!({"name": "T"})),
            vec![json!({"name": "T", "description": "d", "unknownMetrics": "keep", "metrics": [bounds()]})],
        ),
        "updateDevice" => {
            of(world.new_device(), vec![json!({"name": "D", "description": "d", "customAttributes": {"floor": 3}})])
        }
        "updateNotificationChannel" => {
            of(world.create("notification-channels", channels()[0].clone()), channels().into())
        }
        "updateOrganization" => {
            of(world.create("organizations", json!({"name": unique()})), vec![json!({"name": "O {unique}"})])
        }
        "updateProtocolConverter" => of(
            world.create("protocol-converters", converter()),
            vec![converter(), converter_by("path", "/t"), converter_by("formula", "1 + 1")],
        ),
        "updateRule" => {
            let without_scope = |mut rule: Value| {
                for fixed in ["entityType", "entityId", "typeId"] {
                    rule.as_object_mut().unwrap().remove(fixed);
                }
                rule
            };
            let bodies = [rule(), compound_rule("all"), compound_rule("any")];
            of(world.create("rules", rule()), bodies.map(without_scope).into())
        }
        "updateUser" => of(world.new_user(), vec![json!({"name": "U", "role": "viewer", "workRoles": ["technician"]})]),
        "changeCertificatePolicy" => {
            Some(vec![Sample::body(json!({"automaticRenewal": false, "noticeDays": 14, "overlapDays": 2}))])
        }
        "changeTelemetryRetention" => Some(vec![Sample::body(json!({"days": 90}))]),
        "assignConverter" => {
            of(world.create("device-types", json!({"name": "T"})), vec![json!({"converterId": world.converter})])
        }
        "linkAsset" => {
            let body = json!({"port": "{number}", "role": "primary", "validFrom": "2026-01-01T00:00:00Z",
                "validUntil": "2030-01-01T00:00:00Z", "metricsMapping": {"device.temp": "asset.temperature"}});
            let ids = Sample { path: vec![("deviceId", world.new_device())], ..Sample::default() };
            Some(vec![ids.and("assetId", &world.asset).with(body)])
        }
        "correctLink" => {
            let (device, link) = world.new_link();
            let body = json!({"port": 1, "role": "primary", "validFrom": "2026-01-01T00:00:00Z",
                "validUntil": "2030-01-01T00:00:00Z", "metricsMapping": {"device.temp": "asset.temperature"},
                "reason": "typo"});
            Some(vec![Sample::at(&link).and("deviceId", &device).with(body)])
        }
        _ => None,
    }
}

fn steps(world: &World, operation: &str) -> Option<Vec<Sample>> {
    let one = |id: &str, body: Value| Some(vec![Sample::at(id).with(body)]);
    match operation {
        "assignActivity" => {
            one(&world.new_activity(), json!({"assignedRole": "technician", "assignedToUserId": world.user}))
        }
        "suspendOrganization" => one(&world.create("organizations", json!({"name": unique()})), json!({"reason": "r"})),
        "cancelActivity" => one(&world.new_activity(), json!({"reason": "r"})),
        "commentActivity" => one(&world.new_activity(), json!({"text": "t"})),
        "completeActivity" => one(&world.started_activity(), json!({"note": "n"})),
        "startActivity" => one(&world.assigned_activity(), json!({})),
        "checkActivityItem" => {
            Some(vec![Sample::at(&world.started_activity()).and("index", "0").with(json!({"done": true}))])
        }
        "acknowledgeAlarm" => one(&world.new_alarm(), json!({"comment": "c"})),
        "assignAlarm" => one(&world.alarm, json!({"assigneeId": world.user})),
        "commentAlarm" => one(&world.new_alarm(), json!({"text": "t"})),
        "dismissAlarm" => one(&world.new_alarm(), json!({"reason": "r"})),
        "shelveAlarm" => one(&world.new_alarm(), json!({"until": world.tomorrow(), "reason": "r"})),
        "unshelveAlarm" => one(&world.alarm, json!({})),
        "revokeApiKey" => one(&world.new_key(), json!({"reason": "r"})),
        "takeAssetOutOfService" => one(&world.new_asset(), json!({"reason": "r"})),
        "returnAssetToService" => one(&world.asset, json!({})),
        "retireAsset" => Some(vec![Sample { query: vec![("reason", "r".into())], ..Sample::at(&world.new_asset()) }]),
        "decommissionDevice" => one(&world.new_device(), json!({"reason": "r"})),
        "replaceDevice" => {
            let body = json!({"serialNumber": "R-{unique}", "reason": "r", "certificateValidityDays": 30,
                "downloadLink": false, "issueCertificate": true});
            one(&world.new_device(), body)
        }
        "renewCertificate" => {
            one(&world.certified_device(), json!({"overlapDays": 1, "validityDays": 30, "downloadLink": false}))
        }
        "revokeCertificate" => {
            one(&world.certified_device(), json!({"reason": "r", "code": "superseded", "certificateId": null}))
        }
        "issueClaimCode" => one(&world.new_device(), json!({"validityHours": 24})),
        "withdrawClaimCode" | "appointGateway" | "dismissGateway" => one(&world.new_device(), json!({})),
        "issueDeviceToken" => one(&world.new_device(), json!({"label": "l", "validityDays": 30})),
        "revokeDeviceToken" => {
            let (device, token) = world.new_token();
            let query = vec![("reason", "r".to_owned())];
            Some(vec![Sample { query, ..Sample::at(&device).and("tokenId", &token) }])
        }
        "unlinkAsset" => {
            let (device, _) = world.new_link();
            let path = vec![("deviceId", device), ("assetId", world.asset.clone())];
            Some(vec![Sample { path, ..Sample::default() }])
        }
        "discardDeadLetters" => Some(vec![Sample::body(json!({"ids": [world.asset], "comment": "c"}))]),
        "redriveDeadLetters" => Some(vec![Sample::body(json!({"ids": [world.asset]}))]),
        "suspendUser" => one(&world.new_user(), json!({"reason": "r"})),
        "reactivateUser" | "eraseUser" => one(&world.new_user(), json!({})),
        "reactivateOrganization" => one(&world.organization, json!({})),
        "testProtocolConverter" => Some(vec![
            Sample::at(&world.converter).with(json!({"json": {"at": 1_769_600_000, "data": "0010"}})),
            Sample::at(&world.converter).with(json!({"text": "{}"})),
            Sample::at(&world.converter).with(json!({"base64": "e30="})),
        ]),
        "deleteActivityTemplate" => one(&world.create("activity-templates", json!({"name": "T"})), json!({})),
        "deleteRule" => one(&world.create("rules", rule()), json!({})),
        "retireActivityType" => one(&world.create("activity-types", json!({"name": "T"})), json!({})),
        "retireAssetProfile" => one(&world.create("asset-profiles", profile(world)), json!({})),
        "retireAssetType" => one(&world.create("asset-types", json!({"name": "T"})), json!({})),
        "retireDeviceType" => one(&world.create("device-types", json!({"name": "T"})), json!({})),
        "retireNotificationChannel" => one(&world.create("notification-channels", channels()[0].clone()), json!({})),
        "retireProtocolConverter" => one(&world.create("protocol-converters", converter()), json!({})),
        "replaceWebhookSecret" => Some(vec![Sample::body(json!({}))]),
        _ => None,
    }
}

/// Reads are known by the first segment of what they read.
fn reads(world: &World, operation: &str) -> Option<Vec<Sample>> {
    let telemetry = |name: &'static str, id: &str| Sample {
        path: vec![(name, id.to_owned())],
        query: vec![("metricKey", "temperature".into())],
        ..Sample::default()
    };
    Some(vec![match operation {
        "getActivity" | "activityHistory" => Sample::at(&world.activity),
        "getActivityTemplate" | "activityTemplateHistory" => Sample::at(&world.template),
        "getActivityType" | "activityTypeHistory" => Sample::at(&world.activity_type),
        "getAlarm" | "alarmHistory" => Sample::at(&world.alarm),
        "apiKeyHistory" => Sample::at(&world.new_key()),
        "getAssetProfile" | "assetProfileHistory" => Sample::at(&world.profile),
        "getAssetType" | "assetTypeHistory" => Sample::at(&world.asset_type),
        "getAsset" | "assetHealth" | "assetHistory" => Sample::at(&world.asset),
        "devicesOfAsset" | "assetTelemetry" | "assetLatest" => telemetry("assetId", &world.asset),
        "getCertificate" | "certificateHistory" => Sample::at(&world.certificate),
        "getDeviceType" | "deviceTypeHistory" => Sample::at(&world.device_type),
        "assetsOfDevice" | "deviceTelemetry" | "deviceLatest" => telemetry("deviceId", &world.device),
        "getDevice" | "listCertificates" | "getGateway" | "deviceHistory" | "listDeviceTokens" => {
            Sample::at(&world.device)
        }
        "getLink" => Sample::at(&world.link),
        "getNotificationChannel" | "notificationChannelHistory" => Sample::at(&world.channel),
        "getOrganization" | "organizationHistory" => Sample::at(&world.organization),
        "getProtocolConverter" | "protocolConverterHistory" => Sample::at(&world.converter),
        "getRule" | "ruleHistory" => Sample::at(&world.rule),
        "getUser" | "userHistory" => Sample::at(&world.user),
        "getDeadLetter" | "getNotification" | "resendNotification" => Sample::at(&world.asset),
        "downloadBundle" => Sample { query: vec![("token", "x".into())], ..Sample::at(&world.device) },
        "fetchBundle" => Sample::at(&world.device).and("token", "x"),
        "me" | "getCertificatePolicy" | "getTelemetryRetention" | "exportDevices" | "fetchOwnCertificate" => {
            Sample::default()
        }
        list if list.starts_with("list") => Sample::default(),
        _ => return None,
    }])
}
