//! What sets SMTP (RFC 5321) apart from LMTP, whose guest shares all else.

/// What is said of a line that is no reply, and what the guest's own greeting ends in.
pub const UNLIKE: &str = " is no SMTP reply: ";
pub const WELCOME: &[u8] = b" ESMTP stunnel\r\n";

/// The command that asks for extensions, the older one that does not, and the key
/// that the client's name is kept under.
pub const HELLO: &str = "EHLO";
pub const OLD_HELLO: &str = "HELO";
pub const HELLO_FACT: &str = "ehlo";
pub const HELLO_FIRST: &[u8] = b"503 5.5.1 EHLO first\r\n";

/// Where stunnel's options of a login have no effect.
pub const IDLE: &str = stunnel::idle!("smtp's server mode");
