//! The simulator for people, `make demo` and benchmarks: prints one line of JSON about itself and
//! serves until told to stop.

use std::error::Error;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs, io, process, thread};

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, Parser, ValueEnum, value_parser};
use serde_json::{Map, Value, json};
use simulator::{BindingsServer, Grant, OAuth, STREAMS, Scenario, Simulator};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// A pretend Confluent Cloud management API on 127.0.0.1.
#[derive(Parser)]
#[command(version)]
struct Flags {
    /// Role bindings of the organization that are granted once its `/*` listing is asked for
    #[arg(long, value_name = "N", default_value_t = 0)]
    grant: u64,
    /// The same seed gives the same organization and rudeness; random unless given
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Full pages, no hiccups
    #[arg(long)]
    polite: bool,
    /// What a role-bindings listing takes crn_pattern for
    #[arg(long, value_enum, default_value_t = Bindings::Inclusive)]
    bindings: Bindings,
    /// How long each answer is kept back
    #[arg(long, value_name = "N", default_value_t = 0)]
    latency_ms: u64,
    #[arg(long)]
    https: bool,
    /// A free one unless given
    #[arg(long, value_name = "P", default_value_t = 0)]
    port: u16,
    /// Answer 403 for this stream, role_bindings/*, kafka_clusters/env-…, kafka_clusters/#N or the like
    /// (may be repeated)
    #[arg(long, value_name = "STREAM")]
    refuse: Vec<String>,
    /// The key's owner holds no OrganizationAdmin
    #[arg(long)]
    weak_key: bool,
    /// Take tokens of an identity pool too, and play the identity provider that they are exchanged for
    #[arg(long)]
    oauth: bool,
    /// With --oauth: how long a token is good for
    #[arg(long, value_name = "S", default_value_t = 3600.0)]
    token_seconds: f64,
    /// With --oauth: how many requests a token is good for, as nobody tells
    #[arg(long, value_name = "N", default_value_t = u64::MAX, hide_default_value = true)]
    token_requests: u64,
    /// With --oauth: the audience that the pool wants, if it is another than the provider's usual one
    #[arg(long, value_name = "A", default_value = "confluent")]
    token_audience: String,
    /// The day that it is, yyyy-mm-dd; the real one in UTC unless given
    #[arg(long, value_name = "DATE")]
    today: Option<String>,
    /// How many days before that day the first one was that cost anything
    #[arg(long, value_name = "N", default_value_t = 10)]
    past_days: u64,
    /// Write {stream: [ids]} here; the number of ids where there are more than 100,000
    #[arg(long, value_name = "F")]
    truth_file: Option<PathBuf>,
    /// Write one line of JSON a request here
    #[arg(long, value_name = "F")]
    log_file: Option<PathBuf>,
    /// With --https: write the certificate to trust here; in the temporary directory unless given
    #[arg(long, value_name = "F")]
    certificate_file: Option<PathBuf>,
    /// Stop when stdin ends
    #[arg(long)]
    until_eof: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Bindings {
    Inclusive,
    NestedOnly,
    Partial,
}

const MANY: u64 = 100_000;

/// A flag for the size of each stream.
fn sizes() -> impl Iterator<Item = Arg> {
    // Clap keeps texts that live as long as the program.
    let kept = |text: String| &*text.leak();
    STREAMS.iter().map(move |stream| {
        let flag = Arg::new(stream.name)
            .long(kept(stream.name.replace('_', "-")))
            .value_name("N")
            .value_parser(value_parser!(u64))
            .default_value(kept(stream.size.to_string()));
        match stream.parent() {
            Some(parent) => flag.help(format!("In each of the {}", parent.replace('_', " "))),
            None if stream.is_dated() => flag.help("On each day"),
            None => flag,
        }
    })
}

fn scenario(flags: &Flags, sizes: &ArgMatches) -> Scenario {
    let mut scenario = Scenario::new()
        .grant(Grant::of_organization(flags.grant).between_listings())
        .latency(Duration::from_millis(flags.latency_ms))
        .port(flags.port)
        .past_days(flags.past_days)
        .bindings(match flags.bindings {
            Bindings::Inclusive => BindingsServer::Inclusive,
            Bindings::NestedOnly => BindingsServer::NestedOnly,
            Bindings::Partial => BindingsServer::Partial,
        });
    for stream in STREAMS {
        let size = sizes.get_one(stream.name).copied();
        scenario = scenario.size(stream.name, size.unwrap_or(stream.size));
    }
    for stream in &flags.refuse {
        scenario = scenario.refuse(stream);
    }
    if let Some(seed) = flags.seed {
        scenario = scenario.seed(seed);
    }
    if let Some(date) = &flags.today {
        scenario = scenario.today(date);
    }
    if let Some(file) = &flags.log_file {
        scenario = scenario.log_file(file.clone());
    }
    if flags.polite {
        scenario = scenario.polite();
    }
    if flags.https {
        scenario = scenario.https();
    }
    if flags.oauth {
        let lifetime = Duration::from_secs_f64(flags.token_seconds);
        let oauth = OAuth::default().lifetime(lifetime).requests(flags.token_requests);
        scenario = scenario.oauth(oauth.audience(&flags.token_audience));
    }
    if flags.weak_key {
        scenario = scenario.weak_key();
    }
    scenario
}

fn write_truth(sim: &Simulator, path: &Path) -> io::Result<()> {
    let ids = |stream: &str| match sim.truth().count(stream) {
        count if count > MANY => json!(count),
        _ => json!(sim.truth().ids(stream)),
    };
    let all: Map<String, Value> =
        STREAMS.iter().map(|stream| (stream.name.to_owned(), ids(stream.name))).collect();
    fs::write(path, Value::Object(all).to_string())
}

fn introduce(sim: &Simulator, flags: &Flags) -> io::Result<()> {
    let mut line = json!({
        "base_url": sim.base_url(),
        "api_key": sim.api_key(),
        "api_secret": sim.api_secret(),
        "organization_id": sim.organization_id(),
        "organization_name": sim.organization_name(),
        "seed": sim.seed(),
    });
    if flags.oauth {
        line["oauth_token_url"] = json!(sim.oauth_token_url());
        line["oauth_client_id"] = json!(sim.oauth_client_id());
        line["oauth_client_secret"] = json!(sim.oauth_client_secret());
        line["identity_pool_id"] = json!(sim.identity_pool_id());
    }
    if let Some(certificate) = sim.certificate() {
        let path = flags
            .certificate_file
            .clone()
            .unwrap_or_else(|| env::temp_dir().join(format!("simulator-{}.pem", process::id())));
        fs::write(&path, certificate)?;
        line["certificate_file"] = json!(path);
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

async fn wait(until_eof: bool) -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let (closed, ended) = oneshot::channel::<()>();
    if until_eof {
        thread::spawn(move || {
            let _ = io::stdin().read_to_end(&mut Vec::new());
            drop(closed);
        });
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
            _ = ended => {}
        }
    } else {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let matches = Flags::augment_args(Command::new("simulator").args(sizes())).get_matches();
    let flags = Flags::from_arg_matches(&matches)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let sim = Simulator::start(scenario(&flags, &matches));
    if let Some(path) = &flags.truth_file {
        write_truth(&sim, path)?;
    }
    introduce(&sim, &flags)?;
    runtime.block_on(wait(flags.until_eof))?;
    Ok(())
}
