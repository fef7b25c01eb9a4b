//! The screen: the only module that knows ratatui and crossterm.

pub mod theme;
pub mod widget;
