{% set attributes = confluent_cloud.attributes() %}

with history as (
    select
        history.*,
        min(dbt_valid_from) over (partition by organization_id) as first_seen_at,
        lag(dbt_is_deleted) over (partition by grant_id order by dbt_valid_from) as was_deleted
        {%- for column in attributes %},
        lag({{ column }}) over (partition by grant_id order by dbt_valid_from) as previous_{{ column }}
        {%- endfor %}
    from {{ ref('access_grants_history') }} history
),

runs as (
    select
        runs.*,
        lag(run_id) over (partition by organization_id order by dbt_valid_from) as previous_run_id,
        lag(ended_at) over (partition by organization_id order by dbt_valid_from) as previous_ended_at,
        lag(streams) over (partition by organization_id order by dbt_valid_from) as previous_streams,
        lag(masked_api_key) over (partition by organization_id order by dbt_valid_from) as previous_api_key,
        lag(settings_hash) over (partition by organization_id order by dbt_valid_from) as previous_settings
    from {{ ref('access_runs_history') }} runs
),

changes as (
    select
        case
            when dbt_is_deleted = 'True' then 'revoked'
            when coalesce(was_deleted, 'True') = 'True' then 'granted'
            else 'changed'
        end as change,
        {% for column in attributes %}
        case
            when dbt_is_deleted = 'False' and was_deleted = 'False'
                and {{ column }} is distinct from previous_{{ column }}
            then '; {{ column }}: ' || coalesce(cast(previous_{{ column }} as text), 'null')
                || ' -> ' || coalesce(cast({{ column }} as text), 'null')
            else ''
        end {{ "||" if not loop.last }}
        {% endfor %} as differences,
        history.*
    from history
    -- What the first accepted run found was not granted then.
    where dbt_valid_from > first_seen_at
)

select
    changes.change,
    nullif(substr(changes.differences, 3), '') as what_changed,
    changes.grant_id,
    {% for column in attributes %}
    changes.{{ column }},
    {% endfor %}
    runs.run_id,
    runs.ended_at as seen_at,
    runs.previous_run_id,
    runs.previous_ended_at as not_yet_at,
    runs.streams = runs.previous_streams as same_streams,
    runs.masked_api_key is not distinct from runs.previous_api_key as same_api_key,
    runs.settings_hash is not distinct from runs.previous_settings as same_settings
from changes
inner join runs
    on runs.organization_id = changes.organization_id
    and changes.dbt_valid_from >= runs.dbt_valid_from
    and (changes.dbt_valid_from < runs.dbt_valid_to or runs.dbt_valid_to is null)
where changes.change <> 'changed' or changes.differences <> ''
