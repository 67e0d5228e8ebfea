//! What each key does.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::sort::Sort;

/// What the user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Quit.
    Quit,
    /// Go to the background.
    Suspend,
    /// Show or hide the help page on keys.
    Help,
    /// The next grouping.
    Group,
    /// Sort by this; sorting by rate again sorts by total.
    Sort(Sort),
    /// Reverse the order.
    Reverse,
    /// Scroll by lines.
    Scroll(isize),
    /// Scroll by screens.
    Page(isize),
    /// To the first row.
    Home,
    /// Read the counters immediately.
    Read,
    /// Redraw everything.
    Repaint,
}

/// The action of a key; `None` if it has none.
pub fn action(key: KeyEvent, sort: Sort) -> Option<Action> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c') => Some(Action::Quit),
            KeyCode::Char('z') => Some(Action::Suspend),
            KeyCode::Char('l') => Some(Action::Repaint),
            _ => None,
        };
    }
    Some(match key.code {
        KeyCode::Char('q') | KeyCode::Esc => Action::Quit,
        KeyCode::Char('h' | '?') => Action::Help,
        KeyCode::Char('g') => Action::Group,
        KeyCode::Char('c') if sort == Sort::Rate => Action::Sort(Sort::Total),
        KeyCode::Char('c') => Action::Sort(Sort::Rate),
        KeyCode::Char('p') => Action::Sort(Sort::Pid),
        KeyCode::Char('n') => Action::Sort(Sort::Name),
        KeyCode::Char('r') => Action::Sort(Sort::Result),
        KeyCode::Char('R') => Action::Reverse,
        KeyCode::Char(' ') | KeyCode::Enter => Action::Read,
        KeyCode::Up => Action::Scroll(-1),
        KeyCode::Down => Action::Scroll(1),
        KeyCode::PageUp => Action::Page(-1),
        KeyCode::PageDown => Action::Page(1),
        KeyCode::Home => Action::Home,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(code: KeyCode, sort: Sort) -> Option<Action> {
        action(KeyEvent::new(code, KeyModifiers::NONE), sort)
    }

    #[test]
    fn c_goes_between_rate_and_total_and_comes_back_to_rate_from_elsewhere() {
        let c = KeyCode::Char('c');
        assert_eq!(press(c, Sort::Rate), Some(Action::Sort(Sort::Total)));
        assert_eq!(press(c, Sort::Total), Some(Action::Sort(Sort::Rate)));
        assert_eq!(press(c, Sort::Pid), Some(Action::Sort(Sort::Rate)));
    }

    #[test]
    fn control_c_quits_and_a_key_without_meaning_does_nothing() {
        let key = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(action(key, Sort::Rate), Some(Action::Quit));
        assert_eq!(press(KeyCode::Char('x'), Sort::Rate), None);
    }
}
