//! The option of the pgsql guest.

use stunnel::host::{config, warn};
use stunnel::option::{idle, is_client, is_set, warn_idle};
use stunnel::{Class, Code, Outcome, Part, Refusal};
use Part::{Quote, Say};

/// Room for the values of guestOption direct, the longer of which is "yes".
const DIRECT_MAX: usize = 16;

/// Checks everything before the first connection.
pub fn check() -> Outcome {
    if is_set("option.direct") && !is_client() {
        warn("guestOption direct has no effect in server mode, which takes both kinds of clients");
    }
    warn_idle(idle!("pgsql"));
    direct().map(drop)
}

/// Whether TLS begins without SSLRequest.
pub fn direct() -> Outcome<bool> {
    let mut buf = [0; DIRECT_MAX];
    match config("option.direct", &mut buf) {
        Err(Code::NONE) => Ok(false),
        Ok(value) if value == b"no" => Ok(false),
        Ok(value) if value == b"yes" => Ok(true),
        Ok(value) => Err(bad(value)),
        Err(Code::TOO_LONG) => Err(bad(&buf)),
        Err(code) => Err(Refusal::of(&["reading guestOption direct"], code)),
    }
}

fn bad(value: &[u8]) -> Refusal {
    Refusal::new(Class::Config, &[Say("guestOption direct: "), Quote(value), Say(" is neither yes nor no")])
}
