//! The configuration changes under the running screen: its file, and SIGHUP.

use super::key;
use crate::harness::{
    Home, PATIENCE,
    process::{SimProcess, signal},
    screen::{self, Screen},
};
use std::time::{Duration, Instant};

/// Puts a configuration where the program looks for it.
fn configure(home: &Home, text: &str) {
    std::fs::write(home.path().join("config.toml"), text).expect("writing the configuration");
}

fn demo(home: &Home) -> Screen {
    super::demo_of(home, 160)
}

/// The background of the screen's first cell: each theme has its own.
fn ground(screen: &vt100::Screen) -> vt100::Color {
    screen.cell(0, 0).map_or(vt100::Color::Default, vt100::Cell::bgcolor)
}

#[test]
fn a_changed_file_takes_effect_without_a_restart() {
    let home = Home::new();
    configure(&home, "[ui]\ntheme = \"dark\"\n");
    let mut s = demo(&home);
    let (dark, pid) = (ground(s.look()), s.pid());
    // Everything is above these thresholds.
    configure(
        &home,
        "[ui]\ntheme = \"light\"\nmouse = true\n[health]\ncpu_warning_pct = 0\ncpu_critical_pct = 0\n[log]\nfolder = \"x\"\n",
    );
    s.until_shows(
        "configuration read again: health.cpu_critical_pct, health.cpu_warning_pct, ui.mouse, ui.theme",
    );
    assert!(s.text().contains("at the next start: log.folder"), "{}", s.text());
    s.until_looks("the light theme", |screen| ground(screen) != dark);
    s.until_looks("the mouse is taken", |screen| {
        screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None
    });
    s.until("all of them are critical", |t| t.contains("✖ 6"));
    assert_eq!(s.pid(), pid);
    s.keys(b"q");
    assert_eq!(s.ended(), 0);
    s.assert_restored();
    home.assert_nothing_left();
}

#[test]
fn the_clock_is_the_one_of_the_session_until_the_file_names_another() {
    let home = Home::new();
    let mut command = screen::dbtop(&["--demo=6"], &home);
    command.env("TZ", "Asia/Kathmandu");
    let mut s = Screen::start_command(command, 160, 30);
    s.until("the clock of TZ", |t| t.contains("+05:45") && t.contains("6 instances"));
    configure(&home, "[ui]\ntime_zone = \"Europe/Berlin\"\n");
    s.until("the clock of the file", |t| t.contains(" CET ") || t.contains(" CEST "));
    configure(&home, "[ui]\ntime_zone = \"Europe/Berln\"\n");
    s.until_shows("did you mean \"Europe/Berlin\"?");
    s.keys(b"q");
    assert_eq!(s.ended(), 0);
}

#[test]
fn what_the_command_line_says_stays_said() {
    let home = Home::new();
    let mut s = Screen::start(&["--demo=6", "--theme", "dark"], 120, 30, &home);
    s.until_shows("6 instances");
    let dark = ground(s.look());
    // There was no file before.
    configure(&home, "[ui]\ntheme = \"light\"\n[poll]\nslow_s = 600\n");
    s.until_shows("configuration read again: poll.slow_s");
    assert!(!s.text().contains("ui.theme") && ground(s.look()) == dark, "{}", s.text());
}

#[test]
fn a_bad_file_keeps_the_old_configuration_and_says_where_it_is_bad() {
    let home = Home::new();
    let inventory = home.file("fleet.toml", "");
    configure(&home, "[ui]\ntheme = \"dark\"\n");
    let mut s = Screen::start(&["--inventory", &inventory.to_string_lossy()], 140, 30, &home);
    s.until_shows("No instances yet");
    let dark = ground(s.look());
    configure(&home, "[ui]\ntheme = \"light\"\nmuose = true\n");
    s.until_shows("config.toml: line 3: [ui] has no option `muose`; did you mean `mouse`?");
    assert!(s.text().contains("the configuration stays as it was"), "{}", s.text());
    assert!(ground(s.look()) == dark, "no half of it");
    configure(&home, "\n[ui]\ntheme = \"lihgt\"\n");
    s.until_shows("config.toml: line 3: no theme named lihgt");
    configure(&home, "[ui]\ntheme = \"light\"\n");
    s.until_shows("configuration read again: ui.theme");
    s.until_looks("the light theme", |screen| ground(screen) != dark);
    s.keys(b"q");
    assert_eq!(s.ended(), 0);
    let log = super::log(&home);
    assert!(log.contains("WARN") && log.contains("line 3: [ui] has no option `muose`"), "{log}");
}

#[test]
fn sighup_reads_the_configuration_while_the_terminal_is_there() {
    let home = Home::new();
    let mut s = demo(&home);
    signal(s.pid(), "HUP");
    s.until_shows("configuration read again: nothing changed");
    configure(&home, "[poll]\nfleet_s = 45\n");
    signal(s.pid(), "HUP");
    s.until_shows("configuration read again: poll.fleet_s");
    configure(&home, "[poll]\nfleet_s = 4\n");
    signal(s.pid(), "HUP");
    s.until_shows("[poll] fleet_s = 4 is not within 30 to 3600");
    // It is as alive as before.
    s.keys(b"?");
    s.until_shows("Keys");
    s.keys(key::ESC);
    s.until("the fleet", |t| t.contains("6 instances"));
    s.keys(b"q");
    assert_eq!(s.ended(), 0);
    s.assert_restored();
    home.assert_nothing_left();
}

#[test]
fn the_log_level_can_be_raised_to_see_what_goes_on() {
    let sim = SimProcess::start(2, 0, None);
    let home = Home::new();
    configure(&home, "[log]\nlevel = \"info\"\n");
    let mut s = Screen::start(&["--inventory", &sim.inventory()], 120, 30, &home);
    s.until("two instances", |t| t.contains("2 instances") && t.contains("● 2"));
    assert!(!super::log(&home).contains("polled"), "not at this level");
    configure(&home, "[log]\nlevel = \"debug\"\n");
    s.until_shows("configuration read again: log.level");
    let since = Instant::now();
    while !super::log(&home).contains("polled") {
        assert!(since.elapsed() < PATIENCE, "no poll in the log:\n{}", super::log(&home));
        s.keys(b"r");
        s.run_for(Duration::from_millis(200));
    }
}
