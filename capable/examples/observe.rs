//! Says which capabilities a process that runs already, and its descendants, need in some seconds.
//! As root:
//!
//! `cargo run --example observe -- PID SECONDS`

use std::{env, error::Error, time::Duration};

use capable::{learn::Workload, session::Builder};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    const USAGE: &str = "usage: observe PID SECONDS";
    let mut words = env::args().skip(1);
    let pid = words.next().ok_or(USAGE)?.parse()?;
    let seconds = words.next().ok_or(USAGE)?.parse()?;

    let workload = Workload::processes([pid])?;
    let observer = Builder::new().observe(workload)?;
    let learned = observer.run(Duration::from_secs(seconds)).await?;

    println!("{}", learned.report.text());
    Ok(())
}
