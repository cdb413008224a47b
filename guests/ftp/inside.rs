//! Server mode inside TLS. Clients set the protection of their data connections by PBSZ
//! and PROT, most of them behind the login, and the server would know neither. So the
//! guest stays until the client begins to work, and takes a command at a time to the
//! server and the reply back.

use stunnel::accept::{self, say};
use stunnel::line::{self, Line};
use stunnel::text::{is_among, is_word, split_word};
use stunnel::{Outcome, Refusal, ACCEPTED, OUTGOING};
use crate::session::{unavailable, Session};

/// Most commands that the guest stays for.
const COMMANDS_MAX: u32 = 100;

/// Commands that clients send before they set the protection. At any other the guest
/// hands over.
static BEFORE: [&str; 9] = ["USER", "PASS", "ACCT", "HOST", "SYST", "FEAT", "OPTS", "CLNT", "NOOP"];

/// Longest verb of those and of PBSZ and PROT.
const VERB_MAX: usize = 4;

/// Runs the conversation up to the relay.
pub fn negotiate(s: &mut Session) -> Outcome {
    for _ in 0..COMMANDS_MAX {
        let mut room = [0; VERB_MAX + 1];
        let n = peek_verb(&mut room)?;
        let verb = room.get(..n).unwrap_or(&[]);
        let about_tls = is_among(verb, &["PBSZ", "PROT"]);
        if !about_tls && !is_among(verb, &BEFORE) {
            break;
        }
        say(match line::read(ACCEPTED, &mut s.command).map_err(accept::reading)? {
            Line::TooLong => b"500 Line too long\r\n",
            Line::Control => b"500 Control character in command\r\n",
            Line::Text(line) if about_tls => judge(line),
            Line::Text(line) => {
                s.line.clear();
                s.line.add(line).add(b"\r\n");
                pass_on(s)?;
                s.reply.bytes()
            }
        })?;
    }
    Ok(())
}

/// The length of the verb that comes next, which stays unread; 0 at the end of the stream or for one
/// that is too long. It is looked at letter by letter, since a shorter line than was asked
/// for would be waited for in vain.
fn peek_verb(room: &mut [u8; VERB_MAX + 1]) -> Outcome<usize> {
    for n in 0..room.len() {
        let seen = room.get_mut(..=n).unwrap_or(&mut []);
        if ACCEPTED.peek(seen).map_err(accept::reading)? <= n {
            break;
        }
        if !seen.last().map_or(false, u8::is_ascii_alphabetic) {
            return Ok(n);
        }
    }
    Ok(0)
}

/// The answer to PBSZ or PROT (RFC 4217 section 9).
fn judge(line: &[u8]) -> &'static [u8] {
    let (verb, argument) = split_word(line);
    if is_word(verb, "PBSZ") {
        // TLS has no buffer of its own: the answer is 0 to any number.
        let number = !argument.is_empty() && argument.iter().all(u8::is_ascii_digit);
        return if number { b"200 PBSZ=0\r\n" } else { b"501 PBSZ takes a number\r\n" };
    }
    match argument {
        [b'C' | b'c'] => b"200 Data connections are in the clear\r\n",
        [b'P' | b'p' | b'S' | b's' | b'E' | b'e'] => b"536 Data connections are in the clear: PROT C\r\n",
        _ => b"504 No such protection level\r\n",
    }
}

/// Takes a command to the server, and reads the reply.
fn pass_on(s: &mut Session) -> Outcome {
    OUTGOING
        .write(s.line.bytes())
        .map_err(|code| unavailable(Refusal::of(&["forwarding a command"], code)))?;
    s.reply.read("reply").map_err(unavailable)
}
