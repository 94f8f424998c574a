//! Bytes as text: hexadecimal, base64 and base32 with the extended hex alphabet without padding
//! (RFC 4648 §8, §4, §7).

const HEX: &[u8; 16] = b"0123456789abcdef";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// Appends `bytes` in hexadecimal digits.
pub(super) fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        out.extend([digit(HEX, byte >> 4), digit(HEX, byte & 0x0f)]);
    }
}

/// Appends `bytes` in base64, padded.
pub(super) fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    for group in bytes.chunks(3) {
        let mut padded = [0; 3];
        padded.iter_mut().zip(group).for_each(|(to, from)| *to = *from);
        let [a, b, c] = padded;
        let digits = [a >> 2, (a & 3) << 4 | b >> 4, (b & 15) << 2 | c >> 6, c & 63];
        let used = group.len().saturating_add(1);
        out.extend(digits.iter().take(used).map(|value| digit(BASE64, *value)));
        out.extend(std::iter::repeat_n(b'=', digits.len().saturating_sub(used)));
    }
}

/// Appends `bytes` in base32 with the extended hex alphabet, without padding.
pub(super) fn base32hex(bytes: &[u8], out: &mut Vec<u8>) {
    for group in bytes.chunks(5) {
        let mut padded = [0; 5];
        padded.iter_mut().zip(group).for_each(|(to, from)| *to = *from);
        let [a, b, c, d, e] = padded;
        let digits = [
            a >> 3,
            (a & 7) << 2 | b >> 6,
            b >> 1 & 31,
            (b & 1) << 4 | c >> 4,
            (c & 15) << 1 | d >> 7,
            d >> 2 & 31,
            (d & 3) << 3 | e >> 5,
            e & 31,
        ];
        let used = group.len().saturating_mul(8).div_ceil(5);
        out.extend(digits.iter().take(used).map(|value| digit(BASE32, *value)));
    }
}

fn digit(alphabet: &[u8], value: u8) -> u8 {
    alphabet.get(usize::from(value)).copied().unwrap_or(b'?')
}
