//! The checks that a command should see: the filters, and whether unaudited ones count too.

use std::fmt;

use anyhow::Result;

use super::{FilterArgs, TracingArgs, resolve};
use crate::{commands::Usage, escape::printable, filter::Expression, session::Builder};

/// Which checks a command should see.
pub struct Wanted {
    expression: Expression,
    /// Whether to include descendants of the processes that the expression names.
    descendants: bool,
    /// Whether to include checks that are not audited.
    unaudited: bool,
}

impl Wanted {
    /// Resolves filters.
    ///
    /// # Errors
    ///
    /// [`Usage`]: a filter cannot be understood or can match nothing. Any other error: a process,
    /// unit, cgroup or container is not there.
    pub fn of(filter: &FilterArgs, unaudited: bool) -> Result<Self> {
        Ok(Self {
            expression: resolve::filters(filter).map_err(resolve::failure_or_usage)?,
            descendants: filter.children,
            unaudited,
        })
    }

    /// A session that traces these checks in this way.
    ///
    /// # Errors
    ///
    /// [`Usage`]: the kernel side cannot filter by them.
    pub fn session(&self, tracing: &TracingArgs) -> Result<Builder> {
        let session = tracing.session().filter(self.expression.clone());
        let mut session = session.map_err(Usage::wrap)?;
        if self.descendants {
            session = session.descendants();
        }
        if self.unaudited {
            session = session.unaudited();
        }
        Ok(session)
    }
}

impl fmt::Display for Wanted {
    /// As a line, safe on a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.unaudited {
            "all checks"
        } else {
            "audited checks only (-v: all)"
        })?;
        if self.expression != Expression::everything() {
            write!(
                f,
                "; only {}",
                printable(self.expression.to_string().as_bytes())
            )?;
        }
        if self.descendants {
            f.write_str(", with descendants")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::parent_id;

    use super::*;

    #[test]
    fn what_is_wanted_is_a_line_that_cannot_steer_the_terminal() {
        let line = |filter: &FilterArgs, all| Wanted::of(filter, all).unwrap().to_string();
        assert_eq!(line(&FilterArgs::default(), true), "all checks");
        assert_eq!(
            line(&FilterArgs::default(), false),
            "audited checks only (-v: all)"
        );
        let filter = FilterArgs {
            pids: vec![parent_id()],
            children: true,
            comms: vec!["a\x1b".to_owned()],
            ..FilterArgs::default()
        };
        assert_eq!(
            line(&filter, true),
            format!(
                r"all checks; only process {} and name a\x1b, with descendants",
                parent_id()
            )
        );
    }
}
