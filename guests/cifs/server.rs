//! Server mode: the accepted side is a client that takes a wish for TLS, the outgoing
//! side a server that has none.

use crate::packet::{self, Head};
use stunnel::{host, Class, Code, Outcome, Part, Refusal, ACCEPTED};
use Part::Say;

/// Longest session request behind its head, as stunnel takes it: two encoded names have
/// 68 bytes.
const REQUEST_MAX: usize = 124;

/// Runs the conversation up to TLS, and connects. What the client asked for is dropped:
/// it asks again inside TLS.
pub fn negotiate() -> Outcome {
    let head = Head::read(ACCEPTED).map_err(from_client)?;
    let mut request = [0; REQUEST_MAX];
    match request.get_mut(..head.len) {
        Some(request) if head.kind == packet::REQUEST => {
            if !request.is_empty() {
                ACCEPTED.read_full(request).map_err(from_client)?;
            }
        }
        _ => {
            let _ = packet::refuse(packet::NOT_LISTENING);
            let what = if head.kind == packet::REQUEST {
                "the client's session request is longer than 124 bytes"
            } else {
                "client did not begin with a session request"
            };
            return Err(Refusal::new(Class::Peer, &[Say(what)]));
        }
    }
    packet::refuse(packet::TLS_WANTED).map_err(|code| Refusal::of(&["answering the client"], code))?;
    start_tls()?;
    host::connect().map_err(|code| {
        let _ = packet::refuse(packet::UNSPECIFIED);
        Refusal::of(&["connecting to the server"], code)
    })
}

/// Starts TLS. More plaintext behind the request would be taken for what the client
/// says inside TLS (CVE-2011-0411 of another protocol).
fn start_tls() -> Outcome {
    ACCEPTED.starttls().map_err(|code| {
        if code == Code::INJECT {
            let what = "client sent data after its session request without waiting for the answer";
            return Refusal::new(Class::Peer, &[Say(what)]);
        }
        Refusal::of(&["starting TLS with the client"], code)
    })
}

fn from_client(code: Code) -> Refusal {
    Refusal::of(&["reading the client's session request"], code)
}
