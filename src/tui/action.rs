//! Everything a key or a palette command can ask for. Panes and layers see actions, never keys.

use super::id::PaneId;

/// One thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// open a pane
    Open(PaneId),
    /// in: open what the cursor is on
    Enter,
    /// out: close, clear, widen
    Out,
    /// out, and quit at the top
    Back,
    /// first press warns, second one quits
    Interrupt,
    /// quit now
    Quit,
    /// the view before this one
    LastView,
    /// cursor
    Up,
    /// cursor
    Down,
    /// cursor
    PageUp,
    /// cursor
    PageDown,
    /// cursor
    Home,
    /// cursor
    End,
    /// columns, cards, cells
    Left,
    /// columns, cards, cells
    Right,
    /// next part of the pane
    NextSection,
    /// previous part of the pane
    PrevSection,
    /// the command line
    Palette,
    /// the filter
    Filter,
    /// the keys
    Help,
    /// fuzzy jump to an instance
    Jump,
    /// mark a row
    Mark,
    /// mark all rows from the last mark to here
    MarkRange,
    /// sort by the column to the left
    SortLeft,
    /// sort by the column to the right
    SortRight,
    /// turn the order round
    SortReverse,
    /// stop taking snapshots
    Pause,
    /// poll now
    Refresh,
    /// next way to group
    GroupBy,
    /// all about the row
    Details,
    /// copy to the clipboard of the terminal
    Copy,
    /// next problem
    NextProblem,
    /// previous problem
    PrevProblem,
    /// a cell an instance
    HeatMap,
    /// hide what is well
    FaultsOnly,
    /// next health to show
    HealthFilter,
    /// only the instance of this row
    Narrow,
    /// show benign waits too
    Benign,
    /// add instances up, or keep them apart
    Merge,
    /// charts over a longer time
    Longer,
    /// charts over a shorter time
    Shorter,
    /// charts half a range back
    PanBack,
    /// charts half a range forward
    PanOn,
    /// charts beside the same time earlier
    Beside,
    /// the charts' cursor to the left
    Earlier,
    /// the charts' cursor to the right
    Later,
    /// charts of braille dots
    Dots,
    /// dbtop's own figures
    Overlay,
    /// paint everything anew
    Redraw,
    /// forget the keys of the inventory
    Lock,
    /// open the inventory
    Unlock,
    /// the tenants, to switch
    Tenants,
    /// a new instance, by the wizard
    Add,
    /// the instance, or the marked ones, to change
    Edit,
    /// take instances out of the inventory
    Remove,
    /// next step of the wizard
    NextStep,
    /// previous step of the wizard
    PrevStep,
    /// try the connection
    Test,
    /// save what was typed
    Save,
    /// what logins may not see
    Doctor,
    /// ask for a time to go to
    GoToTime,
    /// a little back in time
    StepBack,
    /// a little forward in time
    StepOn,
    /// an hour back
    LongBack,
    /// an hour forward
    LongOn,
    /// back to the present
    Live,
    /// what changed between two instants, or two instances
    Compare,
    /// a bookmark on the time line
    Bookmark,
    /// bookmarks and incidents
    Bookmarks,
    /// keep what the flight recorder has
    Freeze,
    /// what the watching costs
    Cost,
}

impl Action {
    /// True for what moves a cursor or marks rows, and leaves the rows as they are.
    pub const fn only_moves(self) -> bool {
        matches!(
            self,
            Self::Up
                | Self::Down
                | Self::PageUp
                | Self::PageDown
                | Self::Home
                | Self::End
                | Self::Left
                | Self::Right
                | Self::Mark
                | Self::MarkRange
                | Self::Copy
        )
    }

    /// True for what changes the instant on the screen.
    pub const fn moves_in_time(self) -> bool {
        matches!(
            self,
            Self::GoToTime | Self::StepBack | Self::StepOn | Self::LongBack | Self::LongOn | Self::Live
        )
    }

    /// What it does, for the help layer and `docs/keys.md`: one line, no final stop.
    pub const fn help(self) -> &'static str {
        match self {
            Self::Open(PaneId::Fleet | PaneId::Instance) => "Fleet, or the instance in scope",
            Self::Open(PaneId::Activity) => "Activity: what runs now",
            Self::Open(PaneId::Waits) => "Waits: what is waited for",
            Self::Open(PaneId::Blocking) => "Blocking: who blocks whom",
            Self::Enter => "in: open what the cursor is on; a reason leads to its cause",
            Self::Out => "out: close, clear the filter, widen the scope",
            Self::Back => "back; quits at the top",
            Self::Interrupt => "twice: quit from anywhere",
            Self::Quit => "quit",
            Self::LastView => "the view before this one",
            Self::Up => "one row up",
            Self::Down => "one row down",
            Self::PageUp => "one page up",
            Self::PageDown => "one page down",
            Self::Home => "first row",
            Self::End => "last row",
            Self::Left => "columns to the left; card or cell to the left",
            Self::Right => "columns to the right; card or cell to the right",
            Self::NextSection => "next part of the pane",
            Self::PrevSection => "previous part of the pane",
            Self::Palette => "go to or do anything by name",
            Self::Filter => "filter rows: text, regex, !inverse, env=prod, cpu>80",
            Self::Help => "help for where you are",
            Self::Jump => "jump to an instance by a few letters of its name",
            Self::Mark => "mark the row, and go down",
            Self::MarkRange => "mark all rows from the last mark to here",
            Self::SortLeft => "sort by the column to the left",
            Self::SortRight => "sort by the column to the right",
            Self::SortReverse => "turn the sort order round",
            Self::Pause => "pause: the screen stands still, polling goes on",
            Self::Refresh => "poll the instances in view now",
            Self::GroupBy => "group by the next field",
            Self::Details => "all about the row",
            Self::Copy => "copy the row, or the marked rows (OSC 52, works over SSH)",
            Self::NextProblem => "next problem",
            Self::PrevProblem => "previous problem",
            Self::HeatMap => "heat map: a cell an instance",
            Self::FaultsOnly => "faults only: hide what is well",
            Self::HealthFilter => "show only critical, warning, well or unknown instances",
            Self::Narrow => "only the instance of this row",
            Self::Benign => "show benign waits too",
            Self::Merge => "add the instances up, or keep them apart",
            Self::Overlay => "dbtop's own figures",
            Self::Redraw => "paint the whole screen anew",
            Self::Lock => "lock the inventory: its keys leave the memory, polling goes on",
            Self::Unlock => "unlock the inventory",
            Self::Doctor => {
                "permission doctor: what the logins of the scope may not see, and the scripts that help"
            }
            Self::Tenants => "tenants: watch another one",
            Self::Add => "add an instance: the wizard",
            Self::Edit => "edit the instance, or all that are marked at once",
            Self::Remove => "remove the instance, or all that are marked, from the inventory",
            Self::NextStep => "next step; what was typed stays",
            Self::PrevStep => "previous step; what was typed stays",
            Self::Test => "test the connection, from any step",
            Self::Save => "save, from any step",
            _ => self.help_of_time(),
        }
    }

    /// The same of what moves in time and of charts.
    const fn help_of_time(self) -> &'static str {
        match self {
            Self::Longer => "charts over a longer time, up to a year",
            Self::Shorter => "charts over a shorter time, down to a minute",
            Self::PanBack => "charts: half a range back in time",
            Self::PanOn => "charts: half a range forward in time",
            Self::Beside => "charts: the same time a day or a week earlier as a dim line",
            Self::Earlier => "charts: cursor a little earlier; beyond the edge they go with it",
            Self::Later => "charts: cursor a little later",
            Self::Dots => "charts of braille dots, where the font has them, or of blocks",
            Self::GoToTime => "go to a time: 02:14, 2026-11-20 02:14, -3h, yesterday 14:00, mon 09:00",
            Self::StepBack => "a minute back in time; held, the steps grow to an hour",
            Self::StepOn => "a minute forward in time; beyond now it is live",
            Self::LongBack => "an hour back in time",
            Self::LongOn => "an hour forward in time",
            Self::Live => "back to live",
            Self::Compare => "what changed most: since another time, or between two marked instances",
            Self::Bookmark => "bookmark this instant, with a note",
            Self::Bookmarks => "bookmarks and incidents: jump to one",
            Self::Freeze => "keep the last ten minutes and the next five as an incident",
            Self::Cost => "what the watching costs, by instance and by probe",
            _ => "",
        }
    }
}
