//! What processes and files may hold, for [`crate::fuzzing`].

use super::{
    credentials::Credentials, file_capabilities::FileCapabilities, interpreter, user_namespace,
};

/// `/proc/PID/status`, which begins with a name of the process's choice.
pub(crate) fn status(data: &[u8]) {
    let _ = Credentials::from_status(&String::from_utf8_lossy(data));
}

/// The capabilities of a file.
pub(crate) fn attribute(data: &[u8]) {
    let _ = FileCapabilities::from_attribute(data);
}

/// The start of a file that may be a script.
pub(crate) fn script(data: &[u8]) {
    if let Some(interpreter) = interpreter::named_in(data) {
        assert!(!interpreter.is_empty() && interpreter.len() <= data.len());
    }
}

/// The users of a namespace.
pub(crate) fn users(data: &[u8]) {
    let map = user_namespace::parse_uid_map(&String::from_utf8_lossy(data));
    let _ = user_namespace::root(&map, false);
}
