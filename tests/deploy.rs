//! Checks `docker-compose.yml` without a Docker engine: references resolve, the programs know every variable and flag,
//! and every mounted file exists. Nothing here starts the containers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_yaml::{Mapping, Value};
use stack::Server;
use stack::testing::TestStack;

/// The keys of the compose specification that services may use here.
const SERVICE_KEYS: [&str; 16] = [
    "build",
    "command",
    "configs",
    "depends_on",
    "deploy",
    "environment",
    "healthcheck",
    "hostname",
    "image",
    "ports",
    "profiles",
    "restart",
    "stop_grace_period",
    "user",
    "volumes",
    "secrets",
];
/// The conditions of `depends_on` in the compose specification.
const CONDITIONS: [&str; 3] = ["service_started", "service_healthy", "service_completed_successfully"];

#[test]
fn services_refer_only_to_existing_services_volumes_and_configs() {
    let file = compose();
    let services = services(&file);
    let names: BTreeSet<&str> = services.iter().map(|(name, _)| *name).collect();
    let volumes = keys(&file["volumes"]);
    let configs = keys(&file["configs"]);
    for (name, service) in &services {
        let unknown: Vec<_> = keys(service).into_iter().filter(|key| !SERVICE_KEYS.contains(key)).collect();
        assert!(unknown.is_empty(), "{name} has unknown keys {unknown:?}");
        assert!(service["image"].is_string(), "{name} has no image");
        for (on, how) in service["depends_on"].as_mapping().into_iter().flatten() {
            assert!(names.contains(on.as_str().unwrap()), "{name} depends on {on:?}, which does not exist");
            assert!(
                CONDITIONS.contains(&how["condition"].as_str().unwrap()),
                "{name} has an unknown condition: {how:?}"
            );
        }
        for config in service["configs"].as_sequence().into_iter().flatten() {
            assert!(
                configs.contains(config["source"].as_str().unwrap()),
                "{name} uses a config that does not exist: {config:?}"
            );
        }
        for (source, _) in mounts(service) {
            assert!(
                source.starts_with("./") || volumes.contains(source.as_str()),
                "{name} mounts {source}, which does not exist"
            );
        }
    }
}

#[test]
fn every_mounted_file_is_in_the_repository_or_created_by_ca_init() {
    let data_folder = tempfile::tempdir().unwrap();
    let status = argusiq().arg("--data-dir").arg(data_folder.path()).args(["ca", "init"]).output().unwrap().status;
    assert!(status.success());
    let file = compose();
    for (name, service) in services(&file) {
        for (source, target) in mounts(service).into_iter().filter(|(source, _)| source.starts_with("./")) {
            let path = match source.strip_prefix("./.argusiq/") {
                Some(inside) => data_folder.path().join(inside),
                None => root().join(&source),
            };
            assert!(path.exists(), "{name} mounts {source}, which does not exist");
            assert!(target.starts_with('/'), "{name} mounts {source} at the relative path {target}");
        }
        if let Some(build) = service["build"].as_mapping() {
            let dockerfile = std::fs::read_to_string(root().join(build["dockerfile"].as_str().unwrap())).unwrap();
            let stage = format!(" AS {}\n", build["target"].as_str().unwrap());
            assert!(dockerfile.contains(&stage), "{name} is built from a stage that does not exist: {stage}");
        }
    }
}

#[test]
fn every_variable_of_the_platform_is_a_known_setting() {
    let listed = String::from_utf8(argusiq().arg("settings").output().unwrap().stdout).unwrap();
    let settings: BTreeSet<&str> = listed.lines().filter_map(|line| line.split('\t').next()).collect();
    assert!(settings.contains("ARGUSIQ_NATS__URL"), "{listed}");
    let file = compose();
    let mut seen = 0;
    for (name, service) in services(&file).into_iter().filter(|(_, service)| runs(service, "argusiq:")) {
        for variable in keys(&service["environment"]) {
            assert!(settings.contains(variable), "{name} sets the unknown variable {variable}");
            seen += 1;
        }
    }
    assert!(seen > 50, "checked too few: {seen}");
}

#[test]
fn every_variable_of_the_simulator_is_a_known_option() {
    let simulator = Path::new(env!("CARGO_BIN_EXE_argusiq")).with_file_name("argusiq-simulator");
    let help =
        Command::new(simulator).args(["demo", "--help"]).output().expect("the simulator is built into the same folder");
    let help = String::from_utf8(help.stdout).unwrap();
    let file = compose();
    let (_, simulator) = services(&file).into_iter().find(|(name, _)| *name == "simulator").unwrap();
    for variable in keys(&simulator["environment"]) {
        assert!(help.contains(&format!("[env: {variable}")), "the simulator does not know {variable}:\n{help}");
    }
}

#[test]
fn every_command_and_flag_is_accepted_by_the_program() {
    let file = compose();
    let mut seen = 0;
    for (name, service) in services(&file).into_iter().filter(|(_, service)| runs(service, "argusiq:")) {
        let health = service["healthcheck"]["test"].as_sequence().map(|test| test[2..].to_vec());
        for command in [service["command"].as_sequence().cloned(), health].into_iter().flatten() {
            let words: Vec<_> = command.iter().map(|word| word.as_str().unwrap()).collect();
            // The program refuses an unknown word even with --help.
            let output = argusiq().args(&words).arg("--help").output().unwrap();
            assert!(output.status.success(), "{name}: {words:?}: {}", String::from_utf8_lossy(&output.stderr));
            seen += 1;
        }
    }
    assert!(seen > 15, "checked too few: {seen}");
}

#[test]
fn every_read_model_and_every_stage_is_run_by_a_service() {
    let file = compose();
    let words = |role: &str| -> BTreeSet<String> {
        let services = services(&file);
        let commands = services.iter().filter_map(|(_, service)| service["command"].as_sequence());
        let of_role = commands.filter(|words| words.first().and_then(Value::as_str) == Some(role));
        of_role.flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let (projected, processed) = (words("project"), words("process"));
    for entry in projections::registry::ALL {
        assert!(projected.contains(entry.name), "no service runs {}", entry.name);
    }
    for stage in processing::StageName::ALL {
        assert!(processed.contains(stage.as_str()), "no service runs {stage}");
    }
}

#[test]
fn the_example_environment_sets_exactly_the_variables_that_compose_uses() {
    let text = std::fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    let example = std::fs::read_to_string(root().join(".env.example")).unwrap();
    let set: BTreeSet<&str> = example.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    let used: BTreeSet<&str> = text.split("${").skip(1).map(|rest| &rest[..rest.find([':', '}']).unwrap()]).collect();
    assert_eq!(used, set);
}

#[tokio::test]
async fn the_first_start_of_the_database_creates_the_groups_and_a_login_role_in_each() {
    let stack = TestStack::start(|options| options.only(Server::Postgres)).await.unwrap();
    let url = stack.urls().postgres.clone();
    let script = Command::new(root().join("deploy/postgres/10-roles.sh"))
        .envs([("POSTGRES_USER", "argusiq"), ("POSTGRES_DB", "argusiq"), ("PGHOST", "127.0.0.1")])
        .envs([("ARGUSIQ_POSTGRES_API_PASSWORD", "it's one"), ("ARGUSIQ_POSTGRES_PROJECT_PASSWORD", "two")])
        .env("PGPORT", stack.ports().postgres.to_string())
        .output()
        .unwrap();
    assert!(script.status.success(), "{}", String::from_utf8_lossy(&script.stderr));
    let query = "SELECT m.rolname || ' in ' || g.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member \
                 JOIN pg_roles g ON g.oid = a.roleid WHERE g.rolname LIKE 'argusiq%' AND m.rolcanlogin ORDER BY 1";
    let members = stack::testing::sql(&url, query).await.unwrap();
    assert_eq!(members, ["argusiq_api in argusiq_read", "argusiq_project in argusiq_write"]);
}

#[test]
fn the_image_uses_a_new_enough_compiler() {
    let dockerfile = std::fs::read_to_string(root().join("deploy/docker/Dockerfile")).unwrap();
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let minor = |text: &str, before: &str| -> u32 {
        let rest = &text[text.find(before).expect(before) + before.len()..];
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
    };
    assert!(minor(&dockerfile, "FROM rust:1.") >= minor(&manifest, "rust-version = \"1."));
}

/// Returns the program with an empty environment, so that settings of the developer's shell do not apply.
fn argusiq() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_argusiq"));
    command.env_clear().current_dir(std::env::temp_dir());
    command
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Parses the compose file and resolves its anchors and merges.
fn compose() -> Value {
    let text = std::fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    let mut file: Value = serde_yaml::from_str(&text).unwrap();
    // An anchor may merge another one; each pass resolves one level.
    for _ in 0..4 {
        file.apply_merge().unwrap();
    }
    file
}

/// Returns the services by name.
fn services(file: &Value) -> Vec<(&str, &Value)> {
    let services: &Mapping = file["services"].as_mapping().unwrap();
    services.iter().map(|(name, service)| (name.as_str().unwrap(), service)).collect()
}

/// Returns whether a service's image begins with `image`.
fn runs(service: &Value, image: &str) -> bool {
    service["image"].as_str().unwrap().starts_with(image)
}

/// Returns a service's mounts as pairs of source and target.
fn mounts(service: &Value) -> Vec<(String, String)> {
    let volumes = service["volumes"].as_sequence().into_iter().flatten();
    let pair = |volume: &Value| {
        let (source, rest) = volume.as_str().unwrap().split_once(':').unwrap();
        (source.to_owned(), rest.trim_end_matches(":ro").to_owned())
    };
    volumes.map(pair).collect()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_mapping().into_iter().flat_map(Mapping::keys).map(|key| key.as_str().unwrap()).collect()
}
