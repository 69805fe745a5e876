-- Which grants are bound to an environment or a Kafka cluster that no longer exists?
-- Asked by: platform engineers and auditors: what opens nothing any more can go, and need not be reviewed.
-- What is not listed may also be hidden from the key that synced: use one whose owner is OrganizationAdmin.
-- Needs the streams environments and kafka_clusters, read to their ends.
select
    case when e.id is null then 'environment' else 'cluster' end as gone,
    b.environment_id,
    e.display_name as environment,
    b.cloud_cluster_id,
    b.role_name,
    b.principal_type,
    b.principal_id,
    b.id
from role_bindings b
left join environments e on e.id = b.environment_id
left join kafka_clusters c on c.id = b.cloud_cluster_id
where (b.environment_id is not null and e.id is null)
   or (b.cloud_cluster_id is not null and c.id is null)
order by gone desc, b.environment_id, coalesce(b.cloud_cluster_id, ''), b.role_name, b.principal_id, b.id;
