//! A rule: what it does, and the conditions under which it does.

use crate::address::{Address, Network};
use crate::certificate::{attribute, is_among, same_hash};
use crate::clock::{self, Now};
use crate::facts::{now, Facts, Known};
use crate::line::{ascii, Line, Words};
use crate::pattern::{matches, Kind};
use crate::target;
use stunnel::host::Info;
use stunnel::text::{equal, Parts};
use stunnel::Outcome;

/// What a rule does, by its first words.
#[derive(Clone, Copy)]
pub enum Action<'a> {
    Allow,
    Deny,
    Route(&'a [u8]),
}

impl<'a> Action<'a> {
    #[inline(never)]
    pub fn parse(words: &mut Words<'a>) -> Outcome<Action<'a>> {
        match words.next()? {
            verb if equal(verb, b"allow") => Ok(Action::Allow),
            verb if equal(verb, b"deny") => Ok(Action::Deny),
            verb if equal(verb, b"route") => {
                let word = words.next()?;
                Ok(Action::Route(words.line.values(word).next()?.unwrap_or(word)))
            }
            verb => Err(words.line.fault(verb, "is none of allow, deny and route")),
        }
    }
}

/// Whether a rule holds; open, if a later stage will tell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    No,
    Open,
    Yes,
}

/// Whether all conditions of a rule hold.
#[inline(never)]
pub fn hold(words: &mut Words, deny: bool, facts: &mut Facts) -> Outcome<Truth> {
    let mut all = Truth::Yes;
    while let Some(condition) = Condition::parse(words)? {
        match condition.holds(facts, deny)? {
            Truth::No => return Ok(Truth::No),
            Truth::Open => all = Truth::Open,
            Truth::Yes => {}
        }
    }
    Ok(all)
}

/// Who tells what a condition is about.
#[derive(Clone, Copy)]
enum Source<'a> {
    Clock,
    Host(Info),
    /// A protocol's guest, under a name.
    Guest(&'a str),
}

/// How a value is compared with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Like {
    Time,
    Address,
    Certificate,
    Host,
    Same,
    CommonName,
    Unit,
    Alternative,
    Hash,
    Target,
    Text,
}

const NO_SUBJECT: &str = "is no condition; they are from, sni, alpn, cert, cert.subject, cert.issuer, cert.cn, \
    cert.ou, cert.san, cert.spki, cert.sha256, psk, time, target, fact.NAME, and not before each";

/// The conditions by name, all but those about facts; a table, since each arm of a match is
/// compiled at every start.
static CONDITIONS: [(&[u8], Source, Like); 14] = [
    (b"from", Source::Host(Info::PeerAddr), Like::Address),
    (b"sni", Source::Host(Info::Sni), Like::Host),
    (b"alpn", Source::Host(Info::Alpn), Like::Same),
    (b"cert", Source::Host(Info::PeerCert), Like::Certificate),
    (b"cert.subject", Source::Host(Info::PeerSubject), Like::Same),
    (b"cert.issuer", Source::Host(Info::PeerIssuer), Like::Same),
    (b"cert.cn", Source::Host(Info::PeerSubject), Like::CommonName),
    (b"cert.ou", Source::Host(Info::PeerSubject), Like::Unit),
    (b"cert.san", Source::Host(Info::PeerSan), Like::Alternative),
    (b"cert.spki", Source::Host(Info::PeerSpki), Like::Hash),
    (b"cert.sha256", Source::Host(Info::PeerCert), Like::Hash),
    (b"psk", Source::Host(Info::PeerPsk), Like::Text),
    (b"time", Source::Clock, Like::Time),
    (b"target", Source::Host(Info::Target), Like::Target),
];

pub struct Condition<'a> {
    line: &'a Line<'a>,
    negated: bool,
    pub name: &'a [u8],
    source: Source<'a>,
    like: Like,
    /// Values; of "time" the days, and the times of day apart. Of these one may be empty.
    value: &'a [u8],
    spans: &'a [u8],
}

impl<'a> Condition<'a> {
    /// The next condition of a rule; none after the last.
    #[inline(never)]
    pub fn parse(words: &mut Words<'a>) -> Outcome<Option<Condition<'a>>> {
        let line = words.line;
        let mut name = words.next()?;
        if name.is_empty() {
            return Ok(None);
        }
        let negated = equal(name, b"not");
        if negated {
            name = words.next()?;
        }
        let (source, like) = match CONDITIONS.iter().find(|(known, ..)| equal(known, name)) {
            Some(&(_, source, like)) => (source, like),
            None => match ascii(name.strip_prefix(b"fact.").unwrap_or(&[])) {
                "" => return Err(line.fault(name, NO_SUBJECT)),
                key => (Source::Guest(key), Like::Text),
            },
        };
        let mut value = words.next()?;
        if value.is_empty() {
            return Err(line.fault(name, "lacks a value"));
        }
        let mut spans: &[u8] = &[];
        if like == Like::Time {
            if clock::is_span(value) {
                (value, spans) = (spans, value);
            } else {
                spans = words.next_if(clock::is_span)?;
            }
        }
        Ok(Some(Condition { line, negated, name, source, like, value, spans }))
    }

    /// Whether it asks for what only the handshake tells.
    pub fn needs_tls(&self) -> bool {
        matches!(self.source, Source::Host(id) if !matches!(id, Info::PeerAddr | Info::Target))
    }

    /// What is wrong with its values.
    pub fn check(&self) -> Outcome {
        match self.like {
            Like::Time => self.is_at(Now::of(0, 0)),
            _ => self.any(&[]),
        }
        .map(drop)
    }

    #[inline(never)]
    fn holds(&self, facts: &mut Facts, deny: bool) -> Outcome<Truth> {
        let known = match self.source {
            Source::Clock => return Ok(self.turn(self.is_at(now()?)?)),
            Source::Host(id) => facts.told(id)?,
            Source::Guest(name) => facts.noted(name)?,
        };
        let fact = match (known, self.like) {
            (Known::NotYet, _) => return Ok(Truth::Open),
            (Known::Is(_), Like::Certificate) => match facts.told(Info::PeerVerified)? {
                Known::Is(verified) => verified,
                _ => b"no",
            },
            (Known::Nothing, Like::Certificate) => &[],
            (Known::Nothing, _) => return Ok(self.turn(false)),
            (Known::Is(fact), _) => fact,
        };
        let held = if self.like == Like::Target { self.targets(fact, deny)? } else { self.any(fact)? };
        Ok(self.turn(held))
    }

    /// Whether "time" holds.
    fn is_at(&self, now: Now) -> Outcome<bool> {
        clock::holds(self.line, self.value, self.spans, now)
    }

    /// Several configured targets are several ways to go. What is allowed is allowed for
    /// all of them, and what is denied for any.
    fn targets(&self, lines: &[u8], deny: bool) -> Outcome<bool> {
        let every = deny == self.negated;
        let mut some = false;
        for target in Parts::of(lines, b'\n').filter(|line| !line.is_empty()) {
            if self.any(target)? != every {
                return Ok(!every);
            }
            some = true;
        }
        Ok(some && every)
    }

    /// Whether a fact is like one of the values; of a certificate the fact is whether it was
    /// verified. All values are read: what is wrong with any is a fault.
    #[inline(never)]
    fn any(&self, fact: &[u8]) -> Outcome<bool> {
        let mut values = self.line.values(self.value);
        let mut held = false;
        while let Some(value) = values.next()? {
            held |= self.is_like(value, fact).map_err(|how| self.line.fault(value, how))?;
        }
        Ok(held)
    }

    /// Whether a fact is what a value wants. What is wrong with the value does not depend on
    /// the fact.
    fn is_like(&self, want: &[u8], fact: &[u8]) -> Result<bool, &'static str> {
        let kind = match self.like {
            Like::Address => {
                let network = Network::parse(want)?;
                return Ok(Address::of_peer(fact).map_or(false, |address| network.contains(&address)));
            }
            Like::Certificate => {
                return match want {
                    _ if equal(want, b"any") => Ok(!fact.is_empty()),
                    _ if equal(want, b"none") => Ok(fact.is_empty()),
                    _ if equal(want, b"verified") => Ok(equal(fact, b"yes")),
                    _ => Err("is none of any, none and verified"),
                }
            }
            Like::Same => return Ok(equal(want, fact)),
            Like::CommonName => return Ok(attribute(fact, b"CN", want)),
            Like::Unit => return Ok(attribute(fact, b"OU", want)),
            Like::Alternative => return is_among(want, fact),
            Like::Hash => return same_hash(want, fact),
            Like::Target => return target::is_like(want, fact),
            Like::Host => Kind::Host,
            Like::Time | Like::Text => Kind::Text,
        };
        Ok(matches(want, fact, kind))
    }

    fn turn(&self, held: bool) -> Truth {
        if held != self.negated {
            Truth::Yes
        } else {
            Truth::No
        }
    }
}
