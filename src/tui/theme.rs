//! Themes: a dozen and a half semantic roles read from a small TOML file. Panes ask for roles, never for colours.
//!
//! Five themes are built in; [`Theme::load`] reads a user's own. [`Depth`] maps true colour down to what the terminal can do.

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

/// The areas of a chart whose hues are those of [`LabelColor::ALL`], for themes without colours of labels.
const HUES: [usize; 8] = [6, 0, 2, 1, 4, 9, 3, 7];

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
    #[serde(default)]
    label: Vec<String>,
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
    /// the colour of each label
    labels: Vec<(LabelColor, Style)>,
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
        let style = |text: &str| style(text, depth).map_err(wrong);
        let chart = file.chart.iter().map(|s| style(s)).collect::<Result<Vec<_>, _>>()?;
        if chart.is_empty() {
            return Err(wrong("chart needs at least one colour".to_owned()));
        }
        let mut labels = file.label.iter().map(|s| style(s)).collect::<Result<Vec<_>, _>>()?;
        if labels.is_empty() {
            // A theme that was written before labels had colours of their own.
            labels = HUES.iter().filter_map(|n| chart.get(n % chart.len()).copied()).collect();
        } else if labels.len() != LabelColor::ALL.len() {
            let names = LabelColor::ALL.map(LabelColor::as_str).join(", ");
            return Err(wrong(format!("label needs a colour for each of {names}")));
        }
        Ok(Self {
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
            labels: LabelColor::ALL.into_iter().zip(labels).collect(),
        })
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
    /// The colour of a label, for its swatch and for its name: it can be read on every background of the theme. Health keeps its
    /// own colours.
    pub fn label(&self, color: LabelColor) -> Style {
        self.labels.iter().find(|(one, _)| *one == color).map_or_else(Style::default, |(_, style)| *style)
    }
}

/// Reads `#rrggbb on #rrggbb bold`. Roles without `on` keep the background below them.
fn style(text: &str, depth: Depth) -> Result<Style, String> {
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
                let color = color(word, depth).ok_or_else(|| format!("{word} is no colour in \"{text}\""))?;
                style = if background { style.bg(color) } else { style.fg(color) };
                background = false;
            }
        }
    }
    if background { Err(format!("a colour is missing after \"on\" in \"{text}\"")) } else { Ok(style) }
}

fn color(word: &str, depth: Depth) -> Option<Color> {
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
            match depth {
                Depth::True => Color::Rgb(r, g, b),
                Depth::Ansi256 => Color::Indexed(nearest_256(r, g, b)),
            }
        }
    })
}

/// The nearest colour of xterm's palette: the 6×6×6 cube (levels 0, 95, 135 … 255) or one of its 24 greys.
fn nearest_256(r: u8, g: u8, b: u8) -> u8 {
    let level = |v: u8| {
        if v < 48 {
            0
        } else if v < 115 {
            1
        } else {
            (v - 35) / 40
        }
    };
    let value = |i: u8| if i == 0 { 0 } else { 55 + 40 * i };
    let distance = |(x, y, z): (u8, u8, u8)| {
        let d = |a: u8, b: u8| i32::from(a.abs_diff(b)).pow(2);
        d(r, x) + d(g, y) + d(b, z)
    };
    let cube = (level(r), level(g), level(b));
    let mean = (u16::from(r) + u16::from(g) + u16::from(b)) / 3;
    let grey = (mean.saturating_sub(3) / 10).min(23) as u8;
    let grey_value = 8 + 10 * grey;
    if distance((grey_value, grey_value, grey_value))
        < distance((value(cube.0), value(cube.1), value(cube.2)))
    {
        232 + grey
    } else {
        16 + 36 * cube.0 + 6 * cube.1 + cube.2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red, green and blue of a colour, as terminals show the 256; None for a colour that each terminal shows in its own way.
    fn parts(color: Color) -> Option<[u8; 3]> {
        let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
        match color {
            Color::Rgb(r, g, b) => Some([r, g, b]),
            Color::Indexed(n @ 16..=231) => {
                let n = n - 16;
                Some([level(n / 36), level(n / 6 % 6), level(n % 6)])
            }
            Color::Indexed(n @ 232..) => Some([8 + 10 * (n - 232); 3]),
            _ => None,
        }
    }

    /// WCAG 2.1 relative luminance and contrast ratio.
    fn contrast(ink: Color, paper: Color) -> Option<f64> {
        let luminance = |c| {
            let [r, g, b] = parts(c)?.map(|v| {
                let v = f64::from(v) / 255.0;
                if v <= 0.039_28 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
            });
            Some(0.2126 * r + 0.7152 * g + 0.0722 * b)
        };
        let (x, y) = (luminance(ink)?, luminance(paper)?);
        Some((x.max(y) + 0.05) / (x.min(y) + 0.05))
    }

    /// Every role in which text is written, by name.
    fn inks(t: &Theme) -> Vec<(&'static str, Style)> {
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
        let labels = LabelColor::ALL.map(|color| (color.as_str(), t.label(color)));
        roles.into_iter().chain(labels).collect()
    }

    #[test]
    fn every_built_in_theme_parses_and_can_be_read_in_both_depths() {
        let mut faint = Vec::new();
        for (name, text) in BUILT_IN {
            assert!(text.lines().count() <= 25, "{name} grew beyond a glance");
            for depth in [Depth::True, Depth::Ansi256] {
                let t = Theme::parse(name, text, depth).unwrap();
                let on = [t.screen.bg, t.selection.bg, t.panel.bg, t.input.bg];
                let mut hold = |role: &str, fg: Option<Color>, bg: Option<Color>, least: f64| {
                    let measured = fg.zip(bg).and_then(|(fg, bg)| contrast(fg, bg));
                    if let Some(c) = measured.filter(|c| *c < least) {
                        faint.push(format!("{name}, {depth:?}: {role} on {bg:?} has a contrast of {c:.1}"));
                    }
                };
                for (role, style) in inks(&t) {
                    let least = if role == "base" || role == "strong" { 7.0 } else { 4.5 };
                    for bg in on {
                        hold(role, style.fg, bg, least);
                    }
                }
                for (role, own) in [("tab", t.tab), ("banner", t.banner), ("input", t.input)] {
                    hold(role, own.fg, own.bg, 4.5);
                }
            }
        }
        assert!(faint.is_empty(), "{}", faint.join("\n"));
    }

    #[test]
    fn the_colours_of_labels_are_told_apart_and_an_older_theme_has_them_too() {
        for (name, text) in BUILT_IN.into_iter().filter(|(name, _)| *name != "mono") {
            let t = Theme::parse(name, text, Depth::True).unwrap();
            let inks: std::collections::HashSet<_> = LabelColor::ALL.map(|c| t.label(c).fg).into();
            assert_eq!(inks.len(), LabelColor::ALL.len(), "{name}");
        }
        let (without, _) = BUILT_IN[0].1.split_once("label = ").unwrap();
        let older = Theme::parse("mine", without, Depth::True).unwrap();
        assert_eq!(older.label(LabelColor::Orange), older.area(9));
        let few = format!("{without}label = [\"red\"]\n");
        let e = Theme::parse("mine", &few, Depth::True).unwrap_err().to_string();
        assert!(e.contains("label needs a colour for each of gray, blue, "), "{e}");
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
        assert_eq!(nearest_256(0, 0, 0), 16);
        assert_eq!(nearest_256(255, 255, 255), 231);
        assert_eq!(nearest_256(255, 0, 0), 196);
        assert_eq!(nearest_256(0x80, 0x80, 0x80), 244);
        assert_eq!(Depth::detect(None, Some("xterm-256color")), Depth::Ansi256);
        assert_eq!(Depth::detect(Some("truecolor"), None), Depth::True);
    }
}
