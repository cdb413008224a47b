//! The header of version 2 that is sent, with what TLS is known to be if that is asked for.

use stunnel::host::{info, Info};
use stunnel::Text;
use crate::addresses::Addresses;
use crate::version2::{HEAD_LENGTH, PROXY, SIGNATURE};

/// Longest header that is sent: addresses, and one fact of full length in each field.
pub const OUT_MAX: usize = 1536;

/// Longest fact in bytes; one that is longer is left out.
const FACT_MAX: usize = 255;

/// Fields (proxy-protocol.txt section 2.2).
const ALPN: u8 = 0x01;
const AUTHORITY: u8 = 0x02;
const SSL: u8 = 0x20;

/// Fields within SSL (section 2.2.6).
const SSL_VERSION: u8 = 0x21;
const SSL_CN: u8 = 0x22;
const SSL_CIPHER: u8 = 0x23;

/// Bits of the first byte of SSL: there is TLS; a certificate came over this very
/// connection; one came in this session.
const CLIENT_SSL: u8 = 1;
const CLIENT_CERT_CONN: u8 = 2;
const CLIENT_CERT_SESS: u8 = 4;

/// Writes a header. Families that it cannot tell are "unspecified": the command stays
/// PROXY, for of a LOCAL connection a receiver would not read what is said about TLS.
pub fn version2(addresses: &Addresses, tls: bool, out: &mut Text<OUT_MAX>) {
    out.add(&SIGNATURE).add(&[PROXY, addresses.family, 0, 0]).add(addresses.bytes.bytes());
    if tls {
        add_fact(ALPN, Info::Alpn, out);
        add_fact(AUTHORITY, Info::Sni, out);
        add_ssl(out);
    }
    set_length(HEAD_LENGTH, out);
}

/// What TLS with the client is. A common name is told only of a certificate that was
/// verified: receivers take it for who the client is.
fn add_ssl(out: &mut Text<OUT_MAX>) {
    let mut certificate = [0; FACT_MAX];
    let presented = info(Info::PeerCert, &mut certificate).is_ok();
    let verified = presented && is_yes(Info::PeerVerified);
    let mut client = CLIENT_SSL;
    if presented {
        client |= CLIENT_CERT_SESS;
        if !is_yes(Info::Resumed) {
            client |= CLIENT_CERT_CONN;
        }
    }
    out.add(&[SSL, 0, 0]);
    let start = out.bytes().len();
    out.add(&[client]).add(&(!verified as u32).to_be_bytes());
    add_fact(SSL_VERSION, Info::TlsVersion, out);
    if verified {
        add_fact(SSL_CN, Info::PeerCn, out);
    }
    add_fact(SSL_CIPHER, Info::Cipher, out);
    set_length(start, out);
}

/// Sets the two bytes before a place to the length of what stands behind it.
#[inline(never)]
fn set_length(start: usize, out: &mut Text<OUT_MAX>) {
    let length = (out.bytes().len() - start) as u16;
    out.put(start - 2, &length.to_be_bytes());
}

fn is_yes(id: Info) -> bool {
    matches!(info(id, &mut [0; 4]), Ok(word) if word == b"yes")
}

fn add_fact(kind: u8, id: Info, out: &mut Text<OUT_MAX>) {
    let mut room = [0; FACT_MAX];
    if let Ok(fact) = info(id, &mut room) {
        out.add(&[kind]).add(&(fact.len() as u16).to_be_bytes()).add(fact);
    }
}
