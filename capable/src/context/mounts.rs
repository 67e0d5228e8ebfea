//! Lines of `/proc/PID/mountinfo` (proc_pid_mountinfo(5)).

/// A mount, as a line describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// The number of the mount, as in `/proc/PID/fdinfo`.
    pub(super) id: u64,
    /// Where it is mounted, escaped.
    pub(super) point: &'a [u8],
    /// The options of the mount, separated by commas.
    pub(super) options: &'a [u8],
    /// The type of the file system, with its subtype.
    pub(super) kind: &'a [u8],
    /// The options of the file system, separated by commas.
    pub(super) file_system_options: &'a [u8],
}

impl<'a> Line<'a> {
    /// Reads a line; `None` if it is none of that file.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        // A blank within a field is escaped.
        let end = memchr::memmem::find(line, b" - ")?;
        let mut mount = line[..end].split(|&byte| byte == b' ');
        let id = str::from_utf8(mount.next()?).ok()?.parse().ok()?;
        let point = mount.nth(3)?;
        let options = mount.next()?;
        let mut file_system = line[end + 3..].split(|&byte| byte == b' ');
        Some(Self {
            id,
            point,
            options,
            kind: file_system.next()?,
            file_system_options: file_system.nth(1)?,
        })
    }
}

/// Decodes `\040` and the like, which stand for blanks and other special characters.
pub(super) fn unescape(escaped: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((&byte, tail)) = rest.split_first() {
        let octal = tail.get(..3).filter(|_| byte == b'\\');
        let value = octal
            .and_then(|digits| str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(value.unwrap_or(byte));
        rest = if value.is_some() { &tail[3..] } else { tail };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_optional_fields_before_the_type() {
        let line = b"36 35 98:0 /mnt1 /my\\040mnt ro,noexec master:1 - fuse.sshfs a@b rw,user_id=7";
        let line = Line::parse(line).unwrap();
        assert_eq!((line.id, line.options), (36, &b"ro,noexec"[..]));
        assert_eq!(unescape(line.point), b"/my mnt");
        assert_eq!(line.kind, b"fuse.sshfs");
        assert_eq!(line.file_system_options, b"rw,user_id=7");
        assert_eq!(Line::parse(b"36 35 98:0 / / ro"), None);
        assert_eq!(Line::parse(b"x 35 98:0 / / ro - ext4 /dev/a rw"), None);
    }
}
