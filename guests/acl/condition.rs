//! A rule: what it does, and the conditions under which it does.

use crate::address::{Address, Network};
use crate::certificate::{attribute, is_hash, same_hash, Alternative};
use crate::clock::{Now, Times};
use crate::facts::{Facts, Known};
use crate::line::{ascii, Fault, Word, Words};
use crate::pattern::{matches, Kind};
use crate::target::Pattern;
use stunnel::host::Info;
use stunnel::text::Parts;
use stunnel::Refusal;

#[derive(Clone, Copy)]
pub enum Action<'a> {
    Allow,
    Deny,
    Route(&'a [u8]),
}

/// Whether a rule holds; open, if a later stage will tell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    No,
    Open,
    Yes,
}

/// Why a rule gives no answer.
pub enum Wrong<'a> {
    Fault(Fault<'a>),
    Refused(Refusal),
}

impl Wrong<'_> {
    pub fn refuse(self, number: usize) -> Refusal {
        match self {
            Wrong::Fault(fault) => fault.refuse(number),
            Wrong::Refused(refusal) => refusal,
        }
    }
}

impl<'a> From<Fault<'a>> for Wrong<'a> {
    fn from(fault: Fault<'a>) -> Self {
        Wrong::Fault(fault)
    }
}

impl From<Refusal> for Wrong<'_> {
    fn from(refusal: Refusal) -> Self {
        Wrong::Refused(refusal)
    }
}

pub struct Rule<'a> {
    pub action: Action<'a>,
    /// The target of a route, for what is wrong with it.
    pub target: Word<'a>,
    conditions: Words<'a>,
}

impl<'a> Rule<'a> {
    /// Reads the action. The conditions are read when they are asked for.
    pub fn parse(line: &'a [u8]) -> Result<Rule<'a>, Fault<'a>> {
        let mut words = Words::of(line);
        let verb = words.next()?;
        let mut target = verb;
        let action = match verb.text {
            text if text == b"allow" => Action::Allow,
            text if text == b"deny" => Action::Deny,
            text if text == b"route" => {
                target = words.next()?.values().next()?.unwrap_or(verb);
                Action::Route(target.text)
            }
            _ => return Err(verb.fault("is none of allow, deny and route")),
        };
        Ok(Rule { action, target, conditions: words })
    }

    /// The conditions, in order.
    pub fn conditions(&self) -> Conditions<'a> {
        Conditions { words: self.conditions }
    }

    /// Whether all conditions hold.
    pub fn holds(&self, facts: &mut Facts) -> Result<Truth, Wrong<'a>> {
        let mut all = Truth::Yes;
        let mut conditions = self.conditions();
        while let Some(condition) = conditions.next()? {
            match condition.holds(facts, matches!(self.action, Action::Deny))? {
                Truth::No => return Ok(Truth::No),
                Truth::Open => all = Truth::Open,
                Truth::Yes => {}
            }
        }
        Ok(all)
    }
}

pub struct Conditions<'a> {
    words: Words<'a>,
}

impl<'a> Conditions<'a> {
    #[inline(never)]
    pub fn next(&mut self) -> Result<Option<Condition<'a>>, Fault<'a>> {
        let mut name = self.words.next()?;
        if name.text.is_empty() {
            return Ok(None);
        }
        let negated = name.text == b"not";
        if negated {
            name = self.words.next()?;
        }
        let subject = Subject::parse(name)?;
        let mut value = self.words.next()?;
        if value.text.is_empty() {
            return Err(name.fault("lacks a value"));
        }
        let mut times = Times { days: None, spans: None };
        if let Subject::Time = subject {
            if !Times::is_span(value.text) {
                times.days = Some(value);
                let mut ahead = self.words;
                value = ahead.next()?;
                if Times::is_span(value.text) {
                    self.words = ahead;
                }
            }
            if Times::is_span(value.text) {
                times.spans = Some(value);
            }
        }
        Ok(Some(Condition { negated, name, subject, value, times }))
    }
}

/// What a condition is about.
#[derive(Clone, Copy)]
enum Subject<'a> {
    From,
    Certificate,
    Tls(Info, Like),
    Alternative,
    Hash(Info),
    Time,
    Target,
    Fact(&'a str),
}

/// How a value is compared with what TLS tells.
#[derive(Clone, Copy)]
enum Like {
    Host,
    Same,
    CommonName,
    Unit,
}

/// The values of "cert".
const HAVING: [&[u8]; 3] = [b"any", b"none", b"verified"];

const NO_SUBJECT: &str = "is no condition; they are from, sni, alpn, cert, cert.subject, cert.issuer, cert.cn, \
    cert.ou, cert.san, cert.spki, cert.sha256, time, target, fact.NAME, and not before each";

/// The subjects by name, all but facts; a table, since each arm of a match is compiled at
/// every start.
static SUBJECTS: [(&[u8], Subject); 13] = [
    (b"from", Subject::From),
    (b"sni", Subject::Tls(Info::Sni, Like::Host)),
    (b"alpn", Subject::Tls(Info::Alpn, Like::Same)),
    (b"cert", Subject::Certificate),
    (b"cert.subject", Subject::Tls(Info::PeerSubject, Like::Same)),
    (b"cert.issuer", Subject::Tls(Info::PeerIssuer, Like::Same)),
    (b"cert.cn", Subject::Tls(Info::PeerSubject, Like::CommonName)),
    (b"cert.ou", Subject::Tls(Info::PeerSubject, Like::Unit)),
    (b"cert.san", Subject::Alternative),
    (b"cert.spki", Subject::Hash(Info::PeerSpki)),
    (b"cert.sha256", Subject::Hash(Info::PeerCert)),
    (b"time", Subject::Time),
    (b"target", Subject::Target),
];

impl<'a> Subject<'a> {
    #[inline(never)]
    fn parse(name: Word<'a>) -> Result<Self, Fault<'a>> {
        if let Some((_, subject)) = SUBJECTS.iter().find(|(known, _)| *known == name.text) {
            return Ok(*subject);
        }
        match name.text.strip_prefix(b"fact.").and_then(ascii) {
            Some(key) if !key.is_empty() => Ok(Subject::Fact(key)),
            _ => Err(name.fault(NO_SUBJECT)),
        }
    }
}

/// What a condition's values are compared with.
#[derive(Clone, Copy)]
enum Asked<'a> {
    Fact(&'a [u8]),
    Certificate { has: bool, verified: bool },
}

pub struct Condition<'a> {
    negated: bool,
    pub name: Word<'a>,
    subject: Subject<'a>,
    value: Word<'a>,
    times: Times<'a>,
}

impl<'a> Condition<'a> {
    /// Whether it asks for what only the handshake tells.
    pub fn needs_tls(&self) -> bool {
        matches!(self.subject, Subject::Certificate | Subject::Tls(..) | Subject::Alternative | Subject::Hash(_))
    }

    /// What is wrong with its values.
    pub fn check(&self) -> Result<(), Fault<'a>> {
        if let Subject::Time = self.subject {
            return self.times.hold(Now::of(0, 0)).map(drop);
        }
        let mut values = self.value.values();
        while let Some(value) = values.next()? {
            let text = value.text;
            let verdict = match self.subject {
                Subject::From => Network::parse(text).map(drop),
                Subject::Certificate if !HAVING.contains(&text) => {
                    Err("is none of any, none and verified")
                }
                Subject::Alternative => Alternative::parse(text).map(drop),
                Subject::Hash(_) if !is_hash(text) => Err("is not the 64 hex digits of a SHA-256"),
                Subject::Target => Pattern::parse(text).map(drop),
                _ => Ok(()),
            };
            verdict.map_err(|how| value.fault(how))?;
        }
        Ok(())
    }

    #[inline(never)]
    fn holds(&self, facts: &mut Facts, deny: bool) -> Result<Truth, Wrong<'a>> {
        let known = match self.subject {
            Subject::From => facts.address()?,
            Subject::Certificate => return self.certificate(facts),
            Subject::Tls(id, _) | Subject::Hash(id) => facts.tls(id)?,
            Subject::Alternative => facts.tls(Info::PeerSan)?,
            Subject::Time => return Ok(self.turn(self.times.hold(facts.now()?)?)),
            Subject::Target => facts.target()?,
            Subject::Fact(name) => facts.noted(name)?,
        };
        let fact = match known {
            Known::NotYet => return Ok(Truth::Open),
            Known::Nothing => return Ok(self.turn(false)),
            Known::Is(fact) => fact,
        };
        if let Subject::Target = self.subject {
            return Ok(self.turn(self.targets(fact, deny)?));
        }
        Ok(self.turn(self.any(Asked::Fact(fact))?))
    }

    /// Several configured targets are several ways to go. What is allowed is allowed for
    /// all of them, and what is denied for any.
    fn targets(&self, lines: &[u8], deny: bool) -> Result<bool, Fault<'a>> {
        let every = deny == self.negated;
        let mut targets = Parts::of(lines, b'\n').filter(|line| !line.is_empty()).peekable();
        if targets.peek().is_none() {
            return Ok(false);
        }
        for target in targets {
            if self.any(Asked::Fact(target))? != every {
                return Ok(!every);
            }
        }
        Ok(every)
    }

    fn certificate(&self, facts: &mut Facts) -> Result<Truth, Wrong<'a>> {
        let has = match facts.tls(Info::PeerCert)? {
            Known::NotYet => return Ok(Truth::Open),
            known => matches!(known, Known::Is(_)),
        };
        let verified = has && matches!(facts.tls(Info::PeerVerified)?, Known::Is(word) if word == b"yes");
        Ok(self.turn(self.any(Asked::Certificate { has, verified })?))
    }

    /// Whether it holds for one of the values. All are read: what is wrong with any is a
    /// fault.
    #[inline(never)]
    fn any(&self, asked: Asked) -> Result<bool, Fault<'a>> {
        let mut values = self.value.values();
        let mut held = false;
        while let Some(value) = values.next()? {
            held |= match asked {
                Asked::Fact(fact) => self.is_like(value.text, fact),
                Asked::Certificate { has, verified } => match value.text {
                    want if want == b"any" => has,
                    want if want == b"none" => !has,
                    _ => verified,
                },
            };
        }
        Ok(held)
    }

    /// Whether what is known is what a value wants.
    #[inline(never)]
    fn is_like(&self, want: &[u8], fact: &[u8]) -> bool {
        match self.subject {
            Subject::From => match (Network::parse(want), Address::of_peer(fact)) {
                (Ok(network), Some(address)) => network.contains(&address),
                _ => false,
            },
            Subject::Tls(_, Like::Host) => matches(want, fact, Kind::Host),
            Subject::Tls(_, Like::Same) => want == fact,
            Subject::Tls(_, Like::CommonName) => attribute(fact, b"CN", want),
            Subject::Tls(_, Like::Unit) => attribute(fact, b"OU", want),
            Subject::Alternative => Alternative::parse(want).map_or(false, |a| a.is_among(fact)),
            Subject::Hash(_) => same_hash(want, fact),
            Subject::Target => Pattern::parse(want).map_or(false, |p| p.matches(fact)),
            _ => matches(want, fact, Kind::Text),
        }
    }

    fn turn(&self, held: bool) -> Truth {
        if held != self.negated {
            Truth::Yes
        } else {
            Truth::No
        }
    }
}
