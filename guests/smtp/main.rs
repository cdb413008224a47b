//! The guest of `protocol = smtp`: STARTTLS (RFC 3207) for a mail server that
//! has none (server mode) and for a mail client that has none (client mode).

#![no_std]
#![no_main]

mod client;
mod options;
mod reply;
mod server;

use stunnel::option::is_client;
use stunnel::{host, status, Class, Outcome, Part, Refusal, Text, ACCEPTED};
use reply::Reply;
use Part::{Quote, Say};

stunnel::manifest!("manifest.txt");

/// What a negotiation keeps. There is no allocator, so it is one static value.
pub struct Session {
    /// The last reply of the mail server.
    reply: Reply,
    /// The client's command in server mode.
    command: [u8; server::COMMAND_MAX],
    /// The host name that the mail server greeted with.
    name: Text<{ server::NAME_MAX }>,
    /// A line on its way out.
    line: Text<1024>,
}

static mut SESSION: Session =
    Session { reply: Reply::new(), command: [0; server::COMMAND_MAX], name: Text::new(), line: Text::new() };

/// Called once for each connection, in an instance of its own.
#[no_mangle]
pub extern "C" fn negotiate() -> i32 {
    // Sound: an instance has one thread and its host calls this once.
    let session = unsafe { &mut *core::ptr::addr_of_mut!(SESSION) };
    status(if is_client() { client::negotiate(session) } else { server::negotiate(session) })
}

/// Called when the configuration is loaded.
#[no_mangle]
pub extern "C" fn configure() -> i32 {
    status(options::check())
}

impl Session {
    /// Connects to the mail server. A client that gets no mail server is told
    /// so in place of the greeting and tries again later.
    fn connect(&self) -> Outcome {
        host::connect().map_err(|code| {
            unavailable();
            Refusal::of(&["connecting to the server"], code)
        })
    }

    /// Reads the mail server's greeting. One that is no welcome goes to the
    /// client as it is and ends the connection (RFC 5321 section 3.1).
    fn greeting(&mut self) -> Outcome {
        self.reply.read("greeting").map_err(|refusal| {
            unavailable();
            refusal
        })?;
        if self.reply.code() == 220 {
            return Ok(());
        }
        let _ = ACCEPTED.write(self.reply.bytes());
        Err(Refusal::new(Class::Peer, &[Say("server greeted with "), Quote(self.reply.last())]))
    }
}

/// Tells the client, which may be gone, that there is no mail server.
fn unavailable() {
    let _ = ACCEPTED.write(b"421 4.4.1 Mail server not available\r\n");
}
