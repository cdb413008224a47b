//! Client mode: the accepted side is a local XMPP client, or server, without TLS, the
//! outgoing side an XMPP server that offers STARTTLS.

use stunnel::option::{bad, value, VALUE_MAX};
use stunnel::text::equal;
use stunnel::{host, Class, Code, Outcome, Part, Refusal, ACCEPTED, OUTGOING};
use crate::header::{self, is_address, Header, Wrong, FAILED, TLS};
use crate::xml::Kind;
use crate::{answer, Session};
use Part::{Quote, Say};

/// Runs the conversation up to the relay. The local client speaks first, and says whom it
/// wants; inside TLS the server hears what it said (RFC 6120 section 5.4.3.3).
pub fn negotiate(s: &mut Session) -> Outcome {
    header::read(&mut s.client, ACCEPTED, &mut s.header)
        .and_then(|()| start_tls(s))
        .map_err(|wrong| answer::end(&mut s.line, &s.header, false, wrong))?;
    OUTGOING.write(s.client.bytes()).map_err(|code| Refusal::of(&["forwarding the client's stream"], code))
}

/// The domain to ask the server for, if it is not the local client's.
pub fn domain(buf: &mut [u8; VALUE_MAX]) -> Outcome<Option<&[u8]>> {
    match value("protocolHost", "protocolhost", buf)? {
        Some(name) if !is_address(name) => Err(bad("protocolHost", name, " is no domain")),
        name => Ok(name),
    }
}

/// Opens a stream and upgrades it.
fn start_tls(s: &mut Session) -> Result<(), Wrong> {
    host::connect().map_err(|code| failed(Refusal::of(&["connecting to the server"], code)))?;
    let mut buf = [0; VALUE_MAX];
    let to = domain(&mut buf).map_err(failed)?.unwrap_or(s.header.to.bytes());
    answer::open(&mut s.line, &s.header, to);
    send(s.line.bytes(), "a stream header")?;
    header::read(&mut s.server, OUTGOING, &mut Header::new())?;
    want_offer(s)?;
    send(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "STARTTLS")?;
    want_proceed(s)?;
    let doing = ["starting TLS with the server"];
    if !s.server.rest().is_empty() {
        return Err(failed(Refusal::of(&doing, Code::INJECT)));
    }
    OUTGOING.starttls().map_err(|code| failed(Refusal::of(&doing, code)))
}

/// Reads the server's features up to their end.
#[inline(never)]
fn want_offer(s: &mut Session) -> Result<(), Wrong> {
    let token = s.server.next(OUTGOING)?;
    match token.kind {
        Kind::Start if equal(token.name, b"stream:features") => {}
        Kind::Empty if equal(token.name, b"stream:features") => return Err(not_offered()),
        Kind::Start if equal(token.name, b"stream:error") => return Err(refused(s)),
        _ => return Err(unlike("server sent no features")),
    }
    let (mut depth, mut offered) = (0u32, false);
    loop {
        let token = s.server.next(OUTGOING)?;
        offered |= depth == 0 && token.is(b"starttls", TLS);
        match token.kind {
            Kind::Start => depth += 1,
            Kind::End if depth == 0 => break,
            Kind::End => depth -= 1,
            _ => {}
        }
    }
    if offered {
        Ok(())
    } else {
        Err(not_offered())
    }
}

fn want_proceed(s: &mut Session) -> Result<(), Wrong> {
    let token = s.server.next(OUTGOING)?;
    let proceeds = token.is(b"proceed", TLS);
    match token.kind {
        Kind::Empty if proceeds => return Ok(()),
        Kind::Start if proceeds => {}
        Kind::Start if equal(token.name, b"stream:error") => return Err(refused(s)),
        Kind::Start | Kind::Empty => {
            let how = [Say("server refused STARTTLS: "), Quote(token.name)];
            return Err(failed(Refusal::new(Class::Peer, &how)));
        }
        _ => return Err(unlike("server refused STARTTLS")),
    }
    let token = s.server.next(OUTGOING)?;
    if token.kind == Kind::End && equal(token.name, b"proceed") {
        return Ok(());
    }
    Err(unlike("server sent a proceed that is not empty"))
}

/// Conditions of the server's that the local client hears too (RFC 6120 section 4.9.3).
static PASSED_ON: [&str; 6] = [
    "host-gone",
    "host-unknown",
    "not-authorized",
    "policy-violation",
    "resource-constraint",
    "system-shutdown",
];

/// Reads the condition of a stream error.
#[inline(never)]
fn refused(s: &mut Session) -> Wrong {
    let name = match s.server.next(OUTGOING) {
        Ok(token) if token.kind != Kind::End => token.name,
        Ok(_) => b"",
        Err(wrong) => return wrong,
    };
    let refusal = Refusal::new(Class::Peer, &[Say("server refused the stream: "), Quote(name)]);
    match PASSED_ON.iter().find(|known| equal(known.as_bytes(), name)) {
        Some(condition) => Wrong { condition, refusal },
        None => failed(refusal),
    }
}

fn send(bytes: &[u8], what: &str) -> Result<(), Wrong> {
    OUTGOING.write(bytes).map_err(|code| failed(Refusal::of(&["sending ", what], code)))
}

fn not_offered() -> Wrong {
    unlike("server does not offer STARTTLS")
}

fn unlike(how: &str) -> Wrong {
    failed(Refusal::new(Class::Peer, &[Say(how)]))
}

fn failed(refusal: Refusal) -> Wrong {
    Wrong { condition: FAILED, refusal }
}
