//! What is known to be wrong with the options before the first connection.

use crate::condition::{Action, Condition};
use crate::facts::zone;
use crate::line::Line;
use crate::target;
use crate::{rules, RULES_MAX};
use stunnel::host::config;
use stunnel::option::{bad, is_client, value, VALUE_MAX};
use stunnel::text::{equal, Parts};
use stunnel::{Code, Outcome};

pub fn options(buf: &mut [u8; RULES_MAX]) -> Outcome {
    default_allows()?;
    zone()?;
    let client = is_client();
    let mut number = 0;
    for text in Parts::of(rules(buf)?, b'\n') {
        number += 1;
        rule(&Line { number, text }, client)?;
    }
    Ok(())
}

fn rule(line: &Line, client: bool) -> Outcome {
    let mut words = line.words();
    let action = Action::parse(&mut words)?;
    match action {
        Action::Route(target) if !is_configured(target) => {
            return Err(line.fault(target, "is no connect target of this service"));
        }
        _ => {}
    }
    let before_tls = client && matches!(action, Action::Route(_));
    while let Some(condition) = Condition::parse(&mut words)? {
        condition.check()?;
        if before_tls && condition.needs_tls() {
            let how = "cannot choose the target in client mode: the handshake comes after the dial";
            return Err(line.fault(condition.name, how));
        }
    }
    Ok(())
}

/// Longest list of configured targets that a route is looked up in.
const CONNECT_MAX: usize = 4 << 10;

fn is_configured(wanted: &[u8]) -> bool {
    let mut buf = [0; CONNECT_MAX];
    match config("connect", &mut buf) {
        Ok(lines) => Parts::of(lines, b'\n').any(|line| target::same(line, wanted)),
        // With more of them than that, the host finds out when the rule is followed.
        Err(code) => code == Code::TOO_LONG,
    }
}

/// Whether a connection that no rule decides on is allowed, if the config says so.
#[inline(never)]
pub fn default_allows() -> Outcome<Option<bool>> {
    let mut buf = [0; VALUE_MAX];
    match value("guestOption default", "option.default", &mut buf)? {
        None => Ok(None),
        Some(word) if equal(word, b"allow") => Ok(Some(true)),
        Some(word) if equal(word, b"deny") => Ok(Some(false)),
        Some(other) => Err(bad("guestOption default", other, " is neither allow nor deny")),
    }
}
