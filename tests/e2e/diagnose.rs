//! Where messages stay behind: how many readings each telemetry stream and the dead letters hold.

use domain::telemetry::{NormalizedPack, RawPack, decode_pack};
use eventlog::{Log, Settings, Stream};
use std::collections::BTreeMap;

pub fn print(nats: &str) {
    let nats = nats.to_owned();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let log = Log::connect(Settings::new(nats)).await.unwrap();
            let raw = log.read_subject(Stream::TelemetryRaw, "*", 1).await.unwrap();
            let mut by: BTreeMap<String, usize> = BTreeMap::new();
            let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
            for message in &raw {
                for reading in decode_pack::<RawPack>(&message.payload).unwrap().readings {
                    *by.entry(message.subject.clone()).or_default() += 1;
                    let value: serde_json::Value = serde_json::from_slice(&reading.payload).unwrap();
                    *seen.entry((reading.device.to_string(), value["metrics"]["sequence"].to_string())).or_default() += 1;
                }
            }
            eprintln!("raw {by:?} distinct {}", seen.len());
            let normalized = log.read_subject(Stream::TelemetryNormalized, "*.*", 1).await.unwrap();
            let mut count = 0;
            for message in &normalized {
                count += decode_pack::<NormalizedPack>(&message.payload).unwrap().readings.len();
            }
            eprintln!("normalized {count}");
            let dead = log.read_subject(Stream::TelemetryDlq, "*", 1).await.unwrap();
            for message in dead.iter().take(5) {
                eprintln!("dead {} {}", message.subject, String::from_utf8_lossy(&message.payload).chars().take(600).collect::<String>());
            }
            eprintln!("dead messages {}", dead.len());
        });
    })
    .join()
    .unwrap();
}
