//! Shows the checks of a process and of its descendants as they are made. As root:
//!
//! `cargo run --example stream -- PID`

use std::{env, error::Error};

use capable::{
    context::syscalls,
    escape::printable,
    event::{Decision, Event},
    filter::Condition,
    session::{Builder, Record, Records, Wanted},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let pid = env::args().nth(1).ok_or("usage: stream PID")?.parse()?;
    let mut session = Builder::new()
        .filter(Condition::Process(pid))?
        .descendants()
        .unaudited()
        .records(Records {
            wanted: Wanted::DETAIL,
            ..Records::default()
        })?;
    eprintln!("{}", session.plan());
    loop {
        session
            .next_batch(|record| {
                if let Record::Check(check) = record {
                    println!("{}", row(&check));
                }
            })
            .await?;
    }
}

fn row(check: &Event<'_>) -> String {
    let syscall = check
        .syscall()
        .and_then(|syscall| syscalls::name(syscall.number, syscall.compat));
    format!(
        "{:>7} {:<15} {:<7} {} in {}",
        check.pid(),
        // Any process can give itself any name.
        printable(check.comm()),
        Decision::of(check.verdict()).word(),
        check.capability(),
        syscall.unwrap_or("no system call"),
    )
}
