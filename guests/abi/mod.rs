//! What every bundled guest shares: the host's functions behind safe wrappers
//! (`host`), the sentence that ends a connection (`refusal`), and bytes in
//! fixed room (`text`).
//!
//! A guest is one crate file, built by rustc alone, that includes this module:
//!
//!     #![no_std]
//!     #![no_main]
//!     #[path = "../abi/mod.rs"]
//!     mod abi;
//!
//! There is no allocator. A negotiation is sequential and an instance serves
//! one connection, so a guest keeps its buffers in one static value and lends
//! it downwards from its exported `negotiate`. Each exchange of the protocol is
//! a function that returns an [`Outcome`]; the first refusal ends the guest.
#![allow(dead_code)] // no guest uses all of it

pub mod host;
pub mod refusal;
pub mod text;

pub use host::{Code, Side, ACCEPTED, OUTGOING};
pub use refusal::{Class, Outcome, Part, Refusal};
pub use text::Text;

/// A panic is a fault of the guest. It traps, which ends this connection alone;
/// the host logs the place. Nothing is formatted, to keep the module small.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    loop {}
}
