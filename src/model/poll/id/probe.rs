//! The ids of the probes, made of the rows in `poll`, which has the list.

use crate::model::base::code::codes;
use serde::{Deserialize, Serialize};

/// The compiler refuses a row or a code that stands in the list twice.
macro_rules! ids {
    ($($code:literal $probe:ident $name:literal $judged:literal
        $(=> $state:ident($held:ty) in $reading:ident)?: $about:literal;)+) => {
        /// The probes, by what they feed. One probe may have several scripts for different servers.
        /// In files by name: fields and variants keep their names, a new field has a default.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum ProbeId {
            $(#[doc = $about] $probe,)+
        }

        impl ProbeId {
            /// All, in the order in which they run when several are due. An order and no more: see [`Self::code`].
            pub const ALL: [Self; [$($code),+].len()] = [$(Self::$probe),+];

            /// Its name in scripts, logs and `once cost`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$probe => $name,)+ }
            }

            /// The score reads its reading: a verdict is due again when that goes stale.
            pub const fn is_judged(self) -> bool {
                match self { $(Self::$probe => $judged,)+ }
            }
        }

        codes!(ProbeId as u8 { $($code => $probe,)+ });
    };
}

probes!(ids);

/// Some of the probes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProbeSet(u32);

impl ProbeSet {
    /// Those that the score reads.
    pub fn judged() -> Self {
        let mut set = Self::default();
        ProbeId::ALL.into_iter().filter(|probe| probe.is_judged()).for_each(|probe| set.insert(probe));
        set
    }

    /// Adds one.
    pub const fn insert(&mut self, probe: ProbeId) {
        self.0 |= 1 << probe.code();
    }

    /// It is among them.
    pub const fn contains(self, probe: ProbeId) -> bool {
        self.0 & 1 << probe.code() != 0
    }

    /// All of `others` are among them.
    pub const fn contains_all(self, others: Self) -> bool {
        others.0 & !self.0 == 0
    }
}
