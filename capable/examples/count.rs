//! Counts the checks of the whole machine for some seconds, by capability. As root:
//!
//! `cargo run --example count -- 10`

use std::{collections::HashMap, env, error::Error, thread, time::Duration};

use capable::{
    capability::Capability,
    session::{Builder, CountBy},
};

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = env::args().nth(1).ok_or("usage: count SECONDS")?.parse()?;

    let session = Builder::new().unaudited().counts(CountBy::CAPABILITY)?;
    thread::sleep(Duration::from_secs(seconds));
    let summary = session.finish()?;

    // What was granted, denied or not audited is counted apart.
    let mut checks: HashMap<Capability, u64> = HashMap::new();
    for row in &summary.counts {
        *checks.entry(row.facts.capability).or_default() += row.checks;
    }
    let mut checks: Vec<_> = checks.into_iter().collect();
    checks.sort_by_key(|&(capability, checks)| (u64::MAX - checks, capability));
    for (capability, checks) in checks {
        println!("{checks:>8} {capability}");
    }
    for loss in summary.losses.iter() {
        eprintln!("{loss}");
    }
    Ok(())
}
