//! Plays a history on the running platform and tells the reference the same, step by step. Every step waits until its
//! effects are visible, so that the order in which the platform takes them is the order of the history.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::history::{
    ASSETS, DECLARED, DEVICES, Edit, Entity, FIRST_COOLDOWN, FIRST_LIMIT, History, LINKS, Message, RULES, Step, UNTIMED,
};
use super::model::{Micros, Reference};
use crate::api_client::Api;
use crate::clients::ensure_command;
use crate::fixtures::{id, now_millis};
use crate::platform::Platform;
use crate::wait::wait_for;

/// The longest wait for an effect.
const SOON: Duration = Duration::from_secs(60);
/// The metric whose arrival shows that everything before it has arrived. Its times are before all others.
pub const MARK: &str = "mark";
/// The value of the last mark, which raises an alarm.
const LAST_MARK: u64 = 1_000_000;
/// The device that feeds every asset.
const FEEDS_ALL: usize = 0;
const MILLIS_PER_HOUR: i64 = 3_600_000;

/// What all cases share.
pub struct World {
    api: Api,
    telemetry: String,
    root: PathBuf,
    device_type: String,
    asset_type: String,
    template: String,
    mark_rule_of_devices: String,
    mark_rule_of_assets: String,
    /// The start of an hour three hours ago, milliseconds.
    first_hour: i64,
    cases: AtomicUsize,
}

/// A case: its own devices, assets and rules, and the reference.
pub struct Case<'w> {
    world: &'w World,
    pub api: Api,
    pub devices: Vec<String>,
    tokens: Vec<String>,
    pub assets: Vec<String>,
    links: Vec<String>,
    pub rules: Vec<String>,
    pub reference: Reference,
    /// How many marks each device sent.
    marks: [u64; DEVICES],
    /// How many readings without a time each device sent.
    untimed: [usize; DEVICES],
    pub first_hour: i64,
}

impl World {
    /// Creates what all cases share.
    pub fn new(platform: &Platform) -> Self {
        ensure_command("curl", "curl");
        let api = platform.admin();
        let root = platform.folder.path().join("root.crt");
        std::fs::write(&root, api.text("/pki/ca.pem")).unwrap();
        let level = json!({"key": "level", "minimum": DECLARED.0, "maximum": DECLARED.1});
        let device_type = api.post("/api/v1/device-types", json!({"name": "Reference", "metrics": [level]}));
        let device_type = id(&device_type, "/deviceType/id");
        let asset_type = id(&api.post("/api/v1/asset-types", json!({"name": "Reference"})), "/assetType/id");
        let template = json!({"name": "Look", "triggerEventType": "THRESHOLD_BREACH", "defaultPriority": "low"});
        let template = id(&api.post("/api/v1/activity-templates", template), "/template/id");
        let mark_rule = |entity_type: &str, type_id: &str| {
            let condition = json!({"operator": ">=", "value": LAST_MARK});
            let rule = json!({"name": "The end", "entityType": entity_type, "typeId": type_id, "metricKey": MARK,
                "condition": condition, "severity": "low"});
            id(&api.post("/api/v1/rules", rule), "/rule/id")
        };
        Self {
            telemetry: format!("https://localhost:{}/api/v1/telemetry", platform.base + 6),
            root,
            mark_rule_of_devices: mark_rule("device", &device_type),
            mark_rule_of_assets: mark_rule("asset", &asset_type),
            device_type,
            asset_type,
            template,
            first_hour: now_millis() / MILLIS_PER_HOUR * MILLIS_PER_HOUR - 3 * MILLIS_PER_HOUR,
            cases: AtomicUsize::new(0),
            api,
        }
    }

    /// Waits until the stages decide with everything up to this position of the log.
    fn wait_until_effective(&self, position: u64) -> Result<(), String> {
        eventually("the stages know the change", || {
            let metrics = self.api.text("/metrics");
            let line = metrics.lines().find_map(|line| line.strip_prefix("processing_directory_position "));
            let reached: f64 = line.and_then(|value| value.trim().parse().ok()).ok_or("no gauge")?;
            if reached >= position as f64 { Ok(()) } else { Err(format!("{reached} of {position}")) }
        })
    }

    /// Sends messages of a device in this order, each once the one before is acknowledged.
    fn send(&self, token: &str, payloads: &[String]) {
        let transfer = |payload: &String| {
            let quoted = payload.replace('\\', r"\\").replace('"', r#"\""#);
            let (root, url) = (self.root.display(), &self.telemetry);
            format!(
                "silent\nshow-error\nmax-time = 30\nurl = \"{url}\"\ncacert = \"{root}\"\noutput = /dev/null\n\
                 header = \"authorization: Bearer {token}\"\ndata-binary = \"{quoted}\"\nwrite-out = \"%{{http_code}}\\n\"\n"
            )
        };
        let config = payloads.iter().map(transfer).collect::<Vec<_>>().join("next\n");
        let mut curl = Command::new("curl");
        let curl = curl.args(["--config", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut curl = curl.spawn().expect("curl starts");
        curl.stdin.take().unwrap().write_all(config.as_bytes()).unwrap();
        let output = curl.wait_with_output().unwrap();
        let statuses = String::from_utf8_lossy(&output.stdout);
        let stored = statuses.lines().filter(|status| *status == "202").count();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(stored, payloads.len(), "{statuses} {errors} for {payloads:?}");
    }
}

impl<'w> Case<'w> {
    /// Creates the devices, assets, links and rules of a case.
    pub fn new(world: &'w World) -> Result<Self, String> {
        let (api, number) = (world.api.clone(), world.cases.fetch_add(1, Ordering::Relaxed));
        let device = |index: usize| {
            let serial = format!("REFERENCE-{number}-{index}");
            let request = json!({"name": serial, "serialNumber": serial, "deviceTypeId": world.device_type,
                "issueCertificate": false});
            id(&api.post("/api/v1/devices", request), "/device/id")
        };
        let devices: Vec<_> = (0..DEVICES).map(device).collect();
        let token = |device: &String| {
            id(&api.post(&format!("/api/v1/devices/{device}/tokens"), json!({"label": "curl"})), "/token")
        };
        let asset = |index: usize| {
            let request = json!({"name": format!("{number}-{index}"), "assetTypeId": world.asset_type});
            id(&api.post("/api/v1/assets", request), "/asset/id")
        };
        let assets: Vec<_> = (0..ASSETS).map(asset).collect();
        let link = |(device, asset, port): (usize, usize, Option<u16>)| {
            let path = format!("/api/v1/devices/{}/assets/{}/link", devices[device], assets[asset]);
            id(&api.post(&path, json!({"port": port, "validFrom": "2020-01-01T00:00:00Z"})), "/link/id")
        };
        let links = LINKS.into_iter().map(link).collect();
        let mut position = 0;
        let rule = |(entity, metric): (Entity, &str)| {
            let (kind, entity) = match entity {
                Entity::Device(index) => ("device", &devices[index]),
                Entity::Asset(index) => ("asset", &assets[index]),
            };
            let (rule, at) = api.post_at("/api/v1/rules", json!({
                "name": "Too high", "entityType": kind, "entityId": entity, "metricKey": metric,
                "condition": {"operator": ">", "value": FIRST_LIMIT}, "severity": "high",
                "action": {"type": "create_activity", "templateId": world.template}, "cooldownSeconds": FIRST_COOLDOWN,
            }));
            position = at;
            id(&rule, "/rule/id")
        };
        let rules = RULES.into_iter().map(rule).collect();
        world.wait_until_effective(position)?;
        let tokens = devices.iter().map(token).collect();
        let (reference, first_hour) = (Reference::default(), world.first_hour);
        let (marks, untimed) = ([0; DEVICES], [0; DEVICES]);
        Ok(Self { world, api, devices, tokens, assets, links, rules, reference, marks, untimed, first_hour })
    }

    /// Plays a history to its end, until the platform has told everything that follows from it.
    pub fn play(&mut self, history: &History) -> Result<(), String> {
        history.steps.iter().try_for_each(|step| self.step(step))?;
        (0..DEVICES).rev().try_for_each(|device| self.send(device, &[], LAST_MARK))?;
        for entity in self.entities() {
            let marks = match entity {
                Entity::Device(device) => self.marks[device],
                Entity::Asset(asset) => {
                    LINKS.iter().filter(|link| link.1 == asset).map(|link| self.marks[link.0]).sum()
                }
            };
            let path = format!("{}?metricKey={MARK}&{}", self.telemetry(entity), self.range(-1, 4));
            eventually("the history has every mark", || {
                let count = self.api.get(&path)["count"].clone();
                if count == marks { Ok(()) } else { Err(format!("{count} of {marks} at {path}")) }
            })?;
            let (rule, entity) = match entity {
                Entity::Device(_) => (&self.world.mark_rule_of_devices, self.id(entity)),
                Entity::Asset(_) => (&self.world.mark_rule_of_assets, self.id(entity)),
            };
            let path = format!("/api/v1/alarms?ruleId={rule}&entityId={entity}");
            eventually("the last mark raises an alarm", || {
                let answer = self.api.get(&path);
                if answer["total"] == 1 { Ok(()) } else { Err(format!("{answer}")) }
            })?;
        }
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Send { device, messages } => {
                self.send(*device, messages, self.next_mark())?;
                let arrivals = self.times_of_arrival(*device, messages)?;
                self.reference.take(step, self.first_hour, arrivals);
                Ok(())
            }
            Step::Edit { rule, edit } => {
                let path = format!("/api/v1/rules/{}", self.rules[*rule]);
                self.change(step, &path, body(edit))?;
                // An edit takes effect with the next tick or reading; here, before the next value that it judges.
                self.send(FEEDS_ALL, &[], self.next_mark())?;
                self.wait_for_alarms(*rule)
            }
            Step::Link { link, until } => {
                let (device, _, port) = LINKS[*link];
                let path = format!("/api/v1/devices/{}/links/{}", self.devices[device], self.links[*link]);
                let until = until.map(|until| time((self.first_hour + until) * 1000));
                let from = "2020-01-01T00:00:00Z";
                self.change(
                    step,
                    &path,
                    json!({"port": port, "validFrom": from, "validUntil": until, "reason": "moved"}),
                )
            }
            Step::Acknowledge { rule } => self.work_on_alarm(step, *rule, "acknowledge", json!({})),
            Step::Dismiss { rule } => self.work_on_alarm(step, *rule, "dismiss", json!({"reason": "known"})),
        }
    }

    /// Changes something that the stages decide with.
    fn change(&mut self, step: &Step, path: &str, body: Value) -> Result<(), String> {
        let (_, position) = self.api.put_at(path, body);
        self.reference.take(step, self.first_hour, []);
        self.world.wait_until_effective(position)
    }

    /// Does something with the newest alarm of a rule, if it awaits that.
    fn work_on_alarm(&mut self, step: &Step, rule: usize, action: &str, body: Value) -> Result<(), String> {
        self.wait_for_alarms(rule)?;
        if self.reference.awaits(step) {
            let alarm = self.alarm_id(rule, self.reference.alarms(rule).len());
            self.api.post(&format!("/api/v1/alarms/{alarm}/{action}"), body);
            self.reference.take(step, self.first_hour, []);
        }
        Ok(())
    }

    fn next_mark(&self) -> u64 {
        self.marks.iter().sum::<u64>() + 1
    }

    /// Sends messages and then a mark, and waits until the mark has arrived everywhere.
    fn send(&mut self, device: usize, messages: &[Message], mark: u64) -> Result<(), String> {
        let sent = self.marks.iter().sum::<u64>() as i64;
        self.marks[device] += 1;
        let at = self.first_hour - MILLIS_PER_HOUR / 2 + sent * 1000;
        let mut payloads: Vec<_> = messages.iter().map(|message| message.payload(self.first_hour)).collect();
        payloads.push(json!({"ts": at, "metrics": {MARK: mark}}).to_string());
        self.world.send(&self.tokens[device], &payloads);
        let assets = LINKS.iter().filter(|link| link.0 == device).map(|link| Entity::Asset(link.1));
        for entity in assets.chain([Entity::Device(device)]) {
            let path = format!("{}/latest", self.telemetry(entity));
            eventually("the latest mark", || {
                let latest = self.api.get(&path)["metrics"][MARK]["value"].as_f64();
                if latest == Some(mark as f64) { Ok(()) } else { Err(format!("{latest:?}, not {mark}, at {path}")) }
            })?;
        }
        Ok(())
    }

    /// Returns the times that the platform gave the last readings without a time.
    fn times_of_arrival(&mut self, device: usize, messages: &[Message]) -> Result<Vec<Micros>, String> {
        let readings = messages.iter().flat_map(|message| &message.0);
        let count = readings.filter(|reading| reading.time.is_none()).count();
        if count == 0 {
            return Ok(Vec::new());
        }
        let before = self.untimed[device];
        self.untimed[device] += count;
        let entity = Entity::Device(device);
        let path = format!("{}?metricKey={UNTIMED}&{}&limit=10000", self.telemetry(entity), self.range(-1, 8));
        eventually("every reading without a time is kept", || {
            let answer = self.api.get(&path);
            let times = answer["data"].as_array().unwrap().iter().map(|point| micros(&point["timestamp"]));
            let times: Vec<_> = times.collect();
            if times.len() == before + count {
                Ok(times[before..].to_vec())
            } else {
                Err(format!("{} of {}: {answer}", times.len(), before + count))
            }
        })
    }

    /// Waits until the alarms of a rule are as the reference says. Their recurrences are counted, so that a state on the
    /// way to the same state does not pass for it.
    fn wait_for_alarms(&self, rule: usize) -> Result<(), String> {
        let expected = self.reference.alarms(rule);
        let expected: Vec<_> = expected.iter().map(|alarm| (alarm.state().to_owned(), alarm.repeats)).collect();
        eventually("the alarms", || {
            let shown = |alarm: &Value| (id(alarm, "/state"), alarm["repeats"].as_i64().unwrap());
            let shown: Vec<_> = self.alarms(rule, "").iter().map(shown).collect();
            if shown == expected { Ok(()) } else { Err(format!("{shown:?}, not {expected:?}, of rule {rule}")) }
        })
    }

    /// Returns the alarms of a rule as the platform lists them, sorted by number.
    pub fn alarms(&self, rule: usize, filter: &str) -> Vec<Value> {
        let answer = self.api.get(&format!("/api/v1/alarms?ruleId={}&limit=1000{filter}", self.rules[rule]));
        let mut alarms = answer["alarms"].as_array().unwrap().clone();
        let ids: Vec<_> =
            (1..=alarms.len() + self.reference.alarms(rule).len()).map(|number| self.alarm_id(rule, number)).collect();
        alarms.sort_by_key(|alarm| ids.iter().position(|id| alarm["id"] == id.as_str()));
        alarms
    }

    /// Returns the id of a rule's alarm by its number, from 1.
    pub fn alarm_id(&self, rule: usize, number: usize) -> String {
        let entity = self.id(RULES[rule].0).parse().unwrap();
        let rule = domain::ids::RuleId(self.rules[rule].parse().unwrap());
        domain::alarming::alarm_id(rule, entity, number as u64).to_string()
    }

    /// Returns the devices and assets.
    pub fn entities(&self) -> impl Iterator<Item = Entity> + use<> {
        (0..DEVICES).map(Entity::Device).chain((0..ASSETS).map(Entity::Asset))
    }

    /// Returns the id of an entity.
    pub fn id(&self, entity: Entity) -> &str {
        match entity {
            Entity::Device(index) => &self.devices[index],
            Entity::Asset(index) => &self.assets[index],
        }
    }

    /// Returns the path of an entity's telemetry.
    pub fn telemetry(&self, entity: Entity) -> String {
        let kind = if matches!(entity, Entity::Device(_)) { "device" } else { "asset" };
        format!("/api/v1/telemetry/{kind}/{}", self.id(entity))
    }

    /// Returns the query of a range, in hours since the first.
    fn range(&self, from: i64, until: i64) -> String {
        let [from, until] = [from, until].map(|hours| time((self.first_hour + hours * MILLIS_PER_HOUR) * 1000));
        format!("startTime={from}&endTime={until}")
    }
}

fn body(edit: &Edit) -> Value {
    match edit {
        Edit::Limit(limit) => json!({"condition": {"operator": ">", "value": limit}}),
        Edit::Severity(severity) => json!({"severity": severity}),
        Edit::Name(name) => json!({"name": name}),
        Edit::Cooldown(seconds) => json!({"cooldownSeconds": seconds}),
        Edit::Active(is_active) => json!({"isActive": is_active}),
    }
}

/// Writes a time as requests have it.
pub fn time(at: Micros) -> String {
    DateTime::from_timestamp_micros(at).unwrap().to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

/// Reads a time of an answer.
pub fn micros(text: &Value) -> Micros {
    let time: DateTime<Utc> =
        text.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no time: {text}"));
    time.timestamp_micros()
}

/// Calls `check` until it returns a value; after the deadline returns what it last said.
pub fn eventually<T>(what: &str, mut check: impl FnMut() -> Result<T, String>) -> Result<T, String> {
    let began = Instant::now();
    loop {
        match check() {
            Ok(found) => return Ok(found),
            Err(state) if began.elapsed() > SOON => return Err(format!("{what}: not within {SOON:?}: {state}")),
            Err(_) => wait_for(Duration::from_millis(100)),
        }
    }
}
