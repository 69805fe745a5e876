//! The binary from outside: it is run, and what it prints, asks for and ends with is judged against
//! the simulator's ground truth. Nothing here knows the sources.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on says so and fails"
)]

/// Running the binary, reading its messages, and the checks that every run has to pass.
mod support;

/// How far a long read has come, and what is said on a terminal.
mod terminal;

/// Lines for people as Singer's runtimes wish them.
mod structured;

/// Whole organizations of every kind: each id once, each record as the API sent it.
mod whole;

/// What is asked of the service: sizes, tokens, filters, credentials, side by side.
mod requests;

// Files written by the binary and checked in: catalogs, the README's tables.
mod golden;
// The page on troubleshooting and what `src/` says.
mod troubleshooting;
// Who may import whom in `src/`.
mod layers;

/// How requests travel: https, proxies, redirects.
mod transport;

/// SIGKILL at any instant, and what a STATE line may claim.
mod kills;

/// Memory that does not grow with the organization.
mod memory;

/// Signals, and a stdout that nobody reads or that is closed.
mod stops;

/// Streams, listings and look-ups that the key may not see.
mod refused;

/// Role bindings that are granted while they are read.
mod granted;

/// Page tokens that are refused.
mod tokens;

/// Role bindings that one of two listings brings.
mod bindings;

/// Lists that no organization has empty.
mod empty_lists;

/// Positions of another API key.
mod access;

/// What a service may repeat, blow up or say in other words.
mod hostile_answers;

/// How far a check goes.
mod check_samples;

/// What a tired hand pastes, swaps or says twice.
mod careless_hands;

/// Which organization a key belongs to.
mod organizations;

/// Answers that never end.
mod endless;

/// Failures of the service: what is tried again, and what is not taken for an answer.
mod faults;

/// Settings, right and wrong, from files and from the environment.
mod settings;

/// Keys that do not fit, and the organization they belong to.
mod keys;

/// Running real programs beside the binary: where they are, and what DuckDB holds in the end.
mod runtimes;

/// The pipe into real Singer targets: rows, types, repeats, and the state that they tell.
mod targets;

/// The page on targets: each of them run, and what became of the rows.
mod target_page;

/// What the catalog chose, stream by stream and property by property.
mod selection;

/// States from elsewhere and from long ago.
mod states;

/// States as people have them: lines that a target told, all that a run said, cut off by a kill.
mod states_files;

/// What a first-time user gets wrong, and the words that help.
mod first_contact;

/// Records in detail: times that are none, references that are lifted.
mod records;

/// The derived columns of role bindings, of every form of name.
mod records_patterns;

/// Fields that nobody declared and values of other types.
mod records_drift;

/// Records that would stop a load: characters that no database takes, fields that come twice.
mod records_poison;

/// Bodies as recorded from the service: everything in them is declared.
mod records_recorded;

/// Names and e-mail addresses of persons: kept, hashed or left out.
mod records_persons;

/// ACTIVATE_VERSION: when it is said, and when it must not be.
mod versions;

/// A real PostgreSQL, from which deleted rows are dropped.
mod versions_postgres;

/// discover, version, help, about, test.
mod commands;

/// A real Meltano: its verbs, its selection, and runs that are interrupted.
mod meltano;

/// Running the binary as an Airbyte source: catalogs to read by, and what a run said.
mod airbyte;

/// What every Airbyte run is held against, shown to fail where it should.
mod airbyte_order;

/// Whole reads in Airbyte's language: order, counts, records.
mod airbyte_reads;

/// What the integrations ship: Dockerfile, metadata and page, each true to the binary.
mod packaging;

/// The image: built, and run as another user with a read-only root.
mod image;

/// What `make wheel` leaves, installed by pip and by PyAirbyte.
mod wheel;

/// The workflows of a release, its notes, and what `make` says where a tool is missing.
mod release;

/// `check`: whether the settings work, and if not, why.
mod airbyte_check;

/// Streams that fail, wait or are not offered, in Airbyte's language.
mod airbyte_failures;

/// States handed back to `read`: resumed, skipped, started over, refused.
mod airbyte_states;

/// Columns that a configured catalog leaves out.
mod airbyte_selection;

/// Killed or told to stop in the middle of an Airbyte read.
mod airbyte_kills;

/// What Airbyte's Connector Acceptance Tests assert of a source.
mod airbyte_acceptance;

/// PyAirbyte, loading what the binary says into DuckDB.
mod airbyte_pyairbyte;

/// Random faults, kills and expiries together, a whole campaign of them.
mod chaos;

/// Answers that every stream must withstand: errors beside data, lists without end, other keys.
mod hostile;

/// Answers that are too long, too deep, too late or without end.
mod limits;

/// How fast it asks, how long it keeps asking, and what it says when it gives up.
mod pace;

/// The queries for access reviews, asked of a sample organization in a real database.
mod queries;

/// Their answers, held against the simulator's ground truth.
mod queries_truth;

/// Where credentials go: redirects, links, proxies, authorities.
mod origins;

/// What holds for any input, of the pure parts.
mod properties;

/// What holds for any Confluent Resource Name.
mod properties_crn;

/// The streams that are offered on demand: whole, and without the secrets of API keys.
mod on_demand;

/// API keys: whatever is named as a secret, and keys for several clusters.
mod on_demand_keys;

/// Kafka clusters, environment by environment: resumed, deleted, refused.
mod on_demand_environments;

/// Several environments that are refused.
mod on_demand_refusals;

/// Lines of the log: one each, bounded, without control characters.
mod log_lines;

/// Streams that a Singer catalog selects and the settings do not offer.
mod selection_offer;

/// Settings pasted where a path or a word belongs.
mod pasted;

/// Names of settings that are nearly right, variables, and where the credentials come from.
mod settings_names;

/// Pages with status 200 that say that they are an error.
mod complaints;

/// Services that send back the credentials, and what is quoted where persons are hidden.
mod secrets;

/// What holds for any way of sending back the credentials.
mod properties_secrets;

/// The commands that README and docs show.
mod pages;

/// Where the links of all pages lead.
mod links;

/// What is shipped for Kubernetes.
mod kubernetes;
