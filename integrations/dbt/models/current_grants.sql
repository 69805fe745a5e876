{% set streams = confluent_cloud.streams() %}

{# What a pattern can name by an id, and the stream that lists such ids. #}
{% set parts = [
    ('environments', 'b.environment_id'),
    ('kafka_clusters', 'b.cloud_cluster_id'),
    ('schema_registry_clusters', "case when b.service_type = 'schema-registry' then b.service_id end"),
    ('flink_compute_pools', "case when b.resource_type = 'compute-pool' and b.pattern_type = 'LITERAL' then b.resource_name end"),
    ('identity_providers', "case when b.resource_type = 'identity-provider' and b.pattern_type = 'LITERAL' then b.resource_name end"),
    ('service_accounts', "case when b.resource_type = 'service-account' and b.pattern_type = 'LITERAL' then b.resource_name end"),
] %}

{# Kinds of principals of which every one is in a table. The two kinds of pools have ids of the same form. #}
{% set checked = ['user', 'service_account'] %}
{% if 'group_mappings' in streams %}{% do checked.append('group_mapping') %}{% endif %}
{% if 'identity_pools' in streams and 'certificate_pools' in streams %}{% do checked.append('identity_pool') %}{% endif %}

with accepted_runs as (
    select organization_id, max(run_id) as run_id
    from {{ ref('extraction_evidence') }}
    group by organization_id
    having count(problem) = 0
),

-- The service does not promise that a grant has one binding only: the oldest stands for it.
bindings as (
    select * from (
        select
            binding.*,
            row_number() over (
                partition by binding.organization_id, principal, role_name, crn_pattern
                order by created_at nulls last, id
            ) as nth_of_grant
        from (
            {{ confluent_cloud.records_of(
                'role_bindings',
                [
                    'principal', 'principal_id', 'principal_type', 'role_name', 'crn_pattern', 'scope_type',
                    'environment_id', 'cloud_cluster_id', 'service_type', 'service_id', 'resource_type',
                    'resource_name', 'pattern_type',
                ],
                ['created_at'],
            ) }}
        ) binding
    ) numbered
    where nth_of_grant = 1
),

principals as (
    select
        organization_id, id, 'user' as kind, 'user' as principal_type, full_name as name, email, auth_type,
        cast(null as text) as state, cast(null as text) as condition
    from ({{ confluent_cloud.records_of('users', ['full_name', 'email', 'auth_type']) }}) users
    union all
    select organization_id, id, 'service_account', 'service_account', display_name, null, null, null, null
    from ({{ confluent_cloud.records_of('service_accounts', ['display_name']) }}) service_accounts
    {% for stream, kind, type in [
        ('identity_pools', 'identity_pool', 'identity_pool'),
        ('certificate_pools', 'identity_pool', 'certificate_pool'),
        ('group_mappings', 'group_mapping', 'group_mapping'),
    ] %}
    union all
    select organization_id, id, '{{ kind }}', '{{ type }}', display_name, null, null, state, filter
    from ({{ confluent_cloud.records_of(stream, ['display_name', 'state', 'filter']) }}) {{ stream }}
    {% endfor %}
),

invitations as (
    select * from (
        select
            invitation.*,
            row_number() over (
                partition by invitation.organization_id, user_id order by created_at desc nulls last, id
            ) as nth_of_user
        from ({{ confluent_cloud.records_of('invitations', ['user_id', 'email', 'status'], ['created_at']) }}) invitation
    ) numbered
    where nth_of_user = 1
),

ways as (
    select organization_id, id as binding_id, 'direct' as via, cast(null as text) as via_id,
        cast(null as text) as api_key_resource_kind, cast(null as text) as api_key_resource_id
    from bindings
    where coalesce(principal_type, '') <> 'group_mapping'
    union all
    select organization_id, id, 'group_mapping', principal_id, null, null
    from bindings
    where principal_type = 'group_mapping'
    union all
    -- A key acts for its owner: with what is bound to the owner, and without what a group mapping would add.
    select b.organization_id, b.id, 'api_key', k.id, k.resource_kind, k.resource_id
    from bindings b
    inner join ({{ confluent_cloud.records_of('api_keys', ['owner_id', 'resource_kind', 'resource_id']) }}) k
        on k.organization_id = b.organization_id and k.owner_id = b.principal_id
    where b.principal_type in ('user', 'service_account')
),

environments as ({{ confluent_cloud.records_of('environments', ['display_name']) }}),

kafka_clusters as ({{ confluent_cloud.records_of('kafka_clusters', ['display_name']) }}),

{% for stream in ['schema_registry_clusters', 'flink_compute_pools', 'identity_providers', 'service_accounts'] %}
{{ stream }} as ({{ confluent_cloud.records_of(stream) }}),
{% endfor %}

grants as (
    select
        b.organization_id,
        b.principal,
        coalesce(p.principal_type, b.principal_type, 'unknown') as principal_type,
        b.principal_id,
        p.name as principal_name,
        coalesce(p.email, i.email) as principal_email,
        case
            when p.id is not null then 'listed'
            when i.status in ('INVITE_STATUS_SENT', 'INVITE_STATUS_STAGED') then 'invited'
            when b.principal_type in ('{{ checked | join("', '") }}') then 'not_listed'
            else 'not_checked'
        end as principal_status,
        coalesce(p.state, case when p.id is null then i.status end) as principal_state,
        p.auth_type,
        b.role_name,
        b.scope_type,
        b.environment_id,
        environments.display_name as environment_name,
        b.cloud_cluster_id,
        kafka_clusters.display_name as cloud_cluster_name,
        b.service_type,
        b.service_id,
        b.resource_type,
        -- Empty for every name; some loaders write null instead.
        case when b.pattern_type is not null then coalesce(b.resource_name, '') end as resource_name,
        b.pattern_type,
        b.crn_pattern,
        w.via,
        w.via_id,
        w.api_key_resource_kind,
        w.api_key_resource_id,
        coalesce(b.principal_type, '') in ('group_mapping', 'identity_pool') as is_conditional,
        p.condition,
        case
            {% for stream, id in parts if stream in streams %}
            when {{ id }} is not null and {{ stream }}.id is null then true
            {% endfor %}
            {% for stream, id in parts if stream not in streams %}
            when {{ id }} is not null then null
            {% endfor %}
            else false
        end as is_dangling_scope,
        b.id as role_binding_id,
        b.created_at as granted_at,
        accepted_runs.run_id
    from accepted_runs
    inner join bindings b on b.organization_id = accepted_runs.organization_id
    inner join ways w on w.organization_id = b.organization_id and w.binding_id = b.id
    left join principals p
        on p.organization_id = b.organization_id and p.id = b.principal_id and p.kind = b.principal_type
    left join invitations i
        on i.organization_id = b.organization_id and i.user_id = b.principal_id and b.principal_type = 'user'
    {% for stream, id in parts %}
    left join {{ stream }} on {{ stream }}.organization_id = b.organization_id and {{ stream }}.id = {{ id }}
    {% endfor %}
)

select
    {{ dbt.hash(
        "organization_id || '|' || coalesce(principal, '') || '|' || coalesce(role_name, '') || '|' || "
        ~ "coalesce(crn_pattern, '') || '|' || via || '|' || coalesce(via_id, '')"
    ) }} as grant_id,
    grants.*,
    case principal_status when 'not_listed' then true when 'not_checked' then null else false end
        as is_dangling_principal
from grants
