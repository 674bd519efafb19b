//! The input from which every server is prepared.

use crate::data_folder::DataFolder;
use crate::install::Binaries;
use crate::options::Options;
use crate::ports::Ports;

/// What every server is prepared from.
pub(crate) struct Plan<'a> {
    pub options: &'a Options,
    pub folder: &'a DataFolder,
    pub binaries: &'a Binaries,
    pub ports: Ports,
}
