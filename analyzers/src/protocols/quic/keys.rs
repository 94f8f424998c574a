//! Keys of Initial packets (RFC 9001 §5.2) and what they open: header protection (§5.4) and the
//! packet itself (§5.3), always AES-128-GCM.

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

/// Keys of one side. Ciphers are made of them for each packet: they would take twenty times the
/// room.
pub(super) struct SideKeys {
    packet: [u8; 16],
    iv: [u8; 12],
    header: [u8; 16],
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
        Self {
            packet: expand_label(&secret, labels.key),
            iv: expand_label(&secret, labels.iv),
            header: expand_label(&secret, labels.header),
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
        Aes128::new(&self.header.into()).encrypt_block(&mut mask);
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
        Ok(Aes128Gcm::new(&self.packet.into()).decrypt(&self.nonce(number), payload).ok())
    }

    /// The IV with the packet number in it. Initial packets are numbered from zero, so that what
    /// the header holds of the number is all of it.
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
impl SideKeys {
    /// Protects a packet as a sender does: the header up to the packet number, the number, the
    /// frames.
    pub(super) fn seal(&self, head: &[u8], number: u32, frames: &[u8]) -> Vec<u8> {
        let mut packet = [head, &number.to_be_bytes()].concat();
        packet[0] |= 0b11;
        let payload = Payload { msg: frames, aad: &packet };
        let sealed = Aes128Gcm::new(&self.packet.into()).encrypt(&self.nonce(number), payload);
        packet.extend(sealed.unwrap());
        let mut mask = Block::try_from(&packet[head.len() + 4..][..16]).unwrap();
        Aes128::new(&self.header.into()).encrypt_block(&mut mask);
        packet[0] ^= mask[0] & 0x0f;
        packet[head.len()..][..4].iter_mut().zip(&mask[1..]).for_each(|(byte, mask)| *byte ^= mask);
        packet
    }
}
