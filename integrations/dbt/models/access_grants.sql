select
    history.grant_id,
    {% for column in confluent_cloud.attributes() %}
    history.{{ column }},
    {% endfor %}
    runs.run_id,
    runs.ended_at as as_of
from {{ ref('access_grants_history') }} history
inner join {{ ref('access_runs_history') }} runs
    on runs.organization_id = history.organization_id and runs.dbt_valid_to is null
where history.dbt_valid_to is null and history.dbt_is_deleted = 'False'
