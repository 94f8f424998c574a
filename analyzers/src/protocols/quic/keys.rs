//! Keys of Initial packets (RFC 9001 §5.2) and what they open: header protection (§5.4) and the packet
//! itself (§5.3), always AES-128-GCM.

use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use aes::{Aes128, Block};
use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes128Gcm, Nonce};
use hkdf::Hkdf;
use sha2::Sha256;

use crate::malformed::Malformed;
use crate::reader::Reader;

use super::packet::Initial;
use super::version::{Family, Labels};

/// Keys of one connection, as its first connection id gives them.
pub(super) struct Keys {
    /// What the client protects its packets with.
    pub(super) client: SideKeys,
    /// What the server protects its packets with.
    pub(super) server: SideKeys,
}

/// Keys of one side.
pub(super) struct SideKeys {
    packet: Aes128Gcm,
    iv: [u8; 12],
    header: Aes128,
}

impl Keys {
    /// Derives them from the connection id that the client chose for the server.
    pub(super) fn derive(family: &Family, connection_id: &[u8]) -> Self {
        let initial = Hkdf::<Sha256>::new(Some(&family.salt), connection_id);
        Self {
            client: SideKeys::derive(&initial, "client in", family.labels),
            server: SideKeys::derive(&initial, "server in", family.labels),
        }
    }
}

impl SideKeys {
    fn derive(initial: &Hkdf<Sha256>, side: &str, labels: &Labels) -> Self {
        let secret: [u8; 32] = expand_label(initial, side);
        let secret = Hkdf::<Sha256>::from_prk(&secret).unwrap_or_else(|_| initial.clone());
        let key: [u8; 16] = expand_label(&secret, labels.key);
        let header: [u8; 16] = expand_label(&secret, labels.header);
        Self {
            packet: Aes128Gcm::new(&key.into()),
            iv: expand_label(&secret, labels.iv),
            header: Aes128::new(&header.into()),
        }
    }

    /// Opens a packet; `None` where these are not its keys.
    ///
    /// # Errors
    /// The packet is too short to be protected at all.
    pub(super) fn open(&self, packet: &Initial<'_>) -> Result<Option<Vec<u8>>, Malformed> {
        const NUMBER_BYTES_MAX: usize = 4;
        let mut r = Reader::new(packet.bytes);
        let mut header = r.take(packet.number_at, "header")?.to_vec();
        let mut sample = r;
        sample.skip(NUMBER_BYTES_MAX, "sample")?;
        let mut mask = Block::from(sample.array("sample")?);
        self.header.encrypt_block(&mut mask);
        let [first_mask, number_mask @ ..] = mask.0;
        let Some(first) = header.first_mut() else { return Ok(None) };
        *first ^= first_mask & 0x0f;
        let number_bytes = usize::from(*first & 0b11).saturating_add(1);
        let mut number = 0_u32;
        for (byte, mask) in r.take(number_bytes, "packet number")?.iter().zip(number_mask) {
            header.push(byte ^ mask);
            number = number << 8 | u32::from(byte ^ mask);
        }
        let payload = Payload { msg: r.rest(), aad: &header };
        Ok(self.packet.decrypt(&self.nonce(number), payload).ok())
    }

    /// The IV with the packet number in it. Initial packets are numbered from zero, so that what the
    /// header holds of the number is all of it.
    fn nonce(&self, number: u32) -> Nonce<aes_gcm::aead::consts::U12> {
        let [head @ .., a, b, c, d] = self.iv;
        let [w, x, y, z] = number.to_be_bytes();
        let mut nonce = [0; 12];
        let bytes = head.into_iter().chain([a ^ w, b ^ x, c ^ y, d ^ z]);
        nonce.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
        nonce.into()
    }
}

/// TLS 1.3's HKDF-Expand-Label with an empty context (RFC 8446 §7.1).
fn expand_label<const N: usize>(secret: &Hkdf<Sha256>, label: &str) -> [u8; N] {
    const PREFIX: &[u8] = b"tls13 ";
    let label_len = u8::try_from(PREFIX.len().saturating_add(label.len())).unwrap_or(u8::MAX);
    let [high, low] = u16::try_from(N).unwrap_or(u16::MAX).to_be_bytes();
    let mut out = [0; N];
    let info = [&[high, low, label_len][..], PREFIX, label.as_bytes(), &[0]];
    // Only more than 255 blocks can fail, and no key is as long.
    let _ = secret.expand_multi_info(&info, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::quic::version::Version;

    #[test]
    fn initial_secrets_give_the_ivs_of_rfc_9001_and_rfc_9369() {
        let id = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
        for (version, client, server) in [
            (
                1,
                [0xfa, 0x04, 0x4b, 0x2f, 0x42, 0xa3, 0xfd, 0x3b, 0x46, 0xfb, 0x25, 0x5c],
                [0x0a, 0xc1, 0x49, 0x3c, 0xa1, 0x90, 0x58, 0x53, 0xb0, 0xbb, 0xa0, 0x3e],
            ),
            (
                0x6b33_43cf,
                [0x91, 0xf7, 0x3e, 0x23, 0x51, 0xd8, 0xfa, 0x91, 0x66, 0x0e, 0x90, 0x9f],
                [0x68, 0x40, 0x17, 0xcf, 0x2f, 0x4f, 0x3c, 0x94, 0xcc, 0xde, 0x02, 0xb9],
            ),
        ] {
            let keys = Keys::derive(Version(version).families()[0], &id);
            assert_eq!((keys.client.iv, keys.server.iv), (client, server), "{version:08x}");
        }
    }
}
