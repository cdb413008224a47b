//! Client mode: the accepted side is a local client without TLS, the outgoing side a
//! directory server that offers StartTLS.

use crate::message::{Fault, Message, EXTENDED_RESPONSE, NOTICE, START_TLS};
use crate::result::{self, Foreign};
use stunnel::{host, Class, Code, Outcome, Part, Refusal, OUTGOING};
use Part::{Quote, Say};

/// StartTLS as a message of number 1.
const REQUEST: &[u8; 31] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

/// Runs the conversation up to the relay. The local client's requests wait; if there is
/// no TLS its answer is that the server ends the connection.
pub fn negotiate(message: &mut Message) -> Outcome {
    start_tls(message).map_err(|refusal| {
        result::apologize(message, "no TLS connection to the directory server");
        refusal
    })
}

fn start_tls(message: &mut Message) -> Outcome {
    host::connect().map_err(|code| Refusal::of(&["connecting to the server"], code))?;
    OUTGOING.write(REQUEST).map_err(|code| Refusal::of(&["sending StartTLS"], code))?;
    answer(message)?;
    OUTGOING.starttls().map_err(|code| {
        if code == Code::INJECT {
            return refused(&[Say("server sent plaintext behind its answer to StartTLS")]);
        }
        Refusal::of(&["starting TLS with the server"], code)
    })
}

/// Reads the answer to StartTLS (RFC 4511 section 4.14.2). Before it a server can say
/// nothing but that it ends the connection.
fn answer(message: &mut Message) -> Outcome {
    let parts = message.read(OUTGOING).map_err(|fault| match fault {
        Fault::Read(code) => Refusal::of(&["reading the server's answer to StartTLS"], code),
        Fault::Malformed(how) => refused(&[Say("the server's answer to StartTLS "), Say(how)]),
    })?;
    let result = match Foreign::parse(parts.contents) {
        Some(result) if parts.operation == EXTENDED_RESPONSE => result,
        _ => return Err(refused(&[Say("the server's answer to StartTLS is no extended response")])),
    };
    match parts.number() {
        1 => {}
        0 if result.name == NOTICE => {
            return Err(refused(&[
                Say("server ended the connection in place of StartTLS: "),
                Say(result.words()),
                Say(", "),
                Quote(result.diagnostic),
            ]))
        }
        _ => {
            return Err(refused(&[Say(
                "the server's answer to StartTLS has a number that nobody asked under",
            )]))
        }
    }
    if !result.is_success() {
        return Err(refused(&[
            Say("server refused StartTLS: "),
            Say(result.words()),
            Say(", "),
            Quote(result.diagnostic),
        ]));
    }
    // The name may be missing, as with Active Directory, but not be another's.
    if !result.name.is_empty() && result.name != START_TLS {
        return Err(refused(&[Say("the server's answer to StartTLS is to "), Quote(result.name)]));
    }
    Ok(())
}

fn refused(parts: &[Part]) -> Refusal {
    Refusal::new(Class::Peer, parts)
}
