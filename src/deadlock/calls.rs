//! Calls of procedures that a report spells as numbers: `Proc [Database Id = 5 Object Id = 123]` is what a client sent that called one
//! by its name. The name stands in the calls of whoever still had them; `read` asks for it once all processes are known.

use super::{Frame, Process};
use std::collections::HashMap;

/// Database and object.
type Call = (u64, u64);

/// The procedure that a client called.
pub(super) fn call(input: &str) -> Option<Call> {
    let numbers = input.trim().strip_prefix("Proc [Database Id = ")?.strip_suffix(']')?;
    let (database, object) = numbers.split_once(" Object Id = ")?;
    Some((database.trim().parse().ok()?, object.trim().parse().ok()?))
}

/// Names the procedures that clients called, where one process of the report tells its name: its outermost call is what the client sent.
/// `most`: calls that are read; of a longer list nobody knows the outermost.
pub(super) fn name(processes: &mut [Process], most: usize) {
    let mut names: HashMap<Call, String> = HashMap::new();
    for process in processes.iter().filter(|process| process.frames.len() < most) {
        let outermost = process.frames.last().filter(|frame| !frame.module.is_empty());
        if let Some((call, frame)) = call(&process.input).zip(outermost) {
            names.entry(call).or_insert_with(|| frame.module.clone());
        }
    }
    for process in processes {
        let Some(name) = call(&process.input).and_then(|call| names.get(&call)) else { continue };
        if process.frames.iter().all(|frame| frame.module.is_empty()) {
            process.frames.push(Frame { module: name.clone(), ..Frame::default() });
        }
        process.input = process.input.replacen("Proc [", &format!("Proc {name} ["), 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deadlock::{Deadlock, lines::pictures, lines::text, pattern::Pattern};

    /// Two sessions that lock each other's rows; each with the procedure by its calls, and by what its client sent.
    fn told(a: (&str, u64), b: (&str, u64)) -> Deadlock {
        let process = |id: &str, spid: u64, (procname, object): (&str, u64)| {
            format!(
                "<process id='{id}' spid='{spid}' isolationlevel='read committed (2)'><executionStack><frame \
                 procname='{procname}' line='4'>unknown</frame></executionStack><inputbuf>\n Proc [Database Id = 5 Object \
                 Id = {object}]   </inputbuf></process>"
            )
        };
        let lock = |id: u64, owner: &str, waiter: &str| {
            format!(
                "<keylock id='{id}' objectname='o.dbo.T' indexname='PK' mode='X'><owner-list><owner id='{owner}' mode='X'/>\
                 </owner-list><waiter-list><waiter id='{waiter}' mode='X'/></waiter-list></keylock>"
            )
        };
        let xml = format!(
            "<deadlock><victim-list><victimProcess id='a'/></victim-list><process-list>{}{}</process-list><resource-list>{}{}\
             </resource-list></deadlock>",
            process("a", 62, a),
            process("b", 88, b),
            lock(1, "b", "a"),
            lock(2, "a", "b")
        );
        Deadlock::read_all(xml.as_bytes()).unwrap().remove(0)
    }

    fn found(deadlock: &Deadlock) -> (Pattern, String) {
        let picture = pictures(deadlock).remove(0);
        (picture.pattern, picture.fingerprint)
    }

    #[test]
    fn two_runs_of_a_procedure_are_one_module_by_its_name_or_by_its_numbers() {
        let named = told(("o.dbo.usp_Pay", 123), ("unknown", 123));
        assert!(named.processes.iter().all(|p| p.input.contains("o.dbo.usp_Pay")), "{named:?}");
        let picture = text(std::slice::from_ref(&named), |_| String::new());
        assert_eq!(
            picture.matches("usp_Pay:4").count() + picture.matches("usp_Pay  ").count(),
            2,
            "{picture}"
        );
        // On another server the procedure has another number.
        assert_eq!(found(&named), found(&told(("unknown", 99), ("o.dbo.usp_Pay", 99))));
        assert_eq!(found(&named), found(&told(("o.dbo.usp_Pay", 123), ("o.dbo.usp_Pay", 123))));
        assert_eq!(found(&named).0, Pattern::SameModule);
        assert_eq!(
            found(&told(("unknown", 7), ("unknown", 7))).0,
            Pattern::SameModule,
            "nobody tells its name"
        );
        assert_ne!(found(&told(("unknown", 7), ("unknown", 8))).0, Pattern::SameModule);
        assert_ne!(
            found(&told(("unknown", 7), ("unknown", 7))).1,
            found(&told(("unknown", 7), ("unknown", 8))).1
        );
    }

    #[test]
    fn what_a_client_sent_is_a_call_only_in_the_servers_own_words() {
        assert_eq!(call(" Proc [Database Id = 5 Object Id = 123]  "), Some((5, 123)));
        for other in ["", "Proc [Database Id = 5]", "Proc [Database Id = x Object Id = 1]", "EXEC usp_Pay"] {
            assert_eq!(call(other), None, "{other}");
        }
    }
}
