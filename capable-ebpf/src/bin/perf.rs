//! The kernel side for kernels without the BPF ring buffer: records go through a perf buffer per
//! processor.
#![no_std]
#![no_main]

use aya_ebpf::{
    EbpfContext,
    bindings::BPF_F_CURRENT_CPU,
    helpers::generated,
    macros::map,
    maps::{PerCpuArray, PerfEventByteArray},
};
use capable_common::{LARGEST_RECORD, Life};
use capable_ebpf::{
    hooked::HookedFunction,
    transport::{Lost, Transport},
};

/// The records.
#[map]
static EVENTS: PerfEventByteArray = PerfEventByteArray::new(0);

/// Buffers in which records are put together, because they are larger than a program's stack. One
/// for each [`HookedFunction`].
#[map]
static SCRATCH: PerCpuArray<[u8; LARGEST_RECORD]> =
    PerCpuArray::with_max_entries(HookedFunction::COUNT, 0);

/// `-ENOENT` and `-EOPNOTSUPP` (include/uapi/asm-generic/errno.h).
const NO_ENTRY: i64 = -2;
const NOT_ON_PROCESSOR: i64 = -95;

struct Perf;

impl Perf {
    #[inline(always)]
    fn output<C: EbpfContext>(context: &C, record: *const u8, size: u64) -> Result<(), Lost> {
        // SAFETY: the map is an array of perf events and the record holds `size` bytes.
        let error = unsafe {
            generated::bpf_perf_event_output(
                context.as_ptr(),
                (&raw const EVENTS).cast_mut().cast(),
                BPF_F_CURRENT_CPU,
                record.cast_mut().cast(),
                size,
            )
        };
        match error {
            0 => Ok(()),
            // `__bpf_perf_event_output` (kernel/trace/bpf_trace.c): this processor's buffer was
            // never opened, or its perf event was removed when the processor went offline and does
            // not come back with it.
            NO_ENTRY | NOT_ON_PROCESSOR => Err(Lost::NoBuffer),
            _ => Err(Lost::Full),
        }
    }
}

impl Transport for Perf {
    #[inline(always)]
    fn reserve(_size: u64, function: HookedFunction) -> *mut u8 {
        SCRATCH
            .get_ptr_mut(function as u32)
            .map_or(core::ptr::null_mut(), |scratch| scratch.cast())
    }

    #[inline(always)]
    fn submit<C: EbpfContext>(
        context: &C,
        record: *mut u8,
        size: u64,
        _time: u64,
    ) -> Result<(), Lost> {
        Self::output(context, record, size)
    }

    #[inline(always)]
    fn send_life<C: EbpfContext>(context: &C, life: &Life) -> Result<(), Lost> {
        Self::output(context, (&raw const *life).cast(), size_of::<Life>() as u64)
    }

    /// The log needs a ring buffer, which kernels that need this object do not have.
    #[inline(always)]
    fn log_lost<C: EbpfContext>(_context: &C, _capability: i32) {}

    #[inline(always)]
    fn log_full<C: EbpfContext>(_context: &C, _table: &'static str) {}
}

capable_ebpf::programs!(Perf);

/// MIT or GPL-2.0, as the kernel spells it (include/linux/license.h): only GPL-compatible programs
/// may call some helpers. Cargo.toml says the same.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[cfg(not(test))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
