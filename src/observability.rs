//! Logging and metrics of the process. Metric names are defined by the crates that record them.

use std::io::IsTerminal;

use anyhow::Context;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::settings::Settings;

/// Starts logging to standard error; `default` is the filter when none is configured.
pub fn start_logging(settings: &Settings, default: &str) -> anyhow::Result<()> {
    let filter = settings.log.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_new(filter).with_context(|| format!("invalid log filter {filter:?}"))?;
    let colours = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    let started = if settings.log_json { builder.json().try_init() } else { builder.try_init() };
    started.map_err(|error| anyhow::anyhow!("cannot start logging: {error}"))
}

/// Installs the metrics recorder; the handle renders the metrics as Prometheus text.
pub fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new().install_recorder().context("cannot start collecting metrics")
}
