//! System calls by number, so that a trigger makes exactly the call it names and nothing around it.

use std::ffi::CStr;
use std::marker::PhantomData;

use libc::c_long;

/// The result of a system call: its value, or the errno.
pub type Answer = Result<i64, i32>;

/// One argument of a system call: a number, or the address of something borrowed for the call.
#[derive(Clone, Copy)]
pub struct Argument<'a>(usize, PhantomData<&'a ()>);

impl<'a> Argument<'a> {
    /// The address of a structure that the kernel reads.
    pub fn read<T>(value: &'a T) -> Self {
        Self(std::ptr::from_ref(value).addr(), PhantomData)
    }

    /// The address of a structure that the kernel writes.
    pub fn write<T>(value: &'a mut T) -> Self {
        Self(std::ptr::from_mut(value).expose_provenance(), PhantomData)
    }
}

impl<'a> From<&'a CStr> for Argument<'a> {
    fn from(text: &'a CStr) -> Self {
        Self(text.as_ptr().expose_provenance(), PhantomData)
    }
}

impl<'a> From<&'a [u8]> for Argument<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self(bytes.as_ptr().expose_provenance(), PhantomData)
    }
}

/// The kernel takes every number in a register of 64 bits, negative ones sign-extended.
macro_rules! from_number {
    ($($number:ty),*) => {$(
        impl From<$number> for Argument<'_> {
            fn from(number: $number) -> Self {
                Self(number as usize, PhantomData)
            }
        }
    )*};
}
from_number!(u8, i32, u32, i64, u64, usize);

/// Makes one system call.
///
/// Safe because an [`Argument`] holds nothing but numbers and live borrows; if a length goes with
/// an address, the trigger that writes both is responsible for it.
pub fn invoke(number: c_long, arguments: &[Argument<'_>]) -> Answer {
    let mut registers = [0; 6];
    for (register, argument) in registers.iter_mut().zip(arguments) {
        *register = argument.0;
    }
    let [a, b, c, d, e, f] = registers;
    // SAFETY: every address among the arguments is that of a borrow that outlives this call, and
    // the triggers pass the correct lengths of what they borrow.
    let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    if result == -1 {
        Err(errno())
    } else {
        Ok(result)
    }
}

/// The errno of the last failed call.
pub fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Makes the system call with this name: `call!(SYS_chown, c"file", 0, 0)`.
macro_rules! call {
    ($name:ident $(, $argument:expr)* $(,)?) => {
        $crate::guest::syscall::invoke(
            libc::$name,
            &[$($crate::guest::syscall::Argument::from($argument)),*],
        )
    };
}
pub(super) use call;
