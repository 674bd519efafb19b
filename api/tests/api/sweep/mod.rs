//! Sends extreme values in every parameter and every field of every operation of the OpenAPI document: no server error,
//! no refusal without a named field, and no silent change between what was sent and what the answer shows. The fuzz
//! test (`tests/e2e/fuzzed_api.rs`) generates requests from the document at random; this one knows what to expect.

mod compare;
mod extremes;
mod files;
mod operations;
mod request;
mod samples;
mod world;

use std::sync::Mutex;

use serde_json::{Value, json};

use self::compare::{Expected, flaw_of};
use self::extremes::Extreme;
use self::operations::{Field, Operation, Parameter};
use self::request::{encoded, filled, has_place, send, with_field};
use self::samples::{EXEMPT, REFUSED, Sample, is_consuming};
use self::world::World;

/// Operations that are swept at the same time.
const THREADS: usize = 6;

/// Items of a list without a documented maximum.
const MANY_ITEMS: usize = 1_001;

/// Longest value of a parameter, in bytes before encoding: servers limit the length of addresses.
const MOST_IN_ADDRESS: usize = 4_000;

#[test]
fn no_extreme_value_causes_a_server_error_or_a_silent_change() {
    let world = World::new();
    let mut operations = operations::all();
    let only = std::env::var("ARGUSIQ_SWEEP_ONLY").ok();
    operations.retain(|operation| only.as_ref().is_none_or(|only| operation.id == *only));
    // The longest are taken first.
    operations.sort_by_key(|operation| operation.fields.len());
    let (queue, flaws) = (Mutex::new(operations), Mutex::new(vec![]));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(operation) = { queue.lock().unwrap().pop() } {
                    let found = Sweep { world: &world, operation: &operation, flaws: vec![] }.run();
                    flaws.lock().unwrap().extend(found);
                }
            });
        }
    });
    let flaws = flaws.into_inner().unwrap();
    assert!(flaws.is_empty(), "{} flaws:\n{}", flaws.len(), flaws.join("\n"));
}

/// The sweep of one operation.
struct Sweep<'a> {
    world: &'a World,
    operation: &'a Operation,
    flaws: Vec<String>,
}

impl Sweep<'_> {
    fn run(mut self) -> Vec<String> {
        let id = self.operation.id.as_str();
        if EXEMPT.iter().any(|(exempt, _)| *exempt == id) {
            return vec![];
        }
        let Some(mut samples) = samples::of(self.world, id) else {
            return vec![format!("{id}: has no sample and no reason to have none")];
        };
        for sample in samples.clone() {
            let answer = send(self.world, self.operation, &sample, None);
            let expected = if self.is_refused() { 400..500 } else { 200..202 };
            if !expected.contains(&answer.status) {
                self.flaws.push(format!("{id}: the sample is answered {} {}", answer.status, answer.text));
            }
        }
        self.renew(&mut samples);
        for parameter in &self.operation.parameters {
            self.sweep_parameter(parameter, &mut samples);
        }
        for field in &self.operation.fields {
            self.sweep_field(field, &mut samples);
        }
        self.flaws
    }

    fn is_refused(&self) -> bool {
        REFUSED.iter().any(|(refused, _)| *refused == self.operation.id)
    }

    fn renew(&self, samples: &mut Vec<Sample>) {
        if is_consuming(&self.operation.id) {
            *samples = samples::of(self.world, &self.operation.id).unwrap();
        }
    }

    fn sweep_parameter(&mut self, parameter: &Parameter, samples: &mut Vec<Sample>) {
        for extreme in extremes::of(&parameter.schema) {
            let text = match &extreme {
                Extreme::Json(Value::String(text)) => encoded(text),
                Extreme::Json(other) => encoded(&other.to_string()),
                Extreme::Raw(text) if text.contains("\\u") => "%ED%A0%80".to_owned(),
                Extreme::Raw(text) => encoded(text),
            };
            // An empty segment is another path.
            if text.len() > 3 * MOST_IN_ADDRESS || text.is_empty() && parameter.place == "path" {
                continue;
            }
            let answer = send(self.world, self.operation, &samples[0], Some((parameter, &text)));
            let expected =
                Expected { field: &parameter.name, schema: &parameter.schema, extreme: &extreme, shown: false };
            self.flaws.extend(flaw_of(self.operation, &answer, &expected));
            if answer.status < 300 {
                self.renew(samples);
            }
        }
    }

    fn sweep_field(&mut self, field: &Field, samples: &mut Vec<Sample>) {
        let Some(index) = samples.iter().position(|sample| has_place(&sample.body, field)) else {
            self.flaws.push(format!("{}: no sample has {}", self.operation.id, field.path));
            return;
        };
        let values = match field.schema["type"].as_str() {
            Some("array") => lists(field, &samples[index].body),
            _ => extremes::of(&field.schema),
        };
        for extreme in values {
            self.try_value(&field.path, &field.schema, &extreme, samples, index);
        }
        // The keys of a free-form object.
        if let Some(map) = field.path.strip_suffix(".*").filter(|_| field.schema["type"].is_null()) {
            for extreme in extremes::keys() {
                self.try_value(map, &json!({}), &extreme, samples, index);
            }
        }
    }

    fn try_value(&mut self, path: &str, schema: &Value, extreme: &Extreme, samples: &mut Vec<Sample>, index: usize) {
        let body = with_field(&samples[index].body, path, extreme);
        let sample = Sample { body: Value::String(filled(&body)), ..samples[index].clone() };
        let answer = send(self.world, self.operation, &sample, None);
        let expected = Expected { field: path, schema, extreme, shown: !self.is_refused() };
        self.flaws.extend(flaw_of(self.operation, &answer, &expected));
        if answer.status < 300 {
            self.renew(samples);
        }
    }
}

/// Lists of as many items as the schema allows at least and at most, and of one fewer and one more.
fn lists(field: &Field, body: &Value) -> Vec<Extreme> {
    let item = request::find(body, &format!("{}[0]", field.path)).cloned().unwrap_or(json!("x"));
    let bound = |name: &str| field.schema[name].as_u64().map(|bound| usize::try_from(bound).unwrap());
    let most = bound("maxItems").map_or(MANY_ITEMS, |most| most + 1);
    let sizes = [0, bound("minItems").unwrap_or(1).saturating_sub(1), 2, most - 1, most];
    sizes.map(|size| Extreme::Json(Value::Array(vec![item.clone(); size]))).into()
}
