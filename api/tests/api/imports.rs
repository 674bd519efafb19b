//! Importing devices from files, and exporting them.

use std::io::{Cursor, Read};

use serde_json::{Value, json};

use crate::support::{Answer, Tenant, Text, eventually, tenant};

const IMPORT: &str = "/api/v1/devices/import";

fn import(tenant: &Tenant, query: &str, kind: &str, file: &str) -> Answer {
    tenant.admin.send("POST", &format!("{IMPORT}{query}"), Some(file), &[("Content-Type", kind)])
}

fn lines(answer: &Answer) -> Vec<Value> {
    answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn results(answer: &Answer) -> Vec<String> {
    lines(answer).iter().map(|line| line["result"].text()).collect()
}

#[test]
fn an_import_creates_each_device_once_and_reports_each_row() {
    let tenant = tenant("Import");
    let kind = tenant.device_type();
    let before = tenant.device("SN-0");
    let file = format!(
        "\u{feff}serialNumber,name,deviceTypeId,description,attribute.floor,attribute.note\r\n\
         SN-1,First,{kind},\"Hall, north\",3,\"{{\"\"a\"\":[1]}}\"\r\n\
         SN-2,,,,,tall\r\n\
         SN-0,Other,,,,\r\n\
         ,Nameless,,,,\r\n\
         SN-3,X,{other},,,\r\n\
         SN-4,X\r\n\
         SN-5,X,nonsense,,,\r\n\
         SN-1,Again,,,,\r\n",
        other = before
    );
    let query = format!("?deviceTypeId={kind}");
    let answer = import(&tenant, &query, "text/csv; charset=utf-8", &file).ok();
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let expected = ["created", "created", "existing", "refused", "refused", "refused", "refused", "existing"];
    assert_eq!(results(&answer), expected, "{}", answer.text);
    let outcomes = lines(&answer);
    assert_eq!((outcomes[0]["row"].clone(), outcomes[7]["row"].clone()), (json!(1), json!(8)));
    assert_eq!(outcomes[2]["deviceId"].text(), before);
    assert_eq!(outcomes[7]["deviceId"], outcomes[0]["deviceId"]);
    let field = |index: usize| outcomes[index]["problem"]["errors"][0]["field"].text();
    assert_eq!((field(3), field(4), field(6)), ("serialNumber".into(), "deviceTypeId".into(), "deviceTypeId".into()));
    assert!(outcomes[5]["problem"]["detail"].text().contains("2 cells"), "{}", outcomes[5]);
    let path = format!("/api/v1/devices/{}", outcomes[0]["deviceId"].text());
    let device =
        eventually("the imported device", || Some(tenant.admin.get(&path)).filter(|answer| answer.status == 200));
    assert_eq!(device["device"]["description"].text(), "Hall, north");
    assert_eq!(device["device"]["customAttributes"], json!({"floor": 3, "note": {"a": [1]}}));
    // Importing the same file again creates nothing.
    let again = import(&tenant, &query, "text/csv", &file).ok();
    let expected = ["existing", "existing", "existing", "refused", "refused", "refused", "refused", "existing"];
    assert_eq!(results(&again), expected);
    assert_eq!(lines(&again)[1]["deviceId"], outcomes[1]["deviceId"]);
    assert_eq!(tenant.admin.get("/api/v1/devices").ok()["total"], 3);
}

#[test]
fn json_lines_carry_signing_requests_and_csv_accepts_semicolons() {
    let tenant = tenant("Lines");
    let kind = tenant.device_type();
    let keys = crate::support::openssl_workspace::OpensslWorkspace::new();
    let csr = keys.request("/CN=SN-1");
    let rows = [
        json!({"serialNumber": "SN-1", "deviceTypeId": kind, "csr": csr, "customAttributes": {"a": "b"}}),
        json!({"serialNumber": "SN-2", "deviceTypeId": kind, "csr": "nonsense"}),
        json!({"serialNumber": "SN-3", "deviceTypeId": kind, "colour": "red"}),
    ];
    let file = rows.iter().map(|row| format!("{row}\n")).collect::<String>() + "\n{\n";
    let answer = import(&tenant, "", "application/x-ndjson", &file).ok();
    assert_eq!(results(&answer), ["created", "refused", "refused", "refused"], "{}", answer.text);
    let outcomes = lines(&answer);
    assert_eq!(outcomes[0]["chain"].text().matches("BEGIN CERTIFICATE").count(), 2);
    assert_eq!(outcomes[1]["problem"]["errors"][0]["field"].text(), "csr");
    assert_eq!(outcomes[2]["problem"]["errors"][0]["field"].text(), "colour");
    assert!(outcomes[3]["problem"]["type"].text().ends_with("malformed-json"));
    let file = format!("serialNumber;name;deviceTypeId\nSN-9;Nine, the last;{kind}\n");
    let answer = import(&tenant, "", "text/csv", &file).ok();
    assert_eq!(results(&answer), ["created"], "{}", answer.text);
}

#[test]
fn an_unreadable_file_is_refused_as_a_whole() {
    let tenant = tenant("Refused files");
    let csv = |file: &str| import(&tenant, "", "text/csv", file);
    let fields = |answer: Answer| answer.problem(422, "invalid-fields").fields();
    assert_eq!(fields(csv("serialNumber,Name\nSN-1,x\n")), ["Name"]);
    assert_eq!(fields(csv("name,name\nx,x\n")), ["name", "serialNumber"]);
    csv("serialNumber\n").problem(422, "invalid-fields");
    csv("").problem(422, "invalid-fields");
    import(&tenant, "", "application/json", "{}").problem(415, "unsupported-media-type");
    import(&tenant, "?certificates=some", "text/csv", "serialNumber\nx\n").problem(400, "invalid-parameters");
    import(&tenant, "", "application/x-ndjson", &"{}\n".repeat(100_001)).problem(413, "too-large");
    let viewer = tenant.user_with_role("engineer");
    viewer.send("POST", IMPORT, Some("serialNumber\nx\n"), &[("Content-Type", "text/csv")]).problem(403, "forbidden");
    assert_eq!(tenant.admin.get("/api/v1/devices").ok()["total"], 0);
}

#[test]
fn one_archive_contains_the_bundles_of_all_new_devices() {
    let tenant = tenant("Bundles");
    tenant.device("SN-0");
    let query = format!("?certificates=bundle&deviceTypeId={}", tenant.device_type());
    let file = "serialNumber\nSN-0\nSN-1\n../../SN-2\n";
    let headers = [("Content-Type", "text/csv")];
    let bytes = tenant.admin.send_for_bytes("POST", &format!("{IMPORT}{query}"), file, &headers);
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut read = |name: &str| {
        let mut text = String::new();
        archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    let outcomes: Vec<Value> = read("results.ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let results: Vec<String> = outcomes.iter().map(|line| line["result"].text()).collect();
    assert_eq!(results, ["existing", "created", "created"]);
    for line in &outcomes[1..] {
        let id = line["deviceId"].text();
        let keys = crate::support::openssl_workspace::OpensslWorkspace::new();
        for name in ["device.crt", "device.key", "ca.crt"] {
            keys.write(name, &read(&format!("{id}/{name}")));
        }
        assert!(keys.openssl("x509 -in device.crt -noout -subject").contains(&id));
        assert_eq!(keys.openssl("pkey -in device.key -pubout"), keys.openssl("x509 -in device.crt -noout -pubkey"));
        let configuration: Value = serde_json::from_str(&read(&format!("{id}/config.json"))).unwrap();
        assert_eq!(configuration["deviceId"].text(), id);
    }
    assert_eq!(archive.len(), 2 * 4 + 1);
}

#[test]
fn an_export_can_be_imported() {
    let tenant = tenant("Export");
    let kind = tenant.device_type();
    let attributes = json!({"floor": "3", "height": 3.5, "tags": ["a"], "note": "x, \"y\"\nz"});
    for (serial_number, attributes) in [("SN-1", &attributes), ("SN-2", &json!({}))] {
        let new = json!({"name": "=1+1", "serialNumber": serial_number, "deviceTypeId": kind,
            "description": "a;b", "customAttributes": attributes});
        tenant.admin.post("/api/v1/devices", new).created();
    }
    let decommissioned = tenant.device("SN-3");
    tenant.admin.post(&format!("/api/v1/devices/{decommissioned}/decommission"), json!({"reason": "x"})).ok();
    let csv = tenant.admin.get("/api/v1/devices/export").ok();
    assert!(csv.header("content-type").unwrap().starts_with("text/csv"));
    assert!(
        csv.text.starts_with("id,status,serialNumber,name,deviceTypeId,description,attribute.floor,"),
        "{}",
        csv.text
    );
    assert!(!csv.text.contains("SN-3"));
    let all = tenant.admin.get("/api/v1/devices/export?format=jsonl&decommissioned=true").ok();
    let rows = lines(&all);
    assert_eq!(rows.len(), 3);
    assert_eq!(
        (rows[0]["customAttributes"].clone(), rows[2]["status"].text()),
        (attributes.clone(), "decommissioned".into())
    );
    assert_eq!(results(&import(&tenant, "", "text/csv", &csv.text).ok()), ["existing", "existing"]);
    // In another organisation the same file creates the devices, given a type that exists there.
    let other = crate::support::tenant("Import of an export");
    let file = csv.text.replace(&kind, &other.device_type());
    let imported = import(&other, "", "text/csv", &file).ok();
    assert_eq!(results(&imported), ["created", "created"], "{}", imported.text);
    let path = format!("/api/v1/devices/{}", lines(&imported)[0]["deviceId"].text());
    let device =
        eventually("the imported device", || Some(other.admin.get(&path)).filter(|answer| answer.status == 200));
    assert_eq!(device["device"]["customAttributes"], attributes);
}

/// Returns the attributes of a device as a response shows them, once it is listed.
fn attributes_of(tenant: &Tenant, line: &Value) -> Value {
    let path = format!("/api/v1/devices/{}", line["deviceId"].text());
    let shown = || Some(tenant.admin.get(&path)).filter(|answer| answer.status == 200);
    eventually("the imported device", shown)["device"]["customAttributes"].clone()
}

#[test]
fn an_iccid_keeps_every_digit_through_import_and_export() {
    let tenant = tenant("Identifiers");
    let kind = tenant.device_type();
    let columns = ["id", "status", "serialNumber", "name", "deviceTypeId", "description"];
    let names = ["date", "dotted", "empty", "flag", "iccid", "imei", "lot", "nan", "phone", "price", "sim", "year"];
    let cells = [
        "2026-01-02",
        "1.10",
        "",
        "true",
        "89490200001234567895",
        "004999010640000",
        "1e5",
        "NaN",
        "+49 30 1234",
        "-2.5",
        "9007199254740993",
        "2026",
    ];
    let header = columns.map(str::to_owned).into_iter().chain(names.map(|name| format!("attribute.{name}")));
    let header = header.collect::<Vec<_>>().join(",");
    let row = format!("ID,active,007,007,{kind},,{}", cells.join(","));
    let imported = import(&tenant, "", "text/csv", &format!("{header}\n{row}\n")).ok();
    let outcomes = lines(&imported);
    assert_eq!(results(&imported), ["created"], "{}", imported.text);
    let expected = json!({"date": "2026-01-02", "dotted": "1.10", "flag": true, "iccid": "89490200001234567895",
        "imei": "004999010640000", "lot": "1e5", "nan": "NaN", "phone": "+49 30 1234", "price": -2.5,
        "sim": "9007199254740993", "year": 2026});
    assert_eq!(attributes_of(&tenant, &outcomes[0]), expected);
    let exported = tenant.admin.get("/api/v1/devices/export").ok().text;
    let exported = exported.replace(&outcomes[0]["deviceId"].text(), "ID");
    // No device has an attribute `empty`, so the export has no such column.
    assert_eq!(exported, format!("{header}\n{row}\n").replace(",attribute.empty", "").replace(",1.10,,", ",1.10,"));
}

#[test]
fn a_file_is_the_same_after_export_import_and_export() {
    let texts = [
        "89490200001234567895",
        "007",
        "1e5",
        "3.0",
        "-0",
        "NaN",
        "TRUE",
        "null",
        "x, \"y\"\nz",
        " padded ",
        "\"",
        "\"3\"",
        "[1,2]",
        "{\"a\": 1}",
        "a;b\tc",
        "=SUM(A1)",
        "'1",
        "grün \u{1f600}",
        "",
    ];
    let numbers = [json!(3), json!(-2.5), json!(1e-7), json!(9_007_199_254_740_993_u64), json!(1e300), json!(true)];
    let others = [json!(null), json!([1, "2", {"b": 0.1, "a": u64::MAX}])];
    let values = texts.map(|text| json!(text)).into_iter().chain(numbers).chain(others);
    let devices = values.enumerate().map(|(index, value)| {
        json!({"name": format!("D {index}"), "serialNumber": format!("{index:03}"), "description": " =1+1, \"a\"\r\nb ",
            "customAttributes": {" a b": value, "index": index}})
    });
    let devices: Vec<Value> = devices.collect();
    let exports = |tenant: &Tenant, outcomes: &[Value], kind: &str| {
        eventually("all devices in the list", || {
            (tenant.admin.get("/api/v1/devices?status=active").ok()["total"] == devices.len()).then_some(())
        });
        ["csv", "jsonl"].map(|format| {
            let text = tenant.admin.get(&format!("/api/v1/devices/export?format={format}")).ok().text;
            let named =
                |text: String, line: &Value| text.replace(&line["deviceId"].text(), &line["serialNumber"].text());
            outcomes.iter().fold(text.replace(kind, "TYPE"), named)
        })
    };
    let first = tenant("First");
    let kind = first.device_type();
    // What only a decommissioned device has is not in the file.
    let gone = json!({"name": "X", "serialNumber": "X", "deviceTypeId": kind, "customAttributes": {"gone": 1}});
    let gone = first.admin.post("/api/v1/devices", gone).created()["device"]["id"].text();
    first.admin.post(&format!("/api/v1/devices/{gone}/decommission"), json!({"reason": "x"})).ok();
    let file: String = devices.iter().map(|device| format!("{device}\n")).collect();
    let imported = import(&first, &format!("?deviceTypeId={kind}"), "application/x-ndjson", &file).ok();
    assert!(results(&imported).iter().all(|result| result == "created"), "{}", imported.text);
    let original = exports(&first, &lines(&imported), &kind);
    for (content_type, file) in [("text/csv", &original[0]), ("application/x-ndjson", &original[1])] {
        let next = tenant("Next");
        let kind = next.device_type();
        let imported = import(&next, "", content_type, &file.replace("TYPE", &kind)).ok();
        assert!(results(&imported).iter().all(|result| result == "created"), "{}", imported.text);
        let again = exports(&next, &lines(&imported), &kind);
        assert_eq!(again[0], original[0], "{content_type}");
        if content_type == "application/x-ndjson" {
            assert_eq!(again[1], original[1]);
        }
    }
}

#[test]
fn a_row_with_a_number_that_would_lose_digits_is_refused() {
    let tenant = tenant("Inexact rows");
    let kind = tenant.device_type();
    let row = |serial_number: &str, attribute: &str| {
        format!("{{\"serialNumber\": \"{serial_number}\", \"customAttributes\": {{\"iccid\": {attribute}}}}}\n")
    };
    let file = [row("1", "89490200001234567895"), row("2", "1e999"), row("3", "\"89490200001234567895\"")].concat();
    let answer = import(&tenant, &format!("?deviceTypeId={kind}"), "application/x-ndjson", &file).ok();
    assert_eq!(results(&answer), ["refused", "refused", "created"], "{}", answer.text);
    let outcomes = lines(&answer);
    for refused in &outcomes[..2] {
        assert_eq!(refused["problem"]["errors"][0]["field"].text(), "customAttributes.iccid");
    }
    assert_eq!(attributes_of(&tenant, &outcomes[2]), json!({"iccid": "89490200001234567895"}));
}
