//! Files that are checked in and can be written anew: with BLESS set, they are.

use std::sync::{Mutex, PoisonError};

use super::repository::root;

/// Compares a file with what it should hold; with BLESS set, writes it.
pub fn golden(name: &str, expected: &str) {
    let path = root().join(name);
    let mut found = std::fs::read_to_string(&path).unwrap_or_default();
    // What is compiled in would be compiled anew if it were written for nothing.
    if found != expected && std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, expected).expect("the golden file can be written");
        expected.clone_into(&mut found);
    }
    let (found_lines, expected_lines): (Vec<_>, Vec<_>) =
        (found.lines().collect(), expected.lines().collect());
    let only = |lines: &[&str], others: &[&str], mark: &str| {
        let only = lines.iter().filter(|line| !others.contains(line));
        only.map(|line| format!("{mark}{line}\n")).collect::<String>()
    };
    assert!(
        found == expected,
        "{name} is stale: run `make bless` and review its diff\n{}{}",
        only(&found_lines, &expected_lines, "-"),
        only(&expected_lines, &found_lines, "+")
    );
}

/// Puts text between two marks of a Markdown file.
pub fn between_marks(name: &str, mark: &str, text: &str) {
    between(name, &format!("<!-- {mark}: begin -->\n"), &format!("<!-- {mark}: end -->"), text);
}

/// Puts text where a file first says `begin`, up to the next `end`.
pub fn between(name: &str, begin: &str, end: &str, text: &str) {
    // Tests that run side by side write different parts of one file.
    static PAGES: Mutex<()> = Mutex::new(());
    let _alone = PAGES.lock().unwrap_or_else(PoisonError::into_inner);
    let path = root().join(name);
    let page = std::fs::read_to_string(path).expect("the file is there");
    let (before, rest) = page.split_once(begin).expect("its begin");
    let (_, after) = rest.split_once(end).expect("its end");
    golden(name, &format!("{before}{begin}{text}{end}{after}"));
}
