//! Names user stacks on a thread of its own, while rows wait in their order.
//!
//! Reading symbols takes long at times, and looks at files that the traced processes chose. The
//! tracer must answer signals meanwhile, so it only waits for the answers. The thread is started
//! with the first stack.

use std::{collections::VecDeque, io, sync::mpsc, thread, time::Duration};

use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{Instant, timeout_at},
};

use crate::{
    context::user_symbols::{UserStack, UserSymbols},
    event::{Event, Held, Stack},
};

/// How long the first row waits for its names. The reader of symbols has shorter deadlines: what
/// takes longer hangs in the kernel, on a file system that does not answer.
const PATIENCE: Duration = Duration::from_secs(60);

const TOO_LONG: &str = "reading its symbols, or those before, takes too long";
const NO_THREAD: &str = "capable cannot start a thread to read symbols";
const STOPPED: &str = "capable was stopped before its symbols were read";

/// The names of a stack.
pub enum Names {
    /// There is no stack to name.
    None,
    /// What was found.
    Found(UserStack),
    /// Nothing, for this reason.
    Missing(&'static str),
}

/// What a row waits for.
enum Expected {
    Nothing,
    Answer,
    /// It waits for nothing any more, for this reason.
    Missing(&'static str),
}

/// The rows that wait, and the thread that finds their names.
#[derive(Default)]
pub struct Naming {
    thread: Option<Thread>,
    waiting: VecDeque<(Held, Expected)>,
    /// How many answers are yet to come for rows that do not wait any more.
    late: usize,
    /// When the wait for the first row began.
    since: Option<Instant>,
}

struct Thread {
    questions: mpsc::Sender<Question>,
    answers: UnboundedReceiver<UserStack>,
}

/// A stack to name.
struct Question {
    pid: u32,
    stack: Box<[u64]>,
}

impl Naming {
    /// Whether no row waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Lets a row wait for its names.
    pub fn hold(&mut self, event: Event<'_>) {
        let expected = match event.user_stack {
            Stack::Frames(stack) => self.ask(event.pid(), stack),
            Stack::NotAsked | Stack::Failed => Expected::Nothing,
        };
        self.waiting.push_back((event.into(), expected));
    }

    fn ask(&mut self, pid: u32, stack: &[u64]) -> Expected {
        if self.thread.is_none() {
            match Thread::start() {
                Ok(thread) => self.thread = Some(thread),
                Err(error) => log::warn!("cannot start a thread: {error}"),
            }
        }
        let Some(thread) = &mut self.thread else {
            return Expected::Missing(NO_THREAD);
        };
        while self.late > 0 && thread.answers.try_recv().is_ok() {
            self.late -= 1;
        }
        let stack = stack.into();
        if self.late > 0 || thread.questions.send(Question { pid, stack }).is_err() {
            return Expected::Missing(TOO_LONG);
        }
        Expected::Answer
    }

    /// The next row, when its names are known or are not waited for any longer. Nothing is lost if
    /// the future is dropped. `None` if no row waits.
    pub async fn next(&mut self) -> Option<(Held, Names)> {
        loop {
            if let Some(ready) = self.ready() {
                return Some(ready);
            }
            let thread = self.thread.as_mut().filter(|_| !self.waiting.is_empty())?;
            let since = *self.since.get_or_insert_with(Instant::now);
            match timeout_at(since + PATIENCE, thread.answers.recv()).await {
                Ok(Some(stack)) => return self.take(Names::Found(stack)),
                Ok(None) | Err(_) => self.give_up(TOO_LONG),
            }
        }
    }

    /// The next row, if it need not wait.
    pub fn ready(&mut self) -> Option<(Held, Names)> {
        let names = match self.waiting.front()? {
            (_, Expected::Nothing) => Names::None,
            (_, Expected::Missing(reason)) => Names::Missing(reason),
            (_, Expected::Answer) => Names::Found(self.thread.as_mut()?.answers.try_recv().ok()?),
        };
        self.take(names)
    }

    fn take(&mut self, names: Names) -> Option<(Held, Names)> {
        self.since = None;
        Some((self.waiting.pop_front()?.0, names))
    }

    /// Lets no row wait any longer, because the trace is over.
    pub fn stop(&mut self) {
        self.give_up(STOPPED);
    }

    fn give_up(&mut self, reason: &'static str) {
        for (_, expected) in &mut self.waiting {
            if matches!(expected, Expected::Answer) {
                *expected = Expected::Missing(reason);
                self.late += 1;
            }
        }
    }
}

impl Thread {
    fn start() -> io::Result<Self> {
        let (questions, asked) = mpsc::channel();
        let (given, answers) = unbounded_channel();
        thread::Builder::new()
            .name("symbols".into())
            .spawn(move || name(&asked, &given))?;
        Ok(Self { questions, answers })
    }
}

/// Answers in order, until nobody asks or listens any more.
fn name(asked: &mpsc::Receiver<Question>, given: &UnboundedSender<UserStack>) {
    let mut symbols = UserSymbols::with_reader("/proc/self/exe", true);
    let mut waiting = VecDeque::new();
    while let Some(question) = waiting.pop_front().or_else(|| asked.recv().ok()) {
        // The processes of later stacks may end while symbols of this one are read.
        for later in asked.try_iter() {
            symbols.learn(later.pid);
            waiting.push_back(later);
        }
        let Question { pid, stack } = question;
        if given.send(symbols.symbolize(pid, &stack)).is_err() {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{context::user_symbols::Provenance, event::tests::plain};

    /// A thread that answers what the test says, when the test says it.
    fn naming() -> (Naming, mpsc::Receiver<Question>, UnboundedSender<UserStack>) {
        let (questions, asked) = mpsc::channel();
        let (given, answers) = unbounded_channel();
        let naming = Naming {
            thread: Some(Thread { questions, answers }),
            ..Naming::default()
        };
        (naming, asked, given)
    }

    fn hold(naming: &mut Naming, pid: u32, stack: Stack<'_>) {
        let mut check = plain();
        check.pid = pid;
        naming.hold(Event {
            user_stack: stack,
            ..Event::bare(&check)
        });
    }

    fn answer() -> UserStack {
        UserStack {
            frames: Vec::new(),
            provenance: Provenance::Gone,
            unread: Vec::new(),
        }
    }

    /// Lets no time pass but that for which something waits.
    fn block_on(test: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(test);
    }

    #[test]
    fn rows_keep_their_order() {
        block_on(async {
            let (mut naming, asked, given) = naming();
            hold(&mut naming, 1, Stack::Frames(&[1]));
            hold(&mut naming, 2, Stack::Failed);
            hold(&mut naming, 3, Stack::Frames(&[3]));
            assert!(naming.ready().is_none());
            for pid in [1, 3] {
                assert_eq!(asked.recv().unwrap().pid, pid);
                given.send(answer()).unwrap();
            }
            for (pid, named) in [(1, true), (2, false), (3, true)] {
                let (held, names) = naming.next().await.unwrap();
                assert_eq!(held.event().pid(), pid);
                assert_eq!(matches!(names, Names::Found(_)), named);
                assert_eq!(matches!(names, Names::None), !named);
            }
            assert!(naming.is_empty() && naming.next().await.is_none());
        });
    }

    #[test]
    fn nobody_waits_for_a_thread_that_hangs_and_late_answers_go_to_no_other_row() {
        block_on(async {
            let (mut naming, asked, given) = naming();
            hold(&mut naming, 1, Stack::Frames(&[1]));
            hold(&mut naming, 2, Stack::Frames(&[2]));
            let begun = Instant::now();
            for _ in 0..2 {
                let (_, names) = naming.next().await.unwrap();
                assert!(matches!(names, Names::Missing(TOO_LONG)));
            }
            assert_eq!(begun.elapsed(), PATIENCE);
            given.send(answer()).unwrap();
            hold(&mut naming, 3, Stack::Frames(&[3]));
            let (_, names) = naming.next().await.unwrap();
            assert!(
                matches!(names, Names::Missing(TOO_LONG)),
                "one is still late"
            );
            given.send(answer()).unwrap();
            hold(&mut naming, 4, Stack::Frames(&[4]));
            assert!(naming.ready().is_none());
            given.send(answer()).unwrap();
            let (held, names) = naming.next().await.unwrap();
            assert_eq!(held.event().pid(), 4);
            assert!(matches!(names, Names::Found(_)));
            let pids: Vec<u32> = asked.try_iter().map(|question| question.pid).collect();
            assert_eq!(pids, [1, 2, 4]);
        });
    }

    #[test]
    fn at_the_end_nothing_waits() {
        let (mut naming, _asked, _given) = naming();
        hold(&mut naming, 1, Stack::Frames(&[1]));
        naming.stop();
        let (_, names) = naming.ready().unwrap();
        assert!(matches!(names, Names::Missing(STOPPED)));
        assert!(naming.is_empty());
    }
}
