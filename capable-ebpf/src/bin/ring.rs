//! The kernel side for kernels that have the BPF ring buffer (5.8 and later).
#![no_std]
#![no_main]

use aya_ebpf::{EbpfContext, helpers::generated, macros::map, maps::RingBuf};
use capable_common::Life;
use capable_ebpf::{
    config,
    hooked::HookedFunction,
    transport::{Lost, Transport},
};

/// The records. User space sets the size.
#[map]
static EVENTS: RingBuf = RingBuf::with_byte_size(1 << 22, 0);

/// Not 0 while the reader needs no wake-up: it rests between two batches, or has been woken and has
/// not run yet. User space maps it: it is the only global that is written.
#[unsafe(no_mangle)]
static mut READER: u64 = 0;

/// `BPF_RB_NO_WAKEUP`, `BPF_RB_FORCE_WAKEUP` and `BPF_RB_AVAIL_DATA` (include/uapi/linux/bpf.h).
const NO_WAKEUP: u64 = 1;
const FORCE_WAKEUP: u64 = 2;
const AVAILABLE_DATA: u64 = 0;

struct Ring;

/// Wakes the reader at once if it waits. While it rests between two batches, it is woken only if
/// the buffer fills. If the buffer has room for thousands of records, only some of them, chosen by
/// their time, query how full it is.
#[inline(always)]
fn wakeup(time: u64) -> u64 {
    let reader = &raw mut READER;
    // SAFETY: the global is valid; volatile, because user space writes it too.
    if unsafe { reader.read_volatile() } == 0 {
        // The record is submitted after this, so the reader sees it before it resets this and waits
        // again. SAFETY: as above.
        unsafe { reader.write_volatile(1) };
        return FORCE_WAKEUP;
    }
    let asks = time >> 8 & u64::from(config!(wakeup_sample)) == 0;
    if asks && EVENTS.query(AVAILABLE_DATA) > u64::from(config!(wakeup_bytes)) {
        FORCE_WAKEUP
    } else {
        NO_WAKEUP
    }
}

impl Transport for Ring {
    #[inline(always)]
    fn reserve(size: u64, _function: HookedFunction) -> *mut u8 {
        // SAFETY: the map is a ring buffer, and the record that the helper gives is submitted by
        // `submit` on every path.
        unsafe {
            generated::bpf_ringbuf_reserve((&raw const EVENTS).cast_mut().cast(), size, 0).cast()
        }
    }

    #[inline(always)]
    fn submit<C: EbpfContext>(
        _context: &C,
        record: *mut u8,
        _size: u64,
        time: u64,
    ) -> Result<(), Lost> {
        // SAFETY: the record comes from `reserve` and is given back here, once.
        unsafe { generated::bpf_ringbuf_submit(record.cast(), wakeup(time)) };
        Ok(())
    }

    #[inline(always)]
    fn send_life<C: EbpfContext>(_context: &C, life: &Life) -> Result<(), Lost> {
        EVENTS
            .output::<Life>(life, wakeup(life.time))
            .map_err(|_| Lost::Full)
    }

    #[inline(always)]
    fn log_lost<C: EbpfContext>(context: &C, capability: i32) {
        aya_log_ebpf::debug!(
            context,
            "the ring buffer is full: lost a check of capability {}",
            capability
        );
    }

    #[inline(always)]
    fn log_full<C: EbpfContext>(context: &C, table: &'static str) {
        aya_log_ebpf::warn!(context, "the table of {} is full", table);
    }
}

capable_ebpf::programs!(Ring);

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
