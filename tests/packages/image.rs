//! The image, built by `make image`'s own script and run. No daemon is asked for: buildah builds, on a
//! base that mmdebstrap makes of Debian's packages, and a namespace of mounts makes the root read-only.
//! All of it lies under `target/image`; the base is made once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use serde_json::{Value, json};
use simulator::Simulator;
use tempfile::TempDir;

use crate::support::repository::{root, text, wheel};
use crate::support::{STREAMS, bare, polite, same_ids, secrets_of};

const IMAGE: &str = "localhost/tap-confluent-cloud:test";

/// MB that the image may take beside its base; `docs/container.md` says so.
const BOUND: u64 = 20;

/// Stands for a secret that lies about where the image is built.
const MARKER: &str = "left-lying-about-4f1c";

/// Makes the root read-only, gives it what an engine does, and becomes another user in it.
const ENTER: &str = r#"
root=$1 files=$2 user=$3; shift 3
mount --bind "$root" "$root"
mount --bind -o ro "$files" "$root/mnt"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
exec chroot --groups= --userspec="$user" "$root" "$@"
"#;

/// Where the images lie, or nothing if they cannot be built here.
static ENGINE: LazyLock<Option<Engine>> = LazyLock::new(|| {
    let missing = missing();
    if missing.is_empty() {
        return Some(Engine::with_image());
    }
    let words = format!("the image is not tested, because this is missing: {}\n", missing.join(", "));
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{words}");
    tell(&words);
    None
});

/// Says it also if the test passes, when what is printed is not shown.
fn tell(words: &str) {
    io::stderr().write_all(words.as_bytes()).unwrap();
}

fn missing() -> Vec<&'static str> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    let mut missing = if is_root { Vec::new() } else { vec!["root"] };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    missing.extend(["buildah", "mmdebstrap", "unshare"].iter().filter(|program| {
        let there = folders.iter().any(|folder| folder.join(program).exists());
        !there
    }));
    missing
}

/// What a command prints, without its last line break.
fn said(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{error}", output.status);
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

struct Engine {
    folder: PathBuf,
    storage: PathBuf,
}

impl Engine {
    fn with_image() -> Self {
        let folder = root().join("target/image");
        let engine = Self::with_storage(&folder);
        // What a run that was killed has left.
        engine.buildah(&["rm", "--all"]);
        let release = release();
        let base = format!("localhost/base:{release}");
        if !engine
            .command("buildah")
            .args(["inspect", "--type=image", &base])
            .output()
            .unwrap()
            .status
            .success()
        {
            engine.make_base(&release, &base);
        }
        engine.build(&base);
        // Of earlier builds.
        engine.buildah(&["rmi", "--prune"]);
        engine
    }

    /// Overlays are quick, but none can be laid on another one, in which containers run.
    fn with_storage(folder: &Path) -> Self {
        let mut tried = String::new();
        for driver in ["overlay", "vfs"] {
            let storage = folder.join(driver);
            fs::create_dir_all(&storage).unwrap();
            let (graph, run) = (storage.join("graph"), storage.join("run"));
            let settings =
                format!("[storage]\ndriver = \"{driver}\"\ngraphroot = {graph:?}\nrunroot = {run:?}\n");
            fs::write(storage.join("storage.conf"), settings).unwrap();
            let engine = Self { folder: folder.to_owned(), storage };
            let output = engine.command("buildah").arg("info").output().unwrap();
            if output.status.success() {
                return engine;
            }
            write!(tried, "{}", String::from_utf8_lossy(&output.stderr)).unwrap();
        }
        panic!("buildah cannot store images: {tried}");
    }

    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env("CONTAINERS_STORAGE_CONF", self.storage.join("storage.conf"));
        command.envs([("BUILDAH_ISOLATION", "chroot"), ("BUILDAH_LAYERS", "true")]);
        command.env("TMPDIR", &self.folder);
        command
    }

    fn buildah(&self, arguments: &[&str]) -> String {
        said(self.command("buildah").args(arguments))
    }

    /// A base such as Debian's slim image: the packages that `apt-get` needs, without documentation.
    fn make_base(&self, release: &str, name: &str) {
        let tar = self.folder.join("base.tar");
        let mut make = self.command("mmdebstrap");
        make.args(["--mode=root", "--variant=minbase", "--dpkgopt=force-unsafe-io"]);
        for folder in ["doc", "man", "locale"] {
            make.arg(format!("--dpkgopt=path-exclude=/usr/share/{folder}/*"));
        }
        said(make.arg(release).arg(&tar).arg(mirror()));
        let container = Container::from(self, "scratch");
        self.buildah(&["add", "--quiet", &container.id, tar.to_str().unwrap(), "/"]);
        // As Debian's image has it; an entry point must not be handed this.
        self.buildah(&["config", "--cmd", "bash", &container.id]);
        self.buildah(&["commit", "--quiet", &container.id, name]);
        fs::remove_file(tar).unwrap();
    }

    /// By the script, around the binary of the wheel, which has to be there.
    fn build(&self, base: &str) {
        wheel();
        let context = self.folder.join("context");
        fs::create_dir_all(&context).unwrap();
        fs::write(context.join(".env"), MARKER).unwrap();
        let mut build = self.command(root().join("integrations/docker/build.sh"));
        build.envs([("ENGINE", "buildah"), ("IMAGE", IMAGE), ("BASE", base)]).env("API_SECRET", MARKER);
        said(&mut build);
    }

    /// The files of images, layers and containers that hold this.
    fn search(&self, text: &str) -> String {
        let mut search = Command::new("grep");
        // What is mounted is made of the layers, and may go while it is searched.
        search.args(["--recursive", "--devices=skip", "--exclude-dir=merged", "--files-with-matches"]);
        let output = search.args(["--fixed-strings", text]).arg(self.storage.join("graph")).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    fn config(&self) -> Value {
        let found: Value = serde_json::from_str(&self.buildah(&["inspect", "--type=image", IMAGE])).unwrap();
        found["OCIv1"]["config"].clone()
    }
}

/// The release of Debian that the Dockerfile builds on.
fn release() -> String {
    let base = text("integrations/docker/Dockerfile")
        .lines()
        .find_map(|line| line.strip_prefix("ARG BASE=debian:").map(str::to_owned));
    base.unwrap().split('-').next().unwrap().to_owned()
}

/// The mirror that this machine installs Debian's packages from.
fn mirror() -> String {
    let mut ask = Command::new("apt-get");
    ask.args(["indextargets", "--format=$(REPO_URI)", "Created-By: Packages", "Label: Debian"]);
    let found = ask.output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let first = found.unwrap_or_default().lines().next().map(str::to_owned);
    first.unwrap_or_else(|| "http://deb.debian.org/debian".to_owned())
}

/// A container of an image, mounted, that goes with this value.
struct Container<'e> {
    engine: &'e Engine,
    id: String,
    root: PathBuf,
}

impl<'e> Container<'e> {
    fn from(engine: &'e Engine, image: &str) -> Self {
        let id = engine.buildah(&["from", "--pull-never", image]);
        let mut container = Self { engine, id, root: PathBuf::new() };
        container.root = engine.buildah(&["mount", &container.id]).into();
        container
    }

    /// Runs words as this user where nothing can be written, with the environment of the image and this.
    fn run(&self, user: &str, files: &Path, environment: &[(&str, &str)], words: &[&str]) -> Output {
        let mut command = Command::new("unshare");
        command.env_clear().args(["--mount", "sh", "-euc", ENTER, "sh"]);
        command.arg(&self.root).arg(files).arg(user).args(words);
        for pair in self.engine.config()["Env"].as_array().unwrap() {
            let (name, value) = pair.as_str().unwrap().split_once('=').unwrap();
            command.env(name, value);
        }
        command.envs(environment.iter().copied()).output().unwrap()
    }

    /// Files below the root for which `find` holds these conditions true.
    fn find(&self, place: &str, conditions: &[&str]) -> String {
        said(Command::new("find").arg(self.root.join(place)).arg("-xdev").args(conditions))
    }

    fn bytes(&self) -> u64 {
        let said =
            said(Command::new("du").args(["--summarize", "--bytes", "--one-file-system"]).arg(&self.root));
        said.split_whitespace().next().unwrap().parse().unwrap()
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        // Takes the mount along.
        let _ = self.engine.command("buildah").args(["rm", &self.id]).output();
    }
}

/// Messages of a run that ended well and said no secret.
fn messages(output: &Output, secrets: &[String]) -> Vec<Value> {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{out}\n{err}", output.status);
    assert!(secrets.iter().all(|secret| !out.contains(secret) && !err.contains(secret)));
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_image_declares_its_labels_entry_point_and_user() {
    let Some(engine) = &*ENGINE else { return };
    let config = engine.config();
    assert_eq!(config["User"], "1000:1000");
    assert_eq!(config["Entrypoint"], json!(["tap-confluent-cloud"]));
    assert!(config["Cmd"].is_null(), "the entry point is handed {}", config["Cmd"]);
    let environment: Vec<&str> =
        config["Env"].as_array().unwrap().iter().map(|pair| pair.as_str().unwrap()).collect();
    let [path, entry] = environment[..] else { panic!("{environment:?}") };
    assert!(path.starts_with("PATH=") && path.contains("/usr/local/bin"), "{path}");
    assert_eq!(entry, "AIRBYTE_ENTRYPOINT=tap-confluent-cloud");

    let mut labels: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, value) in config["Labels"].as_object().unwrap() {
        labels.insert(name, value.as_str().unwrap());
    }
    labels.remove("io.buildah.version");
    let expected = BTreeMap::from([
        ("io.airbyte.name", "tap-confluent-cloud/source-confluent-cloud"),
        ("io.airbyte.version", env!("CARGO_PKG_VERSION")),
        ("org.opencontainers.image.title", env!("CARGO_PKG_NAME")),
        ("org.opencontainers.image.description", env!("CARGO_PKG_DESCRIPTION")),
        ("org.opencontainers.image.version", env!("CARGO_PKG_VERSION")),
        ("org.opencontainers.image.licenses", env!("CARGO_PKG_LICENSE")),
    ]);
    assert_eq!(labels, expected);
}

#[test]
fn the_image_runs_as_any_user_on_a_read_only_root() {
    let Some(engine) = &*ENGINE else { return };
    let image = Container::from(engine, IMAGE);
    let sim = Simulator::start(polite());
    let (url, key, secret) = (sim.base_url(), sim.api_key(), sim.api_secret());
    let files = TempDir::new().unwrap();
    let settings = json!({"base_url": url, "api_key": key, "api_secret": secret});
    fs::write(files.path().join("config.json"), settings.to_string()).unwrap();
    fs::copy(root().join("catalogs/airbyte.json"), files.path().join("catalog.json")).unwrap();
    // Those of a folder for one user alone keep every other out.
    fs::set_permissions(files.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let secrets = secrets_of(&sim);

    for user in ["1000:1000", "12345:12345"] {
        let run =
            |environment: &[(&str, &str)], words: &[&str]| image.run(user, files.path(), environment, words);
        // As Airbyte's launcher runs it.
        let launch = |words: &str| {
            let line = format!("eval \"$AIRBYTE_ENTRYPOINT {words}\"");
            messages(&run(&[], &["sh", "-c", &line]), &secrets)
        };
        for place in ["/", "/tmp", "/usr/local/bin", "/mnt"] {
            let output = run(&[], &["touch", &format!("{place}/written")]);
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(error.contains("Read-only file system"), "{place}: {error}");
        }
        let who = run(&[], &["sh", "-c", "echo $(id -u):$(id -g) $(id -G)"]);
        let group = user.split_once(':').unwrap().1;
        assert_eq!(String::from_utf8_lossy(&who.stdout).trim_end(), format!("{user} {group}"));

        let spec: Value = serde_json::from_str(&bare().verb("spec").run().expect_code(0).stdout).unwrap();
        assert_eq!(launch("spec"), [spec]);
        let airbyte = launch("read --config /mnt/config.json --catalog /mnt/catalog.json");
        let environment = [
            ("TAP_CONFLUENT_CLOUD_BASE_URL", url.as_str()),
            ("CONFLUENT_CLOUD_API_KEY", key),
            ("CONFLUENT_CLOUD_API_SECRET", secret),
        ];
        let entry = engine.config()["Entrypoint"][0].as_str().unwrap().to_owned();
        let singer = messages(&run(&environment, &[&entry]), &secrets);
        for stream in STREAMS {
            let truth = sim.truth().ids(stream);
            let of = |all: &[Value], pointer: &str, record: &str| -> Vec<Value> {
                let ours = all.iter().filter(|message| message["type"] == "RECORD");
                let ours = ours.filter(|message| message.pointer(pointer) == Some(&json!(stream)));
                ours.map(|message| message.pointer(record).unwrap().clone()).collect()
            };
            same_ids(stream, &of(&airbyte, "/record/stream", "/record/data"), &truth);
            same_ids(stream, &of(&singer, "/stream", "/record"), &truth);
        }
    }
}

#[test]
fn the_image_holds_the_binary_and_certificates_and_no_leftovers() {
    let Some(engine) = &*ENGINE else { return };
    let image = Container::from(engine, IMAGE);
    assert_eq!(image.find("", &["-type", "f", "-perm", "/6000"]), "", "these become somebody else");
    let binary = image.root.join("usr/local/bin/tap-confluent-cloud");
    assert_eq!(image.find("usr/local", &["-type", "f"]), binary.to_str().unwrap());
    let held = fs::metadata(&binary).unwrap();
    assert_eq!((held.mode() & 0o7777, held.uid(), held.gid()), (0o755, 0, 0));
    let authorities = fs::read_to_string(image.root.join("etc/ssl/certs/ca-certificates.crt")).unwrap();
    assert!(authorities.matches("BEGIN CERTIFICATE").count() > 100);
    for folder in ["tmp", "mnt", "root", "home", "var/lib/apt/lists", "var/cache/apt/archives"] {
        let left = image.find(
            folder,
            &["-type", "f", "-size", "+0", "-not", "-name", ".bashrc", "-not", "-name", ".profile"],
        );
        assert_eq!(left, "", "left in {folder}");
    }
    assert!(!image.root.join("build").exists());

    // In no file of any layer, and in no history or environment. What the Dockerfile sets is found there.
    assert_ne!(engine.search("io.airbyte.version"), "");
    assert_eq!(engine.search(MARKER), "");
}

#[test]
fn the_image_adds_little_to_its_base() {
    let Some(engine) = &*ENGINE else { return };
    let base = Container::from(engine, &format!("localhost/base:{}", release())).bytes();
    let image = Container::from(engine, IMAGE);
    let binary = image.root.join("usr/local/bin/tap-confluent-cloud");
    let (whole, binary) = (image.bytes(), fs::metadata(binary).unwrap().len());
    let mb = |bytes: u64| bytes.div_ceil(1_000_000);
    tell(&format!(
        "the image takes {} MB: its base {} MB, the binary {} MB, the rest {} MB\n",
        mb(whole),
        mb(base),
        mb(binary),
        mb(whole - base - binary),
    ));
    assert!(mb(whole - base) <= BOUND, "{} MB beside the base", mb(whole - base));
    let page = fs::read_to_string(root().join("docs/container.md")).unwrap();
    assert!(page.contains(&format!("at most {BOUND} MB")), "docs/container.md says another size");
}
