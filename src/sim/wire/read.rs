//! A reader over the bytes that a client sent: every read is checked, so no input can make it panic.
//!
//! Used by all decoders of `wire`. It must not know what the bytes mean.

/// The bytes ended too early or made no sense; says what was being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed client data: {0}")]
pub struct Malformed(pub &'static str);

/// A position in a client's bytes.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The bytes not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// True at the end.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `n` bytes.
    ///
    /// # Errors
    /// [`Malformed`] if there are fewer.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.rest.split_at_checked(n).ok_or(Malformed("ends too early"))?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(Malformed("ends too early"))?;
        self.rest = rest;
        Ok(*head)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`Malformed`] at the end.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Two bytes, little-endian.
    ///
    /// # Errors
    /// [`Malformed`] at the end.
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    /// Two bytes, big-endian.
    ///
    /// # Errors
    /// [`Malformed`] at the end.
    pub fn u16_be(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    /// Four bytes, little-endian.
    ///
    /// # Errors
    /// [`Malformed`] at the end.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    /// Eight bytes, little-endian.
    ///
    /// # Errors
    /// [`Malformed`] at the end.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    /// A `B_VARCHAR`: a count byte, then that many UTF-16 units.
    ///
    /// # Errors
    /// [`Malformed`] at the end.
    pub fn b_varchar(&mut self) -> Result<String, Malformed> {
        let units = usize::from(self.u8()?);
        Ok(utf16_lossy(self.take(units * 2)?))
    }

    /// A `US_VARCHAR`: a 16-bit count, then that many UTF-16 units.
    ///
    /// # Errors
    /// [`Malformed`] at the end.
    pub fn us_varchar(&mut self) -> Result<String, Malformed> {
        let units = usize::from(self.u16()?);
        Ok(utf16_lossy(self.take(units * 2)?))
    }

    /// Skips the `ALL_HEADERS` block that starts batches, RPCs and transaction requests since TDS 7.2.
    ///
    /// # Errors
    /// [`Malformed`] if its length is not that of a block within the message.
    pub fn skip_all_headers(&mut self) -> Result<(), Malformed> {
        let total = self.u32()? as usize;
        let body = total.checked_sub(4).ok_or(Malformed("ALL_HEADERS length below 4"))?;
        self.take(body).map(|_| ()).map_err(|_| Malformed("ALL_HEADERS longer than the message"))
    }
}

/// UTF-16 little-endian bytes as text; invalid units become U+FFFD, an odd last byte is dropped.
pub fn utf16_lossy(bytes: &[u8]) -> String {
    let units = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair));
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_input_is_an_error_and_moves_nothing() {
        let mut reader = Reader::new(&[1, 2, 3]);
        assert_eq!(reader.u32(), Err(Malformed("ends too early")));
        assert_eq!(reader.u16(), Ok(0x0201));
        assert_eq!(reader.rest(), &[3]);
    }

    #[test]
    fn all_headers_must_fit() {
        assert!(Reader::new(&[3, 0, 0, 0]).skip_all_headers().is_err());
        assert!(Reader::new(&[9, 0, 0, 0, 1]).skip_all_headers().is_err());
        let mut good = Reader::new(&[6, 0, 0, 0, 9, 9, 7]);
        good.skip_all_headers().unwrap();
        assert_eq!(good.rest(), &[7]);
    }

    #[test]
    fn broken_surrogates_become_replacement_characters() {
        assert_eq!(utf16_lossy(&[0x41, 0, 0x00, 0xd8, 0x42]), "A\u{fffd}");
    }
}
