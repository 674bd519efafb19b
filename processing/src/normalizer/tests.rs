//! Raw packs in, normalised packs and dead letters out.

use domain::telemetry::{DeadLetter, NormalizedPack, Origin, Quality, decode_pack};
use eventlog::Stream;

use serde_json::json;

use super::*;
use crate::testing::{
    ACME, DEVICE_TYPE, MemoryLog, OTHER, Plan, RETIRED, TestDirectory, at, device, hot, pack, raw, run_stage,
    sample_directory,
};

fn normalized(log: &MemoryLog) -> Vec<(String, NormalizedPack)> {
    let read = |message: &Message| (message.subject_tail().to_owned(), decode_pack(&message.payload).unwrap());
    log.read(Stream::TelemetryNormalized).iter().map(read).collect()
}

fn letters(log: &MemoryLog) -> Vec<DeadLetter> {
    let read = |message: &Message| serde_json::from_slice::<Vec<DeadLetter>>(&message.payload).unwrap();
    log.read(Stream::TelemetryDlq).iter().flat_map(read).collect()
}

fn run(log: &mut MemoryLog) {
    let commands = run_stage(&Normalizer::default(), &sample_directory().0, log, &Plan::straight());
    assert_eq!(commands, []);
}

#[test]
fn readings_go_to_the_partition_of_their_device_in_shard_order() {
    let mut log = MemoryLog::default();
    log.store(
        Stream::TelemetryRaw,
        "0",
        pack(vec![hot(device(1), 0, 1, 20.0), hot(device(2), 0, 1, 21.0), hot(device(1), 1, 2, 22.0)]),
    );
    log.store(Stream::TelemetryRaw, "1", pack(vec![hot(device(1), 2, 3, 23.0)]));
    log.store(
        Stream::TelemetryRaw,
        "0",
        pack(vec![raw(device(1), 9, r#"[{"metrics":{"temperature":24,"on":true}},{"metrics":{"temperature":999}}]"#)]),
    );
    run(&mut log);
    let packs = normalized(&log);
    assert_eq!(packs.iter().map(|(tail, _)| tail.as_str()).collect::<Vec<_>>(), ["1.0", "1.1", "2.0"]);
    let (_, pack) = &packs[0];
    let origins: Vec<_> =
        pack.readings.iter().map(|reading| (reading.origin.sequence, reading.origin.ordinal)).collect();
    assert_eq!(origins, [(1, 0), (1, 2_000), (3, 0), (3, 1)]);
    assert_eq!(pack.readings.iter().map(|reading| reading.numbers[0]).collect::<Vec<_>>(), [20.0, 22.0, 24.0, 999.0]);
    assert_eq!((pack.read_up_to, pack.es_position), (3, sample_directory().0.position()));
    assert_eq!(pack.sets.0, [["temperature"]]);
    assert_eq!((pack.readings[2].others.len(), pack.readings[3].flaws.len()), (1, 1));
    let micro = TimeDelta::microseconds(1);
    let times: Vec<_> = pack.readings.iter().map(|reading| reading.measured_at).collect();
    assert_eq!(times, [at(0), at(1), at(9) - micro, at(9)]);
    assert_eq!(letters(&log), []);
}

#[test]
fn a_rejected_reading_goes_to_the_dead_letters_with_its_reason_and_blocks_nothing() {
    let mut foreign = hot(device(1), 0, 1, 20.0);
    foreign.organization = OTHER;
    let readings = vec![
        raw(domain::ids::DeviceId(uuid::Uuid::from_u128(5)), 1, r#"{"metrics":{"temperature":1}}"#),
        foreign,
        raw(RETIRED, 1, r#"{"metrics":{"temperature":1}}"#),
        raw(device(1), 1, "not json"),
        raw(device(1), 1, r#"{"metrics":{"temperature":NaN}}"#),
        raw(device(1), 1, r#"{"metrics":{"temperature":"hot"}}"#),
        raw(device(1), 1, r#"{"ts":0,"metrics":{"temperature":1}}"#),
        raw(device(1), 1, r#"[{"metrics":{"on":true}},{"metrics":{"temperature":7}}]"#),
    ];
    let mut log = MemoryLog::default();
    log.store(Stream::TelemetryRaw, "0", pack(readings));
    run(&mut log);
    let letters = letters(&log);
    let reasons: Vec<_> = letters.iter().map(|letter| letter.reason.as_str()).collect();
    let expected = [
        "unknown_device",
        "wrong_organization",
        "decommissioned",
        "malformed_json",
        "not_finite",
        "not_a_number",
        "clock_too_early",
        "missing_metric",
    ];
    assert_eq!(reasons, expected);
    assert_eq!((letters[3].payload.as_str(), letters[3].subject.as_str()), ("not json", "telemetry.raw.v1.0"));
    assert_eq!((letters[3].organization, letters[3].device), (Some(ACME), Some(device(1))));
    let packs = normalized(&log);
    assert_eq!((packs.len(), packs[0].1.readings[0].numbers[0]), (1, 7.0));
    assert_eq!(packs[0].1.readings[0].origin, Origin { sequence: 1, ordinal: 7_001 });
}

#[test]
fn readings_of_an_array_without_times_are_all_kept() {
    let payload = format!(
        r#"[{{"metrics":{{"temperature":1}}}},{{"ts":{},"metrics":{{"temperature":2}}}},{{"ts":null,"metrics":{{"temperature":3}}}}]"#,
        at(5).timestamp()
    );
    let mut log = MemoryLog::default();
    log.store(Stream::TelemetryRaw, "0", pack(vec![raw(device(1), 9, payload)]));
    run(&mut log);
    let read = |reading: &domain::telemetry::Reading| (reading.measured_at, reading.received_at, reading.numbers[0]);
    let found: Vec<_> = normalized(&log)[0].1.readings.iter().map(read).collect();
    assert_eq!(found, [(at(9) - TimeDelta::microseconds(2), at(9), 1.0), (at(5), at(9), 2.0), (at(9), at(9), 3.0)]);
}

#[test]
fn a_rejected_reading_of_an_array_is_redriven_alone_and_with_the_time_that_it_would_have_had() {
    let late = (at(0) - TimeDelta::days(400)).timestamp();
    let text = "x".repeat(900);
    let array = |second: &str, last: &str| {
        let rest = format!(r#"{{"metrics":{{"temperature":3,"t":"{text}"}}}},"#).repeat(5);
        format!(
            r#"[{{"metrics":{{"temperature":1}}}},{{"metrics":{second}}}, {rest}{{"ts":{last},"metrics":{{"temperature":2}}}}]"#
        )
    };
    let sent = |payload: String| {
        let mut log = MemoryLog::default();
        log.store(Stream::TelemetryRaw, "0", pack(vec![raw(device(1), 9, payload)]));
        run(&mut log);
        log
    };
    let letters = letters(&sent(array(r#"{"on":true}"#, &late.to_string())));
    let found: Vec<_> =
        letters.iter().map(|letter| (letter.reason.as_str(), letter.received_at, letter.payload.as_str())).collect();
    let texts = [r#"{"metrics":{"on":true}}"#.to_owned(), format!(r#"{{"ts":{late},"metrics":{{"temperature":2}}}}"#)];
    let second = at(9) - TimeDelta::microseconds(6);
    assert_eq!(found, [("missing_metric", second, &*texts[0]), ("clock_too_early", at(9), &*texts[1])]);
    assert!(letters.iter().all(|letter| !letter.may_be_cut()));
    // Had it been valid, it would have had the time that it gets when it is redriven.
    let valid = normalized(&sent(array(r#"{"temperature":7}"#, "null")));
    assert_eq!(valid[0].1.readings[1].measured_at, second);
}

#[test]
fn a_rejected_reading_of_a_converted_array_keeps_its_whole_payload() {
    let mut directory = sample_directory();
    let converter = uuid::Uuid::from_u128(0xc0);
    let definition = json!({"definition": {"name": "C", "source_protocol": "raw", "is_active": true,
        "rules": [{"target": "temperature", "source": {"path": "/0/v"}}]}});
    directory.apply(converter, "protocol_converter", "ProtocolConverterDefined", definition);
    directory.apply(DEVICE_TYPE, "device_type", "DeviceTypeConverterAssigned", json!({"converter_id": converter}));
    let mut log = MemoryLog::default();
    let payloads = [r#"[{"v":"text"}]"#, r#"[{"v":9007199254740993}]"#, r#"[{"v":18446744073709551617}]"#];
    log.store(Stream::TelemetryRaw, "0", pack(payloads.map(|payload| raw(device(1), 1, payload)).to_vec()));
    assert_eq!(run_stage(&Normalizer::default(), &directory.0, &mut log, &Plan::straight()), []);
    let letters = letters(&log);
    assert_eq!(
        (letters.len(), letters[0].reason.as_str(), letters[0].payload.as_str()),
        (1, "not_a_number", payloads[0])
    );
    let uncertain = vec![("temperature".to_owned(), Quality::Uncertain)];
    let found: Vec<_> = normalized(&log)[0].1.readings.iter().map(|reading| reading.flaws.clone()).collect();
    assert_eq!(found, [uncertain.clone(), uncertain]);
}

#[test]
fn large_batches_are_split_and_a_split_message_is_not_claimed_as_read() {
    let text = "x".repeat(1_000);
    let many = |from: i64| {
        (from..from + 600)
            .map(|n| raw(device(1), n, format!(r#"{{"metrics":{{"temperature":1,"t":"{text}"}}}}"#)))
            .collect()
    };
    let mut log = MemoryLog::default();
    log.store(Stream::TelemetryRaw, "0", pack(many(0)));
    log.store(Stream::TelemetryRaw, "0", pack(many(600)));
    run(&mut log);
    let packs = normalized(&log);
    assert!(packs.len() > 4);
    assert_eq!(packs.iter().map(|(_, pack)| pack.readings.len()).sum::<usize>(), 1_200);
    assert!(log.read(Stream::TelemetryNormalized).iter().all(|message| message.payload.len() < 512 << 10));
    for (_, pack) in &packs[..packs.len() - 1] {
        assert!(pack.read_up_to < pack.readings.last().unwrap().origin.sequence);
    }
    assert_eq!(packs.last().unwrap().1.read_up_to, 2);
}

#[test]
fn an_unknown_device_makes_the_directory_catch_up_first() {
    let directory = sample_directory();
    let known = RawPack { readings: vec![hot(device(1), 0, 1, 1.0), hot(RETIRED, 0, 1, 1.0)] };
    let unknown = RawPack { readings: vec![hot(domain::ids::DeviceId(uuid::Uuid::from_u128(5)), 0, 1, 1.0)] };
    assert!(!Normalizer::needs_newer_directory(&directory.0, &known));
    assert!(Normalizer::needs_newer_directory(&directory.0, &unknown));
}

#[test]
fn a_numbered_shard_is_its_own_unit_and_a_named_one_is_hashed() {
    assert_eq!(["0", "3", "15", "16"].map(unit_of), [0, 3, 15, 0]);
    assert!(unit_of("edge-a") < PARTITIONS);
    assert_eq!(unit_of("edge-a"), unit_of("edge-a"));
}

#[test]
fn the_origin_of_a_reading_does_not_depend_on_rejections_before_it() {
    let mut directory = sample_directory();
    let mut log = MemoryLog::default();
    log.store(Stream::TelemetryRaw, "0", pack(vec![hot(device(2), 0, 1, 1.0), hot(device(1), 0, 1, 1.0)]));
    let mut again = log.clone();
    run_stage(&Normalizer::default(), &directory.0, &mut log, &Plan::straight());
    directory.apply(device(2).0, "device", "DeviceDecommissioned", serde_json::json!({"reason": "old"}));
    run_stage(&Normalizer::default(), &directory.0, &mut again, &Plan::straight());
    assert_eq!(normalized(&again)[0].1.readings[0].origin, normalized(&log)[0].1.readings[0].origin);
}

#[test]
fn payloads_are_converted_with_the_active_converter_of_the_device_type() {
    let mut directory = sample_directory();
    let converter = uuid::Uuid::from_u128(0xc0);
    let definition = |scale: f64, is_active: bool| {
        let register = json!({"offset": 0, "kind": "u16", "scale": scale});
        json!({"definition": {"name": "C", "source_protocol": "modbus", "frame": {"encoding": "binary"},
            "rules": [{"target": "temperature", "source": {"register": register}, "required": true}],
            "is_active": is_active}})
    };
    directory.apply(converter, "protocol_converter", "ProtocolConverterDefined", definition(0.1, true));
    directory.apply(DEVICE_TYPE, "device_type", "DeviceTypeConverterAssigned", json!({"converter_id": converter}));
    let mut log = MemoryLog::default();
    let bytes = |bytes: &'static [u8]| raw(device(1), 1, bytes);
    log.store(Stream::TelemetryRaw, "0", pack(vec![bytes(&[0x00, 0xd7]), bytes(&[0x01])]));
    let run = |directory: &TestDirectory, log: &mut MemoryLog| {
        run_stage(&Normalizer::default(), &directory.0, log, &Plan::straight())
    };
    assert_eq!(run(&directory, &mut log), []);
    let packs = normalized(&log);
    assert_eq!(packs[0].1.readings.iter().map(|reading| reading.numbers[0]).collect::<Vec<_>>(), [21.5]);
    let refused: Vec<_> = letters(&log).iter().map(|letter| (letter.reason.clone(), letter.detail.clone())).collect();
    assert_eq!(refused[0].0, "not_converted");
    assert!(refused[0].1.contains("temperature: the frame ends after 1 bytes"), "{refused:?}");
    // An inactive converter is not applied.
    directory.apply(converter, "protocol_converter", "ProtocolConverterRevised", definition(0.1, false));
    let mut log = MemoryLog::default();
    log.store(Stream::TelemetryRaw, "0", pack(vec![hot(device(1), 0, 1, 20.0)]));
    assert_eq!(run(&directory, &mut log), []);
    assert_eq!(normalized(&log)[0].1.readings[0].numbers, [20.0]);
}

#[test]
fn the_retention_of_the_organization_limits_how_late_a_reading_may_be() {
    let chosen = |days: Option<u32>| {
        let mut directory = sample_directory();
        if let Some(days) = days {
            directory.apply(ACME.0, "organization", "TelemetryRetentionChanged", json!({"days": days}));
        }
        let late = |days: i64| {
            let measured = (at(0) - TimeDelta::days(days)).timestamp_millis();
            raw(device(1), 0, json!({"ts": measured, "metrics": {"temperature": days}}).to_string())
        };
        let mut log = MemoryLog::default();
        log.store(Stream::TelemetryRaw, "0", pack([0, 2, 3, 365, 366, 400, 401].map(late).to_vec()));
        assert_eq!(run_stage(&Normalizer::default(), &directory.0, &mut log, &Plan::straight()), []);
        let refused: Vec<_> = letters(&log).into_iter().map(|letter| (letter.reason, letter.detail)).collect();
        let (_, pack) = normalized(&log).remove(0);
        (pack.readings.iter().map(|reading| reading.numbers[0]).collect::<Vec<_>>(), refused)
    };
    assert_eq!(chosen(None).0, [0.0, 2.0, 3.0, 365.0]);
    assert_eq!(chosen(Some(400)).0, [0.0, 2.0, 3.0, 365.0, 366.0, 400.0]);
    let (kept, refused) = chosen(Some(2));
    assert_eq!((kept, refused.len()), (vec![0.0, 2.0], 5));
    assert_eq!(refused[0].0, "clock_too_early");
    assert!(refused[0].1.contains("telemetry is kept for 2 days"), "{}", refused[0].1);
}
