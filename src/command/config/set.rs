//! `dbtop config set`: edits one option of the configuration file, with its entry in the tenant's audit log.

use crate::{
    app::{
        configuration::ConfigFile, inventory::open::tenants_there, selection::Selection, settings::Editor,
    },
    cli::Format,
    command::{
        ask,
        invocation::Invocation,
        output::{Cell, Grid},
        theme,
    },
    store::Tenant,
};
use std::io::stdout;

/// Edits the file and prints what changed; None: the option goes out of the file.
///
/// # Errors
/// There is no such option, or its value is not allowed; the tenant does not open; the file cannot be written.
pub fn run(key: &str, value: Option<&str>, output: Format, invocation: &Invocation) -> anyhow::Result<()> {
    let given = invocation.given.clone();
    let editor = Editor { place: ConfigFile::find(&given), given, check: theme::error };
    let edit = editor.edit(key, value)?;
    let mut log = if edit.is_nothing() { None } else { log(&invocation.selection)? };
    let edited = edit.write(log.as_mut())?;
    ask::say(&edited.words);
    let texts = [&edited.key, &edited.before, &edited.after];
    let rows = vec![texts.map(|text| Cell::Text(text.clone())).to_vec()];
    Grid { columns: vec!["option", "before", "after"], rows }.print(output, &mut stdout().lock())
}

/// The tenant whose audit log takes the entry; None: there is no tenant.
fn log(selection: &Selection) -> anyhow::Result<Option<Tenant>> {
    if !selection.is_sealed() || (selection.tenant.is_none() && tenants_there()?.is_empty()) {
        ask::say("no tenant is named, so no audit log has an entry of this");
        return Ok(None);
    }
    ask::unlocked(selection).map(Some)
}
