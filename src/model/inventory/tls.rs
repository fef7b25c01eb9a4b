//! Why there is no TLS with a server: one row a class, with the sentence and the way out. `tds` finds the class; the wizard
//! asks it whether a pin would help; the table in `docs/security.md` is made from the same rows, and a test here holds it.

use super::{check::Certificate, instance::Fingerprint};
use crate::model::base::{text::sanitize_line, time::Timestamp};
use std::fmt::Write as _;

/// The longest words of a library or a host name within a sentence, characters.
const WORD_CHARS: usize = 300;

/// A row of the table.
struct Row {
    class: TlsRefusal,
    /// what happened; `{word}` stands for what is known of it
    says: &'static str,
    /// what to do
    advice: &'static str,
    /// this certificate would be good enough as a pin
    pin_helps: bool,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $class:ident, $pin:literal, $says:literal, $advice:literal;)*) => {
        /// The class of a handshake that did not come to an end.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum TlsRefusal {
            $($(#[$doc])* $class,)*
        }

        const ROWS: &[Row] = &[
            $(Row { class: TlsRefusal::$class, says: $says, advice: $advice, pin_helps: $pin },)*
        ];
    };
}

refusals! {
    /// the server offers none
    NoTls, false, "the server has none",
        "install a certificate on it; a plain inventory may say tls = \"off\"";
    /// what SQL Server makes for itself at each start
    MadeAtStart, true,
        "SQL Server made this certificate for itself when it started (CN=SSL_Self_Signed_Fallback), and makes another one \
         at every start: nobody can vouch for it",
        "install a certificate on the server and trust its authority with ca_file; a pin would hold until the service \
         restarts";
    /// pinned, and made anew since
    MadeAnew, true,
        "it is not the pinned certificate: the server made a new one when it started (CN=SSL_Self_Signed_Fallback, valid \
         from {begins}), as it does at every start; pinned was {pinned}",
        "if the service was restarted then, compare the fingerprint there and pin the new one; for good, install a \
         certificate on the server and trust its authority with ca_file";
    /// another one than the pinned
    NotPinned, true,
        "the certificate of {subject}, valid until {ends}, is not the pinned one, {pinned}: somebody may be in between",
        "if the server has a new certificate, compare the fingerprint there, then pin that one";
    /// copied from another server
    KeyNotHeld, false,
        "the server shows the certificate of {subject} but does not hold its key: somebody may be in between",
        "find out who answers at this address before anybody logs in";
    /// RSA below 2048 bits
    ShortKey, false,
        "the key of the certificate ({key}) is too short to be checked, so a pin cannot hold either: RSA needs 2048 bits",
        "install a certificate with a longer key; the one that old versions of SQL Server make for themselves is such a \
         short one";
    /// a curve or size that the TLS library does not know
    OtherKey, false, "the key of the certificate ({key}) is of a kind that is not checked",
        "install a certificate with RSA of 2048 to 8192 bits, or ECDSA on P-256, P-384 or P-521";
    /// signed by itself or by a stranger
    UnknownIssuer, true,
        "UnknownIssuer: nobody whom we trust vouches for the certificate of {subject} ({issuer})",
        "trust its authority with ca_file, or pin the certificate after comparing it";
    /// CA: TRUE
    CaAsServer, true, "the certificate is an authority's own (CA: TRUE), and those do not count as a server's",
        "install a certificate that the authority signed, or pin this one after comparing it";
    /// X.509 version 1
    OldFormat, true, "the certificate is of an old format (X.509 version 1 or 2), which cannot name hosts",
        "issue it anew as version 3 with the host's name, or pin this one after comparing it";
    /// no subject alternative name
    NoName, true,
        "the certificate has no host name among its subject alternative names; the common name ({subject}) does not count",
        "issue it anew with the host's name as DNS name, or pin this one after comparing it";
    /// other names
    OtherName, true, "the certificate is for {names}, not for {host}",
        "connect by a name that it has, or say in host_in_certificate which one that is";
    /// expired
    Ended, true, "the certificate ended on {ends}", "renew it on the server";
    /// not yet valid
    NotYet, true, "the certificate begins on {begins}", "check the clocks of both sides";
    /// an authority between the server's and ours expired, or is not yet valid
    IssuerDates, true,
        "the certificate of {subject} is in order, but one of the authorities between it and those that we trust is not: its \
         own certificate {why}",
        "install the authority's present certificate on the server, or give it in ca_file; check the clocks of both sides";
    /// the one that signed it is no authority
    IssuerNotAuthority, true,
        "the certificate of {subject} was signed with one that is no authority's (CA: FALSE, or one too many between it and \
         those that we trust)",
        "issue it anew by an authority that may sign it, or pin this one after comparing it";
    /// name constraints
    IssuerNotForName, true,
        "the authority that signed the certificate of {subject} may not vouch for its names (name constraints)",
        "issue it anew by an authority that may, or pin this one after comparing it";
    /// no server authentication
    OtherPurpose, true, "the certificate is not for servers: its extended key usage lacks server authentication",
        "issue it anew for server authentication, or pin this one after comparing it";
    /// the chain does not hold
    BadChain, false, "the signature on the certificate of {subject} is not that of the {issuer} that we trust",
        "give ca_file the authority's present certificate; if it is that already, somebody may be in between";
    /// SHA-1 and the like
    WeakSignature, true, "the certificate is signed in a way that is not accepted any more, such as with SHA-1",
        "issue it anew with SHA-256, or pin this one after comparing it";
    /// by a list or an answer that came with it
    Revoked, false, "the authority has revoked the certificate", "install another one";
    /// a critical extension that nobody here knows
    UnknownExtension, true, "the certificate has a critical extension that is not known here, and must not be ignored",
        "issue it anew without it, or pin this one after comparing it";
    /// negative, or of more than 20 bytes
    BadSerial, true, "the serial number of the certificate is none: it is negative, or longer than 20 bytes",
        "issue it anew, or pin this one after comparing it";
    /// any other fault in it
    Unreadable, true, "the certificate cannot be used: {why}",
        "issue it anew, or pin this one after comparing it";
    /// nothing newer than TLS 1.1
    OldProtocol, false, "the server speaks no TLS 1.2",
        "enable TLS 1.2 on it: Windows Server 2008 R2 and older, or a SQL Server without its updates, do not by themselves";
    /// no suite
    NoCommonCipher, false,
        "no cipher suite in common: dbtop takes ECDHE with AES-GCM or ChaCha20 and nothing weaker",
        "Windows Server 2012 R2 and older have such suites for ECDSA certificates only: install one, or a newer Windows";
    /// it hangs up at the first message of TLS
    HungUp, false,
        "the server closed the connection at the first message of TLS, as one does that has no cipher suite or protocol in \
         common with dbtop (TLS 1.2, ECDHE with AES-GCM)",
        "Windows Server 2012 R2 and older need an ECDSA certificate for that; the server's System log (Schannel) says why";
    /// it hangs up before it said anything
    ClosedAtOnce, false, "the server closed the connection before it said anything",
        "it is down or on its way, or older than SQL Server 2022 and does not begin with TLS (TDS 8.0): say verify instead of strict for it";
    /// TLS before TDS is not for it
    NoTds8, false, "the server does not begin with TLS (TDS 8.0)",
        "SQL Server 2022 and later do; say verify instead of strict for the others";
    /// it shows none
    NoCertificate, false, "the server showed no certificate", "install one on it";
    /// it wants one of ours
    WantsOurs, false, "the server wants a certificate of the client, and dbtop has none (alert {why})",
        "SQL Server asks for none: does something in between answer, such as a proxy or a load balancer?";
    /// SNI
    NameNotKnown, false, "the server has no certificate for the name that dbtop asks for, {host}",
        "connect by a name that it has, or say in host_in_certificate which one that is";
    /// an alert
    Alert, false, "the server ended the handshake with the alert {why}",
        "the server's System log (Schannel) says more";
    /// something else answers
    NotTls, false, "the answer is no TLS: {why}", "is this a SQL Server, and does nothing in between change the traffic?";
    /// all else
    Other, false, "{why}", "check the TLS mode and the versions that the server allows";
}

/// What is known of a refusal.
#[derive(Debug, Default)]
pub struct TlsFindings<'a> {
    /// what the server showed
    pub shown: Option<&'a Certificate>,
    /// what it should have shown
    pub pinned: Option<Fingerprint>,
    /// the name that was looked for
    pub host: &'a str,
    /// words of the TLS library
    pub why: &'a str,
}

impl TlsRefusal {
    fn row(self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.class == self)
    }

    /// True if this very certificate would be accepted as a pin, provided that its key can be checked.
    pub fn pin_helps(self) -> bool {
        self.row().is_some_and(|row| row.pin_helps)
    }

    /// The sentence and its advice, one line, sanitized. Where a pin helps, the fingerprint stands beside it, not in it.
    pub fn words(self, of: &TlsFindings<'_>) -> String {
        let Some(row) = self.row() else { return String::new() };
        format!("{}; {}", of.filled(row.says), of.filled(row.advice))
    }
}

impl TlsFindings<'_> {
    /// A sentence with its words in place. What is filled in is not looked at again: it is a stranger's.
    fn filled(&self, sentence: &str) -> String {
        let mut text = String::with_capacity(sentence.len());
        for (n, part) in sentence.split(['{', '}']).enumerate() {
            if n % 2 == 0 {
                text.push_str(part);
            } else {
                self.push(part, &mut text);
            }
        }
        text
    }

    fn push(&self, word: &str, text: &mut String) {
        let day = |at: Option<Timestamp>| at.map_or_else(|| "an unknown day".to_owned(), Timestamp::day);
        let written = match (word, self.shown) {
            ("pinned", _) => self.pinned.map_or(Ok(()), |pin| write!(text, "{pin}")),
            ("host", _) => write!(text, "{}", sanitize_line(self.host, WORD_CHARS)),
            ("why", _) => write!(text, "{}", sanitize_line(self.why, WORD_CHARS)),
            ("subject", Some(shown)) if !shown.subject.is_empty() => write!(text, "{}", shown.subject),
            ("issuer", Some(shown)) if !shown.issuer.is_empty() => write!(text, "{}", shown.issuer),
            ("names", Some(shown)) if !shown.names.is_empty() => write!(text, "{}", shown.names.join(", ")),
            ("key", Some(shown)) => write!(text, "{}", shown.key),
            ("begins", Some(shown)) => write!(text, "{}", day(shown.not_before)),
            ("ends", Some(shown)) => write!(text, "{}", day(shown.not_after)),
            _ => write!(text, "no name"),
        };
        // Writing to a string does not fail.
        debug_assert!(written.is_ok());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../docs/security.md");

    /// The rows as the page has them.
    fn table() -> String {
        let mut table = "| what it says | what to do |\n|---|---|\n".to_owned();
        for row in ROWS {
            let words = |text: &str| text.replace(['{', '}'], "*");
            let _ = writeln!(table, "| {} | {} |", words(row.says), words(row.advice));
        }
        table
    }

    #[test]
    fn the_page_on_security_has_every_class_with_its_words() {
        assert!(PAGE.contains(&table()), "the table of docs/security.md should be:\n{}", table());
    }

    #[test]
    fn every_word_that_stands_for_something_is_known_and_strangers_are_not_read_twice() {
        let shown = Certificate { subject: "{pinned} {issuer}".into(), ..Certificate::unreadable() };
        let pinned = Some(Fingerprint([1; 32]));
        let found = TlsFindings { shown: Some(&shown), pinned, host: "db1", why: "because\u{1b}[2J {shown}" };
        for row in ROWS {
            assert_eq!(row.says.matches('{').count(), row.says.matches('}').count(), "{:?}", row.class);
            let said = row.class.words(&found);
            assert!(!said.contains('\u{1b}'), "{said:?}");
            let known = ["pinned", "host", "why", "subject", "issuer", "names", "key", "begins", "ends"];
            for text in [row.says, row.advice] {
                assert!(
                    text.split(['{', '}']).skip(1).step_by(2).all(|word| known.contains(&word)),
                    "{text}"
                );
            }
        }
        let said = TlsRefusal::NotPinned.words(&found);
        assert!(
            said.contains("of {pinned} {issuer}, valid until an unknown day, is not the pinned one, 01:01"),
            "{said}"
        );
        assert!(
            TlsRefusal::OtherName.words(&found).starts_with("the certificate is for no name, not for db1;")
        );
    }

    #[test]
    fn only_a_certificate_in_order_but_for_its_vouching_may_be_pinned() {
        for class in
            [TlsRefusal::MadeAtStart, TlsRefusal::UnknownIssuer, TlsRefusal::OldFormat, TlsRefusal::Ended]
        {
            assert!(class.pin_helps(), "{class:?}");
        }
        for class in
            [TlsRefusal::KeyNotHeld, TlsRefusal::ShortKey, TlsRefusal::NoCommonCipher, TlsRefusal::BadChain]
        {
            assert!(!class.pin_helps(), "{class:?}");
        }
    }
}
