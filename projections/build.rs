//! Generates the list of migrations that the binary embeds: `(file name, SQL)`, sorted by file name.
//!
//! `sqlx::migrate!` would do the same, but its macros compile sqlx, tokio and rustls a second time, for the host.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

const MIGRATIONS: &str = "../migrations";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={MIGRATIONS}");
    let mut paths: Vec<_> = fs::read_dir(MIGRATIONS)?
        .map(|entry| entry?.path().canonicalize())
        .collect::<Result<Vec<_>, std::io::Error>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    paths.sort();
    let mut list = String::from("&[\n");
    for path in &paths {
        let name = path.file_name().unwrap_or_default();
        writeln!(list, "    ({name:?}, include_str!({path:?})),")?;
    }
    list.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("migrations.rs"), list)?;
    Ok(())
}
