//! The pages for users, done as they say: each block of shell commands of the README, of `docs` and of
//! the READMEs of `integrations` is run, against the simulator. CONTRIBUTING.md says how to write one.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use simulator::Simulator;
use tempfile::TempDir;

use crate::support::repository::{files, root};
use crate::support::runtimes::{BINARY, command, kill, program};
use crate::support::sample::sample_scenario;
use crate::support::secrets_of;

/// Other names of what is written `sh`, which would not be run.
const OTHER_SHELLS: [&str; 6] = ["", "bash", "shell", "zsh", "console", "shell-session"];

/// What of the repository is in the folder of a page.
const COPIED: [&str; 3] = ["integrations", "catalogs", "docs"];

/// As long as a page's block may take: some install packages.
const LIMIT: Duration = Duration::from_secs(300);

/// What a line of HTML comment before a fence says.
#[derive(Clone, PartialEq)]
enum Mark {
    /// It is not run, for this reason.
    NotRun(String),
    /// It is written to this file.
    File(String),
    /// The last block that was run has printed its lines.
    Printed,
}

struct Block {
    /// The line of the fence, counted from 1.
    line: usize,
    language: String,
    mark: Option<Mark>,
    text: String,
}

struct Page {
    name: String,
    needs: Vec<String>,
    blocks: Vec<Block>,
}

fn mark(line: &str) -> Option<Mark> {
    let words = line.trim().strip_prefix("<!-- ")?.strip_suffix(" -->")?;
    match words.split_once(':') {
        Some(("not run", reason)) => Some(Mark::NotRun(reason.trim().to_owned())),
        Some(("file", name)) => Some(Mark::File(name.trim().to_owned())),
        None if words == "not run" => Some(Mark::NotRun(String::new())),
        None if words == "printed" => Some(Mark::Printed),
        _ => None,
    }
}

/// The fenced blocks of a page; those of a list are indented, and lose that.
fn blocks(text: &str) -> Result<Vec<Block>, String> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    let mut before: Option<(usize, Mark)> = None;
    while let Some((at, line)) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else {
            if let Some((mark, _)) = &before {
                return Err(format!("{mark}: the mark stands before no fence"));
            }
            before = mark(line).map(|mark| (at + 1, mark));
            continue;
        };
        let indent = line.len() - line.trim_start().len();
        let body = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```");
        let body = body.map(|line| format!("{}\n", line.get(indent..).unwrap_or_default()));
        let mark = before.take().map(|(_, mark)| mark);
        found.push(Block { line: at + 1, language: language.trim().to_owned(), mark, text: body.collect() });
    }
    Ok(found)
}

impl Page {
    fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).unwrap();
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        let first = text.lines().next().unwrap_or_default();
        let needs = first.strip_prefix("<!-- needs: ").and_then(|rest| rest.strip_suffix(" -->"));
        let needs = needs.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        let blocks = blocks(&text).map_err(|error| format!("{name}:{error}"))?;
        for Block { line, language, mark, .. } in &blocks {
            let is_run = language == "sh";
            let fault = match mark {
                None if OTHER_SHELLS.contains(&language.as_str()) => {
                    "a fence says what it holds; commands are `sh`"
                }
                Some(Mark::NotRun(reason)) if is_run && reason.is_empty() => {
                    "a block that is not run says why"
                }
                Some(Mark::NotRun(_)) if !is_run => "it would not be run anyway",
                Some(Mark::Printed) if is_run => "what is printed is `text`",
                _ => continue,
            };
            return Err(format!("{name}:{line}: {fault}"));
        }
        Ok(Self { name, needs, blocks })
    }

    /// Does what the page says, from top to bottom, in a folder of its own.
    fn follow(&self) -> Result<(), String> {
        let sim = Simulator::start(sample_scenario());
        let folder = TempDir::new().unwrap();
        for name in COPIED {
            // Copies, so that no page can leave anything in the repository.
            let copied = Command::new("cp").arg("-R").arg(root().join(name)).arg(folder.path()).status();
            assert!(copied.unwrap().success(), "{name} can be copied");
        }
        symlink(root().join("target"), folder.path().join("target")).unwrap();
        let (mut groups, outputs) = (Groups::default(), TempDir::new().unwrap());
        let mut printed = String::new();
        for block in &self.blocks {
            let place = format!("{}:{}", self.name, block.line);
            match &block.mark {
                Some(Mark::File(name)) => {
                    let path = folder.path().join(name);
                    fs::create_dir_all(path.parent().unwrap()).unwrap();
                    fs::write(path, &block.text).unwrap();
                }
                Some(Mark::Printed) => {
                    let missing = block.text.lines().find(|line| !printed.contains(line.trim()));
                    let missing =
                        missing.map(|line| format!("{place}: not printed: {line}\nbut:\n{printed}"));
                    missing.map_or(Ok(()), Err)?;
                }
                None if block.language == "sh" => {
                    printed = groups.run(self.shell(&sim, &folder), &block.text, outputs.path()).map_err(
                        |(ended, said)| format!("{place}: {ended}\n{}--- printed\n{said}", block.text),
                    )?;
                    if block.text.contains("target/debug/") {
                        stays_clean(folder.path()).map_err(|left| format!("{place}: {left}"))?;
                    }
                    let secret = secrets_of(&sim).into_iter().find(|secret| printed.contains(secret));
                    secret.map_or(Ok(()), |_| Err(format!("{place}: it printed the secret")))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn shell(&self, sim: &Simulator, folder: &TempDir) -> Command {
        let mut path = vec![Path::new(BINARY).parent().unwrap().to_owned()];
        path.extend(self.needs.iter().map(|name| program(name, "python").parent().unwrap().to_owned()));
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
        let mut bash = command("bash");
        bash.args(["-euo", "pipefail", "-c"]).current_dir(folder.path()).stdin(Stdio::null());
        bash.env("PATH", std::env::join_paths(path).unwrap()).env("NO_COLOR", "1");
        bash.env("CONFLUENT_CLOUD_API_KEY", sim.api_key());
        bash.env("CONFLUENT_CLOUD_API_SECRET", sim.api_secret());
        bash.env("TAP_CONFLUENT_CLOUD_BASE_URL", sim.base_url());
        bash.env("TAP_CONFLUENT_CLOUD_RETRY_BASE_SECONDS", "0.01");
        bash
    }
}

/// What a block makes that is run in a clone of the repository is to be ignored by git.
fn stays_clean(folder: &Path) -> Result<(), String> {
    let ignored = fs::read_to_string(root().join(".gitignore")).unwrap();
    let mut names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let known = |name: &OsString| {
        COPIED.iter().any(|copied| name == copied)
            || ignored.lines().any(|line| name.to_str() == Some(line.trim_matches('/')))
    };
    let left = names.find(|name| !known(name));
    left.map_or(Ok(()), |name| Err(format!("{} would be new to git", name.display())))
}

/// The last lines of what was printed, and the beginning of each.
fn shortened(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().skip(lines.len().saturating_sub(40));
    last.map(|line| line.chars().take(300).chain(['\n']).collect::<String>()).collect()
}

/// The process groups of the blocks of a page. What a block leaves in the background ends with the page.
#[derive(Default)]
struct Groups(Vec<u32>);

impl Groups {
    /// Runs a block; says what it printed, in case of failure with how it ended.
    fn run(&mut self, mut bash: Command, text: &str, outputs: &Path) -> Result<String, (String, String)> {
        let (out, err) = (outputs.join("stdout"), outputs.join("stderr"));
        bash.arg(text).stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
        let mut child = bash.process_group(0).spawn().unwrap();
        self.0.push(child.id());
        let began = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if began.elapsed() > LIMIT {
                kill("KILL", &format!("-{}", child.id()));
            }
            thread::sleep(Duration::from_millis(5));
        };
        let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        let printed = read(&out);
        let said = || format!("{}--- said\n{}", shortened(&printed), shortened(&read(&err)));
        if status.success() {
            return Ok(printed);
        }
        Err((format!("this block ended with {status} after {:.1} s", began.elapsed().as_secs_f64()), said()))
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        for group in &self.0 {
            // Nearly all of them are gone.
            kill("KILL", &format!("-{group}"));
        }
    }
}

/// Pages with commands, or the one that the variable PAGE names.
fn pages() -> Vec<PathBuf> {
    let mut found = vec![root().join("README.md")];
    found.extend(files(&root().join("docs"), &|name| name.ends_with(".md")));
    found.extend(files(&root().join("integrations"), &|name| name == "README.md"));
    let wanted = std::env::var("PAGE").unwrap_or_default();
    found.retain(|path| path.ends_with(&wanted) || wanted.is_empty());
    found
}

#[test]
fn the_commands_of_the_pages_work() {
    let (pages, faults) = (pages(), Mutex::new(Vec::new()));
    assert!(!pages.is_empty(), "there is no page of that name");
    let left = Mutex::new(pages.iter());
    let follow = |path: &PathBuf| {
        let page = Page::read(path)?;
        let shown = page.blocks.iter().filter(|block| block.language == "sh");
        let is_exempt = |block: &&Block| matches!(block.mark, Some(Mark::NotRun(_)));
        let (exempt, run): (Vec<&Block>, Vec<&Block>) = shown.partition(is_exempt);
        let began = Instant::now();
        page.follow()?;
        println!(
            "{}: {} blocks run in {:.1} s, {} not run",
            page.name,
            run.len(),
            began.elapsed().as_secs_f64(),
            exempt.len()
        );
        for Block { line, mark, .. } in exempt {
            if let Some(Mark::NotRun(reason)) = mark {
                println!("  line {line}: {reason}");
            }
        }
        Ok::<(), String>(())
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(path) = { left.lock().unwrap().next() } {
                    follow(path).unwrap_or_else(|fault| faults.lock().unwrap().push(fault));
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(
        faults.is_empty(),
        "pages that do not work as written, {}:\n\n{}",
        faults.len(),
        faults.join("\n\n")
    );
}
