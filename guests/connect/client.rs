//! Client mode: the outgoing side is a proxy, behind which the TLS server is. Nothing is
//! said to the local client: TLS is started for it once the proxy has connected.

use crate::ntlm;
use crate::options::{self, Identity, Login, Scheme, HEADERS_MAX};
use crate::Session;
use stunnel::host;
use stunnel::option::VALUE_MAX;
use stunnel::text::Parts;
use stunnel::{Class, Outcome, Part, Refusal, Text, OUTGOING};
use Part::{Quote, Say};

/// Longest request in bytes: its target twice, a login, and protocolHeader with a line
/// end more for each of its lines, two bytes long at least.
pub const REQUEST_MAX: usize = 2 * VALUE_MAX + LOGIN_MAX + 2 * HEADERS_MAX + 256;

/// Longest login: the last message of NTLM in base64, where it is all of the room.
const LOGIN_MAX: usize = 6144;

/// Runs the conversation up to TLS with the server behind the proxy.
pub fn negotiate(s: &mut Session) -> Outcome {
    host::connect().map_err(|code| Refusal::of(&["connecting to the proxy"], code))?;
    let mut login = Login::new();
    match (login.read()?, options::scheme()?) {
        (None, _) => anonymous(s)?,
        (Some(who), Scheme::Basic) => basic(s, &who)?,
        (Some(who), scheme) => ntlm(s, &who, scheme)?,
    }
    // The server speaks second in TLS, so that what came already is somebody else's.
    OUTGOING.starttls().map_err(|code| Refusal::of(&["starting TLS with the server behind the proxy"], code))
}

/// Asks without a login.
fn anonymous(s: &mut Session) -> Outcome {
    begin(s)?;
    finish(s)?;
    connected(s, None)
}

/// Logs in by the first request (RFC 7617 section 2): the proxy is known to want it.
fn basic(s: &mut Session, who: &Identity) -> Outcome {
    let mut both = Text::<{ 2 * VALUE_MAX + 1 }>::new();
    both.add(who.user).add(b":").add(who.password);
    begin(s)?;
    s.out.add(b"Proxy-Authorization: Basic ").add_base64(both.bytes()).add(b"\r\n");
    finish(s)?;
    connected(s, Some(Scheme::Basic))
}

/// Logs in by two requests on this connection, which is what NTLM authenticates.
#[inline(never)]
fn ntlm(s: &mut Session, who: &Identity, scheme: Scheme) -> Outcome {
    let old = scheme == Scheme::Ntlm1;
    ntlm::negotiate(&mut s.messages, old);
    begin(s)?;
    s.out.add(b"Proxy-Connection: keep-alive\r\nProxy-Authorization: NTLM ");
    s.out.add_base64(s.messages.bytes()).add(b"\r\n");
    finish(s)?;
    if !s.response.wants_login() || !s.response.offers(scheme.name()) {
        return connected(s, Some(scheme)); // perhaps it wants no login
    }
    let answer = match s.response.challenge() {
        Some(challenge) => ntlm::authenticate(&mut s.messages, challenge, who, old)?,
        None => return Err(Refusal::new(Class::Peer, &[Say("the proxy offers NTLM but sends no challenge that can be read")])),
    };
    let mut encoded = Text::<LOGIN_MAX>::new();
    encoded.add_base64(answer);
    s.response.skip_body(&mut s.line)?;
    begin(s)?;
    s.out.add(b"Proxy-Authorization: NTLM ").add(encoded.bytes()).add(b"\r\n");
    finish(s)?;
    connected(s, Some(scheme))
}

/// Begins a request: the target, twice (RFC 9110 section 9.3.6).
fn begin(s: &mut Session) -> Outcome {
    let mut buf = [0; VALUE_MAX];
    let target = options::target(&mut buf)?;
    s.out.clear();
    s.out.add(b"CONNECT ").add(target).add(b" HTTP/1.1\r\nHost: ").add(target).add(b"\r\n");
    Ok(())
}

/// Ends a request with the lines of protocolHeader, sends it and reads the answer.
fn finish(s: &mut Session) -> Outcome {
    let mut buf = [0; HEADERS_MAX];
    for line in Parts::of(options::headers(&mut buf)?, b'\n').filter(|line| !line.is_empty()) {
        s.out.add(line).add(b"\r\n");
    }
    s.out.add(b"\r\n");
    if s.out.is_over() {
        return Err(Refusal::new(Class::Internal, &[Say("no room for the request to the proxy")]));
    }
    OUTGOING.write(s.out.bytes()).map_err(|code| Refusal::of(&["sending the request to the proxy"], code))?;
    s.response.read(&mut s.line)
}

/// Asks for a 2xx, and says why it is none.
#[inline(never)]
fn connected(s: &Session, scheme: Option<Scheme>) -> Outcome {
    let (response, line) = (&s.response, s.response.status_line());
    if response.is_success() {
        return Ok(());
    }
    if !response.wants_login() {
        return Err(Refusal::new(Class::Peer, &[Say("the proxy does not connect: "), Quote(line)]));
    }
    let offered = Quote(response.offered());
    let parts = match scheme {
        None => [Say("the proxy wants a login by "), offered, Say(": "), Quote(line)],
        Some(scheme) if !response.offers(scheme.name()) => {
            let [name, but] = [Say(scheme.name()), Say(" but ")];
            return Err(Refusal::new(Class::Peer, &[Say("the proxy does not offer "), name, but, offered, Say(": "), Quote(line)]));
        }
        Some(scheme) => [Say("the proxy refuses the login by "), Say(scheme.name()), Say(": "), Quote(line)],
    };
    Err(Refusal::new(Class::Peer, &parts))
}
