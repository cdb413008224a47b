//! Server mode: the accepted side is a SOCKS client inside TLS, which chooses the target.
//! Where that may be, guestDial says, and the host checks. The client is answered when the
//! target was dialled, and then with what came of it.

use stunnel::ip::{Endpoint, Ip};
use stunnel::text::Parts;
use stunnel::{host, Class, Code, Outcome, Part, Refusal, ACCEPTED};
use crate::{socks4, socks5, Session};
use crate::socks5::Reply;
use Part::{Quote, Say};

/// Room for the addresses of a name, a line each; those that do not fit are not needed.
const ADDRESSES_MAX: usize = 1024;

/// Room for an address and a port as the host gives them, a zone included.
const ENDPOINT_MAX: usize = 128;

/// Why a request fails.
pub struct Failure {
    /// What the client is told; None if it cannot be answered any more.
    reply: Option<Reply>,
    refusal: Refusal,
}

pub type Result<T = ()> = core::result::Result<T, Failure>;

impl Failure {
    pub fn new(reply: Reply, class: Class, parts: &[Part]) -> Failure {
        Failure { reply: Some(reply), refusal: Refusal::new(class, parts) }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        Failure { reply: None, refusal }
    }
}

/// Runs the conversation: TLS first, then the request inside it.
pub fn negotiate(s: &mut Session) -> Outcome {
    ACCEPTED.starttls().map_err(|code| Refusal::of(&["starting TLS with the client"], code))?;
    let mut version = [0];
    read(&mut version, "version")?;
    let old = match version {
        [socks4::VERSION] => true,
        [socks5::VERSION] => false,
        _ => {
            return Err(Refusal::new(
                Class::Peer,
                &[Say("client speaks neither SOCKS 4 nor 5: its first byte is "), Quote(&version)],
            ))
        }
    };
    match serve(s, old) {
        Ok(command) => {
            reply(s, old, None)?;
            // There is nothing to relay for a client that has the address it asked for.
            if command == socks5::RESOLVE {
                return Err(Refusal::new(Class::Policy, &[Say("client was told an address, and wanted no more")]));
            }
            Ok(())
        }
        Err(failure) => {
            if failure.reply.is_some() {
                // The client may be gone; the refusal is what counts.
                let _ = reply(s, old, failure.reply);
            }
            Err(failure.refusal)
        }
    }
}

/// Answers the request.
#[inline(never)]
fn reply(s: &mut Session, old: bool, failure: Option<Reply>) -> Outcome {
    s.out.clear();
    if old {
        socks4::reply(failure, s.bound.bytes(), &mut s.out);
    } else {
        socks5::reply(failure, s.bound.bytes(), &mut s.out);
    }
    say(s.out.bytes())
}

/// Reads a request, does what it asks, and gives its command.
#[inline(never)]
fn serve(s: &mut Session, old: bool) -> Result<u8> {
    let command = if old { socks4::request(s)? } else { socks5::request(s)? };
    let refused = match command {
        socks5::CONNECT => {
            connect(s)?;
            return Ok(command);
        }
        socks5::RESOLVE => {
            resolve(s, old)?;
            return Ok(command);
        }
        socks5::BIND => "BIND",
        socks5::ASSOCIATE if !old => "UDP ASSOCIATE",
        _ => "an unknown command",
    };
    let parts = [Say("client asked for "), Say(refused), Say(", which is not offered")];
    Err(Failure::new(Reply::Command, Class::Peer, &parts))
}

/// Connects to the target, and notes the local end of that connection if it is known.
#[inline(never)]
fn connect(s: &mut Session) -> Result {
    s.target.write(&mut s.out);
    let text = s.out.bytes();
    host::annotate("target", text);
    if s.target.port == 0 {
        return Err(Failure::new(Reply::General, Class::Peer, &[Say("client asked for port 0 of "), Quote(text)]));
    }
    host::set_target(text).and_then(|_| host::connect()).map_err(|code| failure("connecting to ", text, code))?;
    let mut room = [0; ENDPOINT_MAX];
    if let Some(bound) = &host::info(host::Info::BoundAddr, &mut room).ok().and_then(Endpoint::parse) {
        s.bound.add(bound.ip.bytes()).add(&bound.port.to_be_bytes());
    }
    Ok(())
}

/// Looks the host up, and notes the first of its addresses, or of those of IPv4.
#[inline(never)]
fn resolve(s: &mut Session, only_v4: bool) -> Result {
    s.out.clear();
    s.target.write_host(&mut s.out);
    let name = s.out.bytes();
    host::annotate("resolve", name);
    let mut room = [0; ADDRESSES_MAX];
    let lines = match host::resolve(name, &mut room) {
        Ok(lines) => lines,
        Err(Code::TOO_LONG) => &room, // its last line may be cut, and is then no address or a later one
        Err(code) => return Err(failure("looking up ", name, code)),
    };
    let whole = lines.iter().rposition(|&b| b == b'\n').and_then(|end| lines.get(..end)).unwrap_or(&[]);
    for line in Parts::of(whole, b'\n') {
        match &Ip::parse(line) {
            Some(ip) if ip.is_v4() || !only_v4 => {
                s.bound.add(ip.bytes()).add(&[0; 2]);
                return Ok(());
            }
            _ => {}
        }
    }
    Err(failure("looking up ", name, Code::HOST))
}

/// Takes the host that a client asks for by name.
#[inline(never)]
pub fn take_host(s: &mut Session, length: usize) -> Result {
    let text = s.host.get(..length).unwrap_or(&[]);
    match s.target.parse_host(text) {
        Some(()) => Ok(()),
        None => {
            let parts = [Say("client asked for a host that is no name: "), Quote(text)];
            Err(Failure::new(Reply::Host, Class::Peer, &parts))
        }
    }
}

#[inline(never)]
fn failure(doing: &str, target: &[u8], code: Code) -> Failure {
    let reply = match code {
        Code::DENIED => Reply::NotAllowed,
        Code::NET => Reply::Network,
        Code::HOST => Reply::Host,
        Code::REFUSED => Reply::Refused,
        Code::TIMEOUT => Reply::Expired,
        _ => Reply::General,
    };
    let class = match code {
        Code::DENIED => Class::Policy,
        code if code.is_internal() => Class::Internal,
        _ => Class::Peer,
    };
    Failure::new(reply, class, &[Say(doing), Quote(target), Say(": "), Say(code.words())])
}

pub fn read(buf: &mut [u8], what: &str) -> Outcome {
    ACCEPTED.read_full(buf).map_err(|code| Refusal::of(&["reading the client's ", what], code))
}

pub fn say(bytes: &[u8]) -> Outcome {
    ACCEPTED.write(bytes).map_err(|code| Refusal::of(&["answering the client"], code))
}
