//! The bounded memory of an aggregate's most recent commands, by which a repeated command is recognised.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// A command that is stored: its id, and where its events are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredCommand {
    /// The command's id, as in the metadata of its events.
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
    /// Finds a command by its id.
    pub fn find(&self, command_id: &str) -> Option<&StoredCommand> {
        self.commands.iter().rev().find(|command| command.command_id == command_id)
    }

    /// Tells whether every command of the aggregate is remembered, so that one not found was never stored.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Remembers a command, and forgets the oldest beyond `capacity`.
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
    fn the_oldest_command_is_forgotten_and_the_memory_says_so() {
        let mut recent = RecentCommands::default();
        (1..=3).for_each(|n| recent.push(command(n), 3));
        assert_eq!((recent.find("c1"), recent.is_complete()), (Some(&command(1)), true));
        recent.push(command(4), 3);
        assert_eq!((recent.find("c1"), recent.is_complete()), (None, false));
        assert_eq!(recent.find("c4"), Some(&command(4)));
    }
}
