-- How many grants name each environment, and how many principals hold them?
-- Asked by: platform engineers who look where access piles up.
-- An environment without a name is not listed: grants_on_what_is_gone.sql. Needs environments.
-- Grants on the whole organization reach every environment and are not counted here.
select
    b.environment_id,
    e.display_name,
    count(*) as grants,
    count(distinct b.principal_id) as principals,
    count(distinct b.cloud_cluster_id) as clusters,
    sum(case when b.role_name = 'EnvironmentAdmin' then 1 else 0 end) as environment_admins
from role_bindings b
left join environments e on e.id = b.environment_id
where b.environment_id is not null
group by b.environment_id, e.display_name
order by grants desc, b.environment_id;
