{# Part of the statements that use it, so that each of them sees the tables of one moment. #}
{{ config(materialized='ephemeral') }}

{% set streams = confluent_cloud.streams() %}
{% set types = confluent_cloud.columns_of('extractions') %}

with extractions as (
    select * from (
        select
            organization_id, run_id, stream, outcome, reason, pass_records, may_be_shortened, masked_api_key, owner_id,
            connector_version, settings_hash,
            {{ confluent_cloud.time_of('extractions', types, 'ended_at') }} as ended_at,
            -- A stream that the run did not begin with has no beginning.
            date_trunc('milliseconds', coalesce(
                {{ confluent_cloud.time_of('extractions', types, 'pass_started_at') }},
                {{ confluent_cloud.time_of('extractions', types, 'started_at') }},
                {{ confluent_cloud.time_of('extractions', types, 'ended_at') }}
            )) as read_from,
            row_number() over (partition by organization_id, extraction_id order by ended_at desc) as nth
        from {{ source('confluent_cloud', 'extractions') }}
        where organization_id is not null
        and stream in ({% for stream in streams %}'{{ stream }}'{{ ", " if not loop.last }}{% endfor %})
    ) numbered
    where nth = 1
),

ranked as (
    select
        extractions.*,
        row_number() over (partition by organization_id order by ended_at desc, run_id) as nth_of_all,
        row_number() over (partition by organization_id, stream, outcome order by ended_at desc, run_id) as nth_of_stream
    from extractions
),

last_runs as (
    select organization_id, run_id from ranked where nth_of_all = 1
),

wanted as (
    {% for stream in streams %}
    select organization_id, run_id, '{{ stream }}' as stream from last_runs
    {{ "union all" if not loop.last }}
    {% endfor %}
),

complete as (
    select * from ranked where outcome = 'complete' and nth_of_stream = 1
),

loaded as (
    {% for stream in streams %}
    select '{{ stream }}' as stream, organization_id, id, extracted_at
    from ({{ confluent_cloud.rows_of(stream) }}) {{ stream }}_rows
    {{ "union all" if not loop.last }}
    {% endfor %}
),

counted as (
    select
        complete.organization_id,
        complete.stream,
        count(distinct case when loaded.extracted_at >= complete.read_from then loaded.id end) as rows_found,
        max(loaded.extracted_at) as newest_row_at
    from complete
    left join loaded on loaded.organization_id = complete.organization_id and loaded.stream = complete.stream
    group by complete.organization_id, complete.stream
)

select
    wanted.organization_id,
    wanted.stream,
    wanted.run_id,
    latest.outcome,
    latest.reason,
    complete.read_from,
    complete.ended_at as complete_at,
    complete.pass_records as records,
    counted.rows_found,
    complete.may_be_shortened,
    complete.masked_api_key,
    complete.owner_id,
    complete.connector_version,
    complete.settings_hash,
    case
        when latest.outcome is null then 'the last run has not read it'
        when latest.outcome not in ('complete', 'skipped') then 'the last run failed to read it'
        when complete.run_id is null then 'it was never read completely'
        when counted.newest_row_at > complete.ended_at then 'its table has rows of a later run, which did not end'
        when counted.rows_found < complete.pass_records then 'its table has fewer rows than records were read'
        {% if not var('confluent_accept_shortened_lists') %}
        when coalesce(complete.may_be_shortened, true) then 'the service may have shortened it'
        {% endif %}
    end as problem
from wanted
left join extractions latest
    on latest.organization_id = wanted.organization_id
    and latest.run_id = wanted.run_id
    and latest.stream = wanted.stream
left join complete on complete.organization_id = wanted.organization_id and complete.stream = wanted.stream
left join counted on counted.organization_id = wanted.organization_id and counted.stream = wanted.stream
