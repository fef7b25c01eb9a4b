//! A key as the terminal sends it and as people write it: `q`, `enter`, `ctrl-g`, `f12`.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fmt::{self, Write as _};

/// A key with its modifiers, as bindings name it: `q`, `enter`, `ctrl-g`, `f12`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    code: KeyCode,
    ctrl: bool,
    alt: bool,
    /// of arrows only: in a character it is there already
    shift: bool,
}

const NAMES: [(&str, KeyCode); 14] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("space", KeyCode::Char(' ')),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("backspace", KeyCode::Backspace),
];

impl Chord {
    /// From an event. Shift is part of a character already.
    pub const fn of(event: KeyEvent) -> Self {
        let is_arrow = matches!(event.code, KeyCode::Left | KeyCode::Right);
        Self {
            code: event.code,
            ctrl: event.modifiers.contains(KeyModifiers::CONTROL),
            alt: event.modifiers.contains(KeyModifiers::ALT),
            shift: is_arrow && event.modifiers.contains(KeyModifiers::SHIFT),
        }
    }

    /// From its name; None if there is no such key.
    pub fn parse(name: &str) -> Option<Self> {
        if name == "shift-tab" {
            return Some(Self { code: KeyCode::BackTab, ctrl: false, alt: false, shift: false });
        }
        if let "shift-left" | "shift-right" = name {
            let code = if name == "shift-left" { KeyCode::Left } else { KeyCode::Right };
            return Some(Self { code, ctrl: false, alt: false, shift: true });
        }
        let (ctrl, rest) =
            name.strip_prefix("ctrl-").filter(|r| !r.is_empty()).map_or((false, name), |r| (true, r));
        let (alt, rest) =
            rest.strip_prefix("alt-").filter(|r| !r.is_empty()).map_or((false, rest), |r| (true, r));
        let code = if let Some((_, code)) = NAMES.iter().find(|(n, _)| *n == rest) {
            *code
        } else if let Some(n) =
            rest.strip_prefix('f').and_then(|n| n.parse().ok()).filter(|n| (1..=12).contains(n))
        {
            KeyCode::F(n)
        } else {
            let mut chars = rest.chars();
            let c = chars.next()?;
            if chars.next().is_some() {
                return None;
            }
            KeyCode::Char(c)
        };
        Some(Self { code, ctrl, alt, shift: false })
    }

    /// The event that this key makes: how tests type.
    pub const fn event(self) -> KeyEvent {
        let mut mods = KeyModifiers::NONE;
        if self.ctrl {
            mods = mods.union(KeyModifiers::CONTROL);
        }
        if self.alt {
            mods = mods.union(KeyModifiers::ALT);
        }
        if self.shift {
            mods = mods.union(KeyModifiers::SHIFT);
        }
        KeyEvent::new(self.code, mods)
    }

    /// The character that a text input takes; None for everything else.
    pub const fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }

    /// The key without modifiers, and whether Ctrl and Alt were held: for the editing keys of text inputs.
    pub const fn parts(self) -> (KeyCode, bool, bool) {
        (self.code, self.ctrl, self.alt)
    }
}

impl fmt::Display for Chord {
    /// As a person reads it: `⏎`, `Ctrl-g`, `F12`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("Ctrl-")?;
        }
        if self.alt {
            f.write_str("Alt-")?;
        }
        if self.shift {
            f.write_str("Shift-")?;
        }
        match self.code {
            KeyCode::Enter => f.write_str("Enter"),
            KeyCode::Esc => f.write_str("Esc"),
            KeyCode::Tab => f.write_str("Tab"),
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Up => f.write_str("↑"),
            KeyCode::Down => f.write_str("↓"),
            KeyCode::Left => f.write_str("←"),
            KeyCode::Right => f.write_str("→"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            KeyCode::Home => f.write_str("Home"),
            KeyCode::End => f.write_str("End"),
            KeyCode::Backspace => f.write_str("Backspace"),
            KeyCode::Char(c) => f.write_char(c),
            KeyCode::F(n) => write!(f, "F{n}"),
            _ => f.write_str("?"),
        }
    }
}
