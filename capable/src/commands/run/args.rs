//! The options of `capable run`, as typed.

use std::{ffi::OsString, time::Duration};

use anyhow::{Result, bail};
use clap::Args as ClapArgs;

use super::super::{
    reporting::ReportArgs,
    tracing::{BufferArgs, TracingArgs, duration},
};
use crate::{
    capability::CapabilitySet,
    inspect::secure_bits::SecureBits,
    launcher::{Cage, Command, Holding, Identity, group, user},
};

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  capable run -- ping -c1 127.0.0.1
  capable run --user nobody --caps net_raw -- ping -c1 127.0.0.1
  capable run --emit systemd -- ./server > server.conf
  capable run -o json -- ./server | jq .needed
  capable run --allow net_bind_service -o json --report new.json -- make test

Exit status: that of the command, or 128 plus the number of the signal that
ended it; 127 if the command was not found, 126 if it cannot be executed; 125 if
capable itself failed; 3 if --allow or --baseline failed the run; 2 for wrong
usage.";

/// Run a command and report which capabilities it and its descendants need
#[derive(Clone, Debug, ClapArgs)]
#[command(
    after_long_help = EXAMPLES,
    override_usage = "capable run [OPTIONS] [--] COMMAND [ARGUMENT]..."
)]
pub struct Args {
    /// The report.
    #[command(flatten)]
    pub report: ReportArgs,

    /// Report when the last descendant has ended, not already when the command has
    #[arg(long, help_heading = None::<&'static str>)]
    pub wait: bool,

    /// Treat the command as starting until no process was forked or executed for this time
    #[arg(long, help_heading = None::<&'static str>, value_name = "TIME", default_value = "1s", allow_negative_numbers = true, value_parser = duration)]
    pub settle: Duration,

    /// The cage.
    #[command(flatten)]
    pub cage: CageArgs,

    /// How to trace.
    #[command(flatten)]
    pub tracing: TracingArgs,

    /// The buffer for records.
    #[command(flatten)]
    pub buffer: BufferArgs,

    /// The command and its arguments
    #[arg(help_heading = None::<&'static str>, required = true, trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// The user and the capabilities to run the command with.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Privileges")]
pub struct CageArgs {
    /// Run the command as this user, by name or number, with its groups
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,

    /// Run the command as this group, by name or number
    #[arg(long, value_name = "GROUP")]
    pub group: Option<String>,

    /// Set every capability set (permitted, effective, inheritable, ambient, bounding) to exactly
    /// these, or to 'none'
    #[arg(long, value_name = "LIST", conflicts_with = "drop")]
    pub caps: Option<CapabilitySet>,

    /// Drop these from every set
    #[arg(long, value_name = "LIST")]
    pub drop: Option<CapabilitySet>,

    /// Set no_new_privs: set-user-ID programs and file capabilities add nothing
    #[arg(long)]
    pub no_new_privs: bool,

    /// Set these securebits, such as noroot,noroot-locked
    #[arg(long, value_name = "LIST", value_parser = secure_bits)]
    pub securebits: Option<SecureBits>,
}

/// Parses names separated by commas or spaces.
fn secure_bits(typed: &str) -> Result<SecureBits, String> {
    let words = typed.replace(',', " ");
    for word in words.split_whitespace() {
        if SecureBits::from_names(word) == SecureBits::default() {
            return Err(format!(
                "there is no secure bit {word:?}; the names are noroot, no-setuid-fixup, \
                 keep-caps, no-cap-ambient-raise, exec-restrict-file and exec-deny-interactive, \
                 each also followed by -locked"
            ));
        }
    }
    Ok(SecureBits::from_names(&words))
}

impl Args {
    /// The command to start.
    ///
    /// # Errors
    ///
    /// If a user or a group does not exist, or a group must be given.
    pub(super) fn command(&self) -> Result<Command> {
        self.cage.command(&self.command)
    }
}

impl CageArgs {
    /// The command of these words, in the cage.
    ///
    /// # Errors
    ///
    /// If a user or a group does not exist, or a group must be given.
    pub fn command(&self, words: &[OsString]) -> Result<Command> {
        let mut words = words.iter().cloned();
        let name = words.next().unwrap_or_default();
        Ok(Command::new(name).args(words).cage(self.cage()?))
    }

    fn cage(&self) -> Result<Cage> {
        Ok(Cage {
            identity: self.identity()?,
            holding: match (self.caps, self.drop) {
                (Some(caps), _) => Holding::Exactly(caps),
                (_, Some(drop)) => Holding::Without(drop),
                _ => Holding::AsIs,
            },
            secure_bits: self.securebits,
            no_new_privs: self.no_new_privs,
        })
    }

    /// A user comes with its groups; a group that is given alone comes without supplementary
    /// groups.
    fn identity(&self) -> Result<Option<Identity>> {
        let group = self.group.as_deref().map(group).transpose()?;
        let Some(user) = self.user.as_deref().map(user).transpose()? else {
            return Ok(group.map(|group| Identity {
                user: None,
                group,
                groups: Vec::new(),
            }));
        };
        let group = match group.or(user.group) {
            Some(group) => group,
            None => bail!(
                "user {} has no entry in the user database, so its group is not known: add --group",
                user.id
            ),
        };
        Ok(Some(Identity {
            user: Some(user.id),
            group,
            groups: user.groups(group)?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secure_bits_are_read_by_name_and_an_unknown_one_is_refused() {
        assert_eq!(
            secure_bits("noroot,noroot-locked"),
            Ok(SecureBits::from_names("noroot noroot-locked"))
        );
        assert!(
            secure_bits("noroot,nonsense")
                .unwrap_err()
                .contains("nonsense")
        );
    }

    #[test]
    fn a_user_without_an_entry_needs_a_group() {
        let mut cage = CageArgs {
            user: Some("3999999999".to_owned()),
            ..CageArgs::default()
        };
        let error = cage.cage().unwrap_err().to_string();
        assert!(error.contains("--group"), "{error}");
        cage.group = Some("7".to_owned());
        let identity = cage.cage().unwrap().identity.unwrap();
        assert_eq!(identity.user, Some(3_999_999_999));
        assert_eq!((identity.group, identity.groups), (7, vec![7]));
    }
}
