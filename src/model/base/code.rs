//! Numbers for files: each stored thing has one that is written down here once and never means another thing.
//!
//! A number is not a position. Lists such as `ProbeId::ALL` have the order that suits the program, and something new
//! may stand anywhere in them; its number is the next free one. Used by `model` and `store`.

/// Gives a type `code` and `from_code` out of one table. The compiler refuses a value without a number and a number that is
/// given out twice; the tests beside each table hold what released versions wrote.
macro_rules! codes {
    ($type:ident as $int:ty { $($code:literal => $value:ident $(($($of:tt)+))?,)+ }) => {
        impl $type {
            /// Its number in files. Append only: a number never means another thing.
            pub const fn code(self) -> $int {
                match self { $(Self::$value $(($($of)+))? => $code,)+ }
            }

            /// From its number; None for a number of a newer version.
            pub const fn from_code(code: $int) -> Option<Self> {
                match code {
                    $($code => Some(Self::$value $(($($of)+))?),)+
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use codes;

/// The numbers that the first release wrote of one kind of thing, each with what it means.
#[cfg(test)]
pub(crate) fn released(kind: &str) -> Vec<(u16, &'static str)> {
    let all =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixture/released/0.1.0-b4e7a4d/codes.txt"));
    let mut found = Vec::new();
    for line in all.lines() {
        if let Some((found_kind, rest)) = line.split_once(' ')
            && found_kind == kind
            && let Some((code, name)) = rest.split_once(' ')
            && let Ok(code) = code.parse()
        {
            found.push((code, name));
        }
    }
    assert!(!found.is_empty(), "no released numbers of {kind}");
    found
}
