//! The certificate authorities of the operating system, read once at start. (The driver would read them at every
//! connect, for 3 ms each.) The public ones are compiled in.

use std::sync::Arc;

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
        // An authority is known already if its certificate contains a compiled-in public key. Leaving those out keeps
        // the parsing of 150 certificates from every connect.
        let known = |der: &[u8]| {
            webpki_roots::TLS_SERVER_ROOTS.iter().any(|r| contains(der, &r.subject_public_key_info))
        };
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

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    let Some(&first) = needle.first() else { return false };
    let mut rest = hay;
    while let Some(i) = rest.iter().position(|b| *b == first) {
        if rest[i..].starts_with(needle) {
            return true;
        }
        rest = &rest[i + 1..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::contains;

    #[test]
    fn finds_a_key_inside_a_certificate() {
        assert!(contains(&[1, 2, 2, 3, 4], &[2, 3]));
        assert!(!contains(&[1, 2, 2, 3, 4], &[3, 5]));
        assert!(!contains(&[1, 2], &[2, 3]));
        assert!(!contains(&[1, 2], &[]));
    }
}
