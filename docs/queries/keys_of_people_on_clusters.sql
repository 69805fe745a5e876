-- Which people hold API keys of their own for Kafka clusters?
-- Asked by: security engineers; what produces and consumes belongs to a service account, not to a person who may leave.
-- A cluster without a name is not listed: it is gone, or hidden from the key that synced. Keys for several clusters name
-- them in `spec`. Needs api_keys, environments and kafka_clusters.
select
    u.email,
    u.id as owner_id,
    k.id as api_key,
    k.resource_id as cluster_id,
    c.display_name as cluster,
    e.display_name as environment,
    substr(cast(k.created_at as varchar), 1, 10) as created_on
from api_keys k
join users u on u.id = k.owner_id
left join kafka_clusters c on c.id = k.resource_id
left join environments e on e.id = coalesce(c.environment_id, k.environment_id)
where k.resource_kind = 'Cluster'
order by u.id, k.created_at, k.id;
