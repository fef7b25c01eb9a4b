//! The certificate authorities of the operating system, read once at start. (The driver would read them at every
//! connect, for 3 ms each.) The public ones are compiled in.

use std::{collections::HashSet, sync::Arc};

/// So many bytes of a public key tell it from every other.
const KEY_BYTES: usize = 16;

/// Authorities that the operating system trusts beyond the public ones that are compiled in, such as a company's own.
/// Cheap to clone.
#[derive(Clone, Default)]
pub struct Roots {
    extra_der: Arc<[Vec<u8>]>,
}

impl Roots {
    /// Only the public authorities.
    pub fn public() -> Self {
        Self::default()
    }

    /// Reads the operating system's store: some 10 ms of blocking file access, to be called once at start. What cannot
    /// be read is left out, and logged.
    pub fn load() -> Self {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!("reading the system's certificate authorities: {error}");
        }
        // An authority is known already if its certificate contains a compiled-in public key: the middle of one, where
        // keys differ from each other. Leaving those out keeps the parsing of 150 certificates from every connect.
        let keys = webpki_roots::TLS_SERVER_ROOTS.iter().map(|root| middle(&root.subject_public_key_info));
        let keys: HashSet<&[u8]> = keys.collect();
        let known = |der: &[u8]| der.windows(KEY_BYTES).any(|w| keys.contains(w));
        let extra_der: Vec<_> = found.certs.iter().filter(|c| !known(c)).map(|c| c.to_vec()).collect();
        tracing::debug!(
            extra = extra_der.len(),
            total = found.certs.len(),
            "system certificate authorities read"
        );
        Self { extra_der: extra_der.into() }
    }

    /// The certificates, DER.
    pub(super) fn extra_der(&self) -> &[Vec<u8>] {
        &self.extra_der
    }
}

/// The bytes in the middle of a public key.
fn middle(key: &[u8]) -> &[u8] {
    let start = (key.len() / 2).saturating_sub(KEY_BYTES / 2);
    key.get(start..start + KEY_BYTES).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::{KEY_BYTES, middle};

    #[test]
    fn the_middle_of_a_key_is_inside_of_it() {
        let key: Vec<u8> = (0..=99).collect();
        assert_eq!(middle(&key), &key[42..42 + KEY_BYTES]);
        assert_eq!(middle(&[1, 2]), [1, 2]);
    }
}
