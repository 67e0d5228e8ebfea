//! Counting in the kernel.

use aya_ebpf::EbpfContext;
use capable_common::{COMM_LENGTH, Count, CountKey, Flags, RECENT, SYSCALL_NONE, process_word};

use crate::{
    clock::now, config, hooked::HookedCheck, maps, settled::SettledCheck, stack, task,
    verdict::INITIAL_USER_NAMESPACE,
};

/// In place of what to count by: the process, and its cgroup where the stack's number would be.
const WITH_CGROUP: u8 = 3;

/// Counts a check; false if the table is full.
///
/// If no other program can run on this processor in the meantime, as is the case for kprobes,
/// checks that repeat are first counted outside the table, to save hashing their key each time.
/// They are added to the table when another check takes their place; user space adds those that are
/// still here.
#[inline(always)]
pub fn count<C: EbpfContext>(context: &C, hooked: &HookedCheck, settled: &SettledCheck) -> bool {
    let origin = config!(count_origin) != 0;
    let mut flags = settled.flags();
    if origin {
        // What a record would say: the process may have ended by the time the table is read.
        let identity = task::identity(settled.task);
        flags |= identity.owner(hooked.credentials) | task::kind(settled.task);
        if settled.verdict.target_namespace == INITIAL_USER_NAMESPACE {
            flags |= Flags::NAMESPACE_INITIAL;
        }
    }
    let subject = config!(count_subject);
    let key = CountKey {
        subject: match subject {
            0 | WITH_CGROUP => process_word(settled.pid, task::process_started()),
            1 => task::cgroup(),
            _ => 0,
        },
        caller: if origin {
            stack::number(context)
        } else if subject == WITH_CGROUP {
            task::cgroup()
        } else {
            0
        },
        flags,
        capability: settled.capability,
        result: settled.result(),
        syscall: if origin {
            task::syscall_number()
        } else {
            SYSCALL_NONE
        },
        comm: if subject == 0 || subject == WITH_CGROUP {
            task::name(settled.task)
        } else {
            [0; COMM_LENGTH]
        },
    };
    if !hooked.exclusive || origin {
        return add_to_table(&key, 1, now());
    }
    let place = (key.subject as u32 ^ key.capability as u32) & (RECENT - 1);
    let Some(recent) = maps::RECENT.get_ptr_mut(place) else {
        return false;
    };
    // SAFETY: the entry is this processor's and is not freed while the program runs, and no other
    // program runs here in the meantime.
    let recent = unsafe { &mut *recent };
    if same(&recent.key, &key) && recent.count.first != 0 {
        recent.count.checks += 1;
        return true;
    }
    let Count { checks, first } = recent.count;
    let added = first == 0 || add_to_table(&recent.key, checks, first);
    if !added {
        // The current check is counted by the caller.
        maps::count_many(|counters| &mut counters.lost_counts, checks - 1);
    }
    let first = now();
    let since = &raw mut recent.count.first;
    // SAFETY: as above. Volatile: if user space reads in between, it must not take one key's count
    // for another's.
    unsafe {
        since.write_volatile(0);
        (&raw mut recent.key).write_volatile(key);
        (&raw mut recent.count.checks).write_volatile(1);
        since.write_volatile(first);
    }
    added
}

/// Whether two keys without an origin are the same, word by word.
#[inline(always)]
fn same(one: &CountKey, other: &CountKey) -> bool {
    const WORDS: usize = size_of::<CountKey>() / 8;
    // SAFETY: a key has this many words, without padding.
    let words = |key: &CountKey| unsafe { &*(&raw const *key).cast::<[u64; WORDS]>() };
    let (one, other) = (words(one), words(other));
    one[0] == other[0]
        && (config!(count_subject) != WITH_CGROUP || one[1] == other[1])
        && one[2] == other[2]
        && one[3] == other[3]
        && one[4] == other[4]
        && one[5] == other[5]
}

/// Adds checks to the table; false if it is full.
#[inline(always)]
fn add_to_table(key: &CountKey, checks: u64, first: u64) -> bool {
    if let Some(count) = maps::COUNTS.get_ptr_mut(key) {
        // SAFETY: the entry is this processor's and is not freed while the program runs.
        let count = unsafe { &mut *count };
        maps::add_many(&mut count.checks, checks);
        // Another processor made the row.
        if count.first == 0 {
            count.first = first;
        }
        return true;
    }
    maps::COUNTS
        .insert(key, &Count { checks, first }, 0)
        .is_ok()
}
