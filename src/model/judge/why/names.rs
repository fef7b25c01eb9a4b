//! Where the names in a reason are. Called by `timeline::scrub`, through the reason.

use super::Why;
use crate::model::poll::names::{Field, Kind, Visit, Where, maybe};

impl Why {
    /// The places of names.
    pub fn each_name_mut(&mut self, visit: Visit<'_>) {
        match self {
            // Any word of an old sentence may be a name.
            Self::Sentence(text) => visit(Field::Message, text),
            Self::Needs(right) => visit(Field::Words(Where::Ours), right),
            Self::Blocked { status, .. } => maybe(visit, Field::Words(Where::Theirs), status),
            Self::Volume { mount, .. } | Self::VolumeFilling { mount, .. } => {
                maybe(visit, Field::Name(Kind::Volume), mount);
            }
            Self::Database { name, .. }
            | Self::StoreFull { database: name, .. }
            | Self::PlanForcing { database: name, .. } => maybe(visit, Field::Name(Kind::Database), name),
            Self::SlowFile { database, file, .. } | Self::StalledIo { database, file, .. } => {
                maybe(visit, Field::Name(Kind::Database), database);
                maybe(visit, Field::Name(Kind::File), file);
            }
            Self::CannotGrow { database, file, mount, .. } => {
                maybe(visit, Field::Name(Kind::Database), database);
                maybe(visit, Field::Name(Kind::File), file);
                maybe(visit, Field::Name(Kind::Volume), mount);
            }
            Self::Log { database, reuse_wait, .. } => {
                maybe(visit, Field::Name(Kind::Database), database);
                maybe(visit, Field::Words(Where::Theirs), reuse_wait);
            }
            Self::Replica { database, replica, .. } => {
                maybe(visit, Field::Name(Kind::Database), database);
                maybe(visit, Field::Name(Kind::Host), replica);
            }
            Self::Jobs { name, .. } => maybe(visit, Field::Name(Kind::Job), name),
            Self::Paused { .. }
            | Self::Down { .. }
            | Self::NoDataSince(_)
            | Self::NotPolled
            | Self::FirstPoll
            | Self::Silent { .. }
            | Self::NoCounters(_)
            | Self::AllNull
            | Self::Gone
            | Self::Restarted { .. }
            | Self::Cpu { .. }
            | Self::Waits { .. }
            | Self::Workers(_)
            | Self::Memory { .. }
            | Self::MemoryLow
            | Self::Grants(_)
            | Self::PageLife { .. }
            | Self::PageReads(_)
            | Self::LogFlushes(_)
            | Self::Deadlocks(_)
            | Self::Tempdb(_)
            | Self::TempdbFilling { .. }
            | Self::Runnable { .. }
            | Self::MachineMemoryLow
            | Self::MemoryFree { .. }
            | Self::MemoryTarget { .. } => {}
        }
    }
}
