//! The terminal: taken over at the start, and restored however the program ends.

use std::{
    io::{self, Write as _},
    panic,
};

use crossterm::{
    cursor, execute, queue,
    style::{Attribute, Color, Print, SetAttribute, SetForegroundColor},
    terminal::{
        self, BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate,
        EnterAlternateScreen, LeaveAlternateScreen,
    },
};

use super::frame::{Line, Style};

/// The most columns and lines that are drawn: more than a wall of screens shows.
const LARGEST: (usize, usize) = (1000, 500);

/// The terminal in raw mode, on the alternate screen. Dropping this restores it.
pub struct Screen;

impl Screen {
    /// Takes over the terminal. On a panic it is restored before the message is printed: this
    /// program aborts on a panic, so nothing is dropped.
    ///
    /// # Errors
    ///
    /// If there is no terminal, or it cannot be configured.
    pub fn open() -> io::Result<Self> {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            give_back();
            report(info);
        }));
        let screen = Self;
        screen.take()?;
        Ok(screen)
    }

    fn take(&self) -> io::Result<()> {
        terminal::enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, cursor::Hide)
    }

    /// Restores the terminal while this process is stopped, as a shell's job control requires.
    ///
    /// # Errors
    ///
    /// The terminal cannot be taken over again.
    pub fn suspend(&self) -> io::Result<()> {
        give_back();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TSTP)?;
        self.take()
    }

    /// Columns and lines, within what a screen can have: a terminal may claim any number, and a frame
    /// fills it.
    ///
    /// # Errors
    ///
    /// If the terminal does not tell.
    pub fn size(&self) -> io::Result<(usize, usize)> {
        let (width, height) = terminal::size()?;
        let (widest, highest) = LARGEST;
        Ok((
            usize::from(width).min(widest),
            usize::from(height).min(highest),
        ))
    }

    /// Draws a frame over the previous one, in a single write. Lines are as wide as the screen, so
    /// nothing of the previous frame is left and nothing needs to be cleared first, which would
    /// flicker.
    ///
    /// # Errors
    ///
    /// The terminal is gone.
    pub fn paint(&self, lines: &[Line]) -> io::Result<()> {
        let mut out = Vec::with_capacity(1 << 14);
        queue!(out, BeginSynchronizedUpdate)?;
        for (row, line) in (0..).zip(lines) {
            queue!(out, cursor::MoveTo(0, row))?;
            match line.style {
                Style::Plain => queue!(out, Print(&line.text))?,
                Style::Title => queue!(
                    out,
                    SetAttribute(Attribute::Reverse),
                    Print(&line.text),
                    SetAttribute(Attribute::Reset)
                )?,
                Style::Alarm => queue!(
                    out,
                    SetAttribute(Attribute::Bold),
                    SetForegroundColor(Color::DarkRed),
                    Print(&line.text),
                    SetAttribute(Attribute::Reset)
                )?,
            }
        }
        queue!(out, EndSynchronizedUpdate)?;
        let mut stdout = io::stdout().lock();
        stdout.write_all(&out)?;
        stdout.flush()
    }

    /// Clears what is left over from a terminal of another size.
    ///
    /// # Errors
    ///
    /// The terminal is gone.
    pub fn clear(&self) -> io::Result<()> {
        execute!(io::stdout(), Clear(ClearType::All))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Best effort: if the terminal is gone, there is no way to report it.
fn give_back() {
    let _ = execute!(io::stdout(), LeaveAlternateScreen, cursor::Show);
    let _ = terminal::disable_raw_mode();
}
