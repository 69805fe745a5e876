//! The protocol's own models, which have to read every line that the binary says.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use tempfile::NamedTempFile;

use crate::support::runtimes::script;

/// The protocol's own models, in one Python process for all tests; it ends when its stdin does.
pub struct Models {
    _child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Models {
    fn start() -> Self {
        let mut python = script("airbyte", "airbyte_models.py");
        let mut child = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { _child: child, to, from: BufReader::new(from) }
    }

    /// Both models read every line.
    #[track_caller]
    pub fn assert_read(lines: &str) {
        static MODELS: OnceLock<Mutex<Models>> = OnceLock::new();
        let models = MODELS.get_or_init(|| Mutex::new(Models::start()));
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(lines.as_bytes()).unwrap();
        let mut answer = String::new();
        {
            let mut models = models.lock().unwrap_or_else(PoisonError::into_inner);
            writeln!(models.to, "{}", file.path().display()).unwrap();
            models.from.read_line(&mut answer).unwrap();
        }
        assert_eq!(answer, "ok\n", "the protocol's own models");
    }
}
