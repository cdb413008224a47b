//! The imports of `stunnel1`, as safe functions. The numbers are those of the
//! host's package abi. An import that a guest does not call is not linked, so
//! the import section stays the truth about what the guest can do.

mod raw {
    #[link(wasm_import_module = "stunnel1")]
    extern "C" {
        pub fn read(side: i32, ptr: *mut u8, len: usize) -> i32;
        pub fn read_full(side: i32, ptr: *mut u8, len: usize) -> i32;
        pub fn read_line(side: i32, ptr: *mut u8, cap: usize) -> i32;
        pub fn peek(side: i32, ptr: *mut u8, len: usize) -> i32;
        pub fn write(side: i32, ptr: *const u8, len: usize) -> i32;
        pub fn wait(mask: i32, timeout_ms: i32) -> i32;
        pub fn connect() -> i32;
        pub fn set_target(ptr: *const u8, len: usize) -> i32;
        pub fn resolve(ptr: *const u8, len: usize, buf: *mut u8, cap: usize) -> i32;
        pub fn starttls(side: i32) -> i32;
        pub fn config(key: *const u8, klen: usize, buf: *mut u8, cap: usize) -> i32;
        pub fn secret(key: *const u8, klen: usize, buf: *mut u8, cap: usize) -> i32;
        pub fn info(id: i32, buf: *mut u8, cap: usize) -> i32;
        pub fn annotate(key: *const u8, klen: usize, val: *const u8, vlen: usize) -> i32;
        pub fn log(level: i32, ptr: *const u8, len: usize);
        pub fn fail(class: i32, ptr: *const u8, len: usize);
        pub fn digest(alg: i32, key: *const u8, klen: usize, ptr: *const u8, len: usize, buf: *mut u8, cap: usize) -> i32;
        pub fn random(ptr: *mut u8, len: usize) -> i32;
        pub fn now() -> i64;
        pub fn set_alpn(ptr: *const u8, len: usize) -> i32;
        pub fn fact(key: *const u8, klen: usize, buf: *mut u8, cap: usize) -> i32;
    }
}

/// Why a host call did not do what it was asked, below zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code(pub i32);

impl Code {
    pub const EOF: Code = Code(-1);
    pub const TOO_LONG: Code = Code(-2);
    pub const INVAL: Code = Code(-3);
    pub const STATE: Code = Code(-4);
    pub const INJECT: Code = Code(-5);
    pub const TIMEOUT: Code = Code(-6);
    pub const REFUSED: Code = Code(-7);
    pub const NET: Code = Code(-8);
    pub const HOST: Code = Code(-9);
    pub const DENIED: Code = Code(-10);
    pub const TLS: Code = Code(-11);
    pub const LIMIT: Code = Code(-12);
    pub const NONE: Code = Code(-13);
    pub const IO: Code = Code(-14);
    pub const INTERNAL: Code = Code(-15);

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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Side(i32);

pub const ACCEPTED: Side = Side(0);
pub const OUTGOING: Side = Side(1);

impl Side {
    /// Reads what there is, 1 byte at least; 0 at the end of the stream.
    #[inline(always)]
    pub fn read(self, buf: &mut [u8]) -> Result<usize> {
        check(unsafe { raw::read(self.0, buf.as_mut_ptr(), buf.len()) })
    }

    /// Reads a line with its line feed and returns its length. At the end of
    /// the stream, within a line or between two, it is `Code::EOF`; a line
    /// longer than the buffer is `Code::TOO_LONG` and stays unread.
    #[inline(always)]
    pub fn read_line(self, buf: &mut [u8]) -> Result<usize> {
        match check(unsafe { raw::read_line(self.0, buf.as_mut_ptr(), buf.len()) })? {
            0 => Err(Code::EOF),
            n => Ok(n),
        }
    }

    /// Fills the buffer, or `Code::EOF`.
    #[inline(always)]
    pub fn read_full(self, buf: &mut [u8]) -> Result<()> {
        check(unsafe { raw::read_full(self.0, buf.as_mut_ptr(), buf.len()) }).map(drop)
    }

    /// Looks at the next bytes, which stay unread: as many as fit, or fewer at the end of
    /// the stream.
    #[inline(always)]
    pub fn peek(self, buf: &mut [u8]) -> Result<usize> {
        check(unsafe { raw::peek(self.0, buf.as_mut_ptr(), buf.len()) })
    }

    /// The next byte, which stays unread; `None` at the end of the stream.
    pub fn peek_byte(self) -> Result<Option<u8>> {
        let mut b = [0u8];
        let n = check(unsafe { raw::peek(self.0, b.as_mut_ptr(), 1) })?;
        Ok(if n == 0 { None } else { Some(b[0]) })
    }

    /// Writes all the bytes.
    #[inline(always)]
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
    #[inline(always)]
    pub fn starttls(self) -> Result<()> {
        check(unsafe { raw::starttls(self.0) }).map(drop)
    }
}

/// Waits until a side can be read, the end of its stream included, and tells which:
/// accepted and outgoing. Both are false when the time is up.
pub fn wait_both(ms: i32) -> Result<(bool, bool)> {
    let mask = check(unsafe { raw::wait(3, ms) })?;
    Ok((mask & 1 != 0, mask & 2 != 0))
}

/// Chooses the target of `connect`, as `host:port`; capability target. What is no such
/// text is `Code::INVAL`; whether the config allows it, `connect` tells.
#[inline(always)]
pub fn set_target(target: &[u8]) -> Result<()> {
    check(unsafe { raw::set_target(target.as_ptr(), target.len()) }).map(drop)
}

/// The addresses of a name that the config allows, a line each; capability target.
pub fn resolve<'a>(name: &[u8], buf: &'a mut [u8]) -> Result<&'a [u8]> {
    let n = unsafe { raw::resolve(name.as_ptr(), name.len(), buf.as_mut_ptr(), buf.len()) };
    filled(buf, n)
}

/// Dials the target; the code says why it failed.
#[inline(always)]
pub fn connect() -> Result<()> {
    check(unsafe { raw::connect() }).map(drop)
}

/// Copies a service option or guestOption into buf. A value longer than buf is
/// `Code::TOO_LONG`, one that is not set `Code::NONE`.
#[inline(always)]
pub fn config<'a>(key: &str, buf: &'a mut [u8]) -> Result<&'a [u8]> {
    let n = unsafe { raw::config(key.as_ptr(), key.len(), buf.as_mut_ptr(), buf.len()) };
    filled(buf, n)
}

/// Whether an option that the host keeps says yes.
pub(crate) fn says_yes(key: &str) -> bool {
    let mut word = [0; 4];
    let n = unsafe { raw::config(key.as_ptr(), key.len(), word.as_mut_ptr(), word.len()) };
    n == 3 && word == *b"yes\0"
}

/// Whether an option has a value, whatever it is.
pub(crate) fn is_set(key: &str) -> bool {
    let n = unsafe { raw::config(key.as_ptr(), key.len(), [].as_mut_ptr(), 0) };
    n != Code::NONE.0
}

/// As `config`, for a value that the host keeps out of its logs.
pub fn secret<'a>(key: &str, buf: &'a mut [u8]) -> Result<&'a [u8]> {
    let n = unsafe { raw::secret(key.as_ptr(), key.len(), buf.as_mut_ptr(), buf.len()) };
    filled(buf, n)
}

/// Keeps a fact about this connection. The host bounds number and size, and a
/// fact that it drops is no reason to end a connection.
#[inline(always)]
pub fn annotate(key: &str, value: &[u8]) {
    unsafe { raw::annotate(key.as_ptr(), key.len(), value.as_ptr(), value.len()) };
}

/// What was annotated under a key, by whichever guest of this connection.
pub fn fact<'a>(key: &str, buf: &'a mut [u8]) -> Result<&'a [u8]> {
    let n = unsafe { raw::fact(key.as_ptr(), key.len(), buf.as_mut_ptr(), buf.len()) };
    filled(buf, n)
}

/// A fact of this connection that the host knows.
#[derive(Clone, Copy)]
pub enum Info {
    Service = 0,
    Mode = 1,
    PeerAddr = 2,
    LocalAddr = 3,
    TargetAddr = 4,
    Sni = 5,
    Alpn = 6,
    TlsVersion = 7,
    Cipher = 8,
    Stage = 9,
    Target = 10,
    BoundAddr = 11,
    Resumed = 12,
    // Those below need capability peer.
    PeerSubject = 16,
    PeerIssuer = 17,
    PeerSpki = 18,
    PeerSan = 19,
    PeerCert = 20,
    PeerCn = 21,
    PeerVerified = 22,
    PeerPsk = 23,
}

/// Copies a fact into buf: `Code::NONE` if there is none (yet), `Code::DENIED` without the
/// capability for it, `Code::TOO_LONG` if it does not fit.
pub fn info(id: Info, buf: &mut [u8]) -> Result<&[u8]> {
    let n = unsafe { raw::info(id as i32, buf.as_mut_ptr(), buf.len()) };
    filled(buf, n)
}

/// The application protocols, a line each, of the next handshake.
pub fn set_alpn(names: &str) -> Result<()> {
    check(unsafe { raw::set_alpn(names.as_ptr(), names.len()) }).map(drop)
}

/// A function for `digest`.
#[derive(Clone, Copy)]
pub enum Alg {
    Md4 = 0,
    Md5 = 1,
    Sha1 = 2,
    Sha224 = 3,
    Sha256 = 4,
    Sha384 = 5,
    Sha512 = 6,
}

/// A digest of the text, or its HMAC if the key is not empty; capability crypto. N is
/// the digest's length.
pub fn digest<const N: usize>(alg: Alg, key: &[u8], text: &[u8]) -> Result<[u8; N]> {
    let mut out = [0; N];
    let n = check(unsafe {
        raw::digest(alg as i32, key.as_ptr(), key.len(), text.as_ptr(), text.len(), out.as_mut_ptr(), N)
    })?;
    if n == N {
        Ok(out)
    } else {
        Err(Code::INVAL)
    }
}

/// Fills buf with random bytes; capability random.
pub fn random(buf: &mut [u8]) -> Result<()> {
    check(unsafe { raw::random(buf.as_mut_ptr(), buf.len()) }).map(drop)
}

/// Milliseconds since 1970; capability clock.
pub fn now() -> i64 {
    unsafe { raw::now() }
}

/// Logs a line at a severity from 0 to 7, as stunnel's levels.
pub fn log(severity: i32, text: &str) {
    unsafe { raw::log(severity, text.as_ptr(), text.len()) };
}

/// Logs at stunnel's level 4.
#[inline(always)]
pub fn warn(text: &str) {
    unsafe { raw::log(4, text.as_ptr(), text.len()) };
}

/// Gives the reason of a non-zero return; see `refusal`.
pub(crate) fn fail(class: i32, text: &[u8]) {
    unsafe { raw::fail(class, text.as_ptr(), text.len()) };
}

/// What was put into a buffer: so many bytes, or a code, which is below zero and so no
/// length of any buffer.
fn filled(buf: &[u8], n: i32) -> Result<&[u8]> {
    buf.get(..n as usize).ok_or(if n < 0 { Code(n) } else { Code::TOO_LONG })
}

/// It and what is little more than it are inlined everywhere: telling a number from a code
/// takes less of a module than handing a Result through memory.
#[inline(always)]
fn check(n: i32) -> Result<usize> {
    if n < 0 {
        Err(Code(n))
    } else {
        Ok(n as usize)
    }
}
