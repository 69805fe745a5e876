//! The two command lines: flags as Singer's runtimes pass them, sub-commands as Airbyte's do. One function
//! decides which protocol is spoken.

use clap::error::{ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use serde_json::Value;

use crate::log::Level;

/// Extracts who has access to what in Confluent Cloud: users, invitations, service accounts and the role
/// bindings of the whole organization. It is a Singer tap and an Airbyte source.
#[derive(Debug, Parser)]
#[command(name = "tap-confluent-cloud", version = concat!("v", env!("CARGO_PKG_VERSION")))]
#[command(after_help = include_str!("../schemas/help.txt"))]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Action>,

    /// Settings file (JSON); may be repeated, later files take precedence. Files take precedence over
    /// variables TAP_CONFLUENT_CLOUD_*, unless `--config ENV` gives these a place among the files
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Vec<String>,

    /// Singer or Airbyte catalog of the streams to read; without it, all offered streams are read
    #[arg(long, value_name = "FILE", global = true, alias = "properties")]
    pub catalog: Option<String>,

    /// State file to resume from; the last state in it is used, so the output of a run or its target works
    #[arg(long, value_name = "FILE", global = true)]
    pub state: Option<String>,

    /// Output protocol; by default Singer for flags and Airbyte for sub-commands, except that `read` is
    /// Singer without a catalog or with a Singer catalog
    #[arg(long, global = true, value_enum)]
    protocol: Option<Protocol>,

    /// Minimum log level; by default info, or the level in the file that SINGER_SDK_LOG_CONFIG names
    #[arg(long, value_name = "LEVEL", global = true, value_enum)]
    pub log_level: Option<Level>,

    /// Log format; by default text, or the format in that file. JSON is the format of the Singer SDK
    #[arg(long, value_name = "FORMAT", global = true, value_parser = ["text", "json"])]
    pub log_format: Option<String>,

    /// Print the Singer catalog; needs no credentials
    #[arg(long, group = "action")]
    discover: bool,

    /// Read one record of each stream, to test the settings
    #[arg(long, group = "action")]
    test: bool,

    /// Print name, version, capabilities and settings
    #[arg(long, group = "action")]
    about: bool,

    /// Output format of --about
    #[arg(long, value_name = "FORMAT", value_parser = ["text", "json", "markdown"], default_value = "text")]
    format: String,
}

/// The action to perform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum Action {
    /// Print the connector specification
    #[command(name = "spec")]
    About,
    /// Test the settings and the connection
    Check,
    /// Print the catalog
    Discover,
    /// Read the streams that the catalog selects
    Read,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    Singer,
    Airbyte,
}

impl Arguments {
    /// The command line of this process. Ends the process if it asks for help or the version, or is invalid.
    pub fn read() -> Arguments {
        Arguments::try_parse().unwrap_or_else(|error| discreet(error).exit())
    }

    /// The action and the protocol. `catalog`: the content of the file, null if it cannot be read.
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

    /// The format of `Action::About` under Singer.
    pub fn format(&self) -> &str {
        if self.about { &self.format } else { "json" }
    }
}

/// The error, unless it would quote a possible secret: settings that were pasted in the wrong place.
fn discreet(error: clap::Error) -> clap::Error {
    let mut command = Arguments::command();
    command.build();
    let is_ours = |text: &String| {
        // Flags and words that people type are shorter and plainer than secrets.
        let word = text.trim_start_matches('-');
        let is_word = word.len() <= 20 && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        is_word || command.get_arguments().any(|argument| argument.to_string() == *text)
    };
    let is_discreet = error.context().all(|(_, value)| match value {
        ContextValue::String(text) => is_ours(text),
        ContextValue::Strings(texts) => texts.iter().all(is_ours),
        // Numbers, and texts made by clap itself.
        _ => true,
    });
    if is_discreet {
        return error;
    }
    let words = "unexpected argument, which is not shown because it may contain a secret. Give settings in a file \
                 (--config FILE) or in the environment";
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
