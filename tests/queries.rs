//! The queries of `docs/queries`: the real binary and target-duckdb load a sample organization, each
//! query is asked, and the answers are held against the simulator's ground truth, against SQLite and
//! against the page that shows them. With BLESS set, that page is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};
use simulator::{Scenario, Simulator};
use tempfile::TempDir;

use crate::runtimes::{BINARY, DuckDb, Process, command, program};
use crate::support::STREAMS;

/// The sample organization, as the page tells its reader to start it.
const SAMPLE_FLAGS: &str =
    "--polite --seed 12 --users 40 --invitations 12 --service-accounts 24 --role-bindings 120";

fn sample_scenario() -> Scenario {
    Scenario::new().polite().seed(12).users(40).invitations(12).service_accounts(24).role_bindings(120)
}

/// Asks every query of a folder of DuckDB, then of SQLite: with the same rows, times as texts, and
/// the empty texts that target-duckdb makes nulls of and other targets do not. Then once more with
/// two rows that the simulator does not make: an admin of less than the organization, who is of no
/// known kind, and a user whose invitation is still said to be open.
const ASK: &str = "
import duckdb, json, pathlib, sqlite3, sys
duck, lite = duckdb.connect(sys.argv[1], read_only=True), sqlite3.connect(':memory:')
for table in sys.argv[3:]:
    found = duck.execute(f'select * from {table}')
    names = ', '.join(f'\"{column[0]}\"' for column in found.description)
    rows = [[None if value is None else str(value) for value in row] for row in found.fetchall()]
    lite.execute(f'create table {table} ({names})')
    lite.executemany(f'insert into {table} values ({\", \".join(\"?\" * len(rows[0]))})', rows)
lite.execute(\"update role_bindings set resource_name = coalesce(resource_name, '') where pattern_type <> ''\")
def ask(database, sql):
    found = database.execute(sql)
    return {'columns': [column[0] for column in found.description], 'rows': found.fetchall()}
answers = {}
for path in sorted(pathlib.Path(sys.argv[2]).glob('*.sql')):
    sql = path.read_text('utf-8')
    try:
        answers[path.stem] = {'sql': sql, 'duckdb': ask(duck, sql), 'sqlite': ask(lite, sql)}
    except Exception as error:
        sys.exit(f'{path.name}: {error}')
lite.execute(\"insert into role_bindings (id, principal_type, principal_id, role_name, scope_type, resource_type) \
    values ('odd', 'unknown', 'x-1', 'KeyAdmin', 'organization', 'identity-provider')\")
lite.execute(\"insert into invitations (id, user_id, status) select 'odd', min(id), 'INVITE_STATUS_SENT' from users\")
for answer in answers.values():
    answer['odd'] = ask(lite, answer['sql'])
print(json.dumps(answers))
";

#[derive(Debug, Deserialize, PartialEq)]
struct Answer {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

#[derive(Deserialize)]
struct Query {
    sql: String,
    duckdb: Answer,
    sqlite: Answer,
    odd: Answer,
}

impl Query {
    /// The comment that it begins with, a line each.
    fn words(&self) -> Vec<&str> {
        self.sql.lines().map_while(|line| line.strip_prefix("-- ")).collect()
    }

    /// Some columns of the answer, a text each row, sorted; nulls are empty.
    fn sorted<const N: usize>(&self, columns: [&str; N]) -> Vec<String> {
        let place = |name: &str| self.duckdb.columns.iter().position(|column| column == name).unwrap();
        let places = columns.map(place);
        let row = |row: &Vec<Value>| places.map(|place| cell(&row[place])).join(" ");
        sorted(self.duckdb.rows.iter().map(row))
    }
}

/// The queries by the names of their files, and what the organization holds.
struct Sample {
    queries: BTreeMap<String, Query>,
    sim: Simulator,
}

impl Sample {
    fn query(&self, name: &str) -> &Query {
        self.queries.get(name).unwrap_or_else(|| panic!("there is no {name}.sql"))
    }

    fn bindings(&self) -> Vec<Binding<'_>> {
        self.sim.truth().records("role_bindings").iter().map(Binding::of).collect()
    }

    fn ids(&self, stream: &str) -> BTreeSet<String> {
        self.sim.truth().ids(stream).into_iter().collect()
    }

    /// Invitations in some of the states.
    fn invited(&self, states: &[&str]) -> impl Iterator<Item = &Value> {
        let state = |record: &Value| record["status"].as_str().unwrap()["INVITE_STATUS_".len()..].to_owned();
        let all = self.sim.truth().records("invitations").iter();
        all.filter(move |record| states.contains(&state(record).as_str()))
    }
}

/// A role binding as the API sends it.
struct Binding<'a> {
    id: &'a str,
    principal: &'a str,
    role: &'a str,
    pattern: &'a str,
}

impl<'a> Binding<'a> {
    fn of(record: &'a Value) -> Self {
        let text = |name: &str| record[name].as_str().unwrap();
        let principal = text("principal").strip_prefix("User:").unwrap();
        Self { id: text("id"), principal, role: text("role_name"), pattern: text("crn_pattern") }
    }

    fn of_machine(&self) -> bool {
        self.principal.starts_with("sa-") || self.principal.starts_with("pool-")
    }

    /// What follows `key=` up to the next slash.
    fn part(&self, key: &str) -> Option<&'a str> {
        let rest = self.pattern.split_once(&format!("/{key}="))?.1;
        rest.split('/').next()
    }
}

static SAMPLE: LazyLock<Sample> = LazyLock::new(|| {
    let sim = Simulator::start(sample_scenario());
    let folder = TempDir::new().unwrap();
    let database = DuckDb(folder.path().join("sample.duckdb"));
    load(&sim, folder.path(), &database);
    database.assert_whole(&sim);
    let mut python = command(program("duckdb", "python"));
    python.args(["-c", ASK]).arg(&database.0).arg(page_folder()).args(STREAMS);
    let output = python.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Sample { queries: serde_json::from_slice(&output.stdout).unwrap(), sim }
});

/// The real binary, piped into the real target.
fn load(sim: &Simulator, folder: &Path, database: &DuckDb) {
    let write = |name: &str, settings: Value| {
        let path = folder.join(name);
        fs::write(&path, settings.to_string()).unwrap();
        path
    };
    let config =
        json!({ "base_url": sim.base_url(), "api_key": sim.api_key(), "api_secret": sim.api_secret() });
    let (mut tap, mut target) = (command(BINARY), command(program("duckdb", "target-duckdb")));
    tap.arg("--config").arg(write("tap.json", config)).stdin(Stdio::null());
    target.arg("--config").arg(write("target.json", database.target_settings(1000)));
    let (reader, writer) = std::io::pipe().unwrap();
    target.stdin(reader).env("TMPDIR", folder);
    let tap = Process::start(tap, folder, sim, Some(writer));
    let target = Process::start(target, folder, sim, None).finish();
    tap.finish().expect_code(0);
    target.expect_code(0);
}

fn page_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/queries")
}

fn sorted(texts: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    let mut texts: Vec<String> = texts.into_iter().map(Into::into).collect();
    texts.sort();
    texts
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Text of a cell of a Markdown table.
fn escaped(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;");
    if text == "*" { "\\*".to_owned() } else { text }
}

fn table_row(cells: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|cell| escaped(cell.as_ref())).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// The page with a text between two of its marks.
fn between_marks(page: &str, mark: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- {mark}: begin -->\n"), format!("<!-- {mark}: end -->"));
    let (before, rest) = page.split_once(&begin).expect("a begin mark");
    let (_, after) = rest.split_once(&end).expect("an end mark");
    format!("{before}{begin}{text}{end}{after}")
}

#[test]
fn the_page_shows_what_the_sample_answers() {
    let mut questions = "| question | file |\n|---|---|\n".to_owned();
    let mut answers = String::new();
    for (name, query) in &SAMPLE.queries {
        let Answer { columns, rows } = &query.duckdb;
        let question = query.words()[0];
        questions.push_str(&format!("| {question} | [{name}.sql]({name}.sql) |\n"));
        let count = if rows.len() == 1 { "1 row".to_owned() } else { format!("{} rows", rows.len()) };
        answers.push_str(&format!("\n**{question}** {name}.sql: {count}\n\n"));
        answers.push_str(&table_row(columns));
        answers.push_str(&format!("|{}\n", "---|".repeat(columns.len())));
        for row in rows.iter().take(3) {
            answers.push_str(&table_row(row.iter().map(cell)));
        }
    }
    let path = page_folder().join("README.md");
    let page = fs::read_to_string(&path).unwrap();
    assert!(page.contains(SAMPLE_FLAGS), "the page tells how to start another sample than {SAMPLE_FLAGS}");
    let fresh = between_marks(&page, "questions", &questions);
    let fresh = between_marks(&fresh, "answers", &format!("{answers}\n"));
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &fresh).unwrap();
    } else {
        assert!(page == fresh, "docs/queries/README.md is stale: run this with BLESS=1 and review its diff");
    }
}

#[test]
fn each_query_says_what_it_answers_for_whom_and_has_an_answer_in_one_order() {
    assert!(SAMPLE.queries.len() >= 8);
    for (name, query) in &SAMPLE.queries {
        let words = query.words();
        assert!((2..=4).contains(&words.len()), "{name}: {} lines of comment", words.len());
        assert!(words[0].ends_with('?'), "{name}: {}", words[0]);
        assert!(words[1].starts_with("Asked by: "), "{name}: {}", words[1]);
        assert!(query.sql.to_lowercase().contains("\norder by"), "{name} gives rows in any order");
        assert!(!query.duckdb.rows.is_empty(), "{name}: the sample shows nothing of it");
    }
}

#[test]
fn sqlite_gives_the_same_answers() {
    for (name, query) in &SAMPLE.queries {
        assert_eq!(query.sqlite, query.duckdb, "{name}");
    }
}

#[test]
fn admins_of_the_organization_are_those_whose_pattern_ends_there() {
    let query = SAMPLE.query("organization_admins");
    let top = format!("crn://confluent.cloud/organization={}", SAMPLE.sim.organization_id());
    let bindings = SAMPLE.bindings();
    let admins = bindings.iter().filter(|b| b.pattern == top && b.role.ends_with("Admin"));
    let expected = sorted(admins.map(|b| format!("{} {}", b.principal, b.role)));
    assert_eq!(query.sorted(["principal_id", "role_name"]), expected);
    let kinds: Vec<String> = query.duckdb.rows.iter().map(|row| cell(&row[0])).collect();
    let people = kinds.iter().take_while(|kind| *kind == "user").count();
    assert!(people > 0 && !kinds[people..].contains(&"user".to_owned()), "people first: {kinds:?}");
}

#[test]
fn service_accounts_without_a_binding_are_no_binding_s_principal() {
    let bindings = SAMPLE.bindings();
    let bound: BTreeSet<String> = bindings.iter().map(|b| b.principal.to_owned()).collect();
    let expected = sorted(SAMPLE.ids("service_accounts").difference(&bound).cloned());
    assert_eq!(SAMPLE.query("service_accounts_without_binding").sorted(["id"]), expected);
}

#[test]
fn environments_are_counted_as_the_patterns_name_them_the_unlisted_one_too() {
    let mut grants: BTreeMap<&str, (u32, BTreeSet<&str>)> = BTreeMap::new();
    for binding in SAMPLE.bindings() {
        let Some(environment) = binding.part("environment") else { continue };
        let (count, principals) = grants.entry(environment).or_default();
        *count += 1;
        principals.insert(binding.principal);
    }
    let listed = SAMPLE.ids("environments");
    assert!(
        grants.keys().any(|environment| !listed.contains(*environment)),
        "the sample has one that is gone"
    );
    let expected = sorted(grants.iter().map(|(id, (count, who))| format!("{id} {count} {}", who.len())));
    let found = SAMPLE.query("environments_in_bindings").sorted(["environment_id", "grants", "principals"]);
    assert_eq!(found, expected);
}

#[test]
fn invitations_that_were_not_accepted_are_those_sent_or_expired() {
    let invited = SAMPLE.invited(&["SENT", "EXPIRED"]).map(|record| cell(&record["id"]));
    assert_eq!(SAMPLE.query("invitations_not_accepted").sorted(["id"]), sorted(invited));
    let bindings = SAMPLE.bindings();
    let early = SAMPLE.invited(&["SENT", "EXPIRED", "STAGED", "DEACTIVATED"]).flat_map(|record| {
        let user = record["user"]["id"].as_str().unwrap();
        bindings.iter().filter(move |b| b.principal == user).map(move |b| format!("{user} {}", b.id))
    });
    assert_eq!(SAMPLE.query("invited_with_roles").sorted(["user_id", "id"]), sorted(early));
}

#[test]
fn nothing_that_an_unlisted_principal_holds_is_lost() {
    let mut listed = SAMPLE.ids("users");
    listed.extend(SAMPLE.ids("service_accounts"));
    let bindings = SAMPLE.bindings();
    let lost: Vec<&Binding> = bindings.iter().filter(|b| !listed.contains(b.principal)).collect();
    let (users, others): (Vec<&Binding>, _) = lost.into_iter().partition(|b| b.principal.starts_with("u-"));
    let unlisted = SAMPLE.query("bindings_of_unlisted_principals");
    assert_eq!(unlisted.sorted(["id"]), sorted(users.iter().map(|b| b.id)));
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    others.iter().for_each(|b: &&Binding| *counts.entry(b.principal).or_default() += 1);
    let expected = sorted(counts.iter().map(|(id, count)| format!("{id} {count}")));
    assert_eq!(SAMPLE.query("pools_and_groups").sorted(["principal_id", "grants"]), expected);
}

#[test]
fn local_passwords_are_the_users_who_sign_in_so() {
    let bindings = SAMPLE.bindings();
    let users = SAMPLE.sim.truth().records("users").iter();
    let local = users.filter(|user| user["auth_type"] == "AUTH_TYPE_LOCAL").map(|user| {
        let id = user["id"].as_str().unwrap();
        format!("{id} {}", bindings.iter().filter(|b| b.principal == id).count())
    });
    assert_eq!(SAMPLE.query("local_passwords").sorted(["id", "grants"]), sorted(local));
}

#[test]
fn wildcards_are_the_patterns_that_end_in_a_star() {
    let bindings = SAMPLE.bindings();
    let wild: Vec<&Binding> = bindings.iter().filter(|b| b.pattern.ends_with('*')).collect();
    let expected = sorted(wild.iter().map(|b| {
        let covers = if b.pattern.ends_with("=*") { "every name" } else { "prefix" };
        format!("{covers} {} {}", b.role, b.principal)
    }));
    let found = SAMPLE.query("wildcard_grants").sorted(["covers", "role_name", "principal_id"]);
    assert_eq!(found, expected);
}

#[test]
fn roles_are_told_apart_by_who_holds_them() {
    let bindings = SAMPLE.bindings();
    let pairs = |chosen: &dyn Fn(&&Binding) -> bool| {
        sorted(bindings.iter().filter(chosen).map(|b| format!("{} {}", b.principal, b.role)))
    };
    let held = |name: &str| SAMPLE.query(name).sorted(["principal_id", "role_name"]);
    let admin = |b: &&Binding| b.of_machine() && b.role.ends_with("Admin");
    assert_eq!(held("machine_admins"), pairs(&admin));
    let developer = |b: &&Binding| !b.of_machine() && b.role.starts_with("Developer");
    assert_eq!(held("people_with_developer_roles"), pairs(&developer));
    let above = ["OrganizationAdmin", "EnvironmentAdmin", "CloudClusterAdmin"];
    let on_topic = ["DeveloperWrite", "DeveloperManage", "ResourceOwner"];
    let writer = |b: &&Binding| match b.part("topic") {
        Some(_) => on_topic.contains(&b.role),
        None => above.contains(&b.role),
    };
    assert_eq!(held("topic_writers"), pairs(&writer));
    let asked = |b: &&Binding| b.principal == "sa-5y00fx";
    let roles = sorted(bindings.iter().filter(asked).map(|b| b.role));
    assert_eq!(SAMPLE.query("grants_of_principal").sorted(["role_name"]), roles);
}

#[test]
fn counts_add_up_and_everyone_is_listed_once() {
    let summary = SAMPLE.query("grants_by_role_and_scope");
    let total: usize = summary.sorted(["grants"]).iter().map(|count| count.parse::<usize>().unwrap()).sum();
    assert_eq!(total, SAMPLE.bindings().len());
    let mut people = SAMPLE.ids("users");
    let pending = SAMPLE.invited(&["SENT", "EXPIRED", "STAGED", "DEACTIVATED"]);
    people.extend(pending.map(|record| cell(&record["user"]["id"])));
    assert_eq!(SAMPLE.query("people_to_reconcile").sorted(["user_id"]), sorted(people));
}

#[test]
fn rows_that_the_simulator_does_not_make_are_where_they_belong() {
    for (name, more) in [
        ("organization_admins", 0),
        ("people_to_reconcile", 0),
        ("pools_and_groups", 1),
        ("bindings_of_unlisted_principals", 1),
        ("invitations_not_accepted", 1),
    ] {
        let query = SAMPLE.query(name);
        assert_eq!(query.odd.rows.len(), query.sqlite.rows.len() + more, "{name}");
    }
}
