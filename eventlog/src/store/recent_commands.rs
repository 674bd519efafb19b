//! The bounded list of an aggregate's most recent commands, used to recognise repeated commands.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// A stored command: its id, and where its events are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredCommand {
    /// The command's id as in the metadata of its events.
    pub command_id: String,
    /// The stream sequence of its message.
    pub position: u64,
    /// The aggregate's version after its last event.
    pub version: u64,
}

/// The most recent commands of one aggregate, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentCommands {
    commands: VecDeque<StoredCommand>,
    complete: bool,
}

impl Default for RecentCommands {
    fn default() -> Self {
        Self { commands: VecDeque::new(), complete: true }
    }
}

impl RecentCommands {
    /// Returns a command by its id.
    pub fn find(&self, command_id: &str) -> Option<&StoredCommand> {
        self.commands.iter().rev().find(|command| command.command_id == command_id)
    }

    /// Returns whether the list holds every command of the aggregate, so that a command not found was never stored.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Adds a command and drops the oldest ones beyond `capacity`.
    pub(super) fn push(&mut self, command: StoredCommand, capacity: usize) {
        self.commands.push_back(command);
        while self.commands.len() > capacity {
            self.commands.pop_front();
            self.complete = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(n: u64) -> StoredCommand {
        StoredCommand { command_id: format!("c{n}"), position: n * 10, version: n }
    }

    #[test]
    fn dropping_the_oldest_command_marks_the_list_as_incomplete() {
        let mut recent = RecentCommands::default();
        (1..=3).for_each(|n| recent.push(command(n), 3));
        assert_eq!((recent.find("c1"), recent.is_complete()), (Some(&command(1)), true));
        recent.push(command(4), 3);
        assert_eq!((recent.find("c1"), recent.is_complete()), (None, false));
        assert_eq!(recent.find("c4"), Some(&command(4)));
    }
}
