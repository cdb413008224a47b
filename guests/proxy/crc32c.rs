//! The checksum of a header (RFC 3385's CRC32c, RFC 4960 appendix B).

/// The polynomial of Castagnoli, reflected.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// The sum of a text. It goes by bits: a table would be as long as what is summed.
pub fn crc32c(text: &[u8]) -> u32 {
    let mut sum = !0u32;
    for &b in text {
        sum ^= b as u32;
        for _ in 0..8 {
            sum = sum >> 1 ^ if sum & 1 == 1 { POLYNOMIAL } else { 0 };
        }
    }
    !sum
}
