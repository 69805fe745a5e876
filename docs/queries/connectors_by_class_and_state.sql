-- How many connectors of each plugin class are in each state, and in how many clusters?
-- Asked by: platform engineers who look for what has failed, and reviewers who list the kinds of systems that data comes
-- from and goes to. The states are those at the time of the sync. A connector without a class is mostly one of a custom
-- plugin; one without a state was listed without it. Needs connectors.
select
    coalesce(connector_class, '(none)') as connector_class,
    coalesce(state, '(none)') as state,
    count(*) as connectors,
    count(distinct kafka_cluster_id) as clusters,
    count(distinct environment_id) as environments
from connectors
group by coalesce(connector_class, '(none)'), coalesce(state, '(none)')
order by connector_class, connectors desc, state;
