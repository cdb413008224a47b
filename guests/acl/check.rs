//! What is known to be wrong with the options before the first connection.

use crate::condition::{Action, Rule};
use crate::facts::zone;
use crate::line::Fault;
use crate::target;
use crate::{rules, RULES_MAX};
use stunnel::host::config;
use stunnel::option::{bad, is_client, unreadable, VALUE_MAX};
use stunnel::text::Parts;
use stunnel::{Code, Outcome};

pub fn options(buf: &mut [u8; RULES_MAX]) -> Outcome {
    default_allows()?;
    zone()?;
    let client = is_client();
    let text = rules(buf)?;
    for (i, line) in Parts::of(text, b'\n').enumerate() {
        rule(line, client).map_err(|fault| fault.refuse(i + 1))?;
    }
    Ok(())
}

fn rule(line: &[u8], client: bool) -> Result<(), Fault> {
    let rule = Rule::parse(line)?;
    let routes = matches!(rule.action, Action::Route(_));
    if routes && !is_configured(rule.target.text) {
        return Err(rule.target.fault("is no connect target of this service"));
    }
    let mut conditions = rule.conditions();
    while let Some(condition) = conditions.next()? {
        condition.check()?;
        if routes && client && condition.needs_tls() {
            return Err(condition.name.fault("cannot choose the target in client mode: the handshake comes after the dial"));
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
pub fn default_allows() -> Outcome<Option<bool>> {
    let mut buf = [0; VALUE_MAX];
    match config("option.default", &mut buf) {
        Err(Code::NONE) => Ok(None),
        Ok(word) if word == b"allow" => Ok(Some(true)),
        Ok(word) if word == b"deny" => Ok(Some(false)),
        Ok(other) => Err(bad("guestOption default", other, " is neither allow nor deny")),
        Err(code) => Err(unreadable("guestOption default", code)),
    }
}
