//! `source-confluent-cloud`, the name by which PyAirbyte looks for the connector. It replaces itself with the
//! `tap-confluent-cloud` in the same directory.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::{env, io, io::Write};

fn main() -> ExitCode {
    // An installer may have created a link elsewhere; the tap is in the directory of the file itself.
    let own = env::current_exe().and_then(|path| path.canonicalize()).unwrap_or_default();
    let tap = own.with_file_name("tap-confluent-cloud");
    let cause = match tap.canonicalize() {
        // It would execute itself forever.
        Ok(found) if found == own => io::ErrorKind::TooManyLinks.into(),
        // Returns only if it fails.
        _ => Command::new(&tap).args(env::args_os().skip(1)).exec(),
    };
    let tap = tap.display();
    let _ = writeln!(
        io::stderr(),
        "ERROR source-confluent-cloud runs {tap}, which cannot be started: {cause}; install both again"
    );
    ExitCode::FAILURE
}
