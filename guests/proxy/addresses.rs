//! Whom a connection is between.

use stunnel::host::{info, Info};
use stunnel::ip::{Endpoint, Ip};
use stunnel::Text;
use crate::version2::{TCP4, TCP6, UNSPEC};

/// Length of two addresses of Unix sockets, 108 bytes each (struct sockaddr_un).
pub const UNIX_LENGTH: usize = 216;

/// Room for an address and a port as the host gives them, a zone included.
const ENDPOINT_MAX: usize = 128;

/// Both ends, in the form of a header of version 2: two addresses of one family, and two
/// ports behind those of IP.
pub struct Addresses {
    /// UNSPEC while nobody is named.
    pub family: u8,
    pub bytes: Text<UNIX_LENGTH>,
}

impl Addresses {
    pub const fn new() -> Addresses {
        Addresses { family: UNSPEC, bytes: Text::new() }
    }

    /// Names the ends of the accepted connection. Those of a Unix socket, and two of
    /// different families, tell nobody anything.
    #[inline(never)]
    pub fn name_own(&mut self) {
        if let (Some(source), Some(destination)) = (&endpoint(Info::PeerAddr), &endpoint(Info::LocalAddr)) {
            if source.ip.is_v4() == destination.ip.is_v4() {
                self.family = if source.ip.is_v4() { TCP4 } else { TCP6 };
                self.bytes.add(source.ip.bytes()).add(destination.ip.bytes());
                self.bytes.add(&source.port.to_be_bytes()).add(&destination.port.to_be_bytes());
            }
        }
    }

    /// One end if it has an IP address: 0 is the source, 1 the destination.
    #[inline(never)]
    pub fn end(&self, i: usize) -> Option<Endpoint> {
        let bytes = self.bytes.bytes();
        let (ip, ports) = match self.family {
            TCP4 => (Ip::V4(array(bytes, 4 * i)?), 8),
            TCP6 => (Ip::V6(array(bytes, 16 * i)?), 32),
            _ => return None,
        };
        Some(Endpoint { ip, port: u16::from_be_bytes(array(bytes, ports + 2 * i)?) })
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

/// An end of the accepted connection; None for a Unix socket.
#[inline(never)]
pub fn endpoint(id: Info) -> Option<Endpoint> {
    let mut room = [0; ENDPOINT_MAX];
    info(id, &mut room).ok().and_then(Endpoint::parse)
}
