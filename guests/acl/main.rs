//! The guest of `policy = acl`: rules that allow, deny or route a connection by where it
//! comes from, what TLS tells of it, the time, and where it wants to go.
//!
//! The rules are one list, and the first that holds decides. The host asks at several
//! stages, and at each a rule may still be open: what it asks for is not known yet. An
//! open rule that allows leaves the decision to a later stage; an open one that denies
//! does not help what comes after it. So a connection ends as soon as no rule can allow
//! it any more, and nobody has to say at which stage a rule belongs.

#![no_std]
#![no_main]

mod address;
mod certificate;
mod check;
mod clock;
mod condition;
mod facts;
mod line;
mod pattern;
mod target;

use condition::{Action, Truth};
use facts::Facts;
use line::{ascii, Line};
use stunnel::host::{config, info, log, set_target, Info};
use stunnel::text::Parts;
use stunnel::{status, Class, Code, Outcome, Part, Refusal, Text};
use Part::{Quote, Say};

stunnel::manifest!("manifest.txt");

/// Longest text of all rules together, in bytes: some 250 of usual length, and no more
/// than leaves an instance within one page of memory.
const RULES_MAX: usize = 20 << 10;

/// Severity of the line that tells which rule allowed.
const DEBUG: i32 = 7;

static mut RULES: [u8; RULES_MAX] = [0; RULES_MAX];
static mut FACTS: Facts = Facts::new();

/// Called at each stage of a connection, each time in an instance of its own.
#[no_mangle]
pub extern "C" fn decide() -> i32 {
    // Sound: an instance has one thread and its host calls this once.
    let (rules, facts) = unsafe { (&mut *core::ptr::addr_of_mut!(RULES), &mut *core::ptr::addr_of_mut!(FACTS)) };
    status(decision(rules, facts))
}

/// Called when the configuration is loaded.
#[no_mangle]
pub extern "C" fn configure() -> i32 {
    // Sound as in decide.
    let rules = unsafe { &mut *core::ptr::addr_of_mut!(RULES) };
    status(check::options(rules))
}

/// The rules' lines.
fn rules(buf: &mut [u8]) -> Outcome<&[u8]> {
    match config("option.rule", buf) {
        Ok(text) => Ok(text),
        Err(Code::NONE) => Err(Refusal::new(
            Class::Config,
            &[Say("there is no rule: add guestOption = acl.rule=allow..., deny... or route TARGET...")],
        )),
        Err(Code::TOO_LONG) => {
            Err(Refusal::new(Class::Config, &[Say("guestOption rule: all rules together are longer than 20480 bytes")]))
        }
        Err(code) => Err(Refusal::of(&["reading the rules"], code)),
    }
}

#[inline(never)]
fn decision(buf: &mut [u8], facts: &mut Facts) -> Outcome {
    let text = rules(buf)?;
    facts.look();
    let mut allows = false;
    let mut number = 0;
    for text in Parts::of(text, b'\n') {
        number += 1;
        let line = Line { number, text };
        let mut words = line.words();
        let action = Action::parse(&mut words)?;
        let deny = matches!(action, Action::Deny);
        allows |= !deny;
        match (condition::hold(&mut words, deny, facts)?, action) {
            (Truth::No, _) | (Truth::Open, Action::Deny) => continue,
            (Truth::Open, _) => return Ok(()),
            (Truth::Yes, Action::Deny) => {
                let verdict = verdict(&line, b" denies it: ");
                return Err(Refusal::new(Class::Policy, &[Say(ascii(verdict.bytes())), Quote(text)]));
            }
            (Truth::Yes, Action::Allow) => {}
            (Truth::Yes, Action::Route(target)) => route(target, facts)?,
        }
        // Tells who wonders which rule it was.
        log(DEBUG, ascii(verdict(&line, b" allows it").bytes()));
        return Ok(());
    }
    if check::default_allows()?.unwrap_or(!allows) {
        return Ok(());
    }
    Err(Refusal::new(Class::Policy, &[Say("no rule allows it")]))
}

/// What a rule does, in words.
#[inline(never)]
fn verdict(line: &Line, does: &[u8]) -> Text<32> {
    let mut text = Text::new();
    text.add(b"rule ").add_decimal(line.number).add(does);
    text
}

/// Chooses the target, or makes sure that it was chosen.
fn route(target: &[u8], facts: &mut Facts) -> Outcome {
    if facts.is_connected() {
        let mut buf = [0; target::TARGET_MAX];
        if let Ok(now) = info(Info::Target, &mut buf) {
            if target::same(now, target) {
                return Ok(());
            }
        }
        return Err(Refusal::new(
            Class::Config,
            &[Say("the connection was made before it could be routed to "), Quote(target)],
        ));
    }
    set_target(target).map_err(|code| {
        Refusal::new(Class::Config, &[Say("routing to "), Quote(target), Say(": "), Say(code.words())])
    })
}
