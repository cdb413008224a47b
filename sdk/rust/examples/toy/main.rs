//! protocol = toy: HELLO, READY?, STARTTLS, GO, then TLS.
#![no_std]
#![no_main]
use stunnel::option::{is_client, value, VALUE_MAX};
use stunnel::Part::{Quote, Say};
use stunnel::{host, text, Class, Outcome, Refusal, Side, Text, ACCEPTED, OUTGOING};

stunnel::manifest!("manifest.txt");

/// Longest line in bytes, with room for any option.
const LINE_MAX: usize = 64;

/// Called once for each connection, in an instance of its own; 0 hands over to the relay.
#[no_mangle]
pub extern "C" fn negotiate() -> i32 {
    stunnel::status(run())
}

/// Called once when the configuration is read: a refusal here refuses the configuration.
#[no_mangle]
pub extern "C" fn configure() -> i32 {
    stunnel::status(ready(&mut [0; VALUE_MAX]).map(drop))
}

fn run() -> Outcome {
    let mut room = [0; VALUE_MAX];
    let ready = ready(&mut room)?;
    if is_client() {
        client(ready)
    } else {
        server(ready)
    }
}

/// The answer to HELLO.
fn ready(room: &mut [u8; VALUE_MAX]) -> Outcome<&[u8]> {
    Ok(value("guestOption ready", "option.ready", room)?.unwrap_or(b"READY?"))
}

/// Client mode: the target speaks the protocol, and then TLS.
fn client(ready: &[u8]) -> Outcome {
    connect()?;
    say(OUTGOING, b"HELLO")?;
    expect(OUTGOING, ready)?;
    say(OUTGOING, b"STARTTLS")?;
    expect(OUTGOING, b"GO")?;
    starttls(OUTGOING)
}

/// Server mode: the accepted client does. Nobody reaches the target without TLS.
fn server(ready: &[u8]) -> Outcome {
    expect(ACCEPTED, b"HELLO")?;
    say(ACCEPTED, ready)?;
    expect(ACCEPTED, b"STARTTLS")?;
    say(ACCEPTED, b"GO")?;
    starttls(ACCEPTED)?;
    connect()
}

fn connect() -> Outcome {
    host::connect().map_err(|code| Refusal::of(&["connecting"], code))
}

fn say(side: Side, words: &[u8]) -> Outcome {
    let mut line = Text::<{ VALUE_MAX + 2 }>::new();
    line.add(words).add(b"\r\n");
    side.write(line.bytes()).map_err(|code| Refusal::of(&["writing"], code))
}

fn expect(side: Side, want: &[u8]) -> Outcome {
    let mut buf = [0; LINE_MAX]; // a longer line is Code::TOO_LONG
    let n = side.read_line(&mut buf).map_err(|code| Refusal::of(&["reading"], code))?;
    let got = text::chomp(buf.get(..n).unwrap_or(&[]));
    if got == want {
        return Ok(());
    }
    let _ = side.write(b"ERROR\r\n"); // the peer may be gone; the refusal is what counts
    Err(Refusal::new(Class::Peer, &[Say("expected "), Quote(want), Say(", got "), Quote(got)]))
}

fn starttls(side: Side) -> Outcome {
    side.starttls().map_err(|code| Refusal::of(&["starting TLS"], code))
}
