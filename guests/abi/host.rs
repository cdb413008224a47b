//! The imports of `stunnel1`, as safe functions. The numbers are those of the
//! host's package abi. An import that a guest does not call is not linked, so
//! the import section stays the truth about what the guest can do.

mod raw {
    #[link(wasm_import_module = "stunnel1")]
    extern "C" {
        pub fn read_full(side: i32, ptr: *mut u8, len: usize) -> i32;
        pub fn read_line(side: i32, ptr: *mut u8, cap: usize) -> i32;
        pub fn peek(side: i32, ptr: *mut u8, len: usize) -> i32;
        pub fn write(side: i32, ptr: *const u8, len: usize) -> i32;
        pub fn wait(mask: i32, timeout_ms: i32) -> i32;
        pub fn connect() -> i32;
        pub fn starttls(side: i32) -> i32;
        pub fn config(key: *const u8, klen: usize, buf: *mut u8, cap: usize) -> i32;
        pub fn secret(key: *const u8, klen: usize, buf: *mut u8, cap: usize) -> i32;
        pub fn annotate(key: *const u8, klen: usize, val: *const u8, vlen: usize) -> i32;
        pub fn log(level: i32, ptr: *const u8, len: usize);
        pub fn fail(class: i32, ptr: *const u8, len: usize);
    }
}

/// Why a host call did not do what it was asked, below zero.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code(pub i32);

impl Code {
    pub const EOF: Code = Code(-1);
    pub const TOO_LONG: Code = Code(-2);
    pub const STATE: Code = Code(-4);
    pub const INJECT: Code = Code(-5);
    pub const DENIED: Code = Code(-10);
    pub const NONE: Code = Code(-13);

    /// The code in words that end a sentence.
    pub fn words(self) -> &'static str {
        match self.0 {
            -1 => "connection closed",
            -2 => "line too long",
            -3 => "invalid argument",
            -4 => "not in this state",
            -5 => "plaintext came before the handshake",
            -6 => "timed out",
            -7 => "connection refused",
            -8 => "network unreachable",
            -9 => "host name does not resolve",
            -10 => "not allowed by the configuration",
            -11 => "TLS handshake failed",
            -12 => "limit of this negotiation reached",
            -13 => "not set",
            -14 => "connection broken",
            _ => "fault of the host",
        }
    }

    /// Whether the guest or the host is at fault rather than a peer.
    pub fn is_internal(self) -> bool {
        matches!(self.0, -3 | -4) || self.0 <= -15
    }
}

pub type Result<T> = core::result::Result<T, Code>;

/// An end of the tunnel.
#[derive(Clone, Copy)]
pub struct Side(i32);

pub const ACCEPTED: Side = Side(0);
pub const OUTGOING: Side = Side(1);

impl Side {
    /// Reads a line with its line feed and returns its length. At the end of
    /// the stream, within a line or between two, it is `Code::EOF`; a line
    /// longer than the buffer is `Code::TOO_LONG` and stays unread.
    pub fn read_line(self, buf: &mut [u8]) -> Result<usize> {
        match check(unsafe { raw::read_line(self.0, buf.as_mut_ptr(), buf.len()) })? {
            0 => Err(Code::EOF),
            n => Ok(n),
        }
    }

    /// Fills the buffer, or `Code::EOF`.
    pub fn read_full(self, buf: &mut [u8]) -> Result<()> {
        check(unsafe { raw::read_full(self.0, buf.as_mut_ptr(), buf.len()) }).map(drop)
    }

    /// The next byte, which stays unread; `None` at the end of the stream.
    pub fn peek_byte(self) -> Result<Option<u8>> {
        let mut b = [0u8];
        let n = check(unsafe { raw::peek(self.0, b.as_mut_ptr(), 1) })?;
        Ok(if n == 0 { None } else { Some(b[0]) })
    }

    /// Writes all the bytes.
    pub fn write(self, bytes: &[u8]) -> Result<()> {
        check(unsafe { raw::write(self.0, bytes.as_ptr(), bytes.len()) }).map(drop)
    }

    /// Whether something can be read within some milliseconds, the end of the
    /// stream included.
    pub fn readable_within(self, ms: i32) -> Result<bool> {
        Ok(check(unsafe { raw::wait(1 << self.0, ms) })? != 0)
    }

    /// Does the TLS handshake that the config asks for. Bytes that the peer
    /// sent too early are `Code::INJECT`.
    pub fn starttls(self) -> Result<()> {
        check(unsafe { raw::starttls(self.0) }).map(drop)
    }
}

/// Dials the target; the code says why it failed.
pub fn connect() -> Result<()> {
    check(unsafe { raw::connect() }).map(drop)
}

/// Copies a service option or guestOption into buf. A value longer than buf is
/// `Code::TOO_LONG`, one that is not set `Code::NONE`.
pub fn config<'a>(key: &str, buf: &'a mut [u8]) -> Result<&'a [u8]> {
    let n = check(unsafe { raw::config(key.as_ptr(), key.len(), buf.as_mut_ptr(), buf.len()) })?;
    buf.get(..n).ok_or(Code::TOO_LONG)
}

/// As `config`, for a value that the host keeps out of its logs.
pub fn secret<'a>(key: &str, buf: &'a mut [u8]) -> Result<&'a [u8]> {
    let n = check(unsafe { raw::secret(key.as_ptr(), key.len(), buf.as_mut_ptr(), buf.len()) })?;
    buf.get(..n).ok_or(Code::TOO_LONG)
}

/// Keeps a fact about this connection. The host bounds number and size, and a
/// fact that it drops is no reason to end a connection.
pub fn annotate(key: &str, value: &[u8]) {
    unsafe { raw::annotate(key.as_ptr(), key.len(), value.as_ptr(), value.len()) };
}

/// Logs at stunnel's level 4.
pub fn warn(text: &str) {
    unsafe { raw::log(4, text.as_ptr(), text.len()) };
}

/// Gives the reason of a non-zero return; see `refusal`.
pub(super) fn fail(class: i32, text: &[u8]) {
    unsafe { raw::fail(class, text.as_ptr(), text.len()) };
}

fn check(n: i32) -> Result<usize> {
    if n < 0 {
        Err(Code(n))
    } else {
        Ok(n as usize)
    }
}
