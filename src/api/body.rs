//! The body of a response, within limits: read completely, and decompressed if it is gzip, with or without a header.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use reqwest::Response;

use crate::error::Kind;

/// Largest body that is read, compressed or not. A page of 100 records is well under 1 MiB; the largest
/// records known, identity providers with whole key sets, stay under 64 KiB each.
const LARGEST: usize = 16 << 20;

const TOO_LARGE: Unusable = (Kind::Broken, "the response is larger than 16 MiB");
const CUT: Unusable = (Kind::Unavailable, "the compressed response was truncated");

/// What is wrong with a body.
pub type Unusable = (Kind, &'static str);

/// # Errors
/// If the connection broke or timed out.
pub async fn read(mut response: Response) -> reqwest::Result<Result<Vec<u8>, Unusable>> {
    let expected = usize::try_from(response.content_length().unwrap_or_default()).unwrap_or(usize::MAX);
    if expected > LARGEST {
        return Ok(Err(TOO_LARGE));
    }
    let mut body = Vec::with_capacity(expected);
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LARGEST {
            return Ok(Err(TOO_LARGE));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(unpack(body))
}

/// Some answers are gzip without a Content-Encoding header (Terraform's provider sniffs for it), so the
/// first bytes decide; no JSON begins with them.
fn unpack(body: Vec<u8>) -> Result<Vec<u8>, Unusable> {
    if !body.starts_with(&[0x1f, 0x8b]) {
        return Ok(body);
    }
    let mut unpacked = Vec::with_capacity(body.len().saturating_mul(6).min(LARGEST));
    let mut reader = MultiGzDecoder::new(body.as_slice()).take(LARGEST as u64 + 1);
    reader.read_to_end(&mut unpacked).map_err(|_| CUT)?;
    if unpacked.len() > LARGEST { Err(TOO_LARGE) } else { Ok(unpacked) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn packed(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_told_by_its_first_bytes() {
        let body = br#"{"data":[]}"#.to_vec();
        assert!(unpack(body.clone()).is_ok_and(|unpacked| unpacked == body));
        assert!(unpack(packed(&body)).is_ok_and(|unpacked| unpacked == body));
        let twice = [packed(&body[..4]), packed(&body[4..])].concat();
        assert!(unpack(twice).is_ok_and(|unpacked| unpacked == body));
        assert!(unpack(Vec::new()).is_ok_and(|unpacked| unpacked.is_empty()));
    }

    #[test]
    fn a_cut_or_broken_body_is_no_body() {
        let whole = packed(&[b'x'; 1000]);
        for end in 2..whole.len() {
            assert_eq!(unpack(whole[..end].to_vec()), Err(CUT), "{end}");
        }
        assert_eq!(unpack(b"\x1f\x8b{}".to_vec()), Err(CUT));
    }

    #[test]
    fn a_bomb_is_not_eaten() {
        assert_eq!(unpack(packed(&vec![0; LARGEST + 1])), Err(TOO_LARGE));
        assert!(unpack(packed(&vec![0; LARGEST])).is_ok());
    }
}
