//! Runs a command, and says which capabilities it needs, why, and how systemd is told. As root:
//!
//! `cargo run --example learn -- chown nobody FILE`

use std::{env, error::Error};

use capable::{launcher::Command, profile::emit::Consumer, session::Builder};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = env::args_os().skip(1);
    let name = words.next().ok_or("usage: learn COMMAND [ARGUMENT]...")?;
    let command = Command::new(name).args(words);

    let learned = Builder::new().learn(command)?.run().await?;

    println!("{}", learned.report.text());
    print!("{}", Consumer::Systemd.emit(&learned.needs));
    Ok(())
}
