//! protocol = nut: STARTTLS of Network UPS Tools (upsd, port 3493), in front of an upsd that
//! has no TLS (server mode) and for a client that has none (client mode).
//!
//! The client speaks first. Lines end in a line feed. Answers are `OK ...`, or `ERR` and a word
//! of a fixed list (NUT's developer guide, "Network protocol information").
#![no_std]
#![no_main]
use stunnel::accept::{self, say, COMMANDS_MAX, REFUSED_MAX};
use stunnel::line::{self, Line};
use stunnel::option::is_client;
use stunnel::text::split_word;
use stunnel::Part::{Quote, Say};
use stunnel::{host, Class, Outcome, Refusal, Text, ACCEPTED, OUTGOING};

/// The command that asks for TLS.
static STARTTLS: accept::Command = accept::command!("STARTTLS");

stunnel::manifest!("manifest.txt");

/// Longest line in bytes: upsd's own buffers have as many.
const LINE_MAX: usize = 512;

/// The first byte of a TLS record that holds a ClientHello (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// What upsd does for a client, and not before TLS: names of systems, and passwords.
const LATER: [&str; 13] = [
    "VER", "NETVER", "PROTVER", "GET", "LIST", "SET", "INSTCMD", "LOGIN", "USERNAME", "PASSWORD", "PRIMARY",
    "MASTER", "FSD",
];

/// The word of the list that comes nearest to a server which cannot be reached.
const UNAVAILABLE: &[u8] = b"ERR DRIVER-NOT-CONNECTED\n";

/// Called once for each connection, in an instance of its own; 0 hands over to the relay.
#[no_mangle]
pub extern "C" fn negotiate() -> i32 {
    stunnel::status(if is_client() { client() } else { server() })
}

/// Client mode: the target is an upsd with TLS. It answers nothing to the local client, whose
/// first command waits for the relay.
fn client() -> Outcome {
    connect()?;
    OUTGOING.write(b"STARTTLS\n").map_err(|code| unavailable(Refusal::of(&["asking for TLS"], code)))?;
    let mut buf = [0; LINE_MAX];
    let answer = line::of_server("answer to STARTTLS", &mut buf).map_err(unavailable)?;
    if answer != b"OK STARTTLS" {
        return Err(refused(answer));
    }
    OUTGOING.starttls().map_err(|code| unavailable(Refusal::of(&["starting TLS with the server"], code)))
}

/// Server mode: the accepted client asks for TLS, and nobody reaches the target without.
fn server() -> Outcome {
    if ACCEPTED.peek_byte().map_err(accept::reading)? == Some(TLS_HANDSHAKE) {
        start_tls()?; // it need not ask: upsd would wait for a line end
    } else {
        commands()?;
    }
    connect()
}

/// Answers commands until STARTTLS, and starts TLS.
fn commands() -> Outcome {
    let mut buf = [0; LINE_MAX];
    let mut errors = 0;
    for _ in 0..COMMANDS_MAX {
        let line = line::read(ACCEPTED, &mut buf).map_err(accept::reading)?;
        let error: &[u8] = match &line {
            Line::TooLong => b"ERR INVALID-ARGUMENT\n",
            Line::Control => b"ERR UNKNOWN-COMMAND\n",
            Line::Text(text) => match split_word(text) {
                (word, _) if is(word, "HELP") => {
                    say(b"Commands: HELP LOGOUT STARTTLS\n")?;
                    continue;
                }
                (word, _) if is(word, "LOGOUT") => {
                    say(b"OK Goodbye\n")?;
                    return Err(Refusal::new(Class::Peer, &[Say("client left without STARTTLS")]));
                }
                (word, b"") if is(word, "STARTTLS") => {
                    say(b"OK STARTTLS\n")?;
                    return start_tls();
                }
                (word, _) if is(word, "STARTTLS") => b"ERR INVALID-ARGUMENT\n",
                (word, _) if LATER.iter().any(|name| is(word, name)) => b"ERR ACCESS-DENIED\n",
                _ => b"ERR UNKNOWN-COMMAND\n",
            },
        };
        say(error)?;
        errors += 1;
        if errors == REFUSED_MAX {
            break;
        }
    }
    Err(Refusal::new(Class::Peer, &[Say("client sent too many commands without STARTTLS")]))
}

/// Whether a word is a command: upsd takes them in either case.
fn is(word: &[u8], name: &str) -> bool {
    word.eq_ignore_ascii_case(name.as_bytes())
}

fn start_tls() -> Outcome {
    accept::start_tls(&STARTTLS, b"ERR ACCESS-DENIED\n")
}

fn connect() -> Outcome {
    host::connect().map_err(|code| unavailable(Refusal::of(&["connecting to the server"], code)))
}

/// Passes the server's own refusal on, which is the answer to the client's first command.
fn refused(answer: &[u8]) -> Refusal {
    if let (b"ERR", _) = split_word(answer) {
        let mut line = Text::<{ LINE_MAX + 1 }>::new();
        line.add(answer).add(b"\n");
        let _ = ACCEPTED.write(line.bytes()); // it may be gone
        return Refusal::new(Class::Peer, &[Say("server refused STARTTLS: "), Quote(answer)]);
    }
    unavailable(Refusal::new(Class::Peer, &[Say("expected \"OK STARTTLS\", got "), Quote(answer)]))
}

/// Tells the client, which may be gone, that there is no server.
fn unavailable(refusal: Refusal) -> Refusal {
    let _ = ACCEPTED.write(UNAVAILABLE);
    refusal
}
