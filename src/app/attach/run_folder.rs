//! The folder with a collector's state, one for each fleet, where other processes find it. Used by
//! `collect`, `status`, `healthcheck`, `metrics`, and by a screen that looks for a collector to follow.
//!
//! A tenant's is the tenant's own folder. A plain inventory and a demo have none, so theirs is made below `run` in
//! `$DBTOP_HOME`, else in the platform's folder for running programs, under the inventory's name and a number of its path.

use crate::{
    app::{inventory::open, log::make_folder, selection::Selection},
    model::inventory::record::Slug,
    store::{Home, LockedTenant},
};
use anyhow::Context;
use std::path::{Path, PathBuf};

/// A folder of state, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    /// the folder; not there yet for a plain inventory that was never collected
    pub folder: PathBuf,
    /// the tenant, the inventory file's name, or `demo`
    pub title: String,
    /// a name for files elsewhere: `tenant-acme`
    pub name: String,
}

impl RunFolder {
    /// The folder of the selected fleet. This makes nothing.
    ///
    /// # Errors
    /// No tenant, several of them, or an inventory that is not there.
    pub fn find(selection: &Selection) -> anyhow::Result<Self> {
        if let Some(instances) = selection.demo {
            return run(&format!("demo-{instances}-{}", selection.seed), "demo".to_owned());
        }
        if let Some(file) = &selection.inventory {
            let path = file.canonicalize().with_context(|| format!("looking for {}", file.display()))?;
            let stem = path.file_stem().map_or_else(|| "fleet".into(), |stem| stem.to_string_lossy());
            let name = format!("file-{}-{:016x}", letters(&stem), number_of(&path));
            return run(&name, stem.into_owned());
        }
        Ok(Self::of_tenant(&open::locked(selection)?))
    }

    /// That of a tenant.
    pub fn of_tenant(tenant: &LockedTenant) -> Self {
        Self::of_folder(tenant.slug(), tenant.folder().to_owned())
    }

    /// That of a tenant whose folder is known.
    pub fn of_folder(slug: &Slug, folder: PathBuf) -> Self {
        Self { folder, title: slug.to_string(), name: format!("tenant-{slug}") }
    }

    /// Those of plain inventories that were collected by this user, whether somebody does so now or not. The file's path is not
    /// known any more, its name is.
    ///
    /// # Errors
    /// The folder of all of them cannot be read.
    pub fn of_inventories() -> anyhow::Result<Vec<Self>> {
        let all = run_folder()?;
        let entries = match std::fs::read_dir(&all) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.with_context(|| format!("looking for collectors in {}", all.display()))?,
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut found: Vec<Self> = names
            .filter_map(|name| {
                let title = title_of(&name)?.to_owned();
                Some(Self { folder: all.join(&name), title, name })
            })
            .collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Makes the folder if that is our task: a tenant's is made with the tenant.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn make(&self) -> anyhow::Result<()> {
        let made = make_folder(&self.folder);
        made.with_context(|| format!("making the folder {}", self.folder.display()))
    }
}

/// The name of the inventory in the name of its folder, `file-fleet-00000000deadbeef`.
fn title_of(name: &str) -> Option<&str> {
    let (title, number) = name.strip_prefix("file-")?.rsplit_once('-')?;
    (number.len() == 16 && number.bytes().all(|b| b.is_ascii_hexdigit())).then_some(title)
}

fn run(name: &str, title: String) -> anyhow::Result<RunFolder> {
    Ok(RunFolder { folder: run_folder()?.join(name), title, name: name.to_owned() })
}

fn run_folder() -> anyhow::Result<PathBuf> {
    let home = Home::find()?;
    if std::env::var_os("DBTOP_HOME").is_some_and(|folder| !folder.is_empty()) {
        return Ok(home.data().join("run"));
    }
    let platform = directories::ProjectDirs::from("", "", "dbtop");
    let runtime = platform.and_then(|dirs| dirs.runtime_dir().map(Path::to_owned));
    Ok(runtime.unwrap_or_else(|| home.data().join("run")))
}

/// Keeps the characters that every file system takes, 40 at most.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).take(40).collect()
}

/// A number for a path that stays the same from version to version: FNV-1a, 64 bits
/// (<http://www.isthe.com/chongo/tech/comp/fnv/>). It tells files of one name apart; nothing secret depends on it.
fn number_of(path: &Path) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    path.as_os_str().as_encoded_bytes().iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_files_of_one_name_have_two_places_and_a_name_is_safe() {
        assert_ne!(number_of(Path::new("/a/fleet.toml")), number_of(Path::new("/b/fleet.toml")));
        assert_eq!(number_of(Path::new("a")), 0xaf63_dc4c_8601_ec8c, "as published for \"a\"");
        assert_eq!(letters("../Köln prod_1"), "Klnprod_1");
        assert_eq!(title_of("file-my-fleet-00000000deadbeef"), Some("my-fleet"));
        assert_eq!(["demo-40-7", "file-x", "file-x-12"].map(title_of), [None; 3]);
    }
}
