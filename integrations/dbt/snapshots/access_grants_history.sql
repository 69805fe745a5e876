{% snapshot access_grants_history %}

{{ config(strategy='check', unique_key='grant_id', check_cols=confluent_cloud.attributes(), hard_deletes='new_record') }}

{# What is not here is taken for revoked. So where the last run is not accepted, or the tables have changed since
   it was looked at, everything that was there stays. #}
with accepted as (
    select current_grants.*
    from {{ ref('current_grants') }} current_grants
    inner join {{ ref('access_runs_history') }} runs
        on runs.organization_id = current_grants.organization_id
        and runs.run_id = current_grants.run_id
        and runs.dbt_valid_to is null
)

{% set columns = ['grant_id', 'run_id'] + confluent_cloud.attributes() %}
select {{ columns | join(', ') }} from accepted
{% if execute and load_relation(this) is not none %}
{% set kept = adapter.get_columns_in_relation(this) | map(attribute='name') | list %}
union all
select
    {% for column in columns %}
    {{ column if column in kept else 'null' }}{{ "," if not loop.last }}
    {% endfor %}
from {{ this }} history
where dbt_valid_to is null
and dbt_is_deleted = 'False'
and not exists (select 1 from accepted where accepted.organization_id = history.organization_id)
{% endif %}

{% endsnapshot %}
