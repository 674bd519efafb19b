//! The servers' log files: opened for appending, rotated when large, read from the end.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::Error;

/// A log larger than this many bytes is rotated (`x.log` becomes `x.log.1`) when its server starts.
const ROTATE_BYTES: u64 = 10_000_000;
/// How many bytes at the end of a log are searched for its last lines.
const TAIL_BYTES: u64 = 16_384;
const TAIL_LINES: usize = 15;

/// Opens a log for appending; rotates it first where it is large.
pub(crate) fn open(path: &Path) -> Result<File, Error> {
    if path.metadata().is_ok_and(|metadata| metadata.len() > ROTATE_BYTES) {
        let older = path.with_extension("log.1");
        std::fs::rename(path, &older).map_err(Error::file("rename", path))?;
    }
    OpenOptions::new().create(true).append(true).open(path).map_err(Error::file("write", path))
}

/// Returns the last non-empty lines of a log, indented; a note where there are none.
pub(crate) fn tail(path: &Path) -> String {
    let text = read_end(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.is_empty() {
        return "  (the log is empty)".into();
    }
    let from = lines.len().saturating_sub(TAIL_LINES);
    lines[from..].iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

fn read_end(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn the_tail_is_the_last_fifteen_non_empty_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        assert_eq!(tail(&path), "  (the log is empty)");
        let mut file = open(&path).unwrap();
        (0..5000).for_each(|line| write!(file, "line {line}\n\n").unwrap());
        let tail = tail(&path);
        assert_eq!(tail.lines().count(), TAIL_LINES);
        assert!(tail.starts_with("  line 4985\n") && tail.ends_with("  line 4999"), "{tail}");
    }

    #[test]
    fn a_large_log_is_rotated_on_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        open(&path).unwrap().set_len(ROTATE_BYTES + 1).unwrap();
        assert_eq!(open(&path).unwrap().metadata().unwrap().len(), 0);
        assert!(folder.path().join("x.log.1").exists());
    }
}
