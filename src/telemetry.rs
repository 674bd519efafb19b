//! The platform's own logs and metrics. What does not live here: the names of metrics, which stand in each crate.

use std::io::IsTerminal;

use anyhow::Context;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::settings::Settings;

/// Starts logging to standard error; `usual` is the filter where none is configured.
pub fn start_logging(settings: &Settings, usual: &str) -> anyhow::Result<()> {
    let filter = settings.log.as_deref().unwrap_or(usual);
    let filter = EnvFilter::try_new(filter).with_context(|| format!("log filter {filter:?}"))?;
    let colours = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    let started = if settings.log_json { builder.json().try_init() } else { builder.try_init() };
    started.map_err(|error| anyhow::anyhow!("logging cannot start: {error}"))
}

/// Starts collecting metrics; the handle renders them as Prometheus text.
pub fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new().install_recorder().context("metrics cannot start")
}
