//! A report without what nobody reads in it: from 2022 on each task brings its native stack, three quarters of the bytes.

/// The element of a native stack.
const NATIVE: &str = "stackFrames";

/// The text without native stacks. What a cut text has of one goes, too.
pub fn without_native_stacks(xml: &str) -> String {
    let (begin, end) = (format!("<{NATIVE}"), format!("</{NATIVE}>"));
    let mut lean = String::with_capacity(xml.len());
    let mut rest = xml;
    while let Some((before, stack)) = rest.split_once(begin.as_str()) {
        lean.push_str(before);
        let opened = stack.split_once('>');
        let is_empty = opened.is_some_and(|(attributes, _)| attributes.ends_with('/'));
        rest = match (opened, stack.split_once(end.as_str())) {
            (Some((_, after)), _) if is_empty => after,
            (_, Some((_, after))) => after,
            _ => "",
        };
    }
    lean.push_str(rest);
    lean
}

/// The graph of an event alone, as `.xdl` files have it; the whole text if no graph is in it.
pub fn graph(xml: &str) -> &str {
    let end = "</deadlock>";
    let begins = |rest: &str| rest.starts_with("<deadlock>") || rest.starts_with("<deadlock ");
    let from = xml.match_indices("<deadlock").map(|(at, _)| at).find(|at| xml.get(*at..).is_some_and(begins));
    let to = xml.rfind(end).map(|at| at + end.len());
    from.zip(to).filter(|(from, to)| from < to).and_then(|(from, to)| xml.get(from..to)).unwrap_or(xml)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_stacks_go_and_all_else_stays() {
        for (xml, lean) in [
            ("<a><stackFrames><frame id=\"0\"/></stackFrames><b/></a>", "<a><b/></a>"),
            ("<a><stackFrames/><b/></a>", "<a><b/></a>"),
            ("<a><stackFrames n=\"1\"/><b/><stackFrames>x</stackFrames></a>", "<a><b/></a>"),
            ("<a><stackFrames><frame", "<a>"),
            ("<a><stackFrames", "<a>"),
            ("<a>stackFrames</a>", "<a>stackFrames</a>"),
            ("", ""),
        ] {
            assert_eq!(without_native_stacks(xml), lean);
        }
    }

    #[test]
    fn the_graph_is_taken_out_of_its_event() {
        for (xml, taken) in [
            ("<event><value><deadlock><a/></deadlock></value></event>", "<deadlock><a/></deadlock>"),
            (
                "<deadlock-list><deadlock victim=\"x\"/><deadlock></deadlock></deadlock-list>",
                "<deadlock victim=\"x\"/><deadlock></deadlock>",
            ),
            ("<deadlock></deadlock>", "<deadlock></deadlock>"),
            ("</deadlock><deadlock>", "</deadlock><deadlock>"),
            ("<event/>", "<event/>"),
        ] {
            assert_eq!(graph(xml), taken);
        }
    }
}
