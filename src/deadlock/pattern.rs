//! Which kind of deadlock it is, and its fingerprint: deadlocks with the same cause have the same, whoever was the victim.

use super::{
    Deadlock, Process, Resource, calls,
    cycle::{Graph, Ring, Wait},
};
use crate::sql::normalize::{fingerprint, normalize};
use serde::Serialize;

/// Kinds of deadlocks, each with a usual cure. The first that holds is taken, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// A parallel query waits for itself.
    IntraQuery,
    /// sp_getapplock in two orders.
    Applock,
    /// All workers wait for one who needs a worker.
    Threadpool,
    /// Two share a lock and both want more.
    Conversion,
    /// A reader goes from index to table, a writer from table to index.
    KeyLookup,
    /// Serializable readers lock ranges that both then write.
    Range,
    /// Locks of whole tables, mostly by escalation.
    TableLock,
    /// Two objects, locked in two orders.
    OppositeOrder,
    /// The same module runs twice.
    SameModule,
    /// Rows of a heap.
    Heap,
    /// One side only reads.
    ReaderWriter,
    /// Several, each waiting for the next.
    Ring,
}

impl Pattern {
    /// Its name on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::IntraQuery => "parallel query with itself",
            Self::Applock => "application lock",
            Self::Threadpool => "worker threads",
            Self::Conversion => "conversion",
            Self::KeyLookup => "key lookup",
            Self::Range => "range locks",
            Self::TableLock => "table locks",
            Self::OppositeOrder => "opposite order",
            Self::SameModule => "same module",
            Self::Heap => "heap",
            Self::ReaderWriter => "reader and writer",
            Self::Ring => "ring",
        }
    }

    /// What usually ends it.
    pub const fn cure(self) -> &'static str {
        match self {
            Self::IntraQuery => {
                "run it with MAXDOP 1, or index it so that it needs no exchange; install the newest update"
            }
            Self::Applock => "take application locks in one order everywhere",
            Self::Threadpool => {
                "see why so many wait: blocking or parallel plans; max worker threads is no cure"
            }
            Self::Conversion => "read with UPDLOCK what will be changed in the same transaction",
            Self::KeyLookup => {
                "include the missing columns in the index of the reader; or row versioning for readers"
            }
            Self::Range => {
                "leave SERIALIZABLE, or index the range so that it is narrow; UPDLOCK at the first read"
            }
            Self::TableLock => {
                "shorter batches below the limit of escalation; look for TABLOCK and missing indexes"
            }
            Self::OppositeOrder => "change objects in one order everywhere; keep transactions short",
            Self::SameModule => {
                "index it so that each run locks its own rows alone; change rows in one order"
            }
            Self::Heap => "give the table a clustered index",
            Self::ReaderWriter => "READ_COMMITTED_SNAPSHOT lets readers read without locks",
            Self::Ring => "shorten the transactions; change objects in one order",
        }
    }

    /// The pattern of a ring.
    pub fn of(deadlock: &Deadlock, graph: &Graph, ring: &Ring) -> Self {
        let case = Case::new(deadlock, graph, ring);
        let rules = [
            (Self::IntraQuery, case.is_one_session()),
            (Self::Applock, case.has("applicationlock")),
            (Self::Threadpool, case.has("threadpool")),
            (Self::Conversion, case.converts()),
            (Self::KeyLookup, case.is_lookup()),
            (Self::Range, case.has_ranges()),
            (Self::TableLock, case.has_table_locks()),
            (Self::OppositeOrder, case.is_opposite()),
            (Self::SameModule, case.is_same_module()),
            (Self::Heap, case.has("ridlock")),
            (Self::ReaderWriter, case.has_reader()),
        ];
        rules.iter().find(|(_, holds)| *holds).map_or(Self::Ring, |(pattern, _)| *pattern)
    }
}

/// A ring with what stands in it.
struct Case<'a> {
    waits: Vec<&'a Wait>,
    resources: Vec<&'a Resource>,
    tasks: Vec<&'a Process>,
}

impl<'a> Case<'a> {
    fn new(deadlock: &'a Deadlock, graph: &'a Graph, ring: &Ring) -> Self {
        let waits: Vec<&Wait> = ring.waits.iter().filter_map(|at| graph.waits.get(*at)).collect();
        let resources = waits.iter().filter_map(|wait| deadlock.resources.get(wait.resource)).collect();
        let tasks = waits.iter().filter_map(|wait| deadlock.processes.get(wait.waiter)).collect();
        Self { waits, resources, tasks }
    }

    fn has(&self, kind: &str) -> bool {
        self.resources.iter().any(|resource| resource.is(kind))
    }

    fn is_one_session(&self) -> bool {
        let first = self.tasks.first().and_then(|task| task.spid);
        first.is_some() && self.tasks.iter().all(|task| task.spid == first)
    }

    /// An owner of a lock asks for more of the same.
    fn converts(&self) -> bool {
        self.resources.iter().any(|resource| {
            resource.waiters.iter().any(|waiter| {
                waiter.converts || resource.owners.iter().any(|owner| owner.process == waiter.process)
            })
        })
    }

    fn locks(&self) -> impl Iterator<Item = &&'a Resource> {
        // With optimized locking it is the transaction that is locked; the index is that of the row that it changed.
        let kinds = ["keylock", "pagelock", "xactlock"];
        self.resources.iter().filter(move |resource| kinds.iter().any(|kind| resource.is(kind)))
    }

    /// Two indexes of one table.
    fn is_lookup(&self) -> bool {
        self.locks().any(|one| {
            self.locks()
                .any(|other| !one.object.is_empty() && one.object == other.object && one.index != other.index)
        })
    }

    fn modes(&self) -> impl Iterator<Item = &str> {
        self.waits.iter().flat_map(|wait| [wait.wants.as_str(), wait.held.as_str()])
    }

    fn has_ranges(&self) -> bool {
        self.modes().any(|mode| mode.starts_with("Range"))
            || self.tasks.iter().all(|task| task.isolation.starts_with("serializable"))
    }

    fn has_table_locks(&self) -> bool {
        let whole = |mode: &str| matches!(mode, "S" | "X" | "SIX" | "Sch-M" | "Sch-S" | "BU");
        self.waits
            .iter()
            .zip(&self.resources)
            .any(|(wait, resource)| resource.is("objectlock") && whole(&wait.held))
    }

    fn is_opposite(&self) -> bool {
        let [one, other] = self.resources.as_slice() else { return false };
        !one.object.is_empty() && !other.object.is_empty() && one.object != other.object
    }

    fn is_same_module(&self) -> bool {
        let module =
            |task: &Process| task.place().map(|frame| frame.module.clone()).filter(|name| !name.is_empty());
        // Of one whose name nobody tells, its numbers.
        let ran = |task: &Process| module(task).ok_or_else(|| calls::call(&task.input));
        let first = self.tasks.first().map(|task| ran(task)).filter(|first| *first != Err(None));
        first.is_some() && self.tasks.iter().all(|task| Some(ran(task)) == first)
    }

    /// One side holds and wants shared locks only.
    fn has_reader(&self) -> bool {
        let reads = |mode: &str| matches!(mode, "S" | "IS");
        self.waits.iter().any(|wait| {
            reads(&wait.wants)
                && self.waits.iter().filter(|other| other.to == wait.from).all(|other| reads(&other.held))
        })
    }
}

/// The version of [`fingerprint_of`]: a change of its rules under which old counts would mix with new takes a new one. That counts every
/// pattern anew: a change that only tells apart what some deadlocks were of leaves it as it is.
pub const FINGERPRINT: u32 = 1;

/// The fingerprint of a ring: what ran at which isolation, and what was locked how; not who was the victim, which session,
/// host or row it was, or which literals stood in the statement.
pub fn fingerprint_of(deadlock: &Deadlock, graph: &Graph, ring: &Ring) -> String {
    let case = Case::new(deadlock, graph, ring);
    let mut parts: Vec<String> = case
        .tasks
        .iter()
        .map(|task| {
            let module = task.place().map(|frame| frame.module.as_str()).filter(|name| !name.is_empty());
            let ran = module.map_or_else(|| normalize(task.statement()), stable);
            format!("{ran}|{}", task.isolation)
        })
        .collect();
    parts.extend(case.waits.iter().zip(&case.resources).map(|(wait, resource)| {
        let (object, index) = (stable(&resource.object), stable(&resource.index));
        format!("{}|{object}|{index}|{}|{}", resource.kind.to_lowercase(), wait.wants, wait.held)
    }));
    parts.sort();
    format!("{:016x}", fingerprint(&format!("{FINGERPRINT}\n{}", parts.join("\n"))))
}

/// A name without what differs from server to server: the tails of automatic names, temporary tables and GUIDs.
fn stable(name: &str) -> String {
    let name = name.to_lowercase();
    let name = match name.find("____") {
        Some(at) => name.get(..at).unwrap_or_default().to_owned(),
        None => name,
    };
    let parts = name.split(['.', '-']).filter(|part| !is_number(part)).map(|part| {
        // PK__Orders__3214EC07A1B2C3D4
        let tail = part.rfind("__").map(|at| at + 2).filter(|at| part.get(*at..).is_some_and(is_number));
        tail.and_then(|at| part.get(..at)).unwrap_or(part)
    });
    parts.collect::<Vec<_>>().join(".")
}

/// Eight hexadecimal digits or more, or four as in a GUID's middle.
fn is_number(part: &str) -> bool {
    let hex = part.len() >= 4 && part.bytes().all(|b| b.is_ascii_hexdigit());
    hex && (part.len() >= 8 || part.bytes().any(|b| b.is_ascii_digit()))
}
