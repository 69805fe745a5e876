-- Which people hold API keys of their own for Kafka clusters?
-- Asked by: security engineers; what produces and consumes belongs to a service account, not to a person who may leave.
-- A key for several clusters has a row for each; `spec` names them. A cluster without a name is not listed: it is gone, or
-- hidden from the key that synced. Needs api_keys, environments and kafka_clusters.
with recursive several as (
    select id, spec, 0 as n from api_keys
    where json_array_length(spec, '$.resources') > 1
    union all
    select id, spec, n + 1 from several
    where n + 1 < json_array_length(spec, '$.resources')
),
opened as (
    select id, resource_id as cluster_id, environment_id from api_keys
    where resource_kind = 'Cluster'
    union all
    select
        id,
        spec ->> ('$.resources[' || n || '].id'),
        spec ->> ('$.resources[' || n || '].environment')
    from several
    where coalesce(spec ->> ('$.resources[' || n || '].kind'), 'Cluster') = 'Cluster'
)
select
    u.email,
    u.id as owner_id,
    k.id as api_key,
    o.cluster_id,
    c.display_name as cluster,
    e.display_name as environment,
    substr(cast(k.created_at as varchar), 1, 10) as created_on
from api_keys k
join opened o on o.id = k.id
join users u on u.id = k.owner_id
left join kafka_clusters c on c.id = o.cluster_id
left join environments e on e.id = coalesce(c.environment_id, o.environment_id)
order by u.id, k.created_at, k.id, o.cluster_id;
