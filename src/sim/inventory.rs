//! The inventory file of a running fleet, in the plain form that dbtop reads with `--inventory`.

use super::{
    Sim,
    world::{
        profile::{Profile, Role},
        version::Version,
    },
};
use std::{
    fmt::Write,
    net::{IpAddr, SocketAddr},
};

/// SQL Server's port, left out of the file.
const USUAL_PORT: u16 = 1433;

/// The whole file.
pub fn toml(sim: &Sim) -> String {
    let mut out = String::from("# A simulated fleet. The passwords are worth nothing outside of it.\n");
    let ca_file = sim.ca_file();
    // writing to a String cannot fail
    let _ = writeln!(out, "ca_file = {}", quoted(&ca_file.to_string_lossy()));
    let (user, password) = sim.login();
    for (profile, address) in sim.fleet().profiles.iter().zip(&sim.addresses) {
        let _ = write!(out, "{}", instance(profile, *address, user, password));
    }
    out
}

fn instance(p: &Profile, address: SocketAddr, user: &str, password: &str) -> String {
    let mut out =
        format!("\n[[instance]]\nname = {}\nhost = {}\n", quoted(&p.name), quoted(&address.ip().to_string()));
    if address.port() != USUAL_PORT || address.ip() != IpAddr::from(p.address()) {
        let _ = writeln!(out, "port = {}", address.port());
    }
    let groups: Vec<String> = p.groups().iter().map(|g| quoted(g)).collect();
    let _ = writeln!(out, "user = {}\npassword = {}", quoted(user), quoted(password));
    let _ = writeln!(out, "tls = \"{}\"", tls(p));
    let _ = writeln!(out, "groups = [{}]", groups.join(", "));
    let _ = writeln!(
        out,
        "labels = {{ env = \"{}\", team = \"{}\", tier = \"{}\" }}",
        match p.role {
            Role::Prod => "prod",
            Role::Reporting => "report",
            Role::Test => "test",
        },
        p.theme.team,
        tier(p),
    );
    out
}

/// The TLS mode of each instance: verified; a quarter of the new ones by TDS 8.0.
fn tls(p: &Profile) -> &'static str {
    if p.version >= Version::V2022 && p.dice.of("strict").chance(0.25) { "strict" } else { "verify" }
}

fn tier(p: &Profile) -> u8 {
    match (p.role, p.membership) {
        (Role::Prod, Some(_)) => 1,
        (Role::Prod, None) => 1 + u8::from(p.dice.of("tier").chance(0.6)),
        _ => 3,
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
