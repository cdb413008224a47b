//! NTLM over HTTP (MS-NLMP, MS-NTHT): three messages, the first and the last the client's.
//! It is version 2 unless the service asks for 1. No key is exchanged: nothing is signed or
//! sealed but, in version 2, the three messages themselves.

use crate::des;
use crate::options::Identity;
use crate::utf16::{add_utf16, capital, same};
use stunnel::host::{digest, now, random, Alg};
use stunnel::option::VALUE_MAX;
use stunnel::{Class, Code, Outcome, Part, Refusal, Text};
use Part::Say;

/// Longest second message in bytes: Windows sends about 300.
pub const CHALLENGE_MAX: usize = 2048;

/// Longest UTF-16 of a user name, password or domain in bytes.
const WIDE_MAX: usize = 2 * VALUE_MAX;

/// The first message, without domain and workstation.
const NEGOTIATE_LEN: usize = 32;

/// Where the data of the third message begin in version 1, as stunnel has it, and in
/// version 2, behind the version of Windows and the code for the messages' integrity.
const PAYLOAD_1: usize = 64;
const PAYLOAD_2: usize = 88;
const MIC_AT: usize = 72;
const MIC_LEN: usize = 16;

/// The proof and what stands around the target's facts in an answer of version 2
/// (MS-NLMP section 2.2.2.7), with an AV pair for flags and the list's end.
const BLOB_MAX: usize = 8 + 28 + CHALLENGE_MAX + 8 + 4 + 4;

/// Longest third message in bytes: its fields, an empty LM answer, the answer, user and domain.
const AUTHENTICATE_MAX: usize = PAYLOAD_2 + 24 + 16 + BLOB_MAX + 2 * WIDE_MAX;

pub const MESSAGES_MAX: usize = NEGOTIATE_LEN + CHALLENGE_MAX + AUTHENTICATE_MAX;

/// Flags (MS-NLMP section 2.2.2.5).
const UNICODE: u32 = 1;
const OEM: u32 = 2;
const REQUEST_TARGET: u32 = 4;
const NTLM: u32 = 0x200;
const ALWAYS_SIGN: u32 = 0x8000;
const EXTENDED_SECURITY: u32 = 0x8_0000;
const TARGET_INFO: u32 = 0x80_0000;
const KEY_128: u32 = 0x2000_0000;
const KEY_56: u32 = 0x8000_0000;
const FLAGS_1: u32 = NTLM | OEM; // stunnel's
const FLAGS_2: u32 =
    UNICODE | REQUEST_TARGET | NTLM | ALWAYS_SIGN | EXTENDED_SECURITY | TARGET_INFO | KEY_128 | KEY_56;

/// The facts about the target (MS-NLMP section 2.2.2.1).
const AV_EOL: u16 = 0;
const AV_FLAGS: u16 = 6;
const AV_TIMESTAMP: u16 = 7;
const AV_FLAG_MIC: u8 = 2;

/// From 1601, where Windows begins to count, to 1970, in milliseconds.
const EPOCH_MS: i64 = 11_644_473_600_000;

/// The three messages in their order, as the integrity code covers them.
pub type Messages = Text<MESSAGES_MAX>;

/// Begins with the first message.
pub fn negotiate(messages: &mut Messages, old: bool) {
    let flags = if old { FLAGS_1 } else { FLAGS_2 };
    messages.clear();
    messages.add(b"NTLMSSP\0\x01\0\0\0").add(&flags.to_le_bytes()).add(&[0; 16]);
}

/// Adds the proxy's challenge and the answer to it, and gives the answer.
#[inline(never)]
pub fn authenticate<'a>(
    messages: &'a mut Messages,
    challenge: &[u8],
    who: &Identity,
    old: bool,
) -> Outcome<&'a [u8]> {
    let parsed = match Challenge::parse(challenge) {
        Some(parsed) => parsed,
        None => return Err(Refusal::new(Class::Peer, &[Say("the proxy's NTLM challenge is malformed")])),
    };
    messages.add(challenge);
    let start = messages.bytes().len();
    if old {
        answer_1(messages, &parsed, who)?;
    } else {
        answer_2(messages, &parsed, who, start)?;
    }
    if messages.is_over() {
        return Err(Refusal::new(Class::Internal, &[Say("no room for the answer to NTLM's challenge")]));
    }
    Ok(messages.bytes().get(start..).unwrap_or(&[]))
}

/// The second message (MS-NLMP section 2.2.1.2).
struct Challenge<'a> {
    flags: u32,
    nonce: [u8; 8],
    /// AV pairs without the one that ends them; none without the flag for them.
    facts: Option<&'a [u8]>,
    timestamp: Option<[u8; 8]>,
}

impl<'a> Challenge<'a> {
    #[inline(never)]
    fn parse(message: &'a [u8]) -> Option<Challenge<'a>> {
        if message.get(..12)? != b"NTLMSSP\0\x02\0\0\0" {
            return None;
        }
        let flags = u32::from_le_bytes(message.get(20..24)?.try_into().ok()?);
        let nonce = message.get(24..32)?.try_into().ok()?;
        let mut challenge = Challenge { flags, nonce, facts: None, timestamp: None };
        if flags & TARGET_INFO != 0 {
            let len = u16::from_le_bytes(message.get(40..42)?.try_into().ok()?) as usize;
            let at = u32::from_le_bytes(message.get(44..48)?.try_into().ok()?) as usize;
            let facts = message.get(at..)?.get(..len)?;
            if len > 0 {
                let end = challenge.scan(facts)?;
                challenge.facts = facts.get(..end);
            }
        }
        Some(challenge)
    }

    /// Walks over the AV pairs up to the one that ends them, and tells where that is.
    fn scan(&mut self, facts: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            let (id, value) = pair(facts.get(at..)?)?;
            match id {
                AV_EOL => return Some(at),
                AV_TIMESTAMP => self.timestamp = Some(value.try_into().ok()?),
                AV_FLAGS if value.len() != 4 => return None,
                _ => {}
            }
            at += 4 + value.len();
        }
    }
}

/// The AV pair that bytes begin with.
fn pair(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let id = u16::from_le_bytes(bytes.get(..2)?.try_into().ok()?);
    let len = u16::from_le_bytes(bytes.get(2..4)?.try_into().ok()?) as usize;
    Some((id, bytes.get(4..)?.get(..len)?))
}

/// Adds the answer of version 2 (MS-NLMP section 3.3.2).
#[inline(never)]
fn answer_2(messages: &mut Messages, challenge: &Challenge, who: &Identity, start: usize) -> Outcome {
    let facts = match challenge.facts {
        Some(facts) if challenge.flags & UNICODE != 0 => facts,
        Some(_) => return Err(Refusal::new(Class::Peer, &[Say("the proxy's NTLM challenge does not agree on Unicode")])),
        None => {
            let why = "the proxy's NTLM challenge has no TargetInfo, which version 2 needs; guestOption = ntlmv1=yes allows version 1";
            return Err(Refusal::new(Class::Peer, &[Say(why)]));
        }
    };
    let (mut user, mut domain) = (Text::<WIDE_MAX>::new(), Text::<WIDE_MAX>::new());
    if !add_utf16(&mut user, who.user, same) || !add_utf16(&mut domain, who.domain, same) {
        return Err(not_utf8());
    }
    let key = key_2(who, domain.bytes())?;
    let mut nonce = [0; 8];
    random(&mut nonce).map_err(|code| fault("drawing a random number", code))?;

    // The server's nonce stands before the answer when the proof is made of it.
    let mut blob = Text::<BLOB_MAX>::new();
    blob.add(&challenge.nonce).add(&[1, 1, 0, 0, 0, 0, 0, 0]);
    blob.add(&challenge.timestamp.unwrap_or_else(windows_time)).add(&nonce).add(&[0; 4]);
    add_facts(&mut blob, facts, challenge.timestamp.is_some());
    blob.add(&[0; 4]);
    let proof: [u8; 16] = hmac(&key, blob.bytes())?;
    let answer = blob.bytes().get(8..).unwrap_or(&[]);

    // With a timestamp nothing looks at the LM answer any more.
    let mut lm = [0; 24];
    if challenge.timestamp.is_none() {
        let mut nonces = Text::<16>::new();
        nonces.add(&challenge.nonce).add(&nonce);
        let first: [u8; 16] = hmac(&key, nonces.bytes())?;
        for (place, b) in lm.iter_mut().zip(first.iter().chain(&nonce)) {
            *place = *b;
        }
    }

    let mut fields = Fields { at: PAYLOAD_2 };
    messages.add(b"NTLMSSP\0\x03\0\0\0");
    // The data stand in this order, the domain's field before the user's.
    fields.add(messages, lm.len());
    fields.add(messages, proof.len() + answer.len());
    fields.add(messages, domain.bytes().len());
    fields.add(messages, user.bytes().len());
    fields.add(messages, 0); // workstation
    fields.add(messages, 0); // session key
    messages.add(&(challenge.flags & FLAGS_2).to_le_bytes()).add(&[0; 8]).add(&[0; MIC_LEN]);
    messages.add(&lm).add(&proof).add(answer).add(domain.bytes()).add(user.bytes());
    if challenge.timestamp.is_some() {
        let session: [u8; 16] = hmac(&key, &proof)?;
        let mic: [u8; MIC_LEN] = hmac(&session, messages.bytes())?;
        messages.put(start + MIC_AT, &mic);
    }
    Ok(())
}

/// NTOWFv2: what proofs of version 2 are made with.
fn key_2(who: &Identity, domain: &[u8]) -> Outcome<[u8; 16]> {
    let mut name = Text::<{ 2 * WIDE_MAX }>::new();
    if !add_utf16(&mut name, who.user, capital) {
        return Err(not_utf8());
    }
    name.add(domain);
    hmac(&password_hash(who.password)?, name.bytes())
}

/// NTOWFv1: MD4 of the password.
fn password_hash(password: &[u8]) -> Outcome<[u8; 16]> {
    let mut wide = Text::<WIDE_MAX>::new();
    if !add_utf16(&mut wide, password, same) {
        return Err(not_utf8());
    }
    digest(Alg::Md4, &[], wide.bytes()).map_err(|code| fault("computing MD4", code))
}

/// Adds the target's facts, with the flag that says that there is an integrity code: a
/// proxy that gives the time wants one (MS-NLMP section 3.1.5.1.2).
#[inline(never)]
fn add_facts(blob: &mut Text<BLOB_MAX>, facts: &[u8], mic: bool) {
    let mut rest = facts;
    let mut flagged = !mic;
    while let Some((id, value)) = pair(rest) {
        match (id, value) {
            (AV_FLAGS, [low, high @ ..]) if mic => {
                blob.add(&AV_FLAGS.to_le_bytes()).add(&[4, 0, low | AV_FLAG_MIC]).add(high);
                flagged = true;
            }
            _ => {
                blob.add(rest.get(..4 + value.len()).unwrap_or(&[]));
            }
        }
        rest = rest.get(4 + value.len()..).unwrap_or(&[]);
    }
    if !flagged {
        blob.add(&AV_FLAGS.to_le_bytes()).add(&[4, 0, AV_FLAG_MIC, 0, 0, 0]);
    }
    blob.add(&[0; 4]);
}

/// The time of day in the unit of Windows, 100 nanoseconds.
fn windows_time() -> [u8; 8] {
    ((now() + EPOCH_MS) * 10_000).to_le_bytes()
}

/// Adds the answer of version 1, byte for byte as stunnel does: three blocks of DES over
/// the nonce, under keys made of the password's hash.
#[inline(never)]
fn answer_1(messages: &mut Messages, challenge: &Challenge, who: &Identity) -> Outcome {
    let mut keys = [0; 21];
    for (place, b) in keys.iter_mut().zip(password_hash(who.password)?) {
        *place = b;
    }
    let mut answer = Text::<24>::new();
    for key in keys.chunks(7) {
        answer.add(&des::encrypt(key.try_into().unwrap_or([0; 7]), challenge.nonce));
    }
    let end = PAYLOAD_1 + answer.bytes().len() + who.domain.len() + who.user.len();
    let mut fields = Fields { at: PAYLOAD_1 };
    messages.add(b"NTLMSSP\0\x03\0\0\0");
    Fields { at: end }.add(messages, 0); // LM answer
    fields.add(messages, answer.bytes().len());
    fields.add(messages, who.domain.len());
    fields.add(messages, who.user.len());
    fields.add(messages, 0); // workstation
    fields.add(messages, 0); // session key
    messages.add(&FLAGS_1.to_le_bytes()).add(answer.bytes()).add(who.domain).add(who.user);
    Ok(())
}

/// Where the next piece of data stands in a message.
struct Fields {
    at: usize,
}

impl Fields {
    /// Adds the length, twice, and the place of the next piece.
    fn add(&mut self, messages: &mut Messages, len: usize) {
        let short = (len as u16).to_le_bytes();
        messages.add(&short).add(&short).add(&(self.at as u32).to_le_bytes());
        self.at += len;
    }
}

fn hmac(key: &[u8], text: &[u8]) -> Outcome<[u8; 16]> {
    digest(Alg::Md5, key, text).map_err(|code| fault("computing an HMAC", code))
}

fn fault(doing: &str, code: Code) -> Refusal {
    Refusal::of(&[doing], code)
}

fn not_utf8() -> Refusal {
    Refusal::new(Class::Config, &[Say("protocolUsername, protocolDomain or protocolPassword is not UTF-8")])
}
