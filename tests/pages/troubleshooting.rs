//! The page on troubleshooting holds every sentence of `src/`, and no other.

use std::collections::BTreeSet;
use std::fs;

use proc_macro2::{TokenStream, TokenTree};

use crate::support::repository::{files, root, text};

/// Words of others by which something is recognized.
const OTHERS: [&str; 5] = ["Cluster API Key", "invalid API key", "dns error", "duplicate field", "at line"];

/// Texts in the code of a file, but for those that are told at the levels of info and debug.
fn texts(tokens: TokenStream, found: &mut BTreeSet<String>) {
    let mut before = [String::new(), String::new()];
    for token in tokens {
        let is_quiet = before == [":", "info"] || before == [":", "debug"];
        match &token {
            TokenTree::Group(group) if !is_quiet => texts(group.stream(), found),
            TokenTree::Literal(literal) if literal.to_string().starts_with('"') && before != ["doc", "="] => {
                found.insert(unescaped(&literal.to_string()));
            }
            _ => {}
        }
        before = [std::mem::take(&mut before[1]), token.to_string()];
    }
}

/// A text as it is told: a line that goes on is one with the next.
fn unescaped(literal: &str) -> String {
    let lines: Vec<&str> = literal.trim_matches('"').split("\\\n").map(str::trim_start).collect();
    lines.concat().replace("\\\"", "\"").replace("{{", "{").replace("}}", "}").replace("\\n", " ")
}

fn said() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in files(&root().join("src"), &|name| name.ends_with(".rs") && name != "tests.rs") {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        texts(code.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display())), &mut found);
    }
    found.retain(|text| !OTHERS.contains(&text.trim()) && is_sentence(text));
    found
}

/// What stands between names and numbers: `{…}` in the code, `…` on the page.
fn parts(text: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for c in text.replace('`', "").chars() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            _ if depth > 0 => continue,
            '…' => {}
            c => {
                parts.last_mut().unwrap().push(c);
                continue;
            }
        }
        parts.push(String::new());
    }
    let bare = |part: &String| part.trim_matches([' ', '.', ',', ':', ';']).to_owned();
    parts.iter().filter(|part| is_sentence(part)).map(bare).collect()
}

/// Two words at least, one of them long enough to be searched for.
fn is_sentence(text: &str) -> bool {
    let is_word = |word: &&str| word.len() > 1 && word.chars().any(char::is_alphabetic);
    text.contains(' ') && text.split_whitespace().filter(is_word).count() >= 2
}

fn page() -> String {
    text("docs/troubleshooting.md")
}

#[test]
fn every_sentence_of_the_program_is_on_the_page() {
    let page = page().replace('`', "");
    let said = said();
    assert!(said.len() > 150, "only {} sentences are found in src/", said.len());
    let missing: Vec<_> =
        said.iter().flat_map(|text| parts(text)).filter(|part| !page.contains(part)).collect();
    assert!(missing.is_empty(), "docs/troubleshooting.md lacks: {missing:#?}");
}

#[test]
fn every_sentence_of_the_page_is_in_the_program() {
    let said: Vec<String> = said().iter().flat_map(|text| parts(text)).collect();
    let page = page();
    let rows =
        page.lines().filter_map(|line| line.strip_prefix("| `")).map(|row| row.split(" | ").next().unwrap());
    let quoted = rows.flat_map(|cell| cell.split('`').step_by(2).map(str::to_owned).collect::<Vec<_>>());
    let quoted: Vec<String> = quoted.flat_map(|text| parts(&text)).collect();
    assert!(quoted.len() > 120, "only {} sentences are found on the page", quoted.len());
    let foreign: Vec<_> =
        quoted.iter().filter(|part| !said.iter().any(|text| text.contains(*part))).collect();
    assert!(foreign.is_empty(), "src/ does not say what docs/troubleshooting.md lists: {foreign:#?}");
}
