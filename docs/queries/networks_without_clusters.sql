-- Which networks have no Kafka cluster, and what else is in them or attached to them?
-- Asked by: platform and cost teams; a network with nothing in it can be deleted, and so can its attachments.
-- A cluster that the key cannot see looks like none. Private link accesses and gateways are not listed. Needs networks,
-- kafka_clusters, flink_compute_pools, peerings and transit_gateway_attachments.
select
    n.environment_id,
    n.id,
    n.display_name,
    n.cloud,
    n.region,
    n.phase,
    substr(n.status ->> '$.idle_since', 1, 10) as idle_since,
    (select count(*) from flink_compute_pools f where f.network_id = n.id) as compute_pools,
    (select count(*) from peerings p where p.network_id = n.id) as peerings,
    (select count(*) from transit_gateway_attachments t where t.network_id = n.id) as transit_gateways
from networks n
left join kafka_clusters c on c.network_id = n.id
where c.id is null
order by n.environment_id, n.id;
