//! Availability groups: the view of one replica on all databases of its group, which depends on the other replicas.

use super::moment::Moment;
use crate::sim::{backend::Network, scenario::Kind};

/// A database of a replica.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column of its own in the system views")]
pub struct Replica {
    /// group
    pub group: String,
    /// group id
    pub group_id: [u8; 16],
    /// replica's server name
    pub server: String,
    /// replica id
    pub replica_id: [u8; 16],
    /// database
    pub database: String,
    /// database id there
    pub database_id: i32,
    /// it is this instance
    pub is_local: bool,
    /// it is the primary
    pub is_primary: bool,
    /// commits wait for it
    pub synchronous: bool,
    /// reachable from here
    pub connected: bool,
    /// it goes back to where the primary began
    pub reverting: bool,
    /// seconds behind, where it is known
    pub lag_s: Option<i64>,
    /// not sent, KB
    pub send_queue_kb: i64,
    /// not redone, KB
    pub redo_queue_kb: i64,
}

impl Moment<'_> {
    /// All replicas as the primary sees them; a secondary sees only itself.
    pub fn replicas(&self) -> Vec<Replica> {
        let Some(own) = self.profile.membership else { return Vec::new() };
        let Some(primary) = self.elsewhere(own.first) else { return Vec::new() };
        let group = self.profile.group_name().unwrap_or_default();
        let mut rows = Vec::new();
        for place in 0..own.size {
            let is_local = place == own.place;
            if own.place != 0 && !is_local {
                continue;
            }
            let Some(other) = self.elsewhere(own.first + place) else { continue };
            let connected = is_local || matches!(other.network(), Network::Good | Network::Slow(_));
            let (lag_s, send_queue_kb, redo_queue_kb) =
                if place == 0 { (Some(0), 0, 0) } else { other.lag() };
            let reverting = place > 0 && other.is(Kind::AgQueue);
            for database in primary.profile.databases.iter().filter(|d| d.replicated) {
                rows.push(Replica {
                    group: group.clone(),
                    group_id: primary.profile.dice.of("group id").bytes(),
                    server: other.profile.name.clone(),
                    replica_id: other.profile.dice.of("replica id").bytes(),
                    database: database.name.clone(),
                    database_id: database.id,
                    is_local,
                    is_primary: place == 0,
                    synchronous: place < 2,
                    connected,
                    reverting,
                    lag_s,
                    send_queue_kb,
                    redo_queue_kb,
                });
            }
        }
        rows
    }

    /// The lag of this secondary: s, send queue KB, redo queue KB.
    fn lag(&self) -> (Option<i64>, i64, i64) {
        if let Some(a) = self.active(Kind::AgQueue) {
            return (None, (a.amount * 1_048_576.0) as i64, 0);
        }
        self.active(Kind::AgLag).map_or((Some(0), self.at_ms / 700 % 40, self.at_ms / 900 % 120), |a| {
            let lag_s = (a.age_ms as f64 / 60e3 * a.amount) as i64;
            (Some(lag_s), lag_s * 380, lag_s * 2_100)
        })
    }
}
