//! Every relative link of every page leads to a file, and to a heading of it where it names one.

use std::fs;
use std::path::Path;

use crate::support::repository::{files, root};

/// A page without its fenced blocks and without what stands between backquotes.
fn prose(page: &str) -> String {
    let mut inside = false;
    let lines = page.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    });
    let lines: Vec<String> = lines.map(|line| line.split('`').step_by(2).collect()).collect();
    lines.join("\n")
}

/// Where a page's links lead.
fn links(page: &str) -> Vec<String> {
    let prose = prose(page);
    let parts = prose.split("](").skip(1);
    parts.filter_map(|part| part.split_once(')')).map(|(link, _)| link.to_owned()).collect()
}

/// The anchors that GitHub and its like make of the headings.
fn anchors(page: &str) -> Vec<String> {
    let mut inside = false;
    let mut found: Vec<String> = Vec::new();
    for line in page.lines() {
        inside ^= line.trim_start().starts_with("```");
        if inside || !line.starts_with('#') {
            continue;
        }
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let again = found.iter().filter(|other| **other == anchor).count();
        found.push(if again == 0 { anchor } else { format!("{anchor}-{again}") });
    }
    found
}

/// Why a link of a page at that path leads nowhere; none if it leads somewhere, or out of the repository.
fn fault(path: &Path, page: &str, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = path.parent().unwrap().join(file);
    if !file.is_empty() && !target.exists() {
        return Some("there is no such file".to_owned());
    }
    let text =
        if file.is_empty() { page.to_owned() } else { fs::read_to_string(&target).unwrap_or_default() };
    let found = anchor.is_empty() || anchors(&text).iter().any(|other| other == anchor);
    (!found).then(|| format!("no heading there is #{anchor}"))
}

#[test]
fn every_link_leads_somewhere() {
    let (mut faults, mut count) = (Vec::new(), 0);
    for path in files(root(), &|name| name.ends_with(".md")) {
        let page = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(root()).unwrap().display();
        for link in links(&page) {
            count += 1;
            faults.extend(fault(&path, &page, &link).map(|why| format!("{name}: ({link}) {why}")));
        }
    }
    assert!(count > 20, "{count} links");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_broken_link_is_found() {
    let page = "# A `b`: c\n[x](no.md) [y](#a-b-c) `[z](code.md)` [v](#d)\n```sh\n# d\n[w](block.md)\n```\n";
    let path = root().join("README.md");
    let broken: Vec<String> =
        links(page).into_iter().filter(|link| fault(&path, page, link).is_some()).collect();
    assert_eq!(broken, ["no.md", "#d"]);
}
