//! The two command lines: flags as Singer's runtimes pass them, sub-commands as Airbyte's do. The language
//! of what is said is decided in one function.

use clap::error::{ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use serde_json::Value;

use crate::log::Level;

/// Extracts who can touch what in Confluent Cloud: users, invitations, service accounts and the role
/// bindings of the whole organization, as a Singer tap and as an Airbyte source.
#[derive(Debug, Parser)]
#[command(name = "tap-confluent-cloud", version = concat!("v", env!("CARGO_PKG_VERSION")))]
#[command(after_help = include_str!("../schemas/help.txt"))]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Action>,

    /// Settings: a JSON file; repeatable, later ones win. Files win over variables TAP_CONFLUENT_CLOUD_*,
    /// unless `--config ENV` gives these a place among the files
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Vec<String>,

    /// What to read: a Singer or an Airbyte catalog; without it, everything
    #[arg(long, value_name = "FILE", global = true, alias = "properties")]
    pub catalog: Option<String>,

    /// Where to go on: the last state in this file, which may hold all that a run or its target has printed
    #[arg(long, value_name = "FILE", global = true)]
    pub state: Option<String>,

    /// Language of what is said; by default flags are Singer and sub-commands are Airbyte, except `read`
    /// without a catalog or with a Singer one
    #[arg(long, global = true, value_enum)]
    protocol: Option<Protocol>,

    /// Lowest level of the lines on stderr; info, unless the file in SINGER_SDK_LOG_CONFIG says otherwise
    #[arg(long, value_name = "LEVEL", global = true, value_enum)]
    pub log_level: Option<Level>,

    /// Form of these lines: text, or JSON as the Singer SDK writes it; text, unless that file says otherwise
    #[arg(long, value_name = "FORMAT", global = true, value_parser = ["text", "json"])]
    pub log_format: Option<String>,

    /// Print the Singer catalog; needs no credentials
    #[arg(long, group = "action")]
    discover: bool,

    /// Read one record of each stream, to see whether the settings work
    #[arg(long, group = "action")]
    test: bool,

    /// Print what this is, what it can do and its settings
    #[arg(long, group = "action")]
    about: bool,

    /// Form of --about
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum Action {
    /// Print the specification of the settings
    #[command(name = "spec")]
    About,
    /// Check whether the settings work
    Check,
    /// Print the catalog
    Discover,
    /// Read what the catalog asks for
    Read,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    Singer,
    Airbyte,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
    Markdown,
}

impl Arguments {
    /// The command line of this process. Ends the process where it asks for help or the version, or where it
    /// is wrong.
    pub fn read() -> Arguments {
        Arguments::try_parse().unwrap_or_else(|error| discreet(error).exit())
    }

    /// What is to be done, and in which language it is said. `catalog`: what the file holds, null if it
    /// cannot be read.
    pub fn decide(&self, catalog: Option<&Value>) -> (Action, Protocol) {
        let (action, usual) = match self.command {
            Some(Action::Read) if catalog.is_none_or(is_singer) => (Action::Read, Protocol::Singer),
            Some(action) => (action, Protocol::Airbyte),
            None if self.about => (Action::About, Protocol::Singer),
            None if self.discover => (Action::Discover, Protocol::Singer),
            None if self.test => (Action::Check, Protocol::Singer),
            None => (Action::Read, Protocol::Singer),
        };
        (action, self.protocol.unwrap_or(usual))
    }

    /// In which form `Action::About` is answered to Singer.
    pub fn format(&self) -> Format {
        if self.about { self.format } else { Format::Json }
    }
}

/// The error, unless it would quote what may be a secret: settings that were pasted where they do not belong.
fn discreet(error: clap::Error) -> clap::Error {
    let mut command = Arguments::command();
    command.build();
    let is_ours = |text: &String| {
        // A flag or a word as one types it is shorter and plainer than a secret.
        let word = text.trim_start_matches('-');
        let is_word = word.len() <= 20 && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        is_word || command.get_arguments().any(|argument| argument.to_string() == *text)
    };
    let is_discreet = error.context().all(|(_, value)| match value {
        ContextValue::String(text) => is_ours(text),
        ContextValue::Strings(texts) => texts.iter().all(is_ours),
        // Numbers, and what clap itself has put together.
        _ => true,
    });
    if is_discreet {
        return error;
    }
    let words = "an argument is not understood, and is not shown, because it may hold a secret. Give settings in \
                 a file (--config FILE) or in the environment";
    command.error(ErrorKind::InvalidValue, words)
}

fn is_singer(catalog: &Value) -> bool {
    let mut entries = catalog["streams"].as_array().into_iter().flatten();
    entries.any(|entry| entry.get("tap_stream_id").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{About, Check, Discover, Read};
    use Protocol::{Airbyte, Singer};
    use serde_json::json;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn what_is_done_in_which_language() {
        let singer = json!({"streams": [{"tap_stream_id": "users"}]});
        let airbyte = json!({"streams": [{"stream": {"name": "users"}}]});
        let table = [
            ("", None, (Read, Singer)),
            ("--config F", None, (Read, Singer)),
            ("--config F --catalog F --state F", Some(&singer), (Read, Singer)),
            ("--config F --properties F", Some(&singer), (Read, Singer)),
            ("--config F --discover", None, (Discover, Singer)),
            ("--config F --test", None, (Check, Singer)),
            ("--config F --about --format=json", None, (About, Singer)),
            ("--about --format json", None, (About, Singer)),
            ("--about", None, (About, Singer)),
            ("spec", None, (About, Airbyte)),
            ("check --config F", None, (Check, Airbyte)),
            ("discover --config F", None, (Discover, Airbyte)),
            ("read --config F", None, (Read, Singer)),
            ("read --config F --catalog F", Some(&singer), (Read, Singer)),
            ("read --config F --catalog F --state F", Some(&airbyte), (Read, Airbyte)),
            ("read --config F --catalog F", Some(&json!({"streams": []})), (Read, Airbyte)),
            ("read --config F --catalog unreadable", Some(&Value::Null), (Read, Airbyte)),
            ("--protocol singer read --config F --catalog F", Some(&airbyte), (Read, Singer)),
            ("discover --protocol singer", None, (Discover, Singer)),
            ("--discover --protocol airbyte", None, (Discover, Airbyte)),
        ];
        for (line, catalog, expected) in table {
            let words = ["tap"].into_iter().chain(line.split_whitespace());
            let arguments =
                Arguments::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(arguments.decide(catalog), expected, "{line}");
        }
    }
}
