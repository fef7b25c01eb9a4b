//! How closely somebody looks at an instance. The manager says so, an instance's task obeys, its time-table paces by it.

/// How closely somebody looks at an instance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Focus {
    /// it is one of the fleet
    #[default]
    Fleet,
    /// it is unwell, and recorded at the pace of the screen. What is slow keeps the pace of the fleet: a server in trouble is the last that
    /// should be walked database by database
    Recorded,
    /// it is on somebody's screen
    OnScreen,
}

impl Focus {
    /// At the pace of the screen.
    pub const fn is_close(self) -> bool {
        matches!(self, Self::Recorded | Self::OnScreen)
    }

    /// Somebody looks at it: slow probes, too, are asked oftener and for more.
    pub const fn is_on_screen(self) -> bool {
        matches!(self, Self::OnScreen)
    }
}
