//! The rules of `docs/ARCHITECTURE.md`, as tests over the text of the project. Each failure says where and what to do.
//!
//! | rules | file |
//! |---|---|
//! | who may use whom, and what must stay pure | `tidy/layers.rs` |
//! | no knots of files that import each other | `tidy/circles.rs`, over `tidy/imports.rs` |
//! | which external crate belongs to which module | `tidy/crates.rs` |
//! | only the engine of history names SQL | `tidy/history.rs` |
//! | no decoder believes a duration of a server by itself | `tidy/clocks.rs` |
//! | no decoder believes a count of a server by itself | `tidy/counts.rs` |
//! | every duration is told by `model::base::figure` | `tidy/durations.rs` |
//! | every script: registered once, tagged, described, read-only | `tidy/scripts.rs` |
//! | what is written to files keeps its layout | `tidy/stored.rs` |
//! | sizes of files and functions | `tidy/sizes.rs` |
//! | the names in `docs/CONTRIBUTING.md` | `tidy/paths.rs` |
//! | the words of the screen, by the glossary of `docs/CONTRIBUTING.md` | `tidy/words.rs` |
//! | module docs, no paths of one machine, loose ends, documents | `tidy/house.rs` |
//!
//! Rules about data stand beside the data, as unit tests: defaults and `config.example.toml` in `config`, keys and
//! `docs/keys.md` in `tui::keymap`, contrast of themes in `tui::theme`. Clippy has the rest (`Cargo.toml`,
//! `.clippy.toml`).

#[path = "tidy/circles.rs"]
mod circles;
#[path = "tidy/clocks.rs"]
mod clocks;
#[path = "tidy/counts.rs"]
mod counts;
#[path = "tidy/crates.rs"]
mod crates;
#[path = "tidy/durations.rs"]
mod durations;
#[path = "tidy/history.rs"]
mod history;
#[path = "tidy/house.rs"]
mod house;
#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/paths.rs"]
mod paths;
#[path = "tidy/project.rs"]
mod project;
#[path = "tidy/scripts.rs"]
mod scripts;
#[path = "tidy/sizes.rs"]
mod sizes;
#[path = "tidy/stored.rs"]
mod stored;
#[path = "tidy/words.rs"]
mod words;
