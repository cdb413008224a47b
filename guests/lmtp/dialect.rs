//! What sets LMTP (RFC 2033) apart from SMTP.

/// What is said of a line that is no reply, and what the guest's own greeting ends in.
pub const UNLIKE: &str = " is no LMTP reply: ";
pub const WELCOME: &[u8] = b" LMTP stunnel\r\n";

/// LHLO stands in for EHLO and HELO, neither of which is taken (RFC 2033 section 4.1), so
/// that the older command is none of its own.
pub const HELLO: &str = "LHLO";
pub const OLD_HELLO: &str = HELLO;
pub const HELLO_FACT: &str = "lhlo";
pub const HELLO_FIRST: &[u8] = b"503 5.5.1 LHLO first\r\n";

/// Where stunnel's options of a login have no effect.
pub const IDLE: &str = stunnel::idle!("lmtp's server mode");
