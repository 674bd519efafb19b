//! The Merkle tree of RFC 6962, section 2.1: one root over many leaves. Leaves and inner nodes are hashed with
//! different prefixes (0 and 1), so that neither can be passed off as the other.

use crate::store::Digest;

/// Returns the root over the leaves in the given order.
pub fn root(leaves: impl Iterator<Item = Vec<u8>>) -> Digest {
    let leaf = |leaf: Vec<u8>| Digest::of(&[&[0], &leaf[..]].concat());
    subtree_root(&leaves.map(leaf).collect::<Vec<_>>())
}

fn subtree_root(hashes: &[Digest]) -> Digest {
    match hashes {
        [] => Digest::of(&[]),
        [one] => *one,
        more => {
            // RFC 6962 splits at the largest power of two below the number of leaves.
            let (left, right) = more.split_at(1 << (more.len() - 1).ilog2());
            let (left, right) = (subtree_root(left), subtree_root(right));
            Digest::of(&[&[1], &left.as_bytes()[..], &right.as_bytes()[..]].concat())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vectors of certificate transparency's own implementation (`merkle_tree_test.cc`).
    #[test]
    fn roots_match_the_test_vectors_of_certificate_transparency() {
        let leaves: [&[u8]; 8] = [b"", b"\0", b"\x10", b" !", b"01", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"];
        let expected = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        for (count, expected) in expected.iter().enumerate() {
            assert_eq!(
                root(leaves.iter().take(count).map(|leaf| leaf.to_vec())).to_string(),
                *expected,
                "{count} leaves"
            );
        }
    }
}
