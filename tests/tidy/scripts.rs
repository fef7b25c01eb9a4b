//! The T-SQL that dbtop sends: every script described, tagged, embedded in one place and proven to only read.

use dbtop::sql::{batch, readonly};

use crate::project::{File, assert_none, code_of, files, line_of};

/// Folders of scripts that change servers on purpose. None yet; each comes with its own rules.
const MAY_CHANGE_SERVERS: &[&str] = &[];

fn scripts() -> Vec<File> {
    files("tsql", ".sql")
}

#[test]
fn every_script_only_reads() {
    let offences: Vec<String> = scripts()
        .iter()
        .filter(|script| !MAY_CHANGE_SERVERS.iter().any(|folder| script.path.starts_with(folder)))
        .filter_map(|script| {
            // Placeholders such as [$db$] are quoted names already.
            let refusal = readonly::prove(&script.text).err()?;
            Some(format!("{}:{}: `{}` {}", script.path, refusal.line, refusal.token, refusal.reason))
        })
        .collect();
    assert_none("nothing is written on a watched server (sql::readonly)", &offences);
}

#[test]
fn every_script_says_what_it_returns_needs_and_costs() {
    let mut offences = Vec::new();
    for script in scripts() {
        let header: Vec<&str> = script.text.lines().take_while(|line| line.starts_with("--")).collect();
        let told = header.iter().filter(|line| !line.starts_with("-- dbtop:")).count();
        if told == 0 {
            offences.push(format!("{}:1: open it with `--` lines that say what it returns", script.path));
        }
        let header = header.join(" ");
        if !header.contains("Right:") && !header.contains("right") {
            offences
                .push(format!("{}:1: the header must say which right it needs (`-- Right: …`)", script.path));
        }
        if script.path.starts_with("tsql/probe/") && !header.contains("Cost:") {
            offences.push(format!(
                "{}:1: the header must say what it costs the server (`-- Cost: …`)",
                script.path
            ));
        }
        offences.extend(version_faults(&script));
    }
    assert_none("a script's header", &offences);
}

/// GETDATE() stands still while a statement runs; what it reads may have begun since. The age of that is -1 s, and one more is a zero.
#[test]
fn no_script_divides_by_the_age_of_what_is_younger_than_its_clock() {
    let ages = |script: &File| -> Vec<String> {
        let parts = script.text.split("DATEDIFF(second, ").skip(1);
        let of_age = parts.filter(|part| part.lines().next().is_some_and(|line| line.ends_with("AS age_s,")));
        of_age.filter_map(|part| Some(part.split_once(',')?.0.to_owned())).collect()
    };
    let mut seen = 0;
    let mut offences = Vec::new();
    for script in scripts() {
        for column in ages(&script) {
            seen += 1;
            if !script.text.contains(&format!("{column} < GETDATE()")) {
                offences.push(format!(
                    "{}: leave out what `{column} < GETDATE()` does not hold for",
                    script.path
                ));
            }
        }
    }
    assert!(seen >= 3, "{seen} ages were found");
    assert_none("a busy server must not answer with a division by zero", &offences);
}

#[test]
fn every_script_carries_its_tag() {
    let offences: Vec<String> = scripts()
        .iter()
        .filter(|script| !script.text.contains(&format!("/* dbtop:{} */", stem(script))))
        .map(|script| {
            format!(
                "{}: put `/* dbtop:{} */` behind its first word, so that a DBA can find it",
                script.path,
                stem(script)
            )
        })
        .collect();
    assert_none("a DBA can tell our statements from all others", &offences);
}

#[test]
fn every_script_is_one_batch() {
    let offences: Vec<String> = scripts()
        .iter()
        .filter(|script| batch::split(&script.text).len() != 1)
        .map(|script| {
            format!("{}: a script is sent as it is, so it must be one batch without GO", script.path)
        })
        .collect();
    assert_none("one script, one batch", &offences);
}

#[test]
fn every_script_is_embedded_in_exactly_one_place() {
    let sources: Vec<(File, String)> = files("src", ".rs")
        .into_iter()
        .map(|file| {
            let code = code_of(&file.text);
            (file, code)
        })
        .collect();
    let mut offences = Vec::new();
    for script in scripts() {
        let places: Vec<String> =
            sources.iter().flat_map(|(file, code)| embeddings(file, code, &script)).collect();
        if places.len() != 1 {
            let found = if places.is_empty() { "nowhere".to_owned() } else { places.join(", ") };
            offences.push(format!("{}: embed it in one place (found: {found})", script.path));
        }
    }
    assert_none("every script is registered", &offences);
}

/// Where a source embeds a script: by `include_str!` with its path, or by `script!` of the probes with its name.
fn embeddings(source: &File, code: &str, script: &File) -> Vec<String> {
    let by_path = ("include_str!(", format!("include_str!(\"../../{}\")", script.path));
    let by_name = ("script!(", format!("script!(\"{}\"", stem(script)));
    let in_registry = script.path.starts_with("tsql/probe/") && source.path.starts_with("src/probe/");
    let spellings = if in_registry { vec![by_path, by_name] } else { vec![by_path] };
    let mut found = Vec::new();
    for (visible, spelling) in spellings {
        for (at, _) in source.text.match_indices(&spelling) {
            // A mention in a comment is blank in the code.
            if code[at..].starts_with(visible) {
                found.push(format!("{}:{}", source.path, line_of(code, at)));
            }
        }
    }
    found
}

/// `-- dbtop: min=2016 max=2025`, if it is there, must be the first line and name known versions in order.
fn version_faults(script: &File) -> Option<String> {
    const VERSIONS: [&str; 5] = ["2016", "2017", "2019", "2022", "2025"];
    let (number, line) = script.text.lines().enumerate().find(|(_, line)| line.starts_with("-- dbtop:"))?;
    let value = |key: &str| {
        line.split_whitespace()
            .find_map(|word| word.strip_prefix(key))
            .map_or(Some(None), |year| VERSIONS.iter().position(|known| *known == year).map(Some))
    };
    let fine = match (value("min="), value("max=")) {
        (Some(min), Some(max)) => min.unwrap_or(0) <= max.unwrap_or(VERSIONS.len() - 1),
        _ => false,
    };
    (number != 0 || !fine).then(|| {
        format!(
            "{}:{}: write `-- dbtop: min=2016 max=2025` on the first line, with versions of the list",
            script.path,
            number + 1
        )
    })
}

fn stem(script: &File) -> &str {
    script.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".sql")
}
