//! Times of requests: the years 0001 to 9999 in UTC, or the field is named.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::support::{Answer, Tenant, Text, tenant, unique};

/// Times at the ends of the years and of the offsets, and some that do not exist.
pub const TIMES: &[&str] = &[
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00-14:00",
    "0001-01-01T00:00:00+14:00",
    "0000-12-31T23:59:59Z",
    "-0001-12-31T23:59:59Z",
    "1582-10-10T00:00:00Z",
    "1969-12-31T23:59:59.999999Z",
    "2000-02-29T12:00:00.123456789Z",
    "2016-12-31T23:59:60Z",
    "2023-02-29T00:00:00Z",
    "2038-01-19T03:14:08Z",
    "2262-04-11T23:47:16.854775808Z",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59.9999999999+14:00",
    "9999-12-31T23:59:59-08:00",
    "9999-12-31T23:59:60Z",
    "+10000-01-01T00:00:00Z",
    "262142-12-31T23:59:59Z",
    "2026-01-28T24:00:00Z",
    "2026-01-28T10:00:00+24:00",
    "2026-01-28T10:00:00",
    "infinity",
    "now",
    "",
    "\u{0}",
];

const OUTSIDE: &str = "9999-12-31T23:59:59-08:00";

fn link(tenant: &Tenant, device: &str, body: Value) -> Answer {
    tenant.admin.post(&format!("/api/v1/devices/{device}/assets/{}/link", tenant.asset("Pump")), body)
}

#[test]
fn a_link_cannot_end_after_the_year_9999() {
    let tenant = tenant("Links for ever");
    let device = tenant.device(&unique());
    let until = |at: &str| link(&tenant, &device, json!({"validUntil": at}));
    assert_eq!(until(OUTSIDE).problem(422, "invalid-fields").fields(), ["validUntil"]);
    let last = "9999-12-31T23:59:59.999999Z";
    let created = until(last).created();
    assert_eq!(created["link"]["validUntil"], last);
    let path = format!("/api/v1/devices/{device}/links/{}", created["link"]["id"].text());
    let correct = |from: &str, until: &str| {
        tenant.admin.put(&path, json!({"validFrom": from, "validUntil": until, "reason": "typo"}))
    };
    let refused = correct("0000-12-31T23:59:59Z", OUTSIDE).problem(422, "invalid-fields");
    assert_eq!(refused.fields(), ["validFrom", "validUntil"]);
    let corrected = correct("0001-01-01T00:00:00-14:00", "2016-12-31T23:59:60Z").ok();
    let shown = (corrected["link"]["validFrom"].text(), corrected["link"]["validUntil"].text());
    assert_eq!(shown, ("0001-01-01T14:00:00Z".to_owned(), "2017-01-01T00:00:00Z".to_owned()));
    // Later events of other links are read as well: no read model stands still.
    let next = tenant.device(&unique());
    link(&tenant, &next, json!({"validFrom": "2026-01-01T00:00:00.123456789Z"})).created();
}

#[test]
fn an_activity_cannot_be_due_after_the_year_9999() {
    let tenant = tenant("Due for ever");
    let template =
        |hours: u32| tenant.admin.post("/api/v1/activity-templates", json!({"name": "T", "defaultDueHours": hours}));
    assert_eq!(template(u32::MAX).problem(422, "invalid-fields").fields(), ["defaultDueHours"]);
    let template = template(87_600).created()["template"]["id"].text();
    let due = |at: Value| {
        let body = json!({"targetId": tenant.asset("Pump"), "overrides": {"dueAt": at}});
        tenant.admin.post(&format!("/api/v1/activities/from-template/{template}"), body)
    };
    assert_eq!(due(json!(OUTSIDE)).problem(422, "invalid-fields").fields(), ["overrides.dueAt"]);
    due(Value::Null).created();
    assert_eq!(due(json!("9999-12-31T23:59:59+14:00")).created()["activity"]["dueAt"], "9999-12-31T09:59:59Z");
}

#[test]
fn a_time_in_a_query_or_a_cursor_is_in_the_years_1_to_9999() {
    let tenant = tenant("Times in queries");
    let asset = format!("assets/{}", tenant.asset("Pump"));
    for (path, parameter) in [
        ("certificates", "validAt"),
        ("audit", "from"),
        ("events", "to"),
        ("dead-letters", "from"),
        (asset.as_str(), "asOf"),
    ] {
        let get = |at: &str| {
            tenant.admin.get(&format!("/api/v1/{path}?{parameter}={}", at.replace('+', "%2B").replace('\0', "%00")))
        };
        assert_eq!(get(OUTSIDE).problem(400, "invalid-parameters").fields(), [parameter], "{path}");
        for at in TIMES {
            assert!(get(at).status < 500, "{path}?{parameter}={at}");
        }
    }
    let id = uuid::Uuid::nil();
    for (path, cursor) in [
        ("certificates", format!("{}_{}", i64::MAX, id.simple())),
        ("audit", format!("{}.ES.1.0", i64::MIN)),
        ("alarms", BASE64URL_NOPAD.encode(format!("raised_at~{id}~0000-01-01T00:00:00Z").as_bytes())),
    ] {
        let answer = tenant.admin.get(&format!("/api/v1/{path}?cursor={cursor}"));
        assert_eq!(answer.problem(400, "invalid-parameters").fields(), ["cursor"], "{path}");
    }
}
