//! Extreme values in the rows of an import file.

use serde_json::{Value, json};

use super::extremes::{Extreme, of};
use super::world::World;
use crate::support::{eventually, unique};

#[test]
fn no_extreme_value_in_a_file_causes_a_server_error_or_a_silent_change() {
    let world = World::new();
    let path = format!("/api/v1/devices/import?deviceTypeId={}&certificates=none", world.device_type);
    let mut rows = vec![];
    for field in ["name", "description", "serialNumber"] {
        for extreme in of(&json!({"type": "string", "maxLength": 200})) {
            let Extreme::Json(value) = extreme else { continue };
            let mut row = json!({"serialNumber": unique(), "name": "D"});
            row[field] = value;
            rows.push((field, row));
        }
    }
    let lines: Vec<String> = rows.iter().map(|(_, row)| row.to_string()).collect();
    let headers = [("content-type", "application/x-ndjson")];
    let answer = world.client.send("POST", &path, Some(&lines.join("\n")), &headers).ok();
    let results: Vec<Value> = answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(results.len(), rows.len());
    for (result, (field, row)) in results.iter().zip(&rows) {
        let problem = &result["problem"];
        if problem.is_object() {
            assert!(problem["status"].as_u64().unwrap() < 500, "{row}: {result}");
            assert_eq!(problem["errors"][0]["field"], *field, "{row}: {result}");
            continue;
        }
        let id = result["deviceId"].as_str().unwrap_or_else(|| panic!("{row}: {result}"));
        let path = format!("/api/v1/devices/{id}");
        // An import answers before the read model shows its devices.
        let device = eventually("the imported device", || {
            let answer = world.client.get(&path);
            (answer.status == 200).then_some(answer)
        });
        let (shown, sent) = (device["device"][field].as_str().unwrap_or_default(), row[field].as_str().unwrap());
        assert!(shown == sent || shown == sent.trim(), "{field}: {sent:?} became {shown:?}");
    }
}
