//! Whom a connection is between.

use stunnel::host::{info, Info};
use stunnel::ip::Endpoint;

/// Length of two addresses of Unix sockets, 108 bytes each (struct sockaddr_un).
pub const UNIX_LENGTH: usize = 216;

/// Room for an address and a port as the host gives them, a zone included.
const ENDPOINT_MAX: usize = 128;

/// Both ends, as a header tells them.
pub enum Addresses {
    /// Both of one family.
    Inet { source: Endpoint, destination: Endpoint },
    /// As they came.
    Unix([u8; UNIX_LENGTH]),
    Unknown,
}

impl Addresses {
    /// The ends of the accepted connection. Those of a Unix socket tell nobody anything.
    pub fn own() -> Addresses {
        match (endpoint(Info::PeerAddr), endpoint(Info::LocalAddr)) {
            (Some(source), Some(destination)) => Addresses::inet(source, destination),
            _ => Addresses::Unknown,
        }
    }

    pub fn inet(source: Endpoint, destination: Endpoint) -> Addresses {
        if source.ip.is_v4() != destination.ip.is_v4() {
            return Addresses::Unknown;
        }
        Addresses::Inet { source, destination }
    }
}

/// An end of the accepted connection; None for a Unix socket.
pub fn endpoint(id: Info) -> Option<Endpoint> {
    let mut room = [0; ENDPOINT_MAX];
    info(id, &mut room).ok().and_then(Endpoint::parse)
}
