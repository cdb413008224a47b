//! NTLM over HTTP (MS-NLMP, MS-NTHT): three messages, the first and the last the client's.
//! It is version 2 unless the service asks for 1. No key is exchanged: nothing is signed or
//! sealed but, in version 2, the three messages themselves.

use crate::des;
use crate::options::Identity;
use crate::utf16::add_utf16;
use stunnel::host::{digest, now, random, Alg};
use stunnel::option::VALUE_MAX;
use stunnel::{Class, Outcome, Part, Refusal, Text};
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

/// Length of an LM answer, and of an answer of version 1: three blocks of DES.
const LM_LEN: usize = 24;
const ANSWER_1_LEN: usize = 24;

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

/// UTF-16 of one of these, or of a user name and a domain.
type Wide = Text<{ 2 * WIDE_MAX }>;

/// The three messages in their order, as the integrity code covers them.
pub type Messages = Text<MESSAGES_MAX>;

/// Begins with the first message.
pub fn negotiate(messages: &mut Messages, old: bool) {
    let flags = if old { FLAGS_1 } else { FLAGS_2 };
    messages.clear();
    messages.add(b"NTLMSSP\0\x01\0\0\0").add(&flags.to_le_bytes()).add(&[0; 16]);
}

/// Adds the proxy's challenge and the answer to it, and gives the place of the answer.
#[inline(never)]
pub fn authenticate(messages: &mut Messages, challenge: &[u8], who: &Identity, old: bool) -> Outcome<usize> {
    let parsed = Challenge::parse(challenge);
    let parsed = match &parsed {
        Some(parsed) => parsed,
        None => return Err(Refusal::new(Class::Peer, &[Say("the proxy's NTLM challenge is malformed")])),
    };
    messages.add(challenge);
    let start = messages.bytes().len();
    if old {
        answer_1(messages, parsed, who)?;
    } else {
        answer_2(messages, parsed, who, start)?;
    }
    if messages.is_over() {
        return Err(Refusal::new(Class::Internal, &[Say("no room for the answer to NTLM's challenge")]));
    }
    Ok(start)
}

/// The second message (MS-NLMP section 2.2.1.2).
struct Challenge<'a> {
    flags: u32,
    nonce: &'a [u8],
    /// AV pairs without the one that ends them; none without the flag for them.
    facts: Option<&'a [u8]>,
    timestamp: Option<&'a [u8]>,
}

impl<'a> Challenge<'a> {
    #[inline(never)]
    fn parse(message: &'a [u8]) -> Option<Challenge<'a>> {
        let head: &[u8; 32] = message.get(..32)?.try_into().ok()?;
        if head[..12] != *b"NTLMSSP\0\x02\0\0\0" {
            return None;
        }
        let flags = u32::from_le_bytes([head[20], head[21], head[22], head[23]]);
        let mut challenge = Challenge { flags, nonce: &head[24..], facts: None, timestamp: None };
        if flags & TARGET_INFO != 0 {
            let field: &[u8; 8] = message.get(40..48)?.try_into().ok()?;
            let len = u16::from_le_bytes([field[0], field[1]]) as usize;
            let at = u32::from_le_bytes([field[4], field[5], field[6], field[7]]) as usize;
            let facts = message.get(at..)?.get(..len)?;
            if len > 0 {
                let end = challenge.scan(facts)?;
                challenge.facts = facts.get(..end);
            }
        }
        Some(challenge)
    }

    /// Walks over the AV pairs up to the one that ends them, and tells where that is.
    fn scan(&mut self, facts: &'a [u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            let (id, value) = pair(facts.get(at..)?)?;
            match id {
                AV_EOL => return Some(at),
                AV_TIMESTAMP if value.len() == 8 => self.timestamp = Some(value),
                AV_FLAGS if value.len() == 4 => {}
                AV_TIMESTAMP | AV_FLAGS => return None,
                _ => {}
            }
            at += 4 + value.len();
        }
    }
}

/// The AV pair that bytes begin with.
#[inline(never)]
fn pair(bytes: &[u8]) -> Option<(u16, &[u8])> {
    match bytes {
        [a, b, c, d, rest @ ..] => Some((u16::from_le_bytes([*a, *b]), rest.get(..u16::from_le_bytes([*c, *d]) as usize)?)),
        _ => None,
    }
}

/// Adds the answer of version 2 (MS-NLMP section 3.3.2).
#[inline(never)]
fn answer_2(messages: &mut Messages, challenge: &Challenge, who: &Identity, start: usize) -> Outcome {
    let facts = match challenge.facts {
        Some(facts) if challenge.flags & UNICODE != 0 => facts,
        facts => {
            let why = if facts.is_some() {
                "the proxy's NTLM challenge does not agree on Unicode"
            } else {
                "the proxy's NTLM challenge has no TargetInfo, which version 2 needs; guestOption = ntlmv1=yes allows version 1"
            };
            return Err(Refusal::new(Class::Peer, &[Say(why)]));
        }
    };
    let (mut user, mut domain) = (Wide::new(), Wide::new());
    widen(&mut user, who.user, false)?;
    widen(&mut domain, who.domain, false)?;
    let mut key = [0; 16];
    make_key_2(who, domain.bytes(), &mut key)?;
    let mut nonce = [0; 8];
    random(&mut nonce).map_err(|code| Refusal::of(&["drawing a random number"], code))?;

    // The server's nonce stands before the answer when the proof is made of it.
    let mut blob = Text::<BLOB_MAX>::new();
    blob.add(challenge.nonce).add(&[1, 1, 0, 0, 0, 0, 0, 0]);
    match challenge.timestamp {
        Some(timestamp) => blob.add(timestamp),
        None => blob.add(&windows_time()),
    };
    blob.add(&nonce).add(&[0; 4]);
    add_facts(&mut blob, facts, challenge.timestamp.is_some());
    let mut proof = [0; 16];
    hash(Alg::Md5, &key, blob.bytes(), &mut proof)?;
    let answer = blob.bytes().get(8..).unwrap_or(&[]);

    // With a timestamp nothing looks at the LM answer any more.
    let (mut lm, mut lm_nonce) = ([0; 16], [0; 8]);
    if challenge.timestamp.is_none() {
        let mut nonces = Text::<16>::new();
        nonces.add(challenge.nonce).add(&nonce);
        hash(Alg::Md5, &key, nonces.bytes(), &mut lm)?;
        lm_nonce = nonce;
    }

    // The data stand in this order, the domain's field before the user's.
    let lens = [proof.len() + answer.len(), domain.bytes().len(), user.bytes().len(), 0, 0];
    begin(messages, (PAYLOAD_2, LM_LEN), PAYLOAD_2 + LM_LEN, lens);
    messages.add(&(challenge.flags & FLAGS_2).to_le_bytes()).add(&[0; 8 + MIC_LEN]);
    messages.add(&lm).add(&lm_nonce).add(&proof).add(answer).add(domain.bytes()).add(user.bytes());
    if challenge.timestamp.is_some() {
        let (mut session, mut mic) = ([0; 16], [0; MIC_LEN]);
        hash(Alg::Md5, &key, &proof, &mut session)?;
        hash(Alg::Md5, &session, messages.bytes(), &mut mic)?;
        messages.put(start + MIC_AT, &mic);
    }
    Ok(())
}

/// NTOWFv2: what proofs of version 2 are made with.
fn make_key_2(who: &Identity, domain: &[u8], key: &mut [u8; 16]) -> Outcome {
    let mut name = Wide::new();
    widen(&mut name, who.user, true)?;
    name.add(domain);
    let mut password = [0; 16];
    hash_password(who.password, &mut password)?;
    hash(Alg::Md5, &password, name.bytes(), key)
}

/// NTOWFv1: MD4 of the password.
#[inline(never)]
fn hash_password(password: &[u8], sum: &mut [u8; 16]) -> Outcome {
    let mut wide = Wide::new();
    widen(&mut wide, password, false)?;
    hash(Alg::Md4, &[], wide.bytes(), sum)
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
    blob.add(&[0; 8]); // the list's end, and what is reserved behind it
}

/// The time of day in the unit of Windows, 100 nanoseconds.
fn windows_time() -> [u8; 8] {
    ((now() + EPOCH_MS) * 10_000).to_le_bytes()
}

/// Adds the answer of version 1, byte for byte as stunnel does: three blocks of DES over
/// the nonce, under keys made of the password's hash.
#[inline(never)]
fn answer_1(messages: &mut Messages, challenge: &Challenge, who: &Identity) -> Outcome {
    let mut sum = [0; 16];
    hash_password(who.password, &mut sum)?;
    let mut keys = Text::<21>::new();
    keys.add(&sum).add(&[0; 5]);
    // The LM answer is empty, at the end.
    let end = PAYLOAD_1 + ANSWER_1_LEN + who.domain.len() + who.user.len();
    begin(messages, (end, 0), PAYLOAD_1, [ANSWER_1_LEN, who.domain.len(), who.user.len(), 0, 0]);
    messages.add(&FLAGS_1.to_le_bytes());
    for key in keys.bytes().chunks(7) {
        messages.add(&des::encrypt(key, challenge.nonce));
    }
    messages.add(who.domain).add(who.user);
    Ok(())
}

/// Begins the third message: place and length of the LM answer, and of the data that follow
/// each other from a place on: the answer, the domain, the user, workstation and session key.
#[inline(never)]
fn begin(messages: &mut Messages, lm: (usize, usize), mut at: usize, lens: [usize; 5]) {
    messages.add(b"NTLMSSP\0\x03\0\0\0");
    add_field(messages, lm.0, lm.1);
    for len in lens {
        add_field(messages, at, len);
        at += len;
    }
}

/// Adds the length of a piece of data, twice, and its place.
fn add_field(messages: &mut Messages, at: usize, len: usize) {
    let short = (len as u16).to_le_bytes();
    messages.add(&short).add(&short).add(&(at as u32).to_le_bytes());
}

/// Computes MD4, or an HMAC by MD5.
#[inline(never)]
fn hash(alg: Alg, key: &[u8], text: &[u8], sum: &mut [u8; 16]) -> Outcome {
    match &digest(alg, key, text) {
        Ok(made) => *sum = *made,
        Err(code) => {
            let doing = if matches!(alg, Alg::Md4) { "computing MD4" } else { "computing an HMAC" };
            return Err(Refusal::of(&[doing], *code));
        }
    }
    Ok(())
}

/// Adds a text of the config in UTF-16.
#[inline(never)]
fn widen(to: &mut Wide, text: &[u8], capitals: bool) -> Outcome {
    if add_utf16(to, text, capitals) {
        return Ok(());
    }
    Err(Refusal::new(Class::Config, &[Say("protocolUsername, protocolDomain or protocolPassword is not UTF-8")]))
}
