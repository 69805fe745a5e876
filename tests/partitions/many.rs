//! Hundreds of environments and clusters, and every stream: what that takes.

use simulator::{At, Fault, STREAMS, Simulator};

use crate::support::partitions::{asked, nested, order, reading};
use crate::support::{assert_whole_of, eventually, every, same_ids};

/// How long a STATE may be, in bytes: runtimes store one after every page.
const LONGEST_STATE: usize = 8 << 10;

#[test]
fn hundreds_of_environments_are_asked_for_once_a_stream() {
    let sim = Simulator::start(nested().environments(300).kafka_clusters(3).connectors(1));
    let run = every(&sim).run().expect_code(0);
    let is_parent = |stream: &str| STREAMS.iter().any(|child| child.parent() == Some(stream));
    let mut children = Vec::new();
    for stream in STREAMS.iter().filter(|stream| stream.parent().is_some()) {
        // Each of its listings fits on a page. What makes listings of another is listed once more for those.
        let listings = order(&sim, stream.name).len();
        let times = 1 + usize::from(is_parent(stream.name));
        assert_eq!(run.asked(stream.name).len(), times * listings, "{}", stream.name);
        children.push(stream.name);
    }
    assert_eq!(order(&sim, "connectors").len(), 900);
    // Three pages for the stream, and three for all that are listed by environment.
    assert_eq!(run.asked("environments").len(), 6);
    assert_whole_of(&run, &sim, &children);
    let states = run.stdout.lines().filter(|line| line.starts_with(r#"{"type":"STATE""#));
    let longest = states.map(str::len).max().expect("a STATE");
    assert!(longest < LONGEST_STATE, "a STATE of {longest} bytes");
}

/// In the third of five environments, providers or authorities, and, of connectors, in its second cluster.
#[test]
fn each_child_killed_in_its_third_parent_resumes_there() {
    let sim =
        Simulator::start(nested().environments(5).identity_providers(5).size("certificate_authorities", 5));
    for stream in STREAMS.iter().filter(|stream| stream.parent().is_some()) {
        let name = stream.name;
        let (order, only) = (order(&sim, name), || reading(&sim, &[name]).set("page_size", 100));
        let place = if name == "connectors" { 5 } else { 2 };
        let met = sim.faults_met();
        sim.add_fault(Fault::Stall, At::stream(name).from(place as u64 + 1));
        let child = only().spawn();
        child.read_freely();
        let bookmark = format!(r#""partition":"{}""#, order[place]);
        eventually("it is there", || sim.faults_met() > met && child.text().contains(&bookmark));
        child.signal("KILL");
        let before = child.finish();
        sim.clear_faults();
        let after = only().state(&before.last_state().unwrap()).run().expect_code(0);
        assert_eq!(asked(&after, name), order[place..], "{name}: what was finished is not asked again");
        same_ids(name, &[before.records(name), after.records(name)].concat(), &sim.truth().ids(name));
    }
}
