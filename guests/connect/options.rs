//! The options of the connect guest, and what is wrong with them.

use crate::authority::is_authority;
use crate::header;
use crate::Session;
use stunnel::host::{config, warn};
use stunnel::option::{bad, is_client, is_set, login, value, warn_half_login, VALUE_MAX};
use stunnel::text::{has, has_control, is_utf8, Parts};
use stunnel::{accept, Class, Code, Outcome, Part, Refusal};
use Part::Say;

/// All the lines of protocolHeader together, in bytes.
pub const HEADERS_MAX: usize = 4096;

/// How the client logs in at the proxy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Basic,
    Ntlm,
    /// Version 1, which the service has to ask for.
    Ntlm1,
}

impl Scheme {
    /// The name of the HTTP authentication scheme.
    pub fn name(self) -> &'static str {
        match self {
            Scheme::Basic => "Basic",
            Scheme::Ntlm | Scheme::Ntlm1 => "NTLM",
        }
    }
}

/// Room for who logs in.
pub struct Login {
    user: [u8; VALUE_MAX],
    password: [u8; VALUE_MAX],
    domain: [u8; VALUE_MAX],
}

/// Who logs in.
pub struct Identity<'a> {
    pub user: &'a [u8],
    pub password: &'a [u8],
    pub domain: &'a [u8],
}

/// Checks everything before the first connection, so that a wrong option is told when
/// the configuration is loaded.
pub fn check(s: &mut Session) -> Outcome {
    if is_client() {
        check_client(s)
    } else {
        check_server()
    }
}

#[inline(never)]
fn check_client(s: &mut Session) -> Outcome {
    let mut buf = [0; VALUE_MAX];
    target(&mut buf)?;
    headers(&mut s.line)?;
    let scheme = scheme()?;
    let password = is_set("secret.protocolpassword");
    let user = value("protocolUsername", "protocolusername", &mut buf)?;
    let ntlm = scheme != Scheme::Basic;
    if ntlm && (user.is_none() || !password) {
        return Err(wrong("protocolAuthentication = ntlm needs protocolUsername and protocolPassword"));
    }
    if let (Some(user), true) = (user, password) {
        // The colon ends the user's name (RFC 7617 section 2).
        let (is_bad, how) = if ntlm {
            (!is_utf8(user), " is not UTF-8")
        } else {
            (has(user, b':'), " has a colon, which Basic cannot carry")
        };
        if is_bad {
            return Err(bad("protocolUsername", user, how));
        }
    }
    warn_half_login()?;
    match value("protocolDomain", "protocoldomain", &mut buf)? {
        Some(_) if !ntlm => warn("protocolDomain has an effect with protocolAuthentication = ntlm alone"),
        Some(domain) if !is_utf8(domain) => return Err(bad("protocolDomain", domain, " is not UTF-8")),
        _ => {}
    }
    if is_set("option.inside") || is_set("secret.option.userPassword") {
        warn("guestOption inside and userPassword have no effect in client mode");
    }
    Ok(())
}

fn check_server() -> Outcome {
    let inside = inside()?;
    if !inside && accept::by_name() {
        // The target is connected under the rules of this service, and those of the one that
        // the name then leads to would not be asked; nor would the client's certificate be.
        return Err(wrong("services with sni or redirect need guestOption = inside=yes here: without it the target is connected before TLS tells the name or the certificate"));
    }
    if !inside && is_set("secret.option.userPassword") {
        warn("clients send userPassword before TLS begins; with guestOption = inside=yes they send it inside");
    }
    const IDLE: &[&str] = &["protocolhost", "protocolusername", "protocoldomain", "protocolheader", "option.ntlmv1"];
    if IDLE.iter().any(|key| is_set(key)) {
        warn("protocolHost, protocolHeader, protocolDomain, protocolUsername and ntlmv1 have no effect in connect's server mode");
    }
    Ok(())
}

/// The server behind the proxy.
pub fn target(buf: &mut [u8; VALUE_MAX]) -> Outcome<&[u8]> {
    match value("protocolHost", "protocolhost", buf)? {
        None => Err(wrong("protocol = connect needs protocolHost = HOST:PORT in client mode")),
        Some(target) if is_authority(target) => Ok(target),
        Some(target) => Err(bad("protocolHost", target, " is not HOST:PORT or [IPv6]:PORT")),
    }
}

/// The lines of protocolHeader. They may be secrets, so that no refusal quotes one.
pub fn headers(buf: &mut [u8]) -> Outcome<&[u8]> {
    let lines = match config("protocolheader", buf.get_mut(..HEADERS_MAX).unwrap_or(&mut [])) {
        Ok(lines) => lines,
        Err(Code::NONE) => return Ok(&[]),
        Err(Code::TOO_LONG) => return Err(wrong("protocolHeader: all lines together are longer than 4096 bytes")),
        Err(code) => return Err(Refusal::of(&["reading protocolHeader"], code)),
    };
    for line in Parts::of(lines, b'\n') {
        if has_control(line) {
            return Err(wrong("protocolHeader: a line has a control character"));
        }
        let (name, _) = header::split(line);
        if name.is_empty() || has(name, b' ') || has(name, b'\t') {
            return Err(wrong("protocolHeader: a line is not NAME: VALUE"));
        }
    }
    Ok(lines)
}

/// How to log in: by Basic unless it is said, as in stunnel.
pub fn scheme() -> Outcome<Scheme> {
    let old = yes("guestOption ntlmv1", "option.ntlmv1")?;
    let mut buf = [0; VALUE_MAX];
    match value("protocolAuthentication", "protocolauthentication", &mut buf)? {
        Some(name) if name.eq_ignore_ascii_case(b"ntlm") => Ok(if old { Scheme::Ntlm1 } else { Scheme::Ntlm }),
        Some(name) if !name.eq_ignore_ascii_case(b"basic") => {
            Err(bad("protocolAuthentication", name, " is neither basic nor ntlm"))
        }
        _ if old => Err(wrong("guestOption ntlmv1 needs protocolAuthentication = ntlm")),
        _ => Ok(Scheme::Basic),
    }
}

impl Login {
    pub const fn new() -> Self {
        Login { user: [0; VALUE_MAX], password: [0; VALUE_MAX], domain: [0; VALUE_MAX] }
    }

    /// Reads who logs in; nobody, if the service has no user name or no password.
    pub fn read(&mut self) -> Outcome<Option<Identity>> {
        let domain = value("protocolDomain", "protocoldomain", &mut self.domain)?.unwrap_or(&[]);
        Ok(login(&mut self.user, &mut self.password)?.map(|(user, password)| Identity { user, password, domain }))
    }
}

/// Whether TLS comes before the request, in server mode.
#[inline(always)] // no more than a call
pub fn inside() -> Outcome<bool> {
    yes("guestOption inside", "option.inside")
}

fn yes(name: &str, key: &str) -> Outcome<bool> {
    let mut buf = [0; VALUE_MAX];
    match value(name, key, &mut buf)? {
        None => Ok(false),
        Some(word) if word.eq_ignore_ascii_case(b"no") => Ok(false),
        Some(word) if word.eq_ignore_ascii_case(b"yes") => Ok(true),
        Some(word) => Err(bad(name, word, " is neither yes nor no")),
    }
}

fn wrong(sentence: &str) -> Refusal {
    Refusal::new(Class::Config, &[Say(sentence)])
}
