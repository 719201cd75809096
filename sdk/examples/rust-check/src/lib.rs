//! A check in Rust, on the C border alone and with no crate but the standard library.
mod abi;

use abi::{Call, Check1, Config1, Emit1, Error, Inst, Metric, Outcome, Plugin, Str};
use std::ffi::{c_char, c_void, CStr};
use std::panic::{catch_unwind, AssertUnwindSafe};

// The manifest as the note of an ELF file: owner RONDA, type 0x524F.
std::arch::global_asm!(
    ".pushsection .note.ronda.plugin, \"a\", @note",
    ".balign 4",
    ".long 2f - 1f, 4f - 3f, 0x524F",
    "1: .asciz \"RONDA\"",
    "2: .balign 4",
    concat!("3: .incbin \"", env!("CARGO_MANIFEST_DIR"), "/plugin.toml\""),
    "4: .balign 4",
    ".popsection",
);

const INVALID: i32 = -6;
const INTERNAL: i32 = -7;

struct Uptime {
    inst: *const Inst,
    emit: *const Emit1,
    young_ns: i64,
}

unsafe fn fail(err: *mut Error, code: i32, text: &str) -> i32 {
    let room = (*err).msg.len() - 1;
    let length = text.len().min(room);
    (&mut (*err).msg)[..length].copy_from_slice(&text.as_bytes()[..length]);
    (*err).msg[length] = 0;
    (*err).code = code;
    code
}

/// No panic may leave: it becomes the call's error.
unsafe fn guarded(err: *mut Error, work: impl FnOnce() -> Result<(), (i32, String)>) -> i32 {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => 0,
        Ok(Err((code, text))) => fail(err, code, &text),
        Err(_) => fail(err, INTERNAL, "panic"),
    }
}

/// `id` ends with a NUL.
unsafe fn service<T>(inst: *const Inst, id: &[u8]) -> *const T {
    ((*inst).query)(inst, id.as_ptr() as *const c_char) as *const T
}

unsafe extern "C" fn create(inst: *const Inst, _name: Str, out: *mut *mut c_void, err: *mut Error) -> i32 {
    guarded(err, || {
        let config: *const Config1 = service(inst, b"ronda.config/1\0");
        let emit: *const Emit1 = service(inst, b"ronda.emit/1\0");
        if config.is_null() || emit.is_null() {
            return Err((INTERNAL, "the host lacks config or emit".into()));
        }
        let mut young_ns = 0;
        let young = ((*config).member)(((*config).root)(inst), Str::of("young"));
        if ((*config).get_i64)(young, &mut young_ns) != 0 {
            return Err((INVALID, "config key 'young' is not a duration".into()));
        }
        *out = Box::into_raw(Box::new(Uptime { inst, emit, young_ns })) as *mut c_void;
        Ok(())
    })
}

unsafe extern "C" fn run(this: *mut c_void, call: *const Call, err: *mut Error) -> i32 {
    guarded(err, || {
        let this = &*(this as *const Uptime);
        let text = std::fs::read_to_string("/proc/uptime").map_err(|e| (INTERNAL, format!("/proc/uptime: {e}")))?;
        let first = text.split(' ').next().unwrap_or("");
        let seconds: f64 = first.parse().map_err(|_| (INTERNAL, format!("/proc/uptime starts with '{first}'")))?;
        let metric = Metric {
            size: std::mem::size_of::<Metric>() as u32,
            kind_of_number: 0,
            kind: 0,
            reserved: 0,
            name: Str::of("uptime"),
            unit: Str::of("s"),
            f64: seconds,
            i64: 0,
            warn: Str::EMPTY,
            crit: Str::EMPTY,
            labels: std::ptr::null(),
            label_count: 0,
        };
        ((*this.emit).metric)(this.inst, call, &metric);
        let summary = format!("up for {:.0} s", seconds);
        let outcome = Outcome {
            size: std::mem::size_of::<Outcome>() as u32,
            status: i32::from(seconds * 1e9 < this.young_ns as f64),
            summary: Str::of(&summary),
            detail: Str::EMPTY,
            again_at_wall_ns: 0,
        };
        match ((*this.emit).result)(this.inst, call, &outcome) {
            0 => Ok(()),
            code => Err((code, "the host refused the result".into())),
        }
    })
}

unsafe extern "C" fn destroy(this: *mut c_void) {
    drop(Box::from_raw(this as *mut Uptime));
}

unsafe extern "C" fn query(kind: *const c_char) -> *const c_void {
    static CHECK: Check1 = Check1 {
        size: std::mem::size_of::<Check1>() as u32,
        reserved: 0,
        create,
        run,
        cancel: None,
        destroy,
        migrate: None,
    };
    if CStr::from_ptr(kind).to_bytes() == b"ronda.check/1" {
        return &CHECK as *const Check1 as *const c_void;
    }
    std::ptr::null()
}

/// The only export.
#[no_mangle]
pub extern "C" fn ronda_plugin_entry_1(_host: *const c_void, _err: *mut Error) -> *const Plugin {
    static PLUGIN: Plugin =
        Plugin { size: std::mem::size_of::<Plugin>() as u32, abi_minor: 0, query, shutdown: None };
    &PLUGIN
}
