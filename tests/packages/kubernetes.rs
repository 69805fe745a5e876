//! `integrations/kubernetes`: held against the schemas of Kubernetes, and what the pod runs is run here.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use simulator::Simulator;
use tempfile::TempDir;

use crate::support::repository::{files, root};
use crate::support::runtimes::{BINARY, command, program};
use crate::support::{Message, STREAMS, parse, same_ids, small};

fn path() -> PathBuf {
    root().join("integrations/kubernetes/cronjob.yaml")
}

/// The CronJob, which is the last object of the file.
fn cron_job() -> Value {
    const ASK: &str =
        "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))[-1]))";
    let output = command(program("kubernetes", "python")).args(["-c", ASK]).arg(path()).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn container() -> Value {
    cron_job()["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0].take()
}

#[test]
fn the_cron_job_is_valid_for_kubernetes() {
    let folder = TempDir::new().unwrap();
    let wrong = folder.path().join("wrong.yaml");
    let text = fs::read_to_string(path()).unwrap();
    fs::write(&wrong, text.replace("concurrencyPolicy", "concurencyPolicy")).unwrap();
    let validate = |path: &Path| {
        let mut validate = command(program("kubernetes", "kubernetes-validate"));
        validate.arg("--strict").arg(path).output().unwrap()
    };
    let output = validate(&path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!validate(&wrong).status.success(), "it validates anything");
}

#[test]
fn the_pod_leaves_a_whole_snapshot_or_none() {
    let sim = Simulator::start(small());
    let container = container();
    let script = container["args"][0].as_str().unwrap();
    assert_eq!(container["command"].to_string(), "[\"/bin/sh\",\"-c\"]");
    let names: Vec<&str> =
        container["env"].as_array().unwrap().iter().map(|v| v["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["CONFLUENT_CLOUD_API_KEY", "CONFLUENT_CLOUD_API_SECRET"]);
    for (secret, code, held) in
        [(sim.api_secret(), 0, false), ("wrong", 3, false), (sim.api_secret(), 75, true)]
    {
        let folder = TempDir::new().unwrap();
        let old = folder.path().join("2020-01-01T030000Z.jsonl");
        File::create(&old)
            .unwrap()
            .set_modified(SystemTime::now() - Duration::from_secs(32 * 86_400))
            .unwrap();
        // A run that was started by hand holds the lock.
        let mut shell = command(if held { "flock" } else { "/bin/sh" });
        shell
            .args(if held { &["lock", "/bin/sh"][..] } else { &[] })
            .args(["-c", script])
            .current_dir(folder.path());
        shell.envs(names.iter().copied().zip([sim.api_key(), secret]));
        shell.env("TAP_CONFLUENT_CLOUD_BASE_URL", sim.base_url());
        let bin = Path::new(BINARY).parent().unwrap().display();
        shell.env("PATH", format!("{bin}:{}", std::env::var("PATH").unwrap()));
        let output = shell.output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(old.exists(), code != 0, "what is old goes once there is something new, and not before");
        let snapshot = files(folder.path(), &|name| name.ends_with("Z.jsonl") && !name.starts_with("2020"));
        assert_eq!(snapshot.len(), usize::from(code == 0), "{snapshot:?}");
        for path in snapshot {
            let messages = parse(&fs::read_to_string(path).unwrap()).unwrap();
            for stream in STREAMS {
                let of_stream = |message: &Message| match message {
                    Message::Record { stream: of, record, .. } if of == stream => {
                        Some(Value::from(record.clone()))
                    }
                    _ => None,
                };
                let records: Vec<Value> = messages.iter().filter_map(of_stream).collect();
                same_ids(stream, &records, &sim.truth().ids(stream));
            }
        }
    }
}
