//! The part of ronda/abi.h that this example uses, as Rust sees it. Layouts are those of the C header.
#![allow(non_camel_case_types)]
use std::ffi::{c_char, c_void};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Str {
    pub ptr: *const u8,
    pub len: u64,
}

impl Str {
    pub const EMPTY: Str = Str { ptr: std::ptr::null(), len: 0 };
    pub fn of(text: &str) -> Str {
        Str { ptr: text.as_ptr(), len: text.len() as u64 }
    }
}

#[repr(C)]
pub struct Error {
    pub size: u32,
    pub code: i32,
    pub msg: [u8; 504],
}

#[repr(C)]
pub struct Inst {
    pub size: u32,
    pub abi_minor: u32,
    pub query: unsafe extern "C" fn(*const Inst, *const c_char) -> *const c_void,
}

#[repr(C)]
pub struct Call {
    pub size: u32,
    pub flags: u32,
    pub id: u64,
    pub deadline_mono_ns: u64,
    pub cancel_fd: i32,
    pub reason: u32,
    pub scheduled_wall_ns: i64,
}

#[repr(C)]
pub struct Plugin {
    pub size: u32,
    pub abi_minor: u32,
    pub query: unsafe extern "C" fn(*const c_char) -> *const c_void,
    pub shutdown: Option<unsafe extern "C" fn()>,
}

#[repr(C)]
pub struct Check1 {
    pub size: u32,
    pub reserved: u32,
    pub create: unsafe extern "C" fn(*const Inst, Str, *mut *mut c_void, *mut Error) -> i32,
    pub run: unsafe extern "C" fn(*mut c_void, *const Call, *mut Error) -> i32,
    pub cancel: Option<unsafe extern "C" fn(*mut c_void, *const Call)>,
    pub destroy: unsafe extern "C" fn(*mut c_void),
    pub migrate: Option<unsafe extern "C" fn(*mut c_void, u32, u32, *mut Error) -> i32>,
}

#[repr(C)]
pub struct Metric {
    pub size: u32,
    pub kind_of_number: u32,
    pub kind: u32,
    pub reserved: u32,
    pub name: Str,
    pub unit: Str,
    pub f64: f64,
    pub i64: i64,
    pub warn: Str,
    pub crit: Str,
    pub labels: *const c_void,
    pub label_count: u64,
}

#[repr(C)]
pub struct Outcome {
    pub size: u32,
    pub status: i32,
    pub summary: Str,
    pub detail: Str,
    pub again_at_wall_ns: i64,
}

#[repr(C)]
pub struct Emit1 {
    pub size: u32,
    pub reserved: u32,
    pub metric: unsafe extern "C" fn(*const Inst, *const Call, *const Metric) -> i32,
    pub result: unsafe extern "C" fn(*const Inst, *const Call, *const Outcome) -> i32,
}

pub type Value = c_void;

#[repr(C)]
pub struct Config1 {
    pub size: u32,
    pub reserved: u32,
    pub root: unsafe extern "C" fn(*const Inst) -> *const Value,
    pub type_of: unsafe extern "C" fn(*const Value) -> u32,
    pub member: unsafe extern "C" fn(*const Value, Str) -> *const Value,
    pub length: unsafe extern "C" fn(*const Value) -> u64,
    pub item: unsafe extern "C" fn(*const Value, u64) -> *const Value,
    pub key: unsafe extern "C" fn(*const Value, u64) -> Str,
    pub get_bool: unsafe extern "C" fn(*const Value, *mut i32) -> i32,
    pub get_i64: unsafe extern "C" fn(*const Value, *mut i64) -> i32,
}
