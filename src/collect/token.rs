//! When a bearer token ends, as far as it says so itself. Read by `secrets`; the server alone decides what it is worth.

use crate::model::base::time::Timestamp;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use std::time::Duration;
use zeroize::Zeroizing;

#[derive(Deserialize)]
struct Claims {
    /// seconds since 1970 (RFC 7519, 4.1.4); some issuers write a fraction
    exp: f64,
    /// when it was issued, by the same clock
    iat: Option<f64>,
}

/// The time that a JSON Web Token has left at `now`; zero if it has ended. A clock of ours that is behind gives it no more than
/// its issuer did. None: not a JWT, or it does not say.
pub fn life(token: &str, now: Timestamp) -> Option<Duration> {
    let payload = token.trim().split('.').nth(1)?;
    let json = Zeroizing::new(URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?);
    let claims: Claims = serde_json::from_slice(&json).ok()?;
    let end = Duration::try_from_secs_f64(claims.exp).ok()?;
    let now = Duration::from_millis(u64::try_from(now.ms()).unwrap_or(0));
    let left = end.saturating_sub(now);
    let issued = claims.iat.and_then(|iat| Duration::try_from_secs_f64(claims.exp - iat).ok());
    Some(issued.map_or(left, |issued| left.min(issued)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("eyJhbGciOiJub25lIn0.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn the_end_is_read_from_the_token() {
        let now = Timestamp::from_ms(1_000_000_000);
        let left = |claims: &str| life(&token(claims), now).map(|d| d.as_secs());
        assert_eq!(left(r#"{"aud":"https://database.windows.net/","exp":1003600}"#), Some(3600));
        assert_eq!(left(r#"{"exp":999999}"#), Some(0), "over");
        assert_eq!(left(r#"{"exp":9003600,"iat":9000000}"#), Some(3600), "our clock is behind");
        assert_eq!(left(r#"{"exp":1003600,"iat":2000000}"#), Some(3600), "it ends before it was issued");
        assert_eq!(left(r#"{"aud":"x"}"#), None);
        for odd in [r#"{"exp":"soon"}"#, r#"{"exp":-1}"#, r#"{"exp":1e400}"#, "", "[]"] {
            assert_eq!(left(odd), None, "{odd}");
        }
        for other in ["", "opaque", "a.b", "a.%%%.c"] {
            assert_eq!(life(other, now), None, "{other}");
        }
    }
}
