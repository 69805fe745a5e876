{% snapshot access_runs_history %}

{{ config(strategy='check', unique_key='organization_id', check_cols='all', hard_deletes='ignore') }}

{# Of each organization the run that its grants are of. Dates of the two snapshots are of the same clock, so that
   these tell to which run a change belongs. #}
select
    evidence.organization_id,
    evidence.run_id,
    min(evidence.read_from) as started_at,
    max(evidence.complete_at) as ended_at,
    max(evidence.masked_api_key) as masked_api_key,
    max(evidence.owner_id) as owner_id,
    max(evidence.connector_version) as connector_version,
    max(evidence.settings_hash) as settings_hash,
    '{{ confluent_cloud.streams() | join(", ") }}' as streams
from {{ ref('access_evidence') }} evidence
inner join (select distinct organization_id, run_id from {{ ref('current_grants') }}) accepted
    on accepted.organization_id = evidence.organization_id and accepted.run_id = evidence.run_id
group by evidence.organization_id, evidence.run_id

{% endsnapshot %}
