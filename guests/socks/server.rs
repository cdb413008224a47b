//! Server mode: the accepted side is a SOCKS client inside TLS, which chooses the target.
//! Where that may be, guestDial says, and the host checks. The client is answered when the
//! target was dialled, and then with what came of it.

use stunnel::ip::{Endpoint, Ip};
use stunnel::text::Parts;
use stunnel::{host, Class, Code, Outcome, Part, Refusal, ACCEPTED};
use crate::target::{Host, Target, TargetText};
use crate::{socks4, socks5, Session};
use Part::{Quote, Say};

/// Room for the addresses of a name, a line each; those that do not fit are not needed.
const ADDRESSES_MAX: usize = 1024;

/// Room for an address and a port as the host gives them, a zone included.
const ENDPOINT_MAX: usize = 128;

/// Why a request fails, in the codes of RFC 1928 section 6, with what the log is told.
pub struct Failure {
    pub code: u8,
    pub refusal: Refusal,
}

pub type Result<T> = core::result::Result<T, Failure>;

/// Runs the conversation: TLS first, then the request inside it.
pub fn negotiate(s: &mut Session) -> Outcome {
    ACCEPTED.starttls().map_err(|code| Refusal::of(&["starting TLS with the client"], code))?;
    let mut version = [0];
    read(&mut version, "version")?;
    match version {
        [socks4::VERSION] => socks4::serve(s),
        [socks5::VERSION] => socks5::serve(s),
        _ => Err(Refusal::new(
            Class::Peer,
            &[Say("client speaks neither SOCKS 4 nor 5: its first byte is "), Quote(&version)],
        )),
    }
}

/// Connects to a target, and gives the local end of that connection if it is known.
pub fn connect(target: &Target) -> Result<Option<Endpoint>> {
    let text = target.text();
    host::annotate("target", text.bytes());
    if target.port == 0 {
        return Err(Failure {
            code: socks5::GENERAL,
            refusal: Refusal::new(Class::Peer, &[Say("client asked for port 0 of "), Quote(text.bytes())]),
        });
    }
    host::set_target(text.bytes()).and_then(|_| host::connect()).map_err(|code| failure("connecting to ", &text, code))?;
    let mut room = [0; ENDPOINT_MAX];
    Ok(host::info(host::Info::BoundAddr, &mut room).ok().and_then(Endpoint::parse))
}

/// Looks a host up, and gives the first of its addresses that will do.
pub fn resolve(target: &Target, will_do: fn(&Ip) -> bool) -> Result<Ip> {
    let mut name = TargetText::new();
    target.host.write(&mut name);
    host::annotate("resolve", name.bytes());
    let mut room = [0; ADDRESSES_MAX];
    let lines = match host::resolve(name.bytes(), &mut room) {
        Ok(lines) => lines,
        Err(Code::TOO_LONG) => &room, // its last line may be cut, and is then no address or a later one
        Err(code) => return Err(failure("looking up ", &name, code)),
    };
    let whole = lines.iter().rposition(|&b| b == b'\n').and_then(|end| lines.get(..end)).unwrap_or(&[]);
    let first = Parts::of(whole, b'\n').filter_map(Ip::parse).find(will_do);
    first.ok_or_else(|| failure("looking up ", &name, Code::HOST))
}

/// A host that is neither a name nor an address.
pub fn no_host(text: &[u8]) -> Failure {
    let refusal = Refusal::new(Class::Peer, &[Say("client asked for a host that is no name: "), Quote(text)]);
    Failure { code: socks5::HOST, refusal }
}

/// A command that is not served.
pub fn no_command(name: &str) -> Failure {
    let refusal = Refusal::new(Class::Peer, &[Say("client asked for "), Say(name), Say(", which is not offered")]);
    Failure { code: socks5::COMMAND, refusal }
}

/// What ends the connection of a client that has the address it asked for: there is
/// nothing to relay.
pub fn resolved() -> Refusal {
    Refusal::new(Class::Policy, &[Say("client was told an address, and wanted no more")])
}

fn failure(doing: &str, target: &TargetText, code: Code) -> Failure {
    let reply = match code {
        Code::DENIED => socks5::NOT_ALLOWED,
        Code::NET => socks5::NETWORK,
        Code::HOST => socks5::HOST,
        Code::REFUSED => socks5::REFUSED,
        Code::TIMEOUT => socks5::EXPIRED,
        _ => socks5::GENERAL,
    };
    let class = match code {
        Code::DENIED => Class::Policy,
        code if code.is_internal() => Class::Internal,
        _ => Class::Peer,
    };
    let parts = [Say(doing), Quote(target.bytes()), Say(": "), Say(code.words())];
    Failure { code: reply, refusal: Refusal::new(class, &parts) }
}

pub fn read(buf: &mut [u8], what: &str) -> Outcome {
    ACCEPTED.read_full(buf).map_err(|code| Refusal::of(&["reading the client's ", what], code))
}

pub fn say(bytes: &[u8]) -> Outcome {
    ACCEPTED.write(bytes).map_err(|code| Refusal::of(&["answering the client"], code))
}

/// Whether an address is one that SOCKS 4 can tell.
pub fn is_v4(ip: &Ip) -> bool {
    ip.is_v4()
}

/// Any address will do.
pub fn any(_: &Ip) -> bool {
    true
}

/// The host of a request, or the failure of one that has none.
pub fn host_of(text: &[u8]) -> Result<Host> {
    Host::parse(text).ok_or_else(|| no_host(text))
}
