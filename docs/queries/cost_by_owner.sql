-- Whose API keys open the Kafka clusters that cost most?
-- Asked by: cost teams that charge back to people and services; the owners of keys are the nearest thing to owners of a cluster.
-- The cost of a cluster, with that of its connectors, is shared evenly among the owners of its keys, whatever they use. A key
-- for several clusters is not counted. Needs billing_costs, api_keys, connectors, service_accounts and users.
with owners as (
    select distinct resource_id as cluster_id, owner_id from api_keys
    where resource_kind = 'Cluster' and owner_id is not null
),
shares as (
    select cluster_id, owner_id, 1.0 / count(*) over (partition by cluster_id) as share from owners
),
clusters as (
    select coalesce(n.kafka_cluster_id, c.resource_id) as cluster_id, sum(c.amount) as amount
    from billing_costs c
    left join connectors n on n.connector_id = c.resource_id
    group by 1
)
select
    s.owner_id,
    coalesce(a.display_name, u.email, case when s.owner_id is null then '(nobody)' end) as owner,
    count(distinct c.cluster_id) as clusters,
    round(sum(c.amount * coalesce(s.share, 1)), 2) as amount
from clusters c
left join shares s on s.cluster_id = c.cluster_id
left join service_accounts a on a.id = s.owner_id
left join users u on u.id = s.owner_id
group by s.owner_id, a.display_name, u.email
order by 4 desc, coalesce(s.owner_id, '');
