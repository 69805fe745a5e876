#!/bin/sh
# The real sync, end to end, against the bundled simulator: test, discover, read, a read killed in the
# middle and resumed, the same as Airbyte does it, and what the rows tell. Needs a POSIX shell and the
# binaries of `cargo build --workspace`.
set -eu

bin=${CARGO_TARGET_DIR:-target}/debug
tap=$bin/tap-confluent-cloud
dir=$(mktemp -d)
trap 'kill $simulator 2>/dev/null || true; rm -rf "$dir"' EXIT INT TERM

# It is there before it is looked into, however late the shell in the background opens it.
: > "$dir/simulator.json"
"$bin/simulator" --users 237 --invitations 205 --service-accounts 131 --role-bindings 264 \
    --latency-ms 20 --truth-file "$dir/truth.json" >> "$dir/simulator.json" &
simulator=$!
while ! grep -q . "$dir/simulator.json"; do
    kill -0 $simulator 2>/dev/null || { echo "demo: the simulator did not start" >&2; exit 1; }
done

# A field of the simulator's one line of JSON.
field() { sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/" "$dir/simulator.json"; }
CONFLUENT_CLOUD_API_KEY=$(field api_key)
CONFLUENT_CLOUD_API_SECRET=$(field api_secret)
export CONFLUENT_CLOUD_API_KEY CONFLUENT_CLOUD_API_SECRET
printf '{"base_url": "%s", "retry_base_seconds": 0.1}\n' "$(field base_url)" > "$dir/config.json"

records() { grep -cE "^\{\"type\":\"RECORD\",(\"record\":\{)?\"stream\":\"$1\"" "$2" || true; }
# Ids of a stream that the simulator holds, one a line.
truth() { tr -d '\n ' < "$dir/truth.json" | sed "s/.*\"$1\":\[\([^]]*\)\].*/\1/" | tr ',' '\n' | tr -d '"'; echo; }
# Ids of the truth that are in none of the files.
missing() {
    for stream in $streams; do truth $stream; done | grep . | sort -u > "$dir/expected"
    cat "$@" | grep '^{"type":"RECORD"' | grep -oE '"id":"[^"]*"' | cut -d'"' -f4 | sort -u > "$dir/seen"
    comm -23 "$dir/expected" "$dir/seen" | grep -c . || true
}
row() { printf '%-32s %s\n' "$1" "$2" >> "$dir/table"; }

say() { printf '\n$ tap-confluent-cloud %s\n' "$*"; }

cat <<'END'

A simulated Confluent Cloud is running. It misbehaves on purpose, as the real one sometimes does: it fails
(503), limits the rate (429), and sends fields that are not in the schema. Lines with "the service is failing",
"rate limited" or "unknown fields, passed on" are not errors: they show how the tap handles this.
END

say --config config.json --test
"$tap" --config "$dir/config.json" --test > "$dir/test.jsonl"
row "--test" "$(grep -c '"type":"RECORD"' "$dir/test.jsonl") streams answered with a record"

say --config config.json --discover
"$tap" --config "$dir/config.json" --discover > "$dir/catalog.json"
streams=$(sed -n 's/.*"tap_stream_id": "\(.*\)".*/\1/p' "$dir/catalog.json")
row "--discover" "$(echo "$streams" | grep -c .) streams"

say --config config.json --catalog catalog.json
"$tap" --config "$dir/config.json" --catalog "$dir/catalog.json" > "$dir/whole.jsonl"
for stream in $streams; do
    row "  read: $stream" "$(records $stream "$dir/whole.jsonl") records of $(truth $stream | grep -c .)"
done

say 'read --config config.json, killed with SIGKILL in the middle'
sed 's/}$/, "page_size": 10}/' "$dir/config.json" > "$dir/small.json"
# As above.
: > "$dir/killed.jsonl"
"$tap" read --config "$dir/small.json" >> "$dir/killed.jsonl" &
reading=$!
while [ "$(grep -c '"type":"RECORD"' "$dir/killed.jsonl")" -lt 250 ]; do
    kill -0 $reading 2>/dev/null || { echo "demo: the read ended before it could be killed" >&2; exit 1; }
done
kill -KILL $reading
wait $reading 2>/dev/null || true
grep '^{"type":"STATE",.*}}}}$' "$dir/killed.jsonl" | tail -n 1 > "$dir/state.json"
row "killed in the middle" "$(grep -c '^{"type":"RECORD"' "$dir/killed.jsonl") records, $(missing "$dir/killed.jsonl") missing"

say 'read --config config.json --state state.json'
sed 's/}$/, "streams": ["users", "invitations", "service_accounts", "role_bindings", "extractions"]}/' \
    "$dir/small.json" > "$dir/history.json"
"$tap" read --config "$dir/history.json" --state "$dir/state.json" > "$dir/messages.jsonl"
grep -v '"stream":"extractions"' "$dir/messages.jsonl" > "$dir/resumed.jsonl"
sed -n 's/^{"type":"RECORD","stream":"extractions","record":\(.*\),"time_extracted":.*/\1/p' \
    "$dir/messages.jsonl" > "$dir/extractions"
row "resumed from its last STATE" "$(grep -c '^{"type":"RECORD"' "$dir/resumed.jsonl") records, $(missing "$dir/killed.jsonl" "$dir/resumed.jsonl") missing in both together"

say check --config config.json
"$tap" check --config "$dir/config.json" > "$dir/check.jsonl"
row "check (Airbyte)" "$(sed -n 's/.*"status":"\([A-Z]*\)".*/\1/p' "$dir/check.jsonl")"

say read --config config.json --catalog catalogs/airbyte.json
"$tap" read --config "$dir/config.json" --catalog catalogs/airbyte.json > "$dir/airbyte.jsonl"
row "read (Airbyte)" "$(records '[a-z_]*' "$dir/airbyte.jsonl") records, $(grep -c '"status":"COMPLETE"' "$dir/airbyte.jsonl") streams COMPLETE"

printf '\nWhat each step showed (organization %s, seed %s):\n\n' "$(field organization_name)" \
    "$(sed 's/.*"seed":\([0-9]*\).*/\1/' "$dir/simulator.json")"
cat "$dir/table"

# The demo is a test as well: what it shows must be true.
[ "$(missing "$dir/whole.jsonl")" = 0 ] && [ "$(missing "$dir/airbyte.jsonl")" = 0 ] && [ "$(missing "$dir/killed.jsonl")" != 0 ] &&
    [ "$(missing "$dir/killed.jsonl" "$dir/resumed.jsonl")" = 0 ] || { echo "demo: records are missing" >&2; exit 1; }
printf '\nEvery record of the simulated organization came out.\n'

# What the resumed run says of itself, for audits.
printf '\nThe last record of the stream extractions, which the resumed run wrote about itself:\n\n'
tail -n 1 "$dir/extractions"
[ "$(grep -c '"outcome":"complete"' "$dir/extractions")" = 4 ] && grep -q '"resumed":true' "$dir/extractions" ||
    { echo "demo: the history is wrong" >&2; exit 1; }

# Who holds which role where, in sentences: a user of each level, joined by id.
cat > "$dir/join.awk" <<'AWK'
function field(name,   text) {
    if (!match($0, "\"" name "\": *\"[^\"\\\\]*\"")) return ""
    text = substr($0, RSTART, RLENGTH)
    sub(/^"[^"]*": *"/, "", text)
    sub(/"$/, "", text)
    return text
}
/"stream":"users"/ {
    name = field("full_name"); email = field("email")
    if (name != "" && email != "") who[field("id")] = name " <" email ">"
}
/"stream":"role_bindings"/ {
    # Its resource_name is another one.
    sub(/"metadata": *[{][^}]*}/, "")
    count++
    principal[count] = field("principal_id"); role[count] = field("role_name"); level[count] = field("scope_type")
    where[count] = level[count] == "organization" ? "the whole organization" : "environment " field("environment_id")
    if (level[count] == "cloud-cluster") where[count] = where[count] ", cluster " field("cloud_cluster_id")
    what = field("resource_type")
    if (what != "") where[count] = where[count] ", " what " " field("resource_name") \
        (field("pattern_type") == "PREFIXED" ? "*" : "")
}
END {
    for (n = 1; n <= count; n++) if (principal[n] in who && !shown[level[n]]++)
        print who[principal[n]] "\n    holds " role[n] " on " where[n]
}
AWK
awk -f "$dir/join.awk" "$dir/whole.jsonl" > "$dir/access"
printf '\nThree of its role bindings, joined with the users who hold them:\n\n'
cat "$dir/access"
[ "$(grep -c holds "$dir/access")" = 3 ] || { echo "demo: the join found too few" >&2; exit 1; }

cat <<END

Try it yourself. Start the simulator again, and ask it; two entries of its JSON are no settings, and are
warned about:

    mkdir -p sample
    $bin/simulator > sample/tap.json & sleep 1
    $tap --config sample/tap.json --test

Or ask your own organization, which is only read (docs/api-key.md):

    export CONFLUENT_CLOUD_API_KEY=… CONFLUENT_CLOUD_API_SECRET=…
    $tap --test
END
