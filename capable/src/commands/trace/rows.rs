//! Turns checks into rows: adds what user space knows, but only what the format requires.

use std::time::Instant;

use super::{
    folding::Folding,
    naming::{Names, Naming},
};
use crate::{
    context::{
        accounts::Accounts,
        cgroups::{Cgroup, Cgroups, Runtime},
        kernel_symbols::KernelSymbols,
        namespaces::initial_mount_namespace,
        syscalls,
        user_symbols::{Provenance, UserStack},
    },
    event::{Event, Stack},
    learn::{Places, in_call},
    output::{ContainerRef, Frame, NamedStack, Row, RowNeeds, Sink},
};

/// How many bytes of rows whose names are known are written at once.
const WRITTEN_AT_ONCE: usize = 1 << 16;

/// Makes rows and writes them to a buffer.
pub struct Rows {
    sink: Box<dyn Sink>,
    needs: RowNeeds,
    stacks: bool,
    kernel: Places,
    /// The rows that wait for the names in their user stacks; `None` if no stack is named.
    naming: Option<Naming>,
    users: Option<Accounts>,
    groups: Option<Accounts>,
    initial_mount_namespace: Option<u32>,
    cgroups: Option<Cgroups>,
    /// The rows that repeat, if somebody watches.
    folding: Option<Folding>,
    /// What the sink wrote that has not been taken yet.
    pub written: Vec<u8>,
    /// How many rows were written.
    pub shown: u64,
}

impl Rows {
    /// Prepares what the sink needs. Anything unavailable is reported in `gaps` and shown as
    /// unknown.
    pub fn new(
        sink: Box<dyn Sink>,
        kernel_stack: bool,
        user_stack: bool,
        gaps: &mut Vec<String>,
    ) -> Self {
        let needs = sink.needs();
        let kernel = (kernel_stack || needs.contains(RowNeeds::CALLER)).then(KernelSymbols::load);
        let kernel = kernel.and_then(|symbols| {
            symbols
                .map_err(|error| gaps.push(format!("cannot name kernel functions: {error}")))
                .ok()
        });
        let cgroups = needs.intersects(RowNeeds::UNIT | RowNeeds::CONTAINER | RowNeeds::CGROUP);
        let cgroups = cgroups.then(Cgroups::open).and_then(|cgroups| {
            cgroups
                .map_err(|error| gaps.push(format!("cannot name cgroups: {error}")))
                .ok()
        });
        let mut rows = Self {
            sink,
            needs,
            stacks: kernel_stack || user_stack,
            kernel: Places::new(kernel),
            naming: user_stack.then(Naming::default),
            users: needs.contains(RowNeeds::USER).then(Accounts::users),
            groups: needs.contains(RowNeeds::GROUP).then(Accounts::groups),
            initial_mount_namespace: needs
                .contains(RowNeeds::MOUNT_NAMESPACE)
                .then(initial_mount_namespace)
                .flatten(),
            cgroups,
            folding: None,
            written: Vec::with_capacity(1 << 16),
            shown: 0,
        };
        if let Some(cgroups) = &mut rows.cgroups {
            cgroups.learn_all();
        }
        rows.sink.header(&mut rows.written);
        rows
    }

    /// Shows only addresses in user stacks: if the process numbers in records differ from those of
    /// `/proc` here, functions of another process would be named.
    pub fn without_user_symbols(&mut self) {
        self.naming = None;
    }

    /// Folds rows that repeat, apart from their first `time` bytes.
    pub fn fold(&mut self, time: usize) {
        self.folding = Some(Folding::new(time));
    }

    /// When the next folded rows are to be shown.
    pub fn due(&self) -> Option<Instant> {
        self.folding.as_ref().and_then(Folding::due)
    }

    /// Writes the folded rows that are due.
    pub fn show_due(&mut self) {
        if let Some(folding) = &mut self.folding {
            folding.show_due(&mut self.written, Instant::now());
        }
    }

    /// Writes a check's row, or lets it wait for the names in its user stack.
    #[inline]
    pub fn push(&mut self, event: Event<'_>) {
        self.shown += 1;
        // The target namespace is in the check itself.
        let adds_nothing = (self.needs - RowNeeds::CREDENTIALS).is_empty();
        if adds_nothing && !self.stacks && self.folding.is_none() {
            self.sink.bare(event.check, &mut self.written);
        } else if let Some(naming) = &mut self.naming {
            if let Some(cgroups) = &mut self.cgroups {
                // It may be gone when the names are there.
                cgroups.get(event.check.cgroup);
            }
            naming.hold(event);
        } else {
            self.push_whole(event, &Names::None);
        }
    }

    /// Whether rows wait for names. They are not written before those that came earlier.
    pub fn wait(&self) -> bool {
        self.naming
            .as_ref()
            .is_some_and(|naming| !naming.is_empty())
    }

    /// Writes the next row that waits, when it has its names, and those after it that have theirs.
    /// Nothing is lost if the future is dropped.
    pub async fn name(&mut self) {
        let Some(naming) = &mut self.naming else {
            return;
        };
        let mut next = naming.next().await;
        while let Some((held, names)) = next {
            self.push_whole(held.event(), &names);
            let naming = self.naming.as_mut();
            let naming = naming.filter(|_| self.written.len() < WRITTEN_AT_ONCE);
            next = naming.and_then(Naming::ready);
        }
    }

    /// Writes the rows that wait, without names.
    fn name_no_more(&mut self) {
        if let Some(naming) = &mut self.naming {
            naming.stop();
        }
        while let Some((held, names)) = self.naming.as_mut().and_then(Naming::ready) {
            self.push_whole(held.event(), &names);
        }
    }

    /// Writes the row of a check, with additions.
    fn push_whole(&mut self, event: Event<'_>, names: &Names) {
        self.kernel.refresh();
        let why = self.why(&event);
        let mut row = Row::bare(event);
        row.why = why.as_deref();
        if self.needs.contains(RowNeeds::SYSCALL) {
            row.syscall = event
                .syscall()
                .and_then(|syscall| syscalls::name(syscall.number, syscall.compat));
        }
        if let Some(users) = &mut self.users {
            users.learn(event.check.uid);
            row.user = users.known(event.check.uid);
            row.names = users.generation();
        }
        if let (Some(groups), Some(gid)) = (&mut self.groups, event.gid()) {
            groups.learn(gid);
            row.group = groups.known(gid);
            // Both only ever grow.
            row.names = row.names.wrapping_add(groups.generation());
        }
        row.initial_mount_namespace = self.initial_mount_namespace;
        if let Some(cgroup) = self
            .cgroups
            .as_mut()
            .and_then(|cgroups| cgroups.get(event.check.cgroup))
        {
            add_cgroup(&mut row, cgroup);
        }
        let mut kernel_frames = Vec::new();
        if let (Some(kernel), Stack::Frames(frames)) = (self.kernel.symbols(), event.kernel_stack) {
            if self.needs.contains(RowNeeds::CALLER) {
                row.caller = kernel.caller(frames);
            }
            if self.stacks {
                let frames = kernel.without_tracer(frames);
                kernel_frames
                    .extend((0..frames.len()).map(|depth| kernel_frame(kernel, frames, depth)));
            }
        } else if let Stack::Frames(frames) = event.kernel_stack {
            kernel_frames.extend(frames.iter().map(|&address| Frame {
                address,
                ..Frame::default()
            }));
        }
        if self.stacks {
            row.kernel_stack = match event.kernel_stack {
                Stack::NotAsked => NamedStack::NotAsked,
                Stack::Failed => NamedStack::NotCaptured,
                Stack::Frames(_) => NamedStack::Frames(&kernel_frames),
            };
        }
        let (user_frames, note) = user_frames(event.user_stack, names);
        let note = note.as_deref();
        row.user_stack = match (event.user_stack, names) {
            (Stack::NotAsked, _) => NamedStack::NotAsked,
            (Stack::Failed, _) => NamedStack::NotCaptured,
            (Stack::Frames(_), Names::Found(found)) if found.provenance == Provenance::Gone => {
                NamedStack::ProcessGone(&user_frames)
            }
            (Stack::Frames(_), _) => match note {
                Some(note) => NamedStack::Noted(&user_frames, note),
                None => NamedStack::Frames(&user_frames),
            },
        };
        let start = self.written.len();
        self.sink.row(&row, &mut self.written);
        if let Some(folding) = &mut self.folding {
            folding.take(&mut self.written, start, Instant::now());
        }
    }

    /// What the format did not keep apart, if there is something to say.
    pub fn left_out(&self) -> Option<String> {
        self.sink.left_out()
    }

    /// What the atlas says of the place of a check, if a column asks for it and the place is known.
    fn why(&mut self, event: &Event<'_>) -> Option<String> {
        if !self.needs.contains(RowNeeds::PLACE) {
            return None;
        }
        let Stack::Frames(frames) = event.kernel_stack else {
            return None;
        };
        let (_, place) = self.kernel.of(event.capability(), frames);
        let place = in_call(place?, event);
        let told = place.told().concat();
        (!told.is_empty()).then(|| format!("without it, {told}"))
    }

    /// Writes the sink's ending after the last row.
    pub fn finish(&mut self) {
        self.name_no_more();
        if let Some(folding) = &mut self.folding {
            folding.show_all(&mut self.written, Instant::now());
        }
        self.sink.finish(&mut self.written);
    }
}

/// The frames of a user stack, and the remark on names that are missing.
fn user_frames<'a>(stack: Stack<'a>, names: &'a Names) -> (Vec<Frame<'a>>, Option<String>) {
    let bare = match stack {
        Stack::Frames(frames) => frames,
        Stack::NotAsked | Stack::Failed => &[],
    };
    let bare = bare.iter().map(|&address| Frame {
        address,
        ..Frame::default()
    });
    match names {
        Names::Found(found) => (named_frames(found), found.note()),
        Names::Missing(reason) => (bare.collect(), Some((*reason).to_owned())),
        Names::None => (bare.collect(), None),
    }
}

fn named_frames(stack: &UserStack) -> Vec<Frame<'_>> {
    let frames = stack.frames.iter().map(|frame| Frame {
        address: frame.address,
        function: frame.name.as_deref(),
        offset: frame.offset.unwrap_or(0),
        module: frame.module.as_deref(),
        module_offset: frame.module_offset,
        build_id: frame.build_id.as_deref(),
        file: frame.location.as_ref().map(|source| &*source.file),
        line: frame.location.as_ref().and_then(|source| source.line),
        inlined: frame.inlined,
    });
    frames.collect()
}

fn add_cgroup<'a>(row: &mut Row<'a>, cgroup: &'a Cgroup) {
    row.cgroup = Some(&cgroup.path);
    row.unit = cgroup.innermost_unit();
    row.container = cgroup.container.as_ref().map(|container| ContainerRef {
        id: &container.id,
        short_id: container.short_id(),
        runtime: container.runtime.map(Runtime::name),
        name: container.name.as_deref(),
        image: container.image.as_deref(),
        pod: container.pod.as_deref(),
        short_pod: container.short_pod(),
    });
}

fn kernel_frame<'a>(kernel: &'a KernelSymbols, frames: &[u64], depth: usize) -> Frame<'a> {
    let address = frames[depth];
    match kernel.lookup_frame(frames, depth) {
        Some(found) => Frame {
            address,
            function: Some(found.name),
            offset: found.offset,
            module: found.module,
            ..Frame::default()
        },
        None => Frame {
            address,
            ..Frame::default()
        },
    }
}
