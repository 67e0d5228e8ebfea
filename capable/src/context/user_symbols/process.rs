//! The mappings of processes.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::text::cut;
use super::{Name, Provenance, lookup_address};
use crate::escape::text_of;

/// How often the mappings of a process are read again for an address outside of all of them.
const REREAD_INTERVAL: Duration = Duration::from_secs(1);
/// The largest number of mappings that is kept for a process.
const MAPPING_LIMIT: usize = 4096;
/// The most of `/proc/PID/maps` that is read, in bytes: a process may have 65530 mappings
/// (`vm.max_map_count`), and give their files paths of megabytes.
const TEXT_LIMIT: u64 = 16 << 20;
/// The longest path, in bytes, that is kept of a mapping, and the most of all of a process.
const PATH_LIMIT: usize = 1024;
const PATHS_SIZE: usize = 256 << 10;

/// Executable memory of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mapping {
    pub start: u64,
    pub end: u64,
    /// The offset in the file at which the mapping begins.
    pub file_offset: u64,
    /// The file's device, as `/proc/PID/maps` writes it, and its inode; 0 without a file.
    pub device: (u32, u32),
    pub inode: u64,
    /// The file's path, or `[vdso]` and the like.
    pub path: Option<Name>,
}

/// Distinguishes the programs that a process executes one after the other: the start time of the
/// process, and the addresses of the program's code and stack (`startcode` and `startstack` of
/// proc_pid_stat(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    start_time: u64,
    start_code: u64,
    start_stack: u64,
}

/// The mappings of a program, in the order of their addresses.
#[derive(Debug)]
struct Space {
    identity: Identity,
    mappings: Vec<Mapping>,
    /// The bytes of their paths.
    paths_size: usize,
    read: Instant,
}

impl Space {
    fn mapping(&self, address: u64) -> Option<&Mapping> {
        let index = self
            .mappings
            .partition_point(|mapping| mapping.start <= address);
        let mapping = self.mappings.get(index.checked_sub(1)?)?;
        (address < mapping.end).then_some(mapping)
    }

    fn size(&self) -> usize {
        size_of_val(&*self.mappings) + self.paths_size
    }

    fn covered(&self, addresses: &[u64]) -> usize {
        let addresses = addresses.iter().enumerate();
        addresses
            .filter(|&(depth, &address)| self.mapping(lookup_address(address, depth)).is_some())
            .count()
    }
}

/// A process, as last seen.
#[derive(Debug)]
pub(super) struct Process {
    /// The program that it ran when last seen, and the one before.
    latest: Option<Space>,
    before: Option<Space>,
    /// Whether the current stack is that of the program before.
    use_before: bool,
    /// When it was last looked up.
    pub used: u64,
}

impl Process {
    pub(super) fn new(pid: u32) -> Self {
        let mut process = Self {
            latest: None,
            before: None,
            use_before: false,
            used: 0,
        };
        if let Some(identity) = identity(pid) {
            // The reason for a failure is reported when a stack is looked up.
            let _ = process.read(pid, identity);
        }
        process
    }

    /// Checks whether the process still runs the same program, and to which of its programs the
    /// addresses belong.
    pub(super) fn update(&mut self, pid: u32, addresses: &[u64]) -> Provenance {
        let identity = identity(pid);
        let mut denied = false;
        if let Some(identity) = identity {
            let current = self
                .latest
                .as_ref()
                .filter(|space| space.identity == identity);
            let stale = current.is_none_or(|space| {
                space.covered(addresses) < addresses.len()
                    && space.read.elapsed() >= REREAD_INTERVAL
            });
            if stale && let Err(error) = self.read(pid, identity) {
                denied = error.kind() == io::ErrorKind::PermissionDenied;
            }
        }
        let covered =
            |space: &Option<Space>| space.as_ref().map_or(0, |space| space.covered(addresses));
        self.use_before = covered(&self.before) > covered(&self.latest);
        let alive = !self.use_before
            && identity.is_some()
            && identity == self.latest.as_ref().map(|space| space.identity);
        match (alive, denied) {
            (true, false) => Provenance::Alive,
            (_, true) if self.latest.is_none() => Provenance::Denied,
            _ if self.latest.is_none() => Provenance::Gone,
            _ => Provenance::Remembered,
        }
    }

    /// About how many bytes this takes.
    pub(super) fn size(&self) -> usize {
        let spaces = [&self.latest, &self.before];
        spaces.into_iter().flatten().map(Space::size).sum::<usize>() + size_of::<Self>()
    }

    /// The mapping around an address, in the program that [`update`](Self::update) chose.
    pub(super) fn mapping(&self, address: u64) -> Option<&Mapping> {
        let space = if self.use_before {
            &self.before
        } else {
            &self.latest
        };
        space.as_ref()?.mapping(address)
    }

    fn read(&mut self, pid: u32, identity: Identity) -> io::Result<()> {
        let (mappings, paths_size) = read_maps(File::open(format!("/proc/{pid}/maps"))?)?;
        // A zombie has no mappings.
        if mappings.is_empty() {
            return Ok(());
        }
        let space = Space {
            identity,
            mappings,
            paths_size,
            read: Instant::now(),
        };
        match &mut self.latest {
            Some(latest) if latest.identity != identity => self.before = self.latest.replace(space),
            latest => *latest = Some(space),
        }
        Ok(())
    }
}

/// The executable mappings in `/proc/PID/maps` (proc_pid_maps(5)).
pub(super) fn read_maps(maps: impl io::Read) -> io::Result<(Vec<Mapping>, usize)> {
    let mut lines = BufReader::new(maps.take(TEXT_LIMIT));
    let mut mappings: Vec<Mapping> = Vec::new();
    let mut size = 0;
    let mut line = Vec::new();
    while mappings.len() < MAPPING_LIMIT {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let text = text_of(&line);
        let Some((mapping, path)) = parse_mapping(text.trim_end_matches('\n')) else {
            continue;
        };
        let path = path.map(|path| cut(path, PATH_LIMIT));
        // One name for all mappings of a file.
        let known = mappings
            .iter()
            .rev()
            .find(|known| known.path.as_deref() == path.as_deref());
        let path = match known {
            Some(known) => known.path.clone(),
            None => {
                let room = PATHS_SIZE.saturating_sub(size);
                let path = path.filter(|path| path.len() <= room);
                size += path.as_ref().map_or(0, String::len);
                path.map(Arc::from)
            }
        };
        mappings.push(Mapping { path, ..mapping });
    }
    mappings.shrink_to_fit();
    Ok((mappings, size))
}

/// The mapping that a line describes if it is executable, and its path.
fn parse_mapping(line: &str) -> Option<(Mapping, Option<&str>)> {
    let mut fields = line.splitn(6, ' ');
    let (start, end) = fields.next()?.split_once('-')?;
    if fields.next()?.as_bytes().get(2) != Some(&b'x') {
        return None;
    }
    let hexadecimal = |digits| u64::from_str_radix(digits, 16).ok();
    let file_offset = hexadecimal(fields.next()?)?;
    let (major, minor) = fields.next()?.split_once(':')?;
    let device = (
        u32::from_str_radix(major, 16).ok()?,
        u32::from_str_radix(minor, 16).ok()?,
    );
    let inode = fields.next()?.parse().ok()?;
    let path = fields
        .next()
        .map(str::trim_start)
        .filter(|path| !path.is_empty());
    let mapping = Mapping {
        start: hexadecimal(start)?,
        end: hexadecimal(end)?,
        file_offset,
        device,
        inode,
        path: None,
    };
    Some((mapping, path))
}

fn identity(pid: u32) -> Option<Identity> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may contain anything; the third field follows the last parenthesis.
    let end = stat.iter().rposition(|&byte| byte == b')')?;
    let rest = str::from_utf8(&stat[end + 1..]).ok()?;
    let field = |number: usize| rest.split_ascii_whitespace().nth(number - 3)?.parse().ok();
    Some(Identity {
        start_time: field(22)?,
        start_code: field(26)?,
        start_stack: field(28)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executable_mappings_are_read_with_file_and_offset() {
        let maps = "\
55d0c0000000-55d0c0001000 r--p 00000000 fe:01 1234                       /usr/bin/a b
55d0c0001000-55d0c0002000 r-xp 00001000 fe:01 1234                       /usr/bin/a b
7f0000000000-7f0000001000 r-xp 00000000 00:00 0
7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0                          [vdso]
";
        let (mappings, paths_size) = read_maps(maps.as_bytes()).unwrap();
        assert_eq!(mappings.len(), 3);
        let space = Space {
            identity: identity(std::process::id()).unwrap(),
            mappings,
            paths_size,
            read: Instant::now(),
        };
        let mapping = space.mapping(0x55d0_c000_1010).unwrap();
        assert_eq!(mapping.path.as_deref(), Some("/usr/bin/a b"));
        assert_eq!(
            (mapping.file_offset, mapping.device, mapping.inode),
            (0x1000, (0xfe, 1), 1234)
        );
        assert_eq!(space.mapping(0x7f00_0000_0001).unwrap().path, None);
        assert_eq!(space.mapping(0x55d0_c000_0010), None, "not executable");
        assert_eq!(space.mapping(0x55d0_c000_2000), None);
        assert_eq!(space.covered(&[0x55d0_c000_1010, 1, 0x7ffd_0000_0001]), 2);
    }

    #[test]
    fn many_mappings_and_long_paths_are_cut() {
        let mut maps = String::new();
        for number in 0..2 * MAPPING_LIMIT {
            let (start, end) = (number << 12, (number + 1) << 12);
            let path = "x".repeat(if number == 0 { 1 << 20 } else { 200 });
            maps += &format!("{start:x}-{end:x} r-xp 00000000 fe:01 1234 /{number}/{path}\n");
        }
        let (mappings, paths_size) = read_maps(maps.as_bytes()).unwrap();
        assert_eq!(mappings.len(), MAPPING_LIMIT);
        let path = mappings[0].path.as_deref().unwrap();
        assert!(path.len() <= PATH_LIMIT && path.ends_with('…'));
        assert!(paths_size <= PATHS_SIZE);
        assert!(mappings[1].path.is_some());
        assert_eq!(mappings[MAPPING_LIMIT - 1].path, None);
        let endless = io::repeat(b'x');
        assert!(read_maps(endless).unwrap().0.is_empty());
    }
}
