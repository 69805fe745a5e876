//! The queries of `docs/queries`: the real binary and target-duckdb load a sample organization, each
//! query is asked, and the answers are held against the simulator's ground truth, against SQLite and
//! against the page that shows them. With BLESS set, that page is written.

use crate::support::golden::between_marks;
use crate::support::repository::text;
use crate::support::sample::{Answer, SAMPLE, SAMPLE_FLAGS, cell};

/// The page that shows the answers.
const PAGE: &str = "docs/queries/README.md";

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
    let page = text(PAGE);
    assert!(page.contains(SAMPLE_FLAGS), "the page tells how to start another sample than {SAMPLE_FLAGS}");
    between_marks(PAGE, "questions", &questions);
    between_marks(PAGE, "answers", &format!("{answers}\n"));
}

#[test]
fn each_query_states_its_question_and_reader_and_orders_its_rows() {
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
