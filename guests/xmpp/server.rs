//! Server mode: the accepted side is an XMPP client, or server, that asks for TLS, the
//! outgoing side an XMPP server that has none. That one hears the stream inside TLS only,
//! which the client begins anew (RFC 6120 section 5.4.3.3).

use stunnel::accept::{self, say};
use stunnel::text::equal;
use stunnel::{host, Class, Outcome, Part, Refusal, ACCEPTED};
use crate::header::{self, Wrong, FAILED, TLS};
use crate::xml::Kind;
use crate::{answer, Session};
use Part::{Quote, Say};

/// The command that asks for TLS.
static STARTTLS: accept::Command = accept::command!("STARTTLS");

/// What follows the opening tag: STARTTLS is all there is, and it must be.
const FEATURES: &[u8] = b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/>\
    </starttls></stream:features>";

/// Runs the conversation up to TLS.
#[inline(never)]
pub fn negotiate(s: &mut Session) -> Outcome {
    if accept::speaks_tls()? {
        start_tls()?;
        return connect(s);
    }
    accept::want_clear(&STARTTLS)?;
    header::read(&mut s.client, ACCEPTED, &mut s.header)
        .map_err(|wrong| answer::end(&mut s.line, &s.header, false, wrong))?;
    // Where the client's TLS chooses the server there is none yet.
    let late = accept::by_name();
    if !late {
        connect(s)?;
    }
    answer::open_back(&mut s.line, &s.header)?;
    s.line.add(FEATURES);
    say(s.line.bytes())?;
    want_starttls(s).map_err(|wrong| answer::end(&mut s.line, &s.header, true, wrong))?;
    if !s.client.rest().is_empty() {
        // Taken into TLS it would pass for what the client says there (CVE-2011-0411).
        say(b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>")?;
        let how = "client sent data after STARTTLS without waiting for the answer";
        return Err(Refusal::new(Class::Peer, &[Say(how)]));
    }
    say(b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")?;
    start_tls()?;
    if late {
        return connect(s);
    }
    Ok(())
}

/// Connects to the server. A client that gets none hears so on a stream of its own.
fn connect(s: &mut Session) -> Outcome {
    host::connect().map_err(|code| {
        let refusal = Refusal::of(&["connecting to the server"], code);
        answer::end(&mut s.line, &s.header, false, Wrong { condition: FAILED, refusal })
    })
}

/// Waits for the one thing that a client may say before TLS.
fn want_starttls(s: &mut Session) -> Result<(), Wrong> {
    let token = s.client.next(ACCEPTED)?;
    let asked = token.is(b"starttls", TLS);
    match token.kind {
        Kind::Empty if asked => return Ok(()),
        Kind::Start if asked => return want_end(s),
        Kind::End if equal(token.name, b"stream:stream") => {
            let _ = ACCEPTED.write(b"</stream:stream>"); // it may be gone
            let refusal = Refusal::new(Class::Peer, &[Say("client closed its stream without STARTTLS")]);
            return Err(Wrong { condition: &"", refusal });
        }
        _ => {}
    }
    let how = [Say("client sent "), Quote(token.name), Say(" and not STARTTLS")];
    Err(Wrong { condition: &"policy-violation", refusal: Refusal::new(Class::Peer, &how) })
}

/// The end of a starttls that is not written as one tag.
fn want_end(s: &mut Session) -> Result<(), Wrong> {
    let token = s.client.next(ACCEPTED)?;
    if token.kind == Kind::End && equal(token.name, b"starttls") {
        return Ok(());
    }
    let refusal = Refusal::new(Class::Peer, &[Say("client sent a STARTTLS that is not empty")]);
    Err(Wrong { condition: &"bad-format", refusal })
}

/// Starts TLS (RFC 6120 section 5.4.3).
fn start_tls() -> Outcome {
    accept::start_tls(&STARTTLS, b"</stream:stream>")
}
