//! Every action, a row each: its name, what the help says, whether it polls or changes anything, when the footer tells it,
//! its word behind `:`, and its keys with their contexts. The only place that knows keys; the footer, `?`, the
//! palette and `docs/keys.md` are made from it. Opening a pane is no row here: `id` has a row for each pane.
//!
//! In a context, keys are listed in the order of the rows. Arrows and their like are written here once: `action::VIM` gives each its
//! letter wherever nothing is typed. Ctrl-H, Ctrl-I, Ctrl-M and Ctrl-[ are left out on purpose:
//! terminals cannot tell them from Backspace, Tab, Enter and Esc.

use super::{Context, Row, at, told};
use crate::tui::id::PaneId;

const GLOBAL: Context = Context::Global;
const TABLE: Context = Context::Table;
const FLEET: Context = Context::Pane(PaneId::Fleet);
const INSTANCE: Context = Context::Pane(PaneId::Instance);
const ACTIVITY: Context = Context::Pane(PaneId::Activity);
const BLOCKING: Context = Context::Pane(PaneId::Blocking);
const DEADLOCKS: Context = Context::Pane(PaneId::Deadlocks);
const QUERIES: Context = Context::Pane(PaneId::Queries);
const MEMORY: Context = Context::Pane(PaneId::Memory);
const DATABASES: Context = Context::Pane(PaneId::Databases);
const QUERY_STORE: Context = Context::Pane(PaneId::QueryStore);
const STORAGE: Context = Context::Pane(PaneId::Storage);
const WAITS: Context = Context::Pane(PaneId::Waits);
const GRANTS: Context = Context::Pane(PaneId::Grants);
const TEMPDB: Context = Context::Pane(PaneId::Tempdb);
const PARTS: Context = Context::Parts;
const CHARTS: Context = Context::Charts;
const READER: Context = Context::Reader;
const INPUT: Context = Context::Input;
const FORM: Context = Context::Form;
const WIZARD: Context = Context::Wizard;
const TRIAL: Context = Context::Trial;
const BULK: Context = Context::Bulk;
const QUESTION: Context = Context::Question;
const LIST: Context = Context::List;
const PICK: Context = Context::Pick;
const PLAN: Context = Context::Plan;
const DEADLOCK: Context = Context::Deadlock;
const RECORDS: Context = Context::Records;
const AUDIT: Context = Context::Pane(PaneId::Audit);
const SETTINGS: Context = Context::Pane(PaneId::Settings);
const VAULT: Context = Context::Pane(PaneId::Vault);
const TENANTS: Context = Context::Pane(PaneId::Tenants);
const GROUPS: Context = Context::Pane(PaneId::Groups);
const LABELS: Context = Context::Pane(PaneId::Labels);

/// Makes the type and the table of the same rows, so that no action can lack one.
macro_rules! actions {
    ($($name:ident: $help:literal $(, $with:ident($($value:expr),*))*;)*) => {
        /// One thing to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action {
            /// open a pane
            Open(PaneId),
            $(#[doc = $help] $name,)*
        }

        /// The rows, in the order in which keys and commands are listed.
        pub static ROWS: &[Row] = &[$(Row::new(Action::$name, $help)$(.$with($($value),*))*),*];
    };
}

actions! {
    // In, out, and from problem to problem
    Enter: "in: open what the cursor is on; a reason leads to its cause", on_row(),
        keys(&[
            at(GLOBAL, "enter"), told(PARTS, "enter", "details"), told(FLEET, "enter", "open"),
            told(INSTANCE, "enter", "follow"), told(ACTIVITY, "enter", "open"),
            told(DEADLOCKS, "enter", "picture"), told(DATABASES, "enter", "instance"),
            told(WAITS, "enter", "who waits"), told(INPUT, "enter", "go"),
            told(FORM, "enter", "go on"), told(WIZARD, "enter", "go on"),
            told(TRIAL, "enter", "go on"), told(BULK, "enter", "go on"),
            told(QUESTION, "enter", "yes, if it is typed"), told(LIST, "enter", "open"), told(RECORDS, "enter", "open"), told(AUDIT, "enter", "details"), told(SETTINGS, "enter", "edit"), told(TENANTS, "enter", "watch"), told(PICK, "enter", "take over"),
            told(PLAN, "enter", "operator"), told(DEADLOCK, "enter", "session")]);
    Out: "out: close, clear the filter, back the way you came, widen the scope",
        keys(&[
            at(GLOBAL, "esc"), told(READER, "esc", "close"), told(INPUT, "esc", "cancel"),
            told(FORM, "esc", "back"), told(WIZARD, "esc", "back"), told(TRIAL, "esc", "back"),
            told(BULK, "esc", "back"), told(QUESTION, "esc", "no"), told(LIST, "esc", "close"), told(PICK, "esc", "cancel"),
            told(PLAN, "esc", "close"), told(DEADLOCK, "esc", "close")]);
    NextFinding: "next finding; of a text that is looked for the next place, of two plans the next difference",
        keys(&[told(PLAN, "n", "finding")]);
    PrevFinding: "the one before it",
        keys(&[at(PLAN, "N")]);
    MetricBefore: "operators by the figure before it: time, CPU, reads, rows, cost",
        keys(&[at(PLAN, "<")]);
    MetricNext: "operators by the next figure",
        keys(&[told(PLAN, ">", "metric")]);
    FoldLight: "fold what takes less than 1 % with all below it, or unfold it",
        keys(&[told(PLAN, "z", "fold")]);
    LastView: "the view before this one",
        word("last", "the view before this one"),
        keys(&[at(GLOBAL, "-")]);
    NextSection: "next part of the pane",
        keys(&[
            at(GLOBAL, "tab"), told(INPUT, "tab", "complete"), told(FORM, "tab", "next field"),
            at(WIZARD, "tab"), at(BULK, "tab"), told(PLAN, "tab", "tree"), told(DEADLOCK, "tab", "cycle"),
        ]);
    PrevSection: "previous part of the pane",
        keys(&[
            at(GLOBAL, "shift-tab"), at(FORM, "shift-tab"), at(WIZARD, "shift-tab"),
            at(BULK, "shift-tab"), at(PLAN, "shift-tab"), at(DEADLOCK, "shift-tab"),
        ]);
    Filter: "filter rows: text, regex, !inverse, env=prod, cpu>80",
        keys(&[told(GLOBAL, "/", "filter"), told(READER, "/", "find"), told(PLAN, "/", "find"), told(LIST, "/", "find")]);
    NextProblem: "next problem: the next row that is one; with one instance in scope then the next instance",
        word("next", "next problem"),
        keys(&[told(GLOBAL, "n", "next problem")]);
    PrevProblem: "previous problem",
        keys(&[at(GLOBAL, "N")]);
    Palette: "go to or do anything by name", always(),
        keys(&[told(GLOBAL, ":", "go to"), at(GLOBAL, "ctrl-a")]);
    Jump: "jump to an instance by a few letters of its name",
        word("jump", "to an instance"),
        keys(&[at(GLOBAL, "ctrl-g")]);
    FaultsOnly: "faults only: hide what is ok",
        word("faults", "faults only"),
        keys(&[at(GLOBAL, "ctrl-z")]);
    Pause: "pause: the screen stands still, polling goes on",
        word("pause", "the screen stands still"),
        keys(&[at(GLOBAL, "p")]);
    Refresh: "poll the instances in view now", polls(),
        word("refresh", "poll what is in view now"),
        keys(&[at(GLOBAL, "r")]);

    // Moments of the past, and looking back
    Live: "back to live", travels(), in_past(),
        word("live", "back to the present"),
        keys(&[told(GLOBAL, "T", "live")]);
    StepBack: "a minute back in time; held, the steps grow to an hour", travels(), in_past(),
        keys(&[told(GLOBAL, "[", "back")]);
    StepOn: "a minute forward in time; beyond now it is live", travels(), in_past(),
        keys(&[told(GLOBAL, "]", "forward")]);
    LongBack: "an hour back in time", travels(),
        keys(&[at(GLOBAL, "{")]);
    LongOn: "an hour forward in time", travels(),
        keys(&[at(GLOBAL, "}")]);
    GoToTime: "go to a time: 02:14, 2026-11-20 02:14, -3h, yesterday 14:00, mon 09:00", travels(),
        keys(&[told(GLOBAL, "t", "time")]);
    Compare: "what changed most: since another time, or between two marked instances",
        word("compare", "what changed most since another time, or between two marked instances"),
        keys(&[at(GLOBAL, "=")]);
    Bookmark: "bookmark this instant, with a note", notes(),
        word("bookmark", "this instant, with a note"),
        keys(&[at(GLOBAL, "B")]);
    Bookmarks: "bookmarks and incidents: jump to one",
        word("bookmarks", "and incidents: jump to one"),
        keys(&[at(GLOBAL, "'")]);
    Freeze: "keep the last ten minutes and the next five as an incident", records(),
        word("freeze", "keep the last ten minutes as an incident"),
        keys(&[at(GLOBAL, "F")]);
    Cost: "what the watching costs, by instance and by probe",
        word("cost", "what the watching costs");
    Help: "help for where you are", always(),
        word("help", "the keys of this pane"),
        keys(&[told(GLOBAL, "?", "help"), told(PLAN, "?", "help"), told(DEADLOCK, "?", "help")]);

    Reserved: "kept for panes to come: 7 Jobs, 8 Policies, 9 Alerts, 0 Code", always(),
        keys(&[at(GLOBAL, "0"), at(GLOBAL, "7"), at(GLOBAL, "8"), at(GLOBAL, "9")]);

    // Cursor, marks and order of tables
    Up: "one row up", moves(),
        keys(&[at(PLAN, "up"), at(DEADLOCK, "up"),
            at(TABLE, "up"), at(READER, "up"), at(INPUT, "up"), at(FORM, "up"), at(WIZARD, "up"),
            at(TRIAL, "up"), at(BULK, "up"), at(LIST, "up"), at(PICK, "up")]);
    Down: "one row down", moves(),
        keys(&[at(PLAN, "down"), at(DEADLOCK, "down"),
            at(TABLE, "down"), at(READER, "down"), at(INPUT, "down"), at(FORM, "down"),
            at(WIZARD, "down"), at(TRIAL, "down"), at(BULK, "down"), at(LIST, "down"), at(PICK, "down"),
        ]);
    HalfUp: "half a page up", moves(),
        keys(&[at(PLAN, "ctrl-u"), at(DEADLOCK, "ctrl-u"), at(TABLE, "ctrl-u"), at(READER, "ctrl-u"), at(TRIAL, "ctrl-u"), at(LIST, "ctrl-u")]);
    HalfDown: "half a page down", moves(),
        keys(&[at(PLAN, "ctrl-d"), at(DEADLOCK, "ctrl-d"), at(TABLE, "ctrl-d"), at(READER, "ctrl-d"), at(TRIAL, "ctrl-d"), at(LIST, "ctrl-d")]);
    PageUp: "one page up", moves(),
        keys(&[at(PLAN, "pgup"), at(DEADLOCK, "pgup"), at(TABLE, "pgup"), at(READER, "pgup"), at(TRIAL, "pgup"), at(LIST, "pgup"), at(PICK, "pgup")]);
    PageDown: "one page down", moves(),
        keys(&[at(PLAN, "pgdn"), at(DEADLOCK, "pgdn"), at(TABLE, "pgdn"), at(READER, "pgdn"), at(TRIAL, "pgdn"), at(LIST, "pgdn"), at(PICK, "pgdn")]);
    Home: "first row", moves(),
        keys(&[at(PLAN, "home"), at(DEADLOCK, "home"), at(TABLE, "home"), at(READER, "home"), at(TRIAL, "home"), at(LIST, "home")]);
    End: "last row", moves(),
        keys(&[at(PLAN, "end"), at(DEADLOCK, "end"), at(TABLE, "end"), at(READER, "end"), at(TRIAL, "end"), at(LIST, "end")]);
    Left: "columns to the left; card or cell to the left", moves(),
        keys(&[at(TABLE, "left")]);
    Right: "columns to the right; card or cell to the right", moves(),
        keys(&[at(TABLE, "right")]);
    Mark: "mark the row, and go down", moves(),
        keys(&[at(TABLE, "space"), told(PICK, "space", "mark")]);
    MarkRange: "mark all rows from the last mark to here", moves(),
        keys(&[at(TABLE, "ctrl-space"), told(PICK, "ctrl-space", "mark all")]);
    SortLeft: "sort by the column to the left",
        keys(&[at(TABLE, "<")]);
    SortRight: "sort by the column to the right",
        keys(&[at(TABLE, ">")]);
    Columns: "the next set of columns: other figures come into sight",
        word("columns", "the next set of columns"),
        keys(&[at(TABLE, "C")]);
    SortReverse: "turn the sort order round",
        keys(&[at(TABLE, "o")]);

    // Actions of single panes
    GroupBy: "group by the next field",
        word("group", "group by the next field"),
        keys(&[told(ACTIVITY, "b", "group"), told(QUERIES, "b", "group"), told(STORAGE, "b", "group"), told(QUERY_STORE, "b", "view")]);
    Period: "what each query cost over the time of the charts, added up: w and Shift-← choose it, c and = put another time beside it",
        keys(&[told(QUERIES, "u", "period")]);
    ByObject: "what is waited for now, added up by object",
        word("objects", "what is waited for now, by object"),
        keys(&[told(BLOCKING, "b", "by object")]);
    Plan: "the plan, asked of the server; of what runs it is live where the server profiles it", polls(), on_row(),
        keys(&[told(ACTIVITY, "P", "plan"), told(BLOCKING, "P", "plan"), told(QUERIES, "P", "plan"), told(QUERY_STORE, "P", "plan"), told(GRANTS, "P", "plan"), told(TEMPDB, "P", "plan")]);
    SessionWaits: "what the session has waited for, asked of the server", polls(), on_row(),
        keys(&[told(ACTIVITY, "w", "its waits"), told(BLOCKING, "w", "its waits"), told(GRANTS, "a", "its waits"), told(TEMPDB, "a", "its waits")]);
    SessionInput: "what the client of the session sent, asked of the server", polls(), on_row(),
        keys(&[at(ACTIVITY, "i"), at(BLOCKING, "i"), at(GRANTS, "i"), at(TEMPDB, "i")]);
    BufferPool: "which databases have the pages in memory, asked of the server", polls(),
        keys(&[told(MEMORY, "b", "buffer pool")]);
    PlanCache: "what the plan cache is made of, and how much of it ran once only, asked of the server", polls(),
        keys(&[at(MEMORY, "u")]);
    FreeSpace: "what is free inside of the files of the database under the cursor, by volume of all databases, asked of the server", polls(),
        keys(&[at(STORAGE, "u")]);
    RecordDeadlocks: "a session that records deadlocks, as a script for a DBA: dbtop makes none itself",
        keys(&[at(DEADLOCKS, "S")]);
    Answer: "the newest answer of a server again: a plan, waits, the buffer pool", always(),
        word("answer", "the newest answer of a server again");
    ToQuery: "to the queries of a request or a wait, or of an instance by CPU; from the plan cache to Query Store, and back", on_row(),
        word("query", "the queries behind this row"),
        keys(&[
            at(FLEET, "Q"), at(INSTANCE, "Q"), at(ACTIVITY, "Q"), told(WAITS, "Q", "queries"), at(READER, "Q"),
            at(QUERIES, "Q"), told(QUERY_STORE, "Q", "plan cache")]);
    Benign: "show benign waits too",
        word("benign", "show benign waits too"),
        keys(&[told(WAITS, "i", "benign")]);
    Merge: "add the instances up, or keep them apart",
        keys(&[told(WAITS, "m", "merge")]);
    Longer: "charts over a longer time, up to a year",
        keys(&[told(CHARTS, "w", "range")]);
    Shorter: "charts over a shorter time, down to a minute",
        keys(&[at(CHARTS, "W")]);
    PanBack: "charts: half a range back in time",
        keys(&[at(CHARTS, "shift-left")]);
    PanOn: "charts: half a range forward in time",
        keys(&[at(CHARTS, "shift-right")]);
    Beside: "charts: the same time a day or a week earlier as a dim line",
        keys(&[at(CHARTS, "c")]);
    Earlier: "charts: cursor a little earlier; beyond the edge they go with it",
        keys(&[told(INSTANCE, "left", "values"), at(CHARTS, ",")]);
    Later: "charts: cursor a little later",
        keys(&[at(INSTANCE, "right"), at(CHARTS, ".")]);
    Dots: "charts of braille dots, where the font has them, or of blocks",
        keys(&[at(INSTANCE, "v")]);

    // Plans and deadlocks
    MissingIndexes: "the indexes that the optimizer missed, as statements",
        keys(&[told(PLAN, "m", "indexes")]);
    Another: "another one: a plan beside this one, or the next deadlock of the list",
        keys(&[told(PLAN, "=", "compare"), told(DEADLOCK, "=", "next")]);
    WriteFile: "write it into a file that other tools read: .sqlplan, .xdl",
        keys(&[told(PLAN, "e", ".sqlplan"), told(DEADLOCK, "e", ".xdl")]);
    OpenEditor: "look at it in your editor ($VISUAL, $EDITOR)",
        keys(&[told(PLAN, "E", "editor"), told(DEADLOCK, "E", "editor")]);
    CopyWhole: "copy all of it as text",
        keys(&[at(PLAN, "Y"), at(DEADLOCK, "Y")]);

    // Dialogs
    NextStep: "next step; what was typed stays",
        keys(&[
            told(WIZARD, "ctrl-n", "next step"), told(BULK, "ctrl-n", "what would change"),
        ]);
    PrevStep: "previous step; what was typed stays",
        keys(&[at(WIZARD, "ctrl-p"), at(TRIAL, "ctrl-p")]);
    Test: "test the connection, from any step",
        keys(&[told(WIZARD, "ctrl-t", "test"), told(TRIAL, "ctrl-t", "test")]);
    Save: "save, from any step",
        keys(&[told(WIZARD, "ctrl-s", "save"), told(TRIAL, "ctrl-s", "save"), at(BULK, "ctrl-s")]);

    // The row under the cursor
    Copy: "copy the row, or the marked rows (OSC 52, works over SSH)", moves(), on_row(),
        keys(&[
            at(TABLE, "y"), told(PARTS, "y", "copy"), at(WAITS, "y"), told(READER, "y", "copy"),
            told(PLAN, "y", "copy"), told(DEADLOCK, "y", "copy"), told(TRIAL, "y", "copy script"), told(LIST, "y", "copy"),
        ]);
    Details: "all about the row", on_row(),
        keys(&[at(PARTS, "d"), at(PLAN, "d"), at(DEADLOCK, "d"), told(FLEET, "d", "why"), told(INSTANCE, "d", "details"), told(RECORDS, "d", "details"), at(AUDIT, "d"), told(SETTINGS, "d", "details")]);
    HeatMap: "heat map: one cell per instance",
        word("heat", "heat map"),
        keys(&[told(FLEET, "v", "heat map")]);
    HealthFilter: "show only critical, warning, ok or unknown instances",
        keys(&[at(FLEET, "f")]);
    Narrow: "only the instance of this row", on_row_of_many(),
        keys(&[told(PARTS, "s", "this instance"), at(WAITS, "s")]);

    Menu: "menu of all that can be done to the row or the marks", on_row(),
        keys(&[told(GLOBAL, "x", "menu")]);

    // The inventory
    Add: "new: an instance (the wizard), or what the pane lists", changes(), always(),
        word("add", "an instance"),
        keys(&[at(GLOBAL, "+"), told(RECORDS, "+", "new")]);
    Edit: "edit the row; in the fleet all that are marked at once", changes(), on_row(),
        word("edit", "this instance, or those marked"),
        keys(&[told(FLEET, "i", "edit"), told(INSTANCE, "i", "edit"), told(RECORDS, "i", "edit"), at(SETTINGS, "i")]);
    Remove: "take the row, in the fleet all that are marked, out of the inventory", changes(), on_row(),
        word("remove", "this instance, or those marked"),
        keys(&[at(FLEET, "D"), told(RECORDS, "D", "delete"), told(SETTINGS, "D", "take out of the file")]);
    Export: "write the rows that are shown, or the marked ones, into a file of CSV or JSON", of_vault(), on_row(),
        keys(&[told(AUDIT, "e", "export")]);
    Rotate: "make a new data key; all slots open it as before", changes(),
        keys(&[told(VAULT, "R", "new data key")]);
    Duplicate: "new, like this one", changes(), on_row(),
        keys(&[told(RECORDS, "c", "copy")]);
    Members: "members: choose instances of the fleet", changes(), on_row(),
        keys(&[told(GROUPS, "m", "members")]);
    Unite: "make the label one with another, or the marked ones one", changes(), on_row(),
        keys(&[told(LABELS, "m", "make one")]);
    Doctor: "permission doctor: what the logins of the scope may not see, and the scripts that help", polls(),
        word("doctor", "what the logins here may not see");
    Lock: "lock the inventory: its keys leave the memory, polling goes on", of_vault(),
        word("lock", "the inventory; polling goes on");
    Unlock: "unlock the inventory", of_vault(),
        word("unlock", "the inventory");
    Backup: "back the tenant up into an encrypted file", changes(), on_row(),
        word("backup", "the tenant, into an encrypted file"),
        keys(&[told(TENANTS, "b", "back up")]);
    Suspend: "suspend the tenant, or resume it; bring a deleted one back", changes(), on_row(),
        keys(&[told(TENANTS, "m", "suspend, resume")]);

    // The screen itself
    Overlay: "dbtop's own figures",
        word("own", "dbtop's own figures"),
        keys(&[at(GLOBAL, "f12")]);
    Redraw: "paint the whole screen anew",
        word("redraw", "paint everything anew"),
        keys(&[at(GLOBAL, "ctrl-l")]);
    Back: "back; quits at the top", always(),
        keys(&[at(GLOBAL, "q")]);
    Interrupt: "twice: quit from anywhere",
        keys(&[
            at(GLOBAL, "ctrl-c"), at(INPUT, "ctrl-c"), at(FORM, "ctrl-c"), at(WIZARD, "ctrl-c"),
            at(BULK, "ctrl-c"), at(QUESTION, "ctrl-c"), at(PICK, "ctrl-c")]);
    Quit: "quit",
        word("q", "quit");
}
