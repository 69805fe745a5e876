-- Which environments do grants name, and how many grants name each?
-- Asked by: platform engineers, to find grants on environments that are gone.
-- Environments are not a stream yet: hold this list against that of the console or the vendor's command line.
-- Grants on the whole organization reach every environment and are not counted here.
select
    environment_id,
    count(*) as grants,
    count(distinct principal_id) as principals,
    count(distinct cloud_cluster_id) as clusters,
    sum(case when role_name = 'EnvironmentAdmin' then 1 else 0 end) as environment_admins
from role_bindings
where environment_id is not null
group by environment_id
order by grants desc, environment_id;
