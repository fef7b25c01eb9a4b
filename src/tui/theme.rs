//! Themes: a dozen and a half semantic roles read from a small TOML file. Panes ask for roles, never for colours.
//!
//! Five themes are built in; [`Theme::load`] reads a user's own. [`Depth`] maps true colour down to what the terminal can do.

use super::xterm::{self, Ground, Rgb};
use crate::model::inventory::record::LabelColor;
use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;
use std::path::Path;

/// The built-in themes: name and text.
pub const BUILT_IN: [(&str, &str); 5] = [
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
    ("ansi16", include_str!("../../themes/ansi16.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
];

/// Why a theme cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// no such built-in theme, and no such file
    #[error("no theme named {0}: use dark, light, high-contrast, ansi16, mono or the path of a .toml file")]
    Unknown(String),
    /// the file could not be read
    #[error("could not read the theme {path}: {source}")]
    Read {
        /// which file
        path: String,
        /// why
        source: std::io::Error,
    },
    /// not the TOML that a theme needs
    #[error("theme {name}: {text}")]
    Parse {
        /// which theme
        name: String,
        /// what is wrong
        text: String,
    },
}

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// 24 bits
    #[default]
    True,
    /// the 256-colour palette of xterm
    Ansi256,
}

impl Depth {
    /// From the values of `COLORTERM` and `TERM`. SSH does not pass `COLORTERM` on, so 256 colours are the safe guess.
    pub fn detect(colorterm: Option<&str>, term: Option<&str>) -> Self {
        let says_true = |v: &str| v.contains("truecolor") || v.contains("24bit") || v.contains("direct");
        if colorterm.is_some_and(says_true) || term.is_some_and(says_true) {
            Self::True
        } else {
            Self::Ansi256
        }
    }
}

/// A theme's file. Every role is a style in words: `#rrggbb on #rrggbb bold`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    base: String,
    strong: String,
    dim: String,
    rule: String,
    accent: String,
    selection: String,
    tab: String,
    ok: String,
    warning: String,
    critical: String,
    unknown: String,
    prod: String,
    banner: String,
    input: String,
    panel: String,
    spark: String,
    keyword: String,
    string: String,
    number: String,
    comment: String,
    chart: Vec<String>,
}

/// Styles by role.
#[derive(Debug, Clone)]
pub struct Theme {
    /// the name it was asked for by
    pub name: String,
    /// the empty screen: plain text on its background
    pub screen: Style,
    /// plain text, on whatever lies below it
    pub base: Style,
    /// names, totals
    pub strong: Style,
    /// secondary text, stale values
    pub dim: Style,
    /// rules, tree guides, axes
    pub rule: Style,
    /// the one accent: links, active things
    pub accent: Style,
    /// patch over the selected row
    pub selection: Style,
    /// the active tab
    pub tab: Style,
    /// ●
    pub ok: Style,
    /// ▲
    pub warning: Style,
    /// ✖
    pub critical: Style,
    /// ○
    pub unknown: Style,
    /// production scope
    pub prod: Style,
    /// the bar that says paused
    pub banner: Style,
    /// text inputs
    pub input: Style,
    /// background of layers
    pub panel: Style,
    /// sparklines
    pub spark: Style,
    /// SQL keyword
    pub keyword: Style,
    /// SQL string
    pub string: Style,
    /// SQL number
    pub number: Style,
    /// SQL comment
    pub comment: Style,
    /// areas of stacked charts, at least one
    pub chart: Vec<Style>,
    /// true if the areas have no colours: charts use patterns instead
    pub hatched: bool,
}

impl Theme {
    /// A built-in theme by name, or a file by path.
    ///
    /// # Errors
    /// [`ThemeError`] if there is no such theme or its file is not one.
    pub fn load(name: &str, depth: Depth) -> Result<Self, ThemeError> {
        if let Ok(theme) = Self::built_in(name, depth) {
            return Ok(theme);
        }
        let path = Path::new(name);
        if path.extension().is_none_or(|e| e != "toml") {
            return Err(ThemeError::Unknown(name.to_owned()));
        }
        let text = std::fs::read_to_string(path)
            .map_err(|source| ThemeError::Read { path: name.to_owned(), source })?;
        Self::parse(name, &text, depth)
    }

    /// A built-in theme by name: reads no file, so the screen may call it while it runs.
    ///
    /// # Errors
    /// [`ThemeError::Unknown`] if there is no such theme.
    pub fn built_in(name: &str, depth: Depth) -> Result<Self, ThemeError> {
        let found = BUILT_IN.iter().find(|(n, _)| *n == name);
        let (_, text) = found.ok_or_else(|| ThemeError::Unknown(name.to_owned()))?;
        Self::parse(name, text, depth)
    }

    /// From the text of a theme file.
    ///
    /// # Errors
    /// [`ThemeError::Parse`] names the role that is wrong.
    pub fn parse(name: &str, text: &str, depth: Depth) -> Result<Self, ThemeError> {
        let wrong = |text: String| ThemeError::Parse { name: name.to_owned(), text };
        let file: File = toml::from_str(text).map_err(|e| wrong(e.message().to_owned()))?;
        let style = |text: &str| style(text).map_err(wrong);
        let chart = file.chart.iter().map(|s| style(s)).collect::<Result<Vec<_>, _>>()?;
        if chart.is_empty() {
            return Err(wrong("chart needs at least one colour".to_owned()));
        }
        let theme = Self {
            name: name.to_owned(),
            hatched: chart.iter().all(|s| matches!(s.fg, None | Some(Color::Reset))),
            screen: style(&file.base)?,
            base: Style { bg: None, ..style(&file.base)? },
            strong: style(&file.strong)?,
            dim: style(&file.dim)?,
            rule: style(&file.rule)?,
            accent: style(&file.accent)?,
            selection: style(&file.selection)?,
            tab: style(&file.tab)?,
            ok: style(&file.ok)?,
            warning: style(&file.warning)?,
            critical: style(&file.critical)?,
            unknown: style(&file.unknown)?,
            prod: style(&file.prod)?,
            banner: style(&file.banner)?,
            input: style(&file.input)?,
            panel: style(&file.panel)?,
            spark: style(&file.spark)?,
            keyword: style(&file.keyword)?,
            string: style(&file.string)?,
            number: style(&file.number)?,
            comment: style(&file.comment)?,
            chart,
        };
        Ok(match depth {
            Depth::True => theme,
            Depth::Ansi256 => theme.in_256(),
        })
    }

    /// The same in the 256 colours of xterm. Text can be read on every ground on which it could be before.
    fn in_256(mut self) -> Self {
        let text = rgb(self.base.fg);
        let grounds: Vec<Ground> = [&self.screen, &self.selection, &self.panel, &self.input]
            .into_iter()
            .filter_map(|style| ground(style, text))
            .collect();
        for style in [
            &mut self.base,
            &mut self.strong,
            &mut self.dim,
            &mut self.accent,
            &mut self.ok,
            &mut self.warning,
            &mut self.critical,
            &mut self.unknown,
            &mut self.prod,
            &mut self.keyword,
            &mut self.string,
            &mut self.number,
            &mut self.comment,
        ] {
            in_256(style, text, &grounds);
        }
        let others = [
            &mut self.screen,
            &mut self.selection,
            &mut self.tab,
            &mut self.banner,
            &mut self.input,
            &mut self.panel,
            &mut self.rule,
            &mut self.spark,
        ];
        for style in others.into_iter().chain(&mut self.chart) {
            in_256(style, text, &[]);
        }
        self
    }

    /// The line of an earlier time over a chart: plain, on whatever lies below it.
    pub fn earlier(&self) -> Style {
        self.base.fg.map_or_else(Style::new, |fg| Style::new().fg(fg))
    }

    /// The style of area number `i` of a stacked chart.
    pub fn area(&self, i: usize) -> Style {
        self.chart.get(i % self.chart.len().max(1)).copied().unwrap_or_default()
    }
}

impl Theme {
    /// The swatch of a label: one of the chart's colours, which all themes have in one order of hues. Health keeps its
    /// own colours, and the label's text keeps the text's.
    pub fn label(&self, color: LabelColor) -> Style {
        self.area(match color {
            LabelColor::Blue => 0,
            LabelColor::Green => 1,
            LabelColor::Cyan => 2,
            LabelColor::Magenta => 3,
            LabelColor::Yellow => 4,
            LabelColor::Gray => 6,
            LabelColor::Red => 7,
            LabelColor::Orange => 9,
        })
    }
}

/// What stands for the background of a style.
fn ground(style: &Style, text: Option<Rgb>) -> Option<Ground> {
    rgb(style.bg).map(|paper| xterm::ground(paper, rgb(style.fg).or(text)))
}

/// Puts a style into the colours of xterm: its ink can be read on its own ground, else on these.
fn in_256(style: &mut Style, text: Option<Rgb>, grounds: &[Ground]) {
    let own = ground(style, text);
    let grounds = own.as_ref().map_or(grounds, std::slice::from_ref);
    let ink = |color| rgb(Some(color)).map_or(color, |ink| Color::Indexed(xterm::legible(ink, grounds)));
    style.fg = style.fg.map(ink);
    style.bg = own.map(|(_, index)| Color::Indexed(index)).or(style.bg);
}

const fn rgb(color: Option<Color>) -> Option<Rgb> {
    match color {
        Some(Color::Rgb(r, g, b)) => Some((r, g, b)),
        _ => None,
    }
}

/// Reads `#rrggbb on #rrggbb bold`. Roles without `on` keep the background below them.
fn style(text: &str) -> Result<Style, String> {
    let mut style = Style::default();
    let mut background = false;
    for word in text.split_whitespace() {
        match word {
            "on" => background = true,
            "bold" => style = style.add_modifier(Modifier::BOLD),
            "dim" => style = style.add_modifier(Modifier::DIM),
            "underline" => style = style.add_modifier(Modifier::UNDERLINED),
            "reverse" => style = style.add_modifier(Modifier::REVERSED),
            _ => {
                let color = color(word).ok_or_else(|| format!("{word} is no colour in \"{text}\""))?;
                style = if background { style.bg(color) } else { style.fg(color) };
                background = false;
            }
        }
    }
    if background { Err(format!("a colour is missing after \"on\" in \"{text}\"")) } else { Ok(style) }
}

fn color(word: &str) -> Option<Color> {
    Some(match word {
        "default" => Color::Reset,
        "black" => Color::Black,
        "red" => Color::Red,
        "green" => Color::Green,
        "yellow" => Color::Yellow,
        "blue" => Color::Blue,
        "magenta" => Color::Magenta,
        "cyan" => Color::Cyan,
        "white" => Color::Gray,
        "brightblack" => Color::DarkGray,
        "brightred" => Color::LightRed,
        "brightgreen" => Color::LightGreen,
        "brightyellow" => Color::LightYellow,
        "brightblue" => Color::LightBlue,
        "brightmagenta" => Color::LightMagenta,
        "brightcyan" => Color::LightCyan,
        "brightwhite" => Color::White,
        _ => {
            let hex = word.strip_prefix('#').filter(|h| h.len() == 6)?;
            let n = u32::from_str_radix(hex, 16).ok()?;
            let (r, g, b) = ((n >> 16) as u8, (n >> 8) as u8, n as u8);
            Color::Rgb(r, g, b)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// None: the terminal's own colours, which nobody knows here.
    fn contrast(ink: Color, paper: Color) -> Option<f64> {
        let rgb = |color| match color {
            Color::Indexed(index) => xterm::rgb(index),
            color => rgb(Some(color)),
        };
        Some(xterm::contrast(rgb(ink)?, rgb(paper)?))
    }

    #[test]
    fn every_built_in_theme_parses_and_can_be_read() {
        let both = [Depth::True, Depth::Ansi256];
        for ((name, text), depth) in
            BUILT_IN.into_iter().flat_map(|built_in| both.map(|depth| (built_in, depth)))
        {
            let t = Theme::parse(name, text, depth).unwrap();
            assert!(text.lines().count() <= 25, "{name} grew beyond a glance");
            let background = t.screen.bg.unwrap();
            let roles = [
                ("base", t.base),
                ("strong", t.strong),
                ("dim", t.dim),
                ("accent", t.accent),
                ("ok", t.ok),
                ("warning", t.warning),
                ("critical", t.critical),
                ("unknown", t.unknown),
                ("prod", t.prod),
                ("keyword", t.keyword),
                ("string", t.string),
                ("number", t.number),
                ("comment", t.comment),
            ];
            for (role, style) in roles {
                let on = [Some(background), t.selection.bg, t.panel.bg, t.input.bg];
                for bg in on.into_iter().flatten() {
                    let least = if role == "base" || role == "strong" { 7.0 } else { 4.5 };
                    if let Some(c) = style.fg.and_then(|fg| contrast(fg, bg)) {
                        assert!(c >= least, "{name}, {depth:?}: {role} on {bg:?} has a contrast of {c:.2}");
                    }
                }
            }
            for own in [t.tab, t.banner, t.input] {
                if let Some(c) = own.fg.zip(own.bg).and_then(|(f, b)| contrast(f, b)) {
                    assert!(c >= 4.5, "{name}, {depth:?}: {own:?} has a contrast of {c:.2}");
                }
            }
        }
    }

    #[test]
    fn mono_has_no_colour() {
        let t = Theme::load("mono", Depth::True).unwrap();
        let styles =
            [t.base, t.strong, t.dim, t.accent, t.ok, t.warning, t.critical, t.selection, t.tab, t.keyword];
        for s in styles.iter().chain(&t.chart) {
            assert!(
                matches!(s.fg, None | Some(Color::Reset)) && matches!(s.bg, None | Some(Color::Reset)),
                "{s:?}"
            );
        }
        assert!(t.hatched);
    }

    #[test]
    fn a_wrong_theme_says_what_is_wrong() {
        let text = BUILT_IN[0].1.replace("#6cb6ff", "#6cb6f");
        let e = Theme::parse("mine", &text, Depth::True).unwrap_err().to_string();
        assert!(e.contains("#6cb6f is no colour"), "{e}");
        assert!(Theme::load("nope", Depth::True).unwrap_err().to_string().contains("high-contrast"));
    }

    #[test]
    fn true_colour_maps_to_the_palette() {
        for (name, text) in BUILT_IN {
            let theme = Theme::parse(name, text, Depth::Ansi256).unwrap();
            let styles = [theme.screen, theme.critical, theme.tab, theme.rule].into_iter().chain(theme.chart);
            let colors = styles.flat_map(|style| [style.fg, style.bg]).flatten();
            assert!(colors.into_iter().all(|color| !matches!(color, Color::Rgb(..))), "{name}");
        }
        assert_eq!(Depth::detect(None, Some("xterm-256color")), Depth::Ansi256);
        assert_eq!(Depth::detect(Some("truecolor"), None), Depth::True);
    }
}
