//! Client mode: the outgoing side is a proxy, behind which the TLS server is. Nothing is
//! said to the local client: TLS is started for it once the proxy has connected.

use crate::ntlm;
use crate::options::{self, Identity, Login, Scheme, HEADERS_MAX};
use crate::Session;
use stunnel::host;
use stunnel::option::VALUE_MAX;
use stunnel::text::Parts;
use stunnel::{Class, Outcome, Part, Refusal, OUTGOING};
use Part::{Quote, Say};

/// Longest request in bytes: its target twice, a login, and protocolHeader with a line
/// end more for each of its lines, two bytes long at least.
pub const REQUEST_MAX: usize = 2 * VALUE_MAX + LOGIN_MAX + 2 * HEADERS_MAX + 256;

/// Longest login: the last message of NTLM in base64.
const LOGIN_MAX: usize = 6144;

/// Runs the conversation up to TLS with the server behind the proxy.
pub fn negotiate(s: &mut Session) -> Outcome {
    host::connect().map_err(|code| Refusal::of(&["connecting to the proxy"], code))?;
    let mut login = Login::new();
    let scheme = match (login.read()?, options::scheme()?) {
        (None, _) => {
            ask(s, "", 0)?;
            None
        }
        (Some(who), scheme) => {
            if scheme == Scheme::Basic {
                basic(s, &who)?;
            } else {
                ntlm(s, &who, scheme == Scheme::Ntlm1)?;
            }
            Some(scheme)
        }
    };
    connected(s, scheme)?;
    // The server speaks second in TLS, so that what came already is somebody else's.
    OUTGOING.starttls().map_err(|code| Refusal::of(&["starting TLS with the server behind the proxy"], code))
}

/// Logs in by the first request (RFC 7617 section 2): the proxy is known to want it.
fn basic(s: &mut Session, who: &Identity) -> Outcome {
    s.messages.add(who.user).add(b":").add(who.password);
    ask(s, "Proxy-Authorization: Basic ", 0)
}

/// Logs in by two requests on this connection, which is what NTLM authenticates.
#[inline(never)]
fn ntlm(s: &mut Session, who: &Identity, old: bool) -> Outcome {
    ntlm::negotiate(&mut s.messages, old);
    ask(s, "Proxy-Connection: keep-alive\r\nProxy-Authorization: NTLM ", 0)?;
    if !s.response.wants_login() || !s.response.offers(Scheme::Ntlm.name()) {
        return Ok(()); // perhaps it wants no login
    }
    let start = match s.response.challenge() {
        Some(challenge) => ntlm::authenticate(&mut s.messages, challenge, who, old)?,
        None => return Err(Refusal::new(Class::Peer, &[Say("the proxy offers NTLM but sends no challenge that can be read")])),
    };
    s.response.skip_body(&mut s.line)?;
    ask(s, "Proxy-Authorization: NTLM ", start)
}

/// Sends a request, and reads the answer. The request has the target, twice (RFC 9110
/// section 9.3.6), the header of a login, if there is one, with what the messages have from
/// a place on, and the lines of protocolHeader.
#[inline(never)]
fn ask(s: &mut Session, login: &str, start: usize) -> Outcome {
    let mut buf = [0; VALUE_MAX];
    let target = options::target(&mut buf)?;
    s.out.clear();
    s.out.add(b"CONNECT ").add(target).add(b" HTTP/1.1\r\nHost: ").add(target).add(b"\r\n");
    if !login.is_empty() {
        s.out.add(login.as_bytes()).add_base64(s.messages.bytes().get(start..).unwrap_or(&[])).add(b"\r\n");
    }
    for line in Parts::of(options::headers(&mut s.line)?, b'\n').filter(|line| !line.is_empty()) {
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
    let offered = Quote(response.offered());
    let (what, name, but, offer) = match scheme {
        _ if !response.wants_login() => ("the proxy does not connect", "", "", Say("")),
        None => ("the proxy wants a login by ", "", "", offered),
        Some(scheme) if !response.offers(scheme.name()) => ("the proxy does not offer ", scheme.name(), " but ", offered),
        Some(scheme) => ("the proxy refuses the login by ", scheme.name(), "", Say("")),
    };
    Err(Refusal::new(Class::Peer, &[Say(what), Say(name), Say(but), offer, Say(": "), Quote(line)]))
}
