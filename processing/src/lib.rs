//! The stages of the telemetry path: normalizer, asset_processor, rule_evaluator, activity_creator.
