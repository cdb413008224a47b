//! What a guest of stunnel-wasm is written with: the host's functions behind safe
//! wrappers ([`host`]), the sentence that ends a connection ([`refusal`]), bytes in fixed
//! room ([`text`]), a peer's lines ([`line`]), a server's replies ([`reply`]), the config's
//! options ([`option`]), TLS clients that begin in the clear ([`accept`]), and IP addresses
//! ([`ip`]).
//!
//! A guest is a `cdylib` without the standard library:
//!
//!     #![no_std]
//!     #![no_main]
//!     use stunnel::{host, Outcome, ACCEPTED};
//!
//!     #[no_mangle]
//!     pub extern "C" fn negotiate() -> i32 {
//!         stunnel::status(run())
//!     }
//!
//! There is no allocator. A negotiation is sequential and an instance serves one
//! connection, so a guest keeps its buffers in one static value and lends it downwards
//! from its exported `negotiate`. Each exchange of the protocol is a function that
//! returns an [`Outcome`]; the first refusal ends the guest.
//!
//! With the feature `std` a guest can use the standard library instead, and its allocator.
#![no_std]

pub mod accept;
pub mod host;
pub mod ip;
pub mod line;
pub mod option;
pub mod refusal;
pub mod reply;
pub mod text;

pub use host::{Code, Side, ACCEPTED, OUTGOING};
pub use refusal::{status, Class, Outcome, Part, Refusal};
pub use text::Text;

/// Puts a file's text into the module as its custom section `stunnel.manifest`. It is
/// documentation, but for the options: the host refuses one that no line names. What the
/// guest can do is in its import section alone.
#[macro_export]
macro_rules! manifest {
    ($file:literal) => {
        #[used]
        #[link_section = "stunnel.manifest"]
        static MANIFEST: [u8; include_bytes!($file).len()] = *include_bytes!($file);
    };
}

/// A panic is a fault of the guest. It traps, which ends this connection alone;
/// the host logs the place. Nothing is formatted, to keep the module small.
#[cfg(all(target_arch = "wasm32", not(feature = "std")))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable();
}
