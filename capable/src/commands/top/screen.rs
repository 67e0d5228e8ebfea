//! The terminal: taken over at the start, and given back however the program ends.

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

/// The terminal in raw mode, with the alternate screen. Dropping it gives it back.
pub struct Screen;

impl Screen {
    /// Takes the terminal over. A panic gives it back before it prints: this program aborts on a
    /// panic, so nothing is dropped.
    ///
    /// # Errors
    ///
    /// There is no terminal, or it cannot be set.
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

    /// Gives the terminal back while this process is stopped, as a shell's job control wants.
    ///
    /// # Errors
    ///
    /// The terminal cannot be taken over again.
    pub fn suspend(&self) -> io::Result<()> {
        give_back();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TSTP)?;
        self.take()
    }

    /// Columns and lines.
    ///
    /// # Errors
    ///
    /// The terminal does not say.
    pub fn size(&self) -> io::Result<(usize, usize)> {
        let (width, height) = terminal::size()?;
        Ok((usize::from(width), usize::from(height)))
    }

    /// Paints a frame over the one before, at once. Lines are as wide as the screen, so nothing of
    /// the frame before is left and nothing needs to be cleared first, which would flicker.
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

    /// Clears what a terminal of another size left.
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

/// Best effort: the terminal may be gone, and then there is nobody to tell.
fn give_back() {
    let _ = execute!(io::stdout(), LeaveAlternateScreen, cursor::Show);
    let _ = terminal::disable_raw_mode();
}
