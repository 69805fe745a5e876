//! Numbers that depend on nothing but the seed and what they are for, so that any record or page
//! can be made on its own, in any order, the same each time.

use fastrand::Rng;

/// One well-spread number from several (SplitMix64's finalizer, folded).
pub fn mix(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9e37_79b9_7f4a_7c15, |sum, part| {
        let mut z = sum.rotate_left(5) ^ part.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// One number for a text.
pub fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(mix(&[text.len() as u64]), |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Dice for one purpose.
pub fn dice(parts: &[u64]) -> Rng {
    Rng::with_seed(mix(parts))
}

/// One of several.
pub fn pick<T: Copy>(dice: &mut Rng, from: &[T]) -> T {
    from[dice.usize(..from.len())]
}

/// True once in `n`.
pub fn one_in(dice: &mut Rng, n: u32) -> bool {
    dice.u32(..n) == 0
}

/// Six characters of `[0-9a-z]`, different for each index below two billion: the factor has no
/// divisor in common with 36⁶, so the numbers do not meet before they have all been used.
pub fn short_id(seed: u64, kind: u64, index: u64) -> String {
    const ALL: u64 = 36_u64.pow(6);
    let mut number = (index.wrapping_mul(1_000_000_007) + mix(&[seed, kind]) % ALL) % ALL;
    let mut text = [0_u8; 6];
    for place in &mut text {
        *place = b"0123456789abcdefghijklmnopqrstuvwxyz"[(number % 36) as usize];
        number /= 36;
    }
    text.iter().map(|byte| char::from(*byte)).collect()
}

pub fn characters(dice: &mut Rng, from: &[u8], count: usize) -> String {
    (0..count).map(|_| char::from(pick(dice, from))).collect()
}

pub fn base64(dice: &mut Rng, count: usize) -> String {
    let all = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    characters(dice, all, count)
}

/// A UUID's form, from the seed.
pub fn uuid(dice: &mut Rng) -> String {
    let (a, b) = (dice.u64(..), dice.u64(..));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        (b >> 48) & 0x3fff | 0x8000,
        b & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_short_ids_are_alike() {
        let ids: HashSet<String> = (0..200_000).map(|index| short_id(7, 1, index)).collect();
        assert_eq!(ids.len(), 200_000);
    }

    #[test]
    fn another_seed_gives_other_numbers() {
        assert_ne!(mix(&[1, 2]), mix(&[2, 1]));
        assert_ne!(short_id(1, 1, 0), short_id(2, 1, 0));
    }
}
