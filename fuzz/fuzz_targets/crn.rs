//! Confluent Resource Names: two texts, apart at the first line break.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tap_confluent_cloud::crn;

fuzz_target!(|text: &str| {
    let (name, scope) = text.split_once('\n').unwrap_or((text, "crn://confluent.cloud/organization=o-1"));
    let _ = crn::segment(name, "organization");
    let _ = (crn::principal_type(name), crn::principal_id(name));
    let pattern = crn::parse(name);
    let [scope_type, _, _, service_type, service_id, resource_type, _, _] = &pattern.parts;
    assert!(service_type.is_some() == service_id.is_some());
    assert!(scope_type.is_some() || pattern == crn::Pattern::default());
    assert!(resource_type.as_ref().is_none_or(|kind| pattern.is_whole && !kind.is_empty()));
    if crn::is_narrower(name, scope) {
        assert!(!crn::is_narrower(scope, name));
    }
});
