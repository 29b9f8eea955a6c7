//! Proofs of possession: what a request shows beside its access token, so that a stolen token alone reads nothing.
//! (`DPoP`, RFC 9449; JWK thumbprints, RFC 7638)
//!
//! One form only: `typ` is `dpop+jwt`, `alg` is ES256, the key is the public point on P-256 that the header names. What is
//! read here was signed by that key; whether it is the session's, whether it is fresh, and whether it came before, is for
//! the server to decide. (docs/decisions/0010-proofs-of-possession.md)

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::keys::{self, PUBLIC_KEY_BYTES, SIGNATURE_BYTES, SignError, Signer, sha256};

/// The header that carries a proof.
pub const HEADER: &str = "dpop";
/// The scheme in `Authorization` before an access token that wants a proof.
pub const SCHEME: &str = "DPoP";
/// The most bytes of a proof. Ours have some 550, and the address varies.
pub const MAX_BYTES: usize = 2_048;
/// The most bytes of a proof's own id. Ours have 22.
pub const MAX_ID: usize = 64;

const TYPE: &str = "dpop+jwt";
const ALGORITHM: &str = "ES256";

#[derive(Serialize, Deserialize)]
struct Header {
    typ: String,
    alg: String,
    jwk: Jwk,
    #[serde(default, skip_serializing)]
    crit: Option<Value>,
}

#[derive(Serialize, Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
    /// A private key has no business here.
    #[serde(default, skip_serializing)]
    d: Option<Value>,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
}

/// What a proof is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The address, without query.
    pub url: &'a str,
    /// The access token that is shown beside it, if one is.
    pub token: Option<&'a str>,
}

/// Why a text is no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// More bytes than [`MAX_BYTES`].
    #[error("more than {MAX_BYTES} bytes")]
    TooLarge,
    /// Not a JWT of the one form that is taken.
    #[error("not a proof")]
    Malformed,
    /// The signature is not that of the key in it.
    #[error("the signature does not match")]
    BadSignature,
}

/// A proof that was signed by the key in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The key's uncompressed point.
    pub public_key: Vec<u8>,
    /// The proof's own id: no proof is taken twice.
    pub id: String,
    /// When it was made, in seconds since 1970, by the clock of whoever made it.
    pub at: u64,
    method: String,
    url: String,
    token_hash: Option<String>,
}

/// Makes a proof for one request. `id` is random, `at` the time in seconds since 1970.
///
/// # Errors
/// [`SignError`] if the key did not sign.
pub fn prove(key: &dyn Signer, request: Request<'_>, id: [u8; 16], at: u64) -> Result<String, SignError> {
    let not_json = |error: serde_json::Error| SignError::Failed(error.to_string());
    let (x, y) = coordinates(&key.public_key()).ok_or_else(|| SignError::Failed("no point".to_owned()))?;
    let jwk = Jwk { kty: "EC".to_owned(), crv: "P-256".to_owned(), x, y, d: None };
    let header = Header { typ: TYPE.to_owned(), alg: ALGORITHM.to_owned(), jwk, crit: None };
    let claims = Claims {
        jti: BASE64URL_NOPAD.encode(&id),
        htm: request.method.to_owned(),
        htu: request.url.to_owned(),
        iat: at,
        ath: request.token.map(token_hash),
    };
    let header = BASE64URL_NOPAD.encode(&serde_json::to_vec(&header).map_err(not_json)?);
    let claims = BASE64URL_NOPAD.encode(&serde_json::to_vec(&claims).map_err(not_json)?);
    let signed = format!("{header}.{claims}");
    let signature = BASE64URL_NOPAD.encode(&key.sign(signed.as_bytes())?);
    Ok(format!("{signed}.{signature}"))
}

impl Proof {
    /// Reads a proof and checks its signature.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn read(text: &str) -> Result<Self, ProofError> {
        if text.len() > MAX_BYTES {
            return Err(ProofError::TooLarge);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(ProofError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(ProofError::Malformed)?;
        let header: Header = json(header)?;
        let (jwk, crit) = (header.jwk, header.crit);
        if header.typ != TYPE || header.alg != ALGORITHM || crit.is_some() || jwk.d.is_some() {
            return Err(ProofError::Malformed);
        }
        let public_key = point(&jwk).ok_or(ProofError::Malformed)?;
        let Claims { jti, htm, htu, iat, ath } = json(claims)?;
        if jti.is_empty() || jti.len() > MAX_ID {
            return Err(ProofError::Malformed);
        }
        let signature = bytes(signature).filter(|signature| signature.len() == SIGNATURE_BYTES);
        let signature = signature.ok_or(ProofError::Malformed)?;
        if !keys::verify(&public_key, signed.as_bytes(), &signature) {
            return Err(ProofError::BadSignature);
        }
        Ok(Self { public_key, id: jti, at: iat, method: htm, url: htu, token_hash: ath })
    }

    /// Whether it is about this request: this method, this address, this token or none.
    pub fn is_for(&self, request: Request<'_>) -> bool {
        self.method == request.method
            && same_address(&self.url, request.url)
            && self.token_hash == request.token.map(token_hash)
    }
}

/// The thumbprint of a P-256 key (RFC 7638): names it in what is kept of a session. None if the bytes are no point.
pub fn thumbprint(public_key: &[u8]) -> Option<[u8; 32]> {
    let (x, y) = coordinates(public_key)?;
    Some(sha256(&[format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#).as_bytes()]))
}

/// The hash of an access token, as a proof names it.
fn token_hash(token: &str) -> String {
    BASE64URL_NOPAD.encode(&sha256(&[token.as_bytes()]))
}

fn coordinates(public_key: &[u8]) -> Option<(String, String)> {
    if !keys::plausible(public_key) {
        return None;
    }
    let (x, y) = public_key[1..].split_at(32);
    Some((BASE64URL_NOPAD.encode(x), BASE64URL_NOPAD.encode(y)))
}

fn point(jwk: &Jwk) -> Option<Vec<u8>> {
    if jwk.kty != "EC" || jwk.crv != "P-256" {
        return None;
    }
    let point = [vec![4], bytes(&jwk.x)?, bytes(&jwk.y)?].concat();
    (point.len() == PUBLIC_KEY_BYTES).then_some(point)
}

/// Whether two addresses are one. Scheme and host have no case; whatever follows the path, which a proof should not
/// name, does not count.
fn same_address(proved: &str, asked: &str) -> bool {
    let parts = |url: &str| -> Option<(String, String)> {
        let url = url.split(['?', '#']).next()?;
        let (scheme, rest) = url.split_once("://")?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = if path.is_empty() { "/" } else { path };
        Some((format!("{scheme}://{host}").to_ascii_lowercase(), path.to_owned()))
    };
    parts(proved).is_some_and(|proved| Some(proved) == parts(asked))
}

fn json<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, ProofError> {
    let bytes = bytes(part).ok_or(ProofError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| ProofError::Malformed)
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::SoftwareKey;
    use proptest::prelude::*;

    /// RFC 9449 section 4.1, figure 1.
    const EXAMPLE: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik\
        VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR\
        nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE\
        QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIj\
        oiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwia\
        WF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg\
        4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";

    /// RFC 9449 section 7.1: the same key, with an access token.
    const WITH_TOKEN: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik\
        VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR\
        nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE\
        QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIj\
        oiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0Z\
        WRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNF\
        c05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71E\
        OptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
    const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";

    const READ: Request =
        Request { method: "GET", url: "https://moa.example/v1/snapshot", token: Some("a token") };

    fn made(request: Request<'_>) -> (SoftwareKey, String) {
        let key = SoftwareKey::generate().unwrap().0;
        let proof = prove(&key, request, [7; 16], 1_790_000_000).unwrap();
        (key, proof)
    }

    #[test]
    fn the_rfcs_own_example_is_a_proof_of_its_request() {
        let proof = Proof::read(EXAMPLE).unwrap();
        assert_eq!((proof.id.as_str(), proof.at), ("-BwC3ESc6acc2lTc", 1_562_262_616));
        let token = "https://server.example.com/token";
        assert!(proof.is_for(Request { method: "POST", url: token, token: None }));
        assert!(!proof.is_for(Request { method: "GET", url: token, token: None }));
        assert!(!proof.is_for(Request { method: "POST", url: "https://server.example.com/", token: None }));
        assert!(!proof.is_for(Request { method: "POST", url: token, token: Some(TOKEN) }));
    }

    #[test]
    fn the_rfcs_example_with_a_token_is_for_that_token_only() {
        let proof = Proof::read(WITH_TOKEN).unwrap();
        let url = "https://resource.example.org/protectedresource";
        assert!(proof.is_for(Request { method: "GET", url, token: Some(TOKEN) }));
        for token in [None, Some("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxu")] {
            assert!(!proof.is_for(Request { method: "GET", url, token }));
        }
    }

    /// RFC 9449 section 6.1: `cnf.jkt` of the same key.
    #[test]
    fn the_thumbprint_is_the_rfcs() {
        let thumbprint = thumbprint(&Proof::read(EXAMPLE).unwrap().public_key).unwrap();
        assert_eq!(BASE64URL_NOPAD.encode(&thumbprint), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        assert_eq!(super::thumbprint(&[4; 64]), None);
    }

    #[test]
    fn what_is_made_is_read_again() {
        let (key, proof) = made(READ);
        let read = Proof::read(&proof).unwrap();
        assert_eq!((read.public_key.clone(), read.at), (key.public_key(), 1_790_000_000));
        assert!(read.is_for(READ));
        assert!(read.is_for(Request { url: "HTTPS://Moa.Example/v1/snapshot?cursor=a", ..READ }));
        for url in ["https://moa.example/v1/Snapshot", "http://moa.example/v1/snapshot", "/v1/snapshot"] {
            assert!(!read.is_for(Request { url, ..READ }), "{url}");
        }
        assert!(proof.len() < 700, "{}", proof.len());
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let (_, proof) = made(READ);
        let good = Proof::read(&proof).unwrap();
        for bit in 0..proof.len() * 8 {
            let mut bytes = proof.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let Ok(text) = String::from_utf8(bytes) else { continue };
            assert_ne!(Proof::read(&text).as_ref(), Ok(&good), "bit {bit}");
            assert!(Proof::read(&text).is_err(), "bit {bit}");
        }
    }

    /// The same proof with another header, signed well.
    fn with_header(change: impl FnOnce(&mut Value)) -> Result<Proof, ProofError> {
        let (key, proof) = made(READ);
        let mut parts = proof.split('.');
        let mut header: Value = json(parts.next().unwrap()).unwrap();
        change(&mut header);
        let header = BASE64URL_NOPAD.encode(header.to_string().as_bytes());
        let signed = format!("{header}.{}", parts.next().unwrap());
        let signature = BASE64URL_NOPAD.encode(&key.sign(signed.as_bytes()).unwrap());
        Proof::read(&format!("{signed}.{signature}"))
    }

    #[test]
    fn no_algorithm_no_type_and_no_key_but_ours_is_taken() {
        assert!(with_header(|_| {}).is_ok());
        let changes: [fn(&mut Value); 9] = [
            |header| header["alg"] = "none".into(),
            |header| header["alg"] = "HS256".into(),
            |header| header["alg"] = "RS256".into(),
            |header| header["typ"] = "JWT".into(),
            |header| header["crit"] = serde_json::json!(["b64"]),
            |header| header["jwk"]["crv"] = "P-384".into(),
            |header| header["jwk"]["kty"] = "oct".into(),
            |header| header["jwk"]["d"] = "AAAA".into(),
            |header| header["jwk"]["x"] = "AAAA".into(),
        ];
        for change in changes {
            assert_eq!(with_header(change), Err(ProofError::Malformed));
        }
        let other = SoftwareKey::generate().unwrap().0;
        let (x, _) = coordinates(&other.public_key()).unwrap();
        assert_eq!(with_header(|header| header["jwk"]["x"] = x.into()), Err(ProofError::BadSignature));
    }

    #[test]
    fn what_is_too_large_is_not_looked_at() {
        assert_eq!(Proof::read(&"a".repeat(MAX_BYTES + 1)), Err(ProofError::TooLarge));
        assert_eq!(Proof::read(&"a".repeat(MAX_BYTES)), Err(ProofError::Malformed));
    }

    proptest! {
        #[test]
        fn arbitrary_texts_are_no_proof(text in "[A-Za-z0-9_.-]{0,400}|.{0,100}") {
            prop_assert!(Proof::read(&text).is_err());
        }

        #[test]
        fn arbitrary_json_under_a_good_signature_never_panics(header in ".{0,80}", claims in ".{0,80}") {
            let signed = format!(
                "{}.{}", BASE64URL_NOPAD.encode(header.as_bytes()), BASE64URL_NOPAD.encode(claims.as_bytes())
            );
            let proof = format!("{signed}.{}", BASE64URL_NOPAD.encode(&[1; 64]));
            prop_assert!(Proof::read(&proof).is_err());
        }
    }
}
