//! The copying and comparing that compiled code asks for, copying as one instruction of the
//! bulk-memory feature.
//!
//! It is compiled with that feature and everything else without, so that a guest calls these
//! instead of having the instruction at each place: the engine makes a loop of three blocks
//! of each `memory.fill`, which takes it as long as twenty calls, and the host adds its
//! charge by length to each.
#![no_std]
#![no_builtins]

#[no_mangle]
pub unsafe extern "C" fn memset(to: *mut u8, byte: i32, len: usize) -> *mut u8 {
    core::ptr::write_bytes(to, byte as u8, len);
    to
}

#[no_mangle]
pub unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    core::ptr::copy_nonoverlapping(from, to, len);
    to
}

#[no_mangle]
pub unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    core::ptr::copy(from, to, len);
    to
}

/// The library's has another copy of the loop, and a function around both.
#[no_mangle]
pub unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, len: usize) -> i32 {
    let (mut i, mut differ) = (0, 0);
    while i < len && differ == 0 {
        differ = *a.add(i) as i32 - *b.add(i) as i32;
        i += 1;
    }
    differ
}
